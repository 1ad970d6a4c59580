/** Who calls under `/scim/v2`: a directory token or an access token, read from the database on each request, and
 * what and how often it may. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RateLimit } from '../http/rate-limit.ts';
import type { Services } from '../http/services.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { bearerToken } from '../kernel/token.ts';
import { findDirectoryCaller } from '../tenants/credential-store.ts';
import { mayWrite } from '../tenants/scope.ts';
import { actorOf, type DirectoryCaller } from '../tenants/tenant.ts';
import type { Dialect } from './dialect.ts';
import { Dialects } from './dialect-hook.ts';
import type { Asking } from './resource-flow.ts';

declare module 'fastify' {
  interface FastifyRequest {
    directoryCaller: DirectoryCaller | null;
    dialect: Dialect | null;
  }
}

/** @param ratePerSecond Sustained requests a second, for each token and process; 0: no limit. */
export function installScimAuth(scope: FastifyInstance, services: Services, ratePerSecond: number): void {
  const rate = new RateLimit(ratePerSecond);
  const dialects = new Dialects(services.database);
  scope.decorateRequest('directoryCaller', null);
  scope.decorateRequest('dialect', null);
  scope.addHook('onRequest', async (request, reply) => {
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
    const retryAfterSeconds = rate.take(caller.tokenId, performance.now());
    if (retryAfterSeconds > 0) {
      const text = `More than ${ratePerSecond} requests a second: wait, then go on.`;
      throw new Fault('rate_limited', text, { retryAfterSeconds });
    }
    if (!isRead(request) && !mayWrite(caller.scope)) {
      reply.header('www-authenticate', 'Bearer error="insufficient_scope", scope="scim"');
      throw new Fault('forbidden', 'This access token only reads: ask for one with the scope "scim".');
    }
    request.dialect = await dialects.find(caller);
  });
}

/** A search by POST (RFC 7644 §3.4.3) reads. What is not here is told so, whatever the token may do. */
function isRead({ method, routeOptions, is404 }: FastifyRequest): boolean {
  return is404 || method === 'GET' || method === 'HEAD' || routeOptions.config.isRead === true;
}

export function directoryCallerOf({ directoryCaller }: FastifyRequest): DirectoryCaller {
  assert(directoryCaller !== null, 'the hook lets nobody else through');
  return directoryCaller;
}

export function dialectOf({ dialect }: FastifyRequest): Dialect {
  assert(dialect !== null, 'the hook lets nobody else through');
  return dialect;
}

/** Everything that an operation needs to know of whoever asks for it. */
export function askingOf(request: FastifyRequest, services: Services): Asking {
  const { database, clock, publicUrl, creations } = services;
  const caller = directoryCallerOf(request);
  return {
    database,
    caller,
    dialect: dialectOf(request),
    door: { tenantId: caller.tenantId, actor: actorOf(caller), now: clock.now(), requestId: request.id },
    baseUrl: `${publicUrl}/scim/v2`,
    creations,
  };
}
