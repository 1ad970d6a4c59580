/** A login by SAML as browsers see it, and the metadata that an identity provider reads. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { atOnce } from '../db/tenant-transaction.ts';
import { RateLimit } from '../http/rate-limit.ts';
import type { Services } from '../http/services.ts';
import { limits } from '../kernel/limits.ts';
import { addressesOf, loginUrlOf, signsRequests } from './connection.ts';
import { unknownConnection } from './connection-flow.ts';
import { publishedKeys } from './connection-key.ts';
import { selectConnection } from './connection-store.ts';
import { loginHintOf, noStepUp, returnPathOf } from './core/asked.ts';
import { writeMetadata } from './core/metadata.ts';
import { continuePage } from './core/page.ts';
import { answerLogin, beginLogin, type ConnectionPath, placeOf } from './login-hook.ts';
import { acceptResponse, type Posted } from './saml-login-flow.ts';
import type { SamlVerifier } from './saml-verifier-client.ts';
import { clearLogin, loginOf } from './session-hook.ts';
import { languageOfRequest, sendLeadingOn } from './sso-scope-hook.ts';

const config = { auth: 'none' } as const;

export function samlRoutes(scope: FastifyInstance, services: Services, verifier: SamlVerifier): void {
  const { database, publicUrl } = services;
  const untrusted = new RateLimit(limits.untrustedTracesPerSecond, limits.untrustedTracesAtOnce);
  scope.get<{ Params: ConnectionPath }>(
    '/sso/saml/:connectionId/metadata',
    { config },
    async (request, reply) => {
      const { tenantId, connectionId } = await placeOf(request, services);
      const connection = await atOnce(database, tenantId, (tx) => selectConnection(tx, connectionId));
      if (connection?.protocol !== 'saml') throw unknownConnection(connectionId);
      const { settings, keys } = connection;
      const xml = writeMetadata({
        ...settings,
        ...addressesOf(publicUrl, connectionId),
        keys: publishedKeys(keys),
        signsRequests: signsRequests(settings),
      });
      return reply.type('application/samlmetadata+xml').send(xml);
    },
  );

  scope.get<{ Params: ConnectionPath; Querystring: { return?: unknown; login_hint?: unknown } }>(
    '/sso/saml/:connectionId/login',
    { config },
    async (request, reply) => {
      const asked = { returnTo: returnPathOf(request.query.return), stepUp: noStepUp };
      const loginHint = loginHintOf(request.query.login_hint);
      const place = await placeOf(request, services);
      const path = loginUrlOf('', { protocol: 'saml', id: place.connectionId });
      return await beginLogin(reply, services, place, asked, { protocol: 'saml', loginHint, path });
    },
  );

  scope.post<{ Params: ConnectionPath; Body: URLSearchParams | undefined }>(
    '/sso/saml/:connectionId/acs',
    { config, bodyLimit: limits.samlBytesMax * 2 },
    async (request, reply) => {
      const posted = readPosted(request, publicUrl);
      const place = await placeOf(request, services);
      const outcome = await acceptResponse({ ...services, verifier }, place, posted, {
        requestId: request.id,
        mayTrace: () => untrusted.take(place.connectionId, performance.now()) === 0,
      });
      if (posted.relayState !== undefined) clearLogin(reply, publicUrl, posted.relayState);
      if (outcome.kind === 'restart') {
        const action = `/sso/saml/${place.connectionId}/login`;
        return sendLeadingOn(
          reply,
          continuePage(languageOfRequest(request), { action, returnTo: outcome.returnTo }),
        );
      }
      return answerLogin(request, reply, services, { place, browser: posted.browser, outcome });
    },
  );
}

/** A field that comes twice could be read as one by us and as the other by somebody else: it counts as absent. */
function readPosted(
  request: FastifyRequest<{ Body: URLSearchParams | undefined }>,
  publicUrl: string,
): Posted {
  const single = (name: string) => {
    const [value, ...more] = request.body?.getAll(name) ?? [];
    return more.length === 0 ? value : undefined;
  };
  const state = single('RelayState');
  // SAML 2.0 Bindings §3.5.3: at most 80 bytes.
  const relayState = state === undefined || state.length === 0 || state.length > 80 ? undefined : state;
  const browser = relayState === undefined ? undefined : loginOf(request, publicUrl, relayState);
  return { samlResponse: single('SAMLResponse'), relayState, browser };
}
