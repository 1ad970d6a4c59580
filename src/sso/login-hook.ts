/** What logins of every protocol have in common as a browser sees them: whose connection a path names, and how one ends. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Services } from '../http/services.ts';
import { type ConnectionId, parseId } from '../kernel/ids.ts';
import { unknownConnection } from './connection-flow.ts';
import { findConnectionTenant } from './connection-store.ts';
import type { Asked } from './core/asked.ts';
import { refusalPage } from './core/page.ts';
import { testPage } from './core/test-page.ts';
import { setLogin, setSession } from './session-hook.ts';
import type { LoginOutcome } from './settle-login-flow.ts';
import type { ConnectionPlace } from './sign-in-flow.ts';
import { languageOfRequest, sendPage } from './sso-scope-hook.ts';
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

/** Sends the browser to the identity provider. @throws Fault as `startLogin` does. */
export async function beginLogin(
  reply: FastifyReply,
  start: Start,
  place: ConnectionPlace,
  asked: Asked,
  of: Parameters<typeof startLogin>[3] = {},
): Promise<FastifyReply> {
  const { url, state, browser } = await startLogin(start, place, asked, of);
  setLogin(reply, start.publicUrl, state, browser);
  return reply.redirect(url, 303);
}

/** A session and the way on, or the page that says that there is none. */
export function answerLogin(
  request: FastifyRequest,
  reply: FastifyReply,
  { publicUrl, place, outcome }: { publicUrl: string; place: ConnectionPlace; outcome: LoginOutcome },
): FastifyReply {
  if (outcome.kind === 'refused') {
    const { reference, reason, isTraced } = outcome;
    if (!isTraced) request.log.warn({ ...place, reference, reason }, 'login refused, and not traced');
    return sendPage(reply.code(403), refusalPage(languageOfRequest(request), outcome));
  }
  if (outcome.kind === 'tested') return sendPage(reply, testPage(languageOfRequest(request), outcome.report));
  setSession(reply, publicUrl, outcome.session, outcome.seconds);
  return reply.redirect(outcome.returnTo ?? '/sso', 303);
}
