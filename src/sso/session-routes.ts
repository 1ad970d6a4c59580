/** Where browsers see who is signed in, and sign out. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { selectInvitationId } from '../blue/invitation-store.ts';
import { selectOwnWorkspaces } from '../blue/workspace-store.ts';
import { atOnce, inTenant } from '../db/tenant-transaction.ts';
import { columnsOf } from '../directory/user.ts';
import type { Services } from '../http/services.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { UserView } from '../provisioning/user-view.ts';
import { selectUserView } from '../provisioning/user-view-store.ts';
import { endSession } from '../sessions/session-flow.ts';
import { beginningIn } from './core/asked.ts';
import { blueLinkOf, straightTo } from './core/blue-link.ts';
import { loggedOutPage, personPage, signedOutPage } from './core/page.ts';
import { leave } from './op/succession-flow.ts';
import { clearSession, signedInOf, signInPlaceOf } from './session-hook.ts';
import { languageOfRequest, sendPage } from './sso-scope-hook.ts';
import { nextLogout, sendSigningOut } from './upstream-logout-hook.ts';

const config = { auth: 'none' } as const;
const nullableText = Type.Union([Type.String(), Type.Null()]);
const sessionSchema = {
  tags: ['sign-on'],
  summary: 'Who is signed in in this browser',
  security: [{ session: [] }],
  response: {
    200: Type.Object({
      sub: Type.String({ description: 'Id of the user.' }),
      email: nullableText,
      name: nullableText,
      tenant: Type.String({ description: 'Its slug.' }),
      connection: Type.String({ description: 'Id of the connection.' }),
      expiresAt: Type.String({ format: 'date-time' }),
    }),
    401: Type.Object({ error: Type.Enum(['not_signed_in']) }),
  },
};

export function sessionRoutes(scope: FastifyInstance, services: Services): void {
  const { database, clock, realClock, publicUrl, blueAppUrl } = services;
  scope.get('/sso', { config }, async (request, reply) => {
    const language = languageOfRequest(request);
    const found = await viewOf(request, services);
    if (found === undefined)
      return sendPage(
        reply,
        signedOutPage(language, { wasSignedIn: false, place: signInPlaceOf(request, publicUrl) }),
      );
    const { view, session } = found;
    const { userName, displayName } = columnsOf(view.user.attributes);
    const person = {
      name: displayName ?? userName,
      userName,
      organisation: session.tenantName,
      seat: view.seat,
      roles: rolesOf(view),
      blue: view.blue.state,
      onward: await onwardOf(found.tenantId, view),
    };
    return sendPage(reply, personPage(language, person));
  });

  // Straight on to Blue; who can't go there yet is told how things stand, and who has several workspaces chooses.
  scope.get('/sso/blue', { config }, async (request, reply) => {
    const found = await viewOf(request, services);
    const onward = found && (await onwardOf(found.tenantId, found.view));
    return reply.redirect(straightTo(onward) ?? '/sso', 303);
  });

  scope.get('/sso/session', { config, schema: sessionSchema }, async (request, reply) => {
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

  signOutRoutes(scope, services);

  async function onwardOf(tenantId: TenantId, view: UserView) {
    if (rolesOf(view).length === 0) return undefined;
    const { address, user } = view;
    const { state } = view.blue;
    const isInvited = state === 'invited' && address !== null;
    if (!isInvited && state !== 'active') return blueLinkOf(blueAppUrl, { state, address });
    const known = await atOnce(database, tenantId, async (tx) =>
      isInvited
        ? { invitationId: await selectInvitationId(tx, address, realClock.now()) }
        : { own: await selectOwnWorkspaces(tx, user.id) },
    );
    return blueLinkOf(blueAppUrl, { state, address, ...known });
  }

  async function viewOf(request: FastifyRequest, of: Services) {
    const signedIn = await signedInOf(request, of);
    if (signedIn === undefined) return undefined;
    const { tenantId, session } = signedIn;
    const options = { directoryId: null, withGroups: false };
    const view = await inTenant(database, tenantId, (tx) =>
      selectUserView(tx, session.userId, clock.now(), options),
    );
    return view && { tenantId, view, session };
  }
}

/** The ways out, and what is shown at their end. */
function signOutRoutes(scope: FastifyInstance, services: Services): void {
  const { database, clock, publicUrl } = services;
  scope.post('/sso/logout', { config }, async (request, reply) => {
    const signedIn = await signedInOf(request, services);
    // A post from another site comes without the cookie, and must not take it away.
    if (signedIn !== undefined) {
      const ended = await endSession(database, signedIn.tenantId, signedIn.hash);
      clearSession(reply, publicUrl);
      const next = ended && (await nextLogout(reply, services, signedIn.tenantId, ended));
      if (next !== undefined) return sendSigningOut(reply, next);
    }
    const told = { wasSignedIn: signedIn !== undefined, place: signInPlaceOf(request, publicUrl) };
    return sendPage(reply, signedOutPage(languageOfRequest(request), told));
  });

  // Whoever begins a login at another tenant is signed out before. A post from another site comes without the cookie, and ends nothing.
  scope.post<{ Body: URLSearchParams | undefined }>('/sso/switch', { config }, async (request, reply) => {
    const signedIn = await signedInOf(request, services);
    if (signedIn !== undefined) {
      await leave(database, signedIn, { now: clock.now(), requestId: request.id });
      clearSession(reply, publicUrl);
    }
    return reply.redirect(beginningIn(request.body?.get('to')) ?? '/sso', 303);
  });

  // Where identity providers send the browser once it is signed out there.
  scope.get('/sso/logged-out', { config }, async (request, reply) =>
    sendPage(reply, loggedOutPage(languageOfRequest(request), { place: signInPlaceOf(request, publicUrl) })),
  );
}

function rolesOf({ decision }: UserView): string[] {
  return [...new Set((decision?.effective ?? []).map(({ role }) => role))];
}
