/** Where browsers sign in, see who they are, and sign out; and the metadata that an identity provider reads. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { inTenant } from '../db/tenant-transaction.ts';
import { columnsOf } from '../directory/user.ts';
import { RateLimit } from '../http/rate-limit.ts';
import type { Services } from '../http/services.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { type ConnectionId, parseId, type TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { fromPem } from '../kernel/self-signed-certificate.ts';
import { selectUserView } from '../provisioning/user-view-store.ts';
import { endSession } from '../sessions/session-flow.ts';
import { findTenant } from '../tenants/credential-store.ts';
import { addressesOf } from './connection.ts';
import { unknownConnection } from './connection-flow.ts';
import { findConnectionTenant, selectConnection, selectConnections } from './connection-store.ts';
import { writeMetadata } from './core/metadata.ts';
import { chooserPage, personPage, refusalPage, signedOutPage } from './core/page.ts';
import { acceptResponse, type Posted, startLogin } from './login-flow.ts';
import { clearLogin, clearSession, loginOf, setLogin, setSession, signedInOf } from './session-hook.ts';
import { languageOfRequest, sendPage } from './sso-scope-hook.ts';

const config = { auth: 'none' } as const;
const firstId = '00000000-0000-0000-0000-000000000000';

export function samlRoutes(scope: FastifyInstance, services: Services): void {
  const { database, publicUrl } = services;
  const untrusted = new RateLimit(limits.untrustedTracesPerSecond, limits.untrustedTracesAtOnce);
  scope.get<{ Params: ConnectionPath }>(
    '/sso/saml/:connectionId/metadata',
    { config },
    async (request, reply) => {
      const { tenantId, connectionId } = await placeOf(request, services);
      const connection = await inTenant(database, tenantId, (tx) => selectConnection(tx, connectionId));
      if (connection === undefined) throw unknownConnection(connectionId);
      const { settings, certificate } = connection;
      const xml = writeMetadata({
        ...settings,
        ...addressesOf(publicUrl, connectionId),
        certificate: fromPem(certificate),
        signsRequests: settings.signRequests,
      });
      return reply.type('application/samlmetadata+xml').send(xml);
    },
  );

  scope.get<{ Params: ConnectionPath }>(
    '/sso/saml/:connectionId/login',
    { config },
    async (request, reply) => {
      const { url, relayState, browser } = await startLogin(services, await placeOf(request, services));
      setLogin(reply, publicUrl, relayState, browser);
      return reply.redirect(url, 303);
    },
  );

  scope.post<{ Params: ConnectionPath; Body: URLSearchParams | undefined }>(
    '/sso/saml/:connectionId/acs',
    { config, bodyLimit: limits.samlBytesMax * 2 },
    async (request, reply) => {
      const posted = readPosted(request, publicUrl);
      const place = await placeOf(request, services);
      const outcome = await acceptResponse(services, place, posted, {
        requestId: request.id,
        mayTrace: () => untrusted.take(place.connectionId, performance.now()) === 0,
      });
      if (posted.relayState !== undefined) clearLogin(reply, publicUrl, posted.relayState);
      if (outcome.kind === 'refused') {
        const { reference, reason, isTraced } = outcome;
        if (!isTraced) request.log.warn({ ...place, reference, reason }, 'login refused, and not traced');
        return sendPage(reply.code(403), refusalPage(languageOfRequest(request), outcome));
      }
      setSession(reply, publicUrl, outcome.session, outcome.seconds);
      return reply.redirect('/sso', 303);
    },
  );
}

interface ConnectionPath {
  connectionId: string;
}

async function placeOf(
  { params }: FastifyRequest<{ Params: ConnectionPath }>,
  { database }: Services,
): Promise<{ tenantId: TenantId; connectionId: ConnectionId }> {
  const connectionId = parseId<ConnectionId>(params.connectionId);
  const tenantId = connectionId && (await findConnectionTenant(database, connectionId));
  if (connectionId === undefined || tenantId === undefined) throw unknownConnection(params.connectionId);
  return { tenantId, connectionId };
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

export function sessionRoutes(scope: FastifyInstance, services: Services): void {
  const { database, clock, publicUrl } = services;
  scope.get('/sso', { config }, async (request, reply) => {
    const language = languageOfRequest(request);
    const found = await viewOf(request, services);
    if (found === undefined) return sendPage(reply, signedOutPage(language, false));
    const { view, session } = found;
    const { userName, displayName } = columnsOf(view.user.attributes);
    const roles = [...new Set((view.decision?.effective ?? []).map(({ role }) => role))];
    const person = {
      name: displayName ?? userName,
      userName,
      organisation: session.tenantName,
      seat: view.seat,
      roles,
    };
    return sendPage(reply, personPage(language, person));
  });

  scope.get('/sso/session', { config }, async (request, reply) => {
    const found = await viewOf(request, services);
    if (found === undefined) return reply.code(401).send({ error: 'not_signed_in' });
    const { view, session } = found;
    const { userName, displayName } = columnsOf(view.user.attributes);
    return reply.send({
      sub: view.user.id,
      email: view.address,
      name: displayName ?? userName,
      tenant: session.tenantSlug,
      connection: session.connectionId,
      expiresAt: session.expiresAt.toISOString(),
    });
  });

  scope.post('/sso/logout', { config }, async (request, reply) => {
    const signedIn = await signedInOf(request, services);
    // A post from another site comes without the cookie, and must not take it away.
    if (signedIn !== undefined) {
      await endSession(database, signedIn.tenantId, signedIn.hash);
      clearSession(reply, publicUrl);
    }
    return sendPage(reply, signedOutPage(languageOfRequest(request), signedIn !== undefined));
  });

  scope.get<{ Querystring: { tenant?: string | string[] } }>(
    '/sso/login',
    { config },
    async (request, reply) => sendToConnection(request, reply, services),
  );

  async function viewOf(request: FastifyRequest, of: Services) {
    const signedIn = await signedInOf(request, of);
    if (signedIn === undefined) return undefined;
    const { tenantId, session } = signedIn;
    const options = { directoryId: null, withGroups: false };
    const view = await inTenant(database, tenantId, (tx) =>
      selectUserView(tx, session.userId, clock.now(), options),
    );
    return view && { view, session };
  }
}

async function sendToConnection(
  request: FastifyRequest<{ Querystring: { tenant?: string | string[] } }>,
  reply: FastifyReply,
  { database }: Services,
): Promise<FastifyReply> {
  const { tenant: slug } = request.query;
  const tenant = typeof slug === 'string' ? await findTenant(database, slug) : undefined;
  const connections =
    tenant === undefined
      ? []
      : await inTenant(database, tenant.id, (tx) =>
          selectConnections(tx, firstId, limits.connectionsPerTenantMax),
        );
  const enabled = connections.filter((one) => one.enabled);
  if (enabled.length === 0) throw new Fault('not_found', 'There is no connection to sign in with.');
  const links = enabled.map(({ id, name }) => ({ name, url: `/sso/saml/${id}/login` }));
  const [only, ...others] = links;
  assert(only !== undefined, 'one connection is there');
  if (others.length === 0) return reply.redirect(only.url, 303);
  return sendPage(reply, chooserPage(languageOfRequest(request), links));
}
