/** Where the provider sends a browser whose person must sign in first: on to a connection, and back with whoever came. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type Provider from 'oidc-provider';
import { atOnce, inTenant } from '../../db/tenant-transaction.ts';
import { domainOf } from '../../domains/core/domain-name.ts';
import type { Services } from '../../http/services.ts';
import { limits } from '../../kernel/limits.ts';
import { selectUserView } from '../../provisioning/user-view-store.ts';
import type { Connection } from '../connection.ts';
import { selectConnectionsOfDomain } from '../connection-domain-store.ts';
import { selectConnections } from '../connection-store.ts';
import { loginHintOf } from '../core/asked.ts';
import { chooserPage, refusalPage } from '../core/page.ts';
import { beginLogin } from '../login-hook.ts';
import { type SignedIn, signInPlaceOf } from '../session-hook.ts';
import { languageOfRequest, sendPage } from '../sso-scope-hook.ts';
import { hasAccess } from './claims.ts';
import { findOpenIdClient } from './client-store.ts';
import { cookieNames, issuerPath } from './issuer.ts';
import {
  type AskedOfProvider,
  type AuthorizationParams,
  askedIn,
  isAnswered,
  isSince,
} from './login-rule.ts';
import { type CurrentProvider, knowBrowser } from './provider-hook.ts';

type Interaction = InstanceType<Provider['Interaction']>;
type Result = NonNullable<Interaction['result']>;

/** The session that the browser had when it was sent to a login: the hash of its row. */
interface Left {
  with: string | null;
}

const config = { auth: 'none' } as const;
const firstId = '00000000-0000-0000-0000-000000000000';

export function interactionRoutes(
  scope: FastifyInstance,
  services: Services,
  current: CurrentProvider,
): void {
  for (const path of ['', '/:connectionId']) {
    scope.get<{ Params: { uid: string; connectionId?: string } }>(
      `${issuerPath}/interaction/:uid${path}`,
      { config },
      async (request, reply) => {
        const { uid, connectionId } = request.params;
        const provider = await current.get();
        const interaction = await interactionOf(provider, request, reply, uid);
        const client =
          interaction && (await findOpenIdClient(services.database, String(interaction.params.client_id)));
        if (interaction === undefined || client === undefined) {
          const told = { reference: request.id, place: signInPlaceOf(request, services.publicUrl) };
          return sendPage(reply.code(400), refusalPage(languageOfRequest(request), told));
        }
        const params = interaction.params as AuthorizationParams;
        const asked = askedIn(client.tenantId, params);
        const signedIn = await knowBrowser(request, services);
        const chosen = { ...asked, connectionId: connectionId ?? asked.connectionId } as AskedOfProvider;
        const result =
          connectionId === undefined ? await resultOf(interaction, asked, signedIn, services) : undefined;
        return result === undefined
          ? await sendToLogin(request, reply, { services, interaction, asked: chosen, signedIn })
          : await finish(reply, interaction, result);
      },
    );
  }
}

/** undefined: over, or another browser's. */
async function interactionOf(
  provider: Provider,
  request: FastifyRequest,
  reply: FastifyReply,
  uid: string,
): Promise<Interaction | undefined> {
  const { cookies } = provider.createContext(request.raw, reply.raw);
  if (cookies.get(cookieNames.interaction, { signed: true }) !== uid) return undefined;
  return await provider.Interaction.find(uid);
}

/** undefined: a login must come first. */
async function resultOf(
  interaction: Interaction,
  asked: AskedOfProvider,
  signedIn: SignedIn | undefined,
  { database, clock, realClock }: Services,
): Promise<Result | undefined> {
  if (signedIn === undefined) return undefined;
  const { tenantId, session } = signedIn;
  const left = interaction.lastSubmission as Left | undefined;
  // A login has come back when the browser's session is not the one that it left with.
  const isNew = left !== undefined && signedIn.hash !== left.with;
  const isJustNow = isNew && isSince(session, new Date(interaction.iat * 1000));
  if (!isAnswered({ ...session, tenantId }, asked, realClock.now(), isJustNow)) {
    return isNew ? refusal('login_required', 'the login was not the one that was asked for') : undefined;
  }
  const view = await inTenant(database, tenantId, (tx) => selectUserView(tx, session.userId, clock.now()));
  if (view === undefined || !hasAccess(view)) {
    return refusal('access_denied', 'the person has no role: an administrator gives them one');
  }
  return {
    login: {
      accountId: session.userId,
      ts: Math.floor(session.authenticatedAt.getTime() / 1000),
      ...(session.acr === null ? {} : { acr: session.acr }),
    },
  };
}

function refusal(error: string, description: string): Result {
  return { error, error_description: description };
}

async function finish(reply: FastifyReply, interaction: Interaction, result: Result): Promise<FastifyReply> {
  interaction.result = result;
  // The session that it began in may have been another person's.
  interaction.session = undefined;
  await interaction.persist();
  return reply.redirect(interaction.returnTo, 303);
}

interface Leaving {
  services: Services;
  interaction: Interaction;
  asked: AskedOfProvider;
  signedIn: SignedIn | undefined;
}

async function sendToLogin(
  request: FastifyRequest,
  reply: FastifyReply,
  { services, interaction, asked, signedIn }: Leaving,
): Promise<FastifyReply> {
  const { tenantId, stepUp } = asked;
  const path = `${issuerPath}/interaction/${interaction.uid}`;
  const loginHint = loginHintOf(interaction.params.login_hint);
  const connections = await connectionsFor(services, asked, loginHint);
  const [only, ...others] = connections;
  if (only === undefined) {
    return await finish(
      reply,
      interaction,
      refusal('access_denied', 'there is no connection to sign in with'),
    );
  }
  if (others.length > 0) {
    const links = connections.map(({ id, name }) => ({ name, url: `${path}/${id}` }));
    return sendPage(reply, chooserPage(languageOfRequest(request), links));
  }
  interaction.lastSubmission = { with: signedIn?.hash ?? null } satisfies Left;
  await interaction.persist();
  const place = { tenantId, connectionId: only.id };
  return await beginLogin(reply, services, place, { returnTo: path, stepUp }, { loginHint, path });
}

/** Of those that are switched on the named one, or those that serve the domain of who is to sign in, or all. */
async function connectionsFor(
  { database }: Services,
  { tenantId, connectionId }: AskedOfProvider,
  loginHint: string | null,
): Promise<Connection[]> {
  const domain = domainOf(loginHint ?? '');
  return await atOnce(database, tenantId, async (tx) => {
    const [all, serving] = await Promise.all([
      selectConnections(tx, firstId, limits.connectionsPerTenantMax),
      domain === undefined ? [] : selectConnectionsOfDomain(tx, domain),
    ]);
    const named = all.filter(({ id, enabled }) => enabled && (connectionId === null || id === connectionId));
    const near = named.filter(({ id }) => serving.some((one) => one.id === id));
    return near.length > 0 ? near : named;
  });
}
