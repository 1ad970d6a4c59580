/** A login by OpenID Connect as browsers see it, and what the identity provider itself asks for: our keys, and logouts. */

import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { atOnce } from '../db/tenant-transaction.ts';
import { RateLimit } from '../http/rate-limit.ts';
import type { Services } from '../http/services.ts';
import { limits } from '../kernel/limits.ts';
import { IssuerKeys, IssuerUnavailable } from '../oauth/issuer-keys-client.ts';
import { loginUrlOf } from './connection.ts';
import { unknownConnection } from './connection-flow.ts';
import { publishedKeys } from './connection-key.ts';
import { selectConnection } from './connection-store.ts';
import { loginHintOf, noStepUp, returnPathOf } from './core/asked.ts';
import { publicJwk } from './jwk-client.ts';
import { answerLogin, beginLogin, type ConnectionPath, placeOf } from './login-hook.ts';
import { acceptCallback } from './oidc-login-flow.ts';
import { acceptLogoutToken } from './oidc-logout-flow.ts';
import { clearLogin, loginOf } from './session-hook.ts';

const config = { auth: 'none' } as const;
const base = '/sso/oidc/:connectionId';
const described = { tags: ['sign-on'], security: [] };
const jwksSchema = {
  ...described,
  summary: 'Public keys of a connection (RFC 7517)',
  response: { 200: Type.Object({ keys: Type.Array(Type.Object({}, { additionalProperties: true })) }) },
};
const failed = Type.Object({ error: Type.String(), error_description: Type.Optional(Type.String()) });
const logoutSchema = {
  ...described,
  summary: 'Take a logout token',
  description:
    'A form with `logout_token` (OpenID Connect Back-Channel Logout 1.0 §2.5). The body of 200 is empty.',
  response: { 400: failed, 503: failed },
};

export function oidcRoutes(scope: FastifyInstance, services: Services): void {
  const { publicUrl } = services;
  const untrusted = new RateLimit(limits.untrustedTracesPerSecond, limits.untrustedTracesAtOnce);
  // Also where a login that others begin leads (Core §4): whatever they say of issuer and target is not read.
  scope.get<{ Params: ConnectionPath; Querystring: { return?: unknown; login_hint?: unknown } }>(
    `${base}/login`,
    { config },
    async (request, reply) => {
      const asked = { returnTo: returnPathOf(request.query.return), stepUp: noStepUp };
      const loginHint = loginHintOf(request.query.login_hint);
      const place = await placeOf(request, services);
      const path = loginUrlOf('', { protocol: 'oidc', id: place.connectionId });
      return await beginLogin(reply, services, place, asked, { protocol: 'oidc', loginHint, path });
    },
  );

  scope.get<{ Params: ConnectionPath; Querystring: { state?: unknown } }>(
    `${base}/callback`,
    { config },
    async (request, reply) => {
      const { state: given } = request.query;
      const state = typeof given === 'string' ? given : undefined;
      const [, query = ''] = /^[^?]*\?(.*)$/s.exec(request.url) ?? [];
      const browser = state === undefined ? undefined : loginOf(request, publicUrl, state);
      const place = await placeOf(request, services);
      const outcome = await acceptCallback(
        services,
        place,
        { query, state, browser },
        {
          requestId: request.id,
          mayTrace: () => untrusted.take(place.connectionId, performance.now()) === 0,
        },
      );
      if (state !== undefined) clearLogin(reply, publicUrl, state);
      return answerLogin(request, reply, services, { place, browser, outcome });
    },
  );
  providerRoutes(scope, services);
}

/** For the identity provider itself. */
function providerRoutes(scope: FastifyInstance, services: Services): void {
  const { database, blueAgent: dispatcher, allowPrivateNetworks } = services;
  const nowMs = () => performance.now();
  const keys = new IssuerKeys({ dispatcher, allowPrivateNetworks, nowMs, log: scope.log });
  scope.get<{ Params: ConnectionPath }>(
    `${base}/jwks`,
    { config, schema: jwksSchema },
    async (request, reply) => {
      const { tenantId, connectionId } = await placeOf(request, services);
      const connection = await atOnce(database, tenantId, (tx) => selectConnection(tx, connectionId));
      if (connection?.protocol !== 'oidc') throw unknownConnection(connectionId);
      const signing = publishedKeys(connection.keys).filter(({ use }) => use === 'signing');
      return reply.send({ keys: await Promise.all(signing.map(publicJwk)) });
    },
  );

  // Back-Channel Logout 1.0 §2.5, §2.8.
  scope.post<{ Params: ConnectionPath; Body: URLSearchParams | undefined }>(
    `${base}/backchannel-logout`,
    { config, schema: logoutSchema, bodyLimit: limits.oidcAnswerLengthMax * 2 },
    async (request, reply) => {
      const [token, ...more] = request.body?.getAll('logout_token') ?? [];
      const place = await placeOf(request, services);
      try {
        const isTaken =
          token !== undefined &&
          more.length === 0 &&
          token.length <= limits.oidcAnswerLengthMax &&
          (await acceptLogoutToken({ ...services, keys }, place, token));
        return isTaken
          ? reply.code(200).send()
          : reply
              .code(400)
              .send({ error: 'invalid_request', error_description: 'This is no logout token for us.' });
      } catch (error) {
        if (!(error instanceof IssuerUnavailable)) throw error;
        request.log.warn({ err: error, ...place }, 'a logout token could not be checked');
        return reply.code(503).header('retry-after', '5').send({ error: 'temporarily_unavailable' });
      }
    },
  );
}
