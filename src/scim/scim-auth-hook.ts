/** Who calls under `/scim/v2`: a directory token, read from the database on each request, and how often it may. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Door } from '../audit/door.ts';
import type { Services } from '../http/services.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { bearerToken } from '../kernel/token.ts';
import { findDirectoryCaller } from '../tenants/credential-store.ts';
import { actorOf, type DirectoryCaller } from '../tenants/tenant.ts';
import { RateLimit } from './rate-limit.ts';

declare module 'fastify' {
  interface FastifyRequest {
    directoryCaller: DirectoryCaller | null;
  }
}

/** @param ratePerSecond Sustained requests a second, for each token and process; 0: no limit. */
export function installScimAuth(scope: FastifyInstance, services: Services, ratePerSecond: number): void {
  const rate = new RateLimit(ratePerSecond);
  scope.decorateRequest('directoryCaller', null);
  scope.addHook('onRequest', async (request) => {
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) {
      throw new Fault('unauthenticated', 'Send the directory token as "Authorization: Bearer <token>".');
    }
    const caller = await findDirectoryCaller(services.database, token, services.clock.now());
    if (caller === undefined) {
      throw new Fault(
        'unauthenticated',
        'The directory token is unknown, revoked or expired: issue a new one.',
      );
    }
    // Also who calls too often is known, and recorded.
    request.directoryCaller = caller;
    const retryAfterSeconds = rate.take(caller.tokenId, services.clock.now().getTime());
    if (retryAfterSeconds > 0) {
      const text = `More than ${ratePerSecond} requests a second: wait, then go on.`;
      throw new Fault('rate_limited', text, { retryAfterSeconds });
    }
  });
}

export function directoryCallerOf({ directoryCaller }: FastifyRequest): DirectoryCaller {
  assert(directoryCaller !== null, 'the hook lets nobody else through');
  return directoryCaller;
}

/** The door of a write that an identity provider makes. */
export function doorOf(request: FastifyRequest, now: Date): Door {
  const caller = directoryCallerOf(request);
  return { tenantId: caller.tenantId, actor: actorOf(caller), now, requestId: request.id };
}
