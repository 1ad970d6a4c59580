/** Where browsers begin to sign in, see who they are, and sign out. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { inTenant } from '../db/tenant-transaction.ts';
import { columnsOf } from '../directory/user.ts';
import type { Services } from '../http/services.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { selectUserView } from '../provisioning/user-view-store.ts';
import { endSession } from '../sessions/session-flow.ts';
import { findTenant } from '../tenants/credential-store.ts';
import { selectConnections } from './connection-store.ts';
import { chooserPage, personPage, signedOutPage } from './core/page.ts';
import { clearSession, signedInOf } from './session-hook.ts';
import { languageOfRequest, sendPage } from './sso-scope-hook.ts';

const config = { auth: 'none' } as const;
const firstId = '00000000-0000-0000-0000-000000000000';

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
