/** Where identity providers end people's sessions; in a scope of its own. */

import type { FastifyInstance } from 'fastify';
import { RateLimit } from '../http/rate-limit.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { IssuerKeys } from '../oauth/issuer-keys-client.ts';
import { networkOf } from '../outbound/public-address.ts';
import { type ConnectionPath, placeOf } from './login-hook.ts';
import { revokeSessions } from './revocation-flow.ts';

export function revocationRoutes(scope: FastifyInstance, services: Services): void {
  const { blueAgent: dispatcher, allowPrivateNetworks } = services;
  const nowMs = () => performance.now();
  const keys = new IssuerKeys({ dispatcher, allowPrivateNetworks, nowMs, log: scope.log });
  const perAddress = new RateLimit(limits.tokenRequestsPerSecondAndAddress);
  scope.addHook('onRequest', async ({ ip }, reply) => {
    reply.header('cache-control', 'no-store');
    const retryAfterSeconds = perAddress.take(networkOf(ip), performance.now());
    if (retryAfterSeconds > 0) {
      throw new Fault('rate_limited', 'Too many revocations come from this address.', { retryAfterSeconds });
    }
  });
  scope.post<{ Params: ConnectionPath }>(
    '/oauth/global-token-revocation/:connectionId',
    { config: { auth: 'none' }, bodyLimit: limits.tokenRequestBytesMax },
    async (request, reply) => {
      const { id: requestId, body, headers } = request;
      const place = await placeOf(request, services);
      await revokeSessions({ ...services, keys }, place, {
        authorization: headers.authorization,
        body,
        requestId,
      });
      return reply.code(204).send();
    },
  );
}
