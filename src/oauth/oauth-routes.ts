/** Where machines get access tokens (RFC 6749 §4.4, RFC 7523), and what the gateway says of that (RFC 8414). */

import type { FastifyInstance } from 'fastify';
import { RateLimit } from '../http/rate-limit.ts';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { networkOf } from '../outbound/public-address.ts';
import { scopes } from '../tenants/scope.ts';
import { assertionAlgorithms } from './assertion-client.ts';
import { IssuerKeys } from './issuer-keys-client.ts';
import { installOAuthMessages } from './oauth-message-hook.ts';
import { issueAccessToken, signIn, tokenSeconds } from './token-flow.ts';
import { readTokenRequest } from './token-request.ts';

/** In a scope of its own. */
export function tokenRoutes(scope: FastifyInstance, services: Services): void {
  const { database, clock, blueAgent: dispatcher, allowPrivateNetworks } = services;
  const nowMs = () => performance.now();
  const keys = new IssuerKeys({ dispatcher, allowPrivateNetworks, nowMs, log: scope.log });
  const perAddress = new RateLimit(limits.tokenRequestsPerSecondAndAddress);
  const perClient = new RateLimit(limits.tokensPerSecondAndClient);
  installOAuthMessages(scope);
  scope.addHook('onRequest', async ({ ip }) => {
    take(perAddress, networkOf(ip), 'Too many requests for tokens come from this address.');
  });
  scope.post<{ Body: ReadonlyMap<string, string> | undefined }>(
    '/oauth/token',
    { config: { auth: 'none' } },
    async (request, reply) => {
      const asked = readTokenRequest(request.body ?? new Map(), request.headers.authorization);
      const signedIn = await signIn({ database, clock, keys }, asked);
      // Counted once it is known who asks, so that nobody can use up another's share.
      take(perClient, signedIn.client.id, 'Too many tokens are asked for: use each until it expires.');
      const token = await issueAccessToken({ database, clock, keys }, signedIn);
      return reply.send({
        access_token: token,
        token_type: 'Bearer',
        expires_in: tokenSeconds,
        scope: signedIn.scope,
      });
    },
  );
}

function take(rate: RateLimit, key: string, text: string): void {
  const retryAfterSeconds = rate.take(key, performance.now());
  if (retryAfterSeconds > 0) throw new Fault('rate_limited', text, { retryAfterSeconds });
}

export function oauthMetadataRoutes(app: FastifyInstance, { publicUrl }: Services): void {
  const metadata = {
    issuer: publicUrl,
    token_endpoint: `${publicUrl}/oauth/token`,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    scopes_supported: scopes,
    response_types_supported: [],
  };
  app.get('/.well-known/oauth-authorization-server', { config: { auth: 'none' } }, async (_request, reply) =>
    reply.header('cache-control', 'public, max-age=3600').send(metadata),
  );
}
