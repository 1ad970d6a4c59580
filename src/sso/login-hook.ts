/** What logins of every protocol have in common as a browser sees them: whose connection a path names, and how one ends. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Services } from '../http/services.ts';
import { Fault } from '../kernel/fault.ts';
import { type ConnectionId, parseId } from '../kernel/ids.ts';
import { hashToken } from '../kernel/token.ts';
import { endSession } from '../sessions/session-flow.ts';
import { unknownConnection } from './connection-flow.ts';
import { findConnectionTenant } from './connection-store.ts';
import { type Asked, beginningAt } from './core/asked.ts';
import { heldIn } from './core/held-session.ts';
import { elsewherePage, refusalPage } from './core/page.ts';
import { loginPathOf, placeInPath } from './core/sign-in-place.ts';
import { testPage } from './core/test-page.ts';
import { succeed } from './op/succession-flow.ts';
import {
  heldSessionOf,
  type SignedIn,
  setLogin,
  setSession,
  setSignInPlace,
  signedInOf,
  signInPlaceOf,
} from './session-hook.ts';
import type { LoginOutcome } from './settle-login-flow.ts';
import type { ConnectionPlace } from './sign-in-flow.ts';
import { languageOfRequest, sendLeadingOn, sendOn, sendPage } from './sso-scope-hook.ts';
import { type Start, startLogin } from './start-login-flow.ts';

export interface ConnectionPath {
  connectionId: string;
}

/** @throws Fault `not_found` */
export async function placeOf(
  { params }: FastifyRequest<{ Params: ConnectionPath }>,
  { database }: Services,
): Promise<ConnectionPlace> {
  const connectionId = parseId<ConnectionId>(params.connectionId);
  const tenantId = connectionId && (await findConnectionTenant(database, connectionId));
  if (connectionId === undefined || tenantId === undefined) throw unknownConnection(params.connectionId);
  return { tenantId, connectionId };
}

type Of = Omit<Parameters<typeof startLogin>[3] & object, 'held'> & {
  /** Path of ours where this login begins. */
  path: string;
};

/**
 * Sends the browser to the identity provider; asks first whom it would sign out at another tenant.
 *
 * @throws Fault as `startLogin` does; `invalid` where no window would show it.
 */
export async function beginLogin(
  reply: FastifyReply,
  start: Start,
  place: ConnectionPlace,
  asked: Asked,
  { path, ...of }: Of,
): Promise<FastifyReply> {
  const { request } = reply;
  // Fetch Metadata: a picture or a frame of somebody else's page comes without the session, and nobody sees what it begins.
  const shownIn = request.headers['sec-fetch-dest'];
  if (shownIn !== undefined && shownIn !== 'document') {
    throw new Fault('invalid', 'A login begins in a window of its own.');
  }
  const { loginHint = null } = of;
  const returnTo = asked.returnTo === path ? null : asked.returnTo;
  const elsewhere = await signedInElsewhere(request, start, place);
  if (elsewhere !== undefined) return askFirst(reply, elsewhere, beginningAt(path, { returnTo, loginHint }));
  const held = heldSessionOf(request, start.publicUrl);
  const { transfer, state, browser } = await startLogin(start, place, asked, { ...of, held });
  setLogin(reply, start.publicUrl, state, browser);
  return sendOn(reply, transfer);
}

/** undefined: nobody is signed in at another tenant. */
async function signedInElsewhere(
  request: FastifyRequest,
  services: Pick<Start, 'database' | 'clock' | 'publicUrl'>,
  { tenantId }: ConnectionPlace,
): Promise<SignedIn | undefined> {
  const held = heldSessionOf(request, services.publicUrl);
  return held === undefined || held.tenantId === tenantId ? undefined : await signedInOf(request, services);
}

/** Whether to be signed out there, and go on at the beginning. */
function askFirst(reply: FastifyReply, { session }: SignedIn, beginning: string): FastifyReply {
  const question = { organisation: session.tenantName, beginning };
  return sendLeadingOn(reply, elsewherePage(languageOfRequest(reply.request), question));
}

interface Answer {
  place: ConnectionPlace;
  /** The cookie of the browser that began. */
  browser: string | undefined;
  outcome: LoginOutcome;
}

/** A session, in place of the one that the browser had, and the way on; or the page that says that there is none. */
export async function answerLogin(
  request: FastifyRequest,
  reply: FastifyReply,
  services: Services,
  { place, browser = '', outcome }: Answer,
): Promise<FastifyReply> {
  if (outcome.kind === 'refused') {
    const { reference, reason, isTraced } = outcome;
    if (!isTraced) request.log.warn({ ...place, reference, reason }, 'login refused, and not traced');
    const told = { ...outcome, place: signInPlaceOf(request, services.publicUrl) };
    return sendPage(reply.code(403), refusalPage(languageOfRequest(request), told));
  }
  if (outcome.kind === 'tested') return sendPage(reply, testPage(languageOfRequest(request), outcome.report));
  const after = { tenantId: place.tenantId, hash: hashToken(outcome.session) };
  const elsewhere = await signedInElsewhere(request, services, place);
  if (elsewhere !== undefined) {
    // Signed in there since this login was begun: it counts for nothing until they say so.
    await endSession(services.database, after.tenantId, after.hash);
    return askFirst(reply, elsewhere, loginPathOf(placeInPath(request.url)));
  }
  // The one that it has by now, where it says so: another window may have signed in meanwhile.
  const held = heldSessionOf(request, services.publicUrl) ?? heldIn(browser);
  if (held !== undefined) {
    const now = services.clock.now();
    await succeed(services.database, held, after, { now, requestId: request.id });
  }
  setSession(reply, services.publicUrl, outcome.session, outcome.seconds);
  const signInPlace = placeInPath(request.url);
  if (signInPlace !== undefined) setSignInPlace(reply, services.publicUrl, signInPlace);
  return reply.redirect(outcome.returnTo ?? '/sso', 303);
}
