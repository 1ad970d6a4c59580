/** Single logout by SAML (Profiles §4.4), in both directions, by HTTP-Redirect or HTTP-POST. Messages that are not signed are refused. */

import { randomBytes } from 'node:crypto';
import { appendAudit } from '../audit/audit-store.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { unreachable } from '../kernel/assert.ts';
import type { TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import { revocationNow } from '../sessions/revocation-store.ts';
import { awaitLogins, deleteUpstreamSessions, type EndedSession } from '../sessions/session-store.ts';
import { addressesOf, type SamlConnection } from './connection.ts';
import { unknownConnection } from './connection-flow.ts';
import { selectPrivateKey } from './connection-key-store.ts';
import { selectConnection } from './connection-store.ts';
import { noStepUp } from './core/asked.ts';
import { type Endpoint, logoutEndpointOf, type Message, readForm, type Transfer } from './core/binding.ts';
import { Refusal } from './core/refusal.ts';
import { readLogoutMessage, readPostedLogout } from './core/saml-gate.ts';
import {
  checkLogoutRequest,
  checkLogoutResponse,
  type LogoutParties,
  writeLogoutRequest,
  writeLogoutResponse,
} from './core/saml-logout.ts';
import type { NameId } from './core/saml-policy.ts';
import type { XmlElement } from './core/xml.ts';
import { insertLoginRequest, takeLoginRequest, useAssertion } from './login-store.ts';
import { formWith } from './post-binding-client.ts';
import { readRedirect, redirectUrl } from './redirect-binding-client.ts';
import type { SamlVerifier } from './saml-verifier-client.ts';
import type { ConnectionPlace, SignOn } from './sign-in-flow.ts';

export interface SamlLogout extends SignOn {
  verifier: SamlVerifier;
}

/** A message as the browser brought it. */
export type Brought =
  /** As it was sent. */
  { binding: 'redirect'; query: string } | { binding: 'post'; form: URLSearchParams };

export interface LogoutBegun {
  transfer: Transfer;
  /** RelayState, and the cookie of the browser that signs out. */
  state: string;
  browser: string;
}

export type LogoutAnswer =
  /** The identity provider asked: the browser goes back to it. */
  | { kind: 'answered'; transfer: Transfer }
  /** It answered: whether all is over there, too. */
  | { kind: 'over'; isWhole: boolean };

/** Where a browser whose session is over goes on to sign out; undefined: nowhere. */
export async function beginSamlLogout(
  { database, clock, realClock, secrets, publicUrl }: SignOn,
  tenantId: TenantId,
  { connectionId, upstream, upstreamSid }: EndedSession,
): Promise<LogoutBegun | undefined> {
  const nameId = nameIdIn(upstream);
  if (nameId === undefined) return undefined;
  const [state, browser] = [randomBytes(32).toString('base64url'), newToken('login')];
  const id = `_${randomBytes(20).toString('hex')}`;
  const found = await inTenant(database, tenantId, async (tx) => {
    const [connection, sealed] = await Promise.all([
      selectConnection(tx, connectionId),
      selectPrivateKey(tx, connectionId, 'signing'),
    ]);
    if (connection?.protocol !== 'saml' || sealed === undefined) return undefined;
    const endpoint = logoutEndpointOf(connection.settings);
    if (endpoint === undefined) return undefined;
    insertLoginRequest(tx, {
      ...{ stateHash: stateHashOf(state), connectionId, requestId: id, browserHash: hashToken(browser) },
      ...{ returnTo: null, stepUp: noStepUp, codeVerifier: null, askedAt: realClock.now(), testId: null },
      expiresAt: new Date(clock.now().getTime() + limits.loginMinutesMax * 60_000),
    });
    return { connection, endpoint, privateKey: secrets.open(sealed) };
  });
  if (found === undefined) return undefined;
  const { connection, endpoint, privateKey } = found;
  const parties: LogoutParties = {
    from: addressesOf(publicUrl, connectionId).entityId,
    to: connection.settings.entityId,
    destination: endpoint.url,
  };
  const message = { id, now: realClock.now(), nameId, sessionIndex: upstreamSid };
  const xml = writeLogoutRequest(parties, message);
  const transfer = transferOf(endpoint, { field: 'SAMLRequest', xml, relayState: state }, privateKey);
  return { transfer, state, browser };
}

/** Signed as the binding has it. */
function transferOf({ binding, url }: Endpoint, message: Message, privateKey: string): Transfer {
  switch (binding) {
    case 'redirect':
      return { binding, url: redirectUrl(url, message, privateKey) };
    case 'post':
      return { binding, ...formWith(url, message, privateKey) };
    default:
      return unreachable(binding);
  }
}

/** Another hash than a login's, so that no answer to one is taken for an answer to the other. */
function stateHashOf(state: string): string {
  return hashToken(`logout ${state}`);
}

function nameIdIn(upstream: EndedSession['upstream']): NameId | undefined {
  const nameId = upstream?.nameId;
  return typeof nameId === 'object' && nameId !== null && !Array.isArray(nameId)
    ? (nameId as unknown as NameId)
    : undefined;
}

/** @throws Refusal; Fault `not_found`; `unavailable` when too many wait. */
export async function acceptLogout(
  signOn: SamlLogout,
  place: ConnectionPlace,
  brought: Brought,
  { requestId, browserOf }: { requestId: string; browserOf: (state: string) => string | undefined },
): Promise<LogoutAnswer> {
  const { database, realClock } = signOn;
  const { tenantId, connectionId } = place;
  const connection = await inTenant(database, tenantId, (tx) => selectConnection(tx, connectionId));
  if (connection?.protocol !== 'saml') throw unknownConnection(connectionId);
  const { field, root, relayState } = await readBrought(signOn, connection, brought);
  if (field === 'SAMLRequest')
    return await answerRequest(signOn, place, connection, { root, relayState, requestId });
  if (relayState === undefined) throw new Refusal('request', 'The response comes without its RelayState.');
  const key = {
    ...{ stateHash: stateHashOf(relayState), connectionId },
    browserHash: hashToken(browserOf(relayState) ?? ''),
  };
  const asked = await inTenant(database, tenantId, (tx) => takeLoginRequest(tx, key, signOn.clock.now()));
  if (asked === undefined) throw new Refusal('request', 'This browser did not sign out here just now.');
  const parties = { ...partiesOf(signOn, connection), requestId: asked.requestId };
  return { kind: 'over', isWhole: checkLogoutResponse(root, parties, realClock.now()) };
}

/** What of a message was signed by the identity provider. */
async function readBrought(
  { verifier }: SamlLogout,
  { id, settings: { certificates } }: SamlConnection,
  brought: Brought,
): Promise<Omit<Message, 'xml'> & { root: XmlElement }> {
  switch (brought.binding) {
    case 'redirect': {
      const { field, xml, relayState } = readRedirect(brought.query, certificates);
      return { field, relayState, root: readLogoutMessage(xml) };
    }
    case 'post': {
      const { field, base64, relayState } = readForm(brought.form);
      const xml = readPostedLogout(base64);
      const signed = await verifier.verify(id, { kind: 'message', certificates, xml });
      return { field, relayState, root: readLogoutMessage(signed.xml) };
    }
    default:
      return unreachable(brought);
  }
}

function partiesOf({ publicUrl }: SignOn, { id, settings }: SamlConnection): LogoutParties {
  const { entityId, logoutUrl } = addressesOf(publicUrl, id);
  return { from: settings.entityId, to: entityId, destination: logoutUrl };
}

/** Sessions that are not here are over, too. */
async function answerRequest(
  signOn: SignOn,
  { tenantId, connectionId }: ConnectionPlace,
  connection: SamlConnection,
  { root, relayState, requestId }: { root: XmlElement; relayState: string | undefined; requestId: string },
): Promise<LogoutAnswer> {
  const { database, clock, realClock, secrets, publicUrl } = signOn;
  const { settings, name } = connection;
  const now = realClock.now();
  const asked = checkLogoutRequest(root, partiesOf(signOn, connection), now);
  const endpoint = logoutEndpointOf(settings);
  if (endpoint === undefined) {
    throw new Refusal('structure', 'The metadata of the identity provider names no place for the answer.');
  }
  const revocation = revocationNow({ clock, realClock });
  const privateKey = await inTenant(database, tenantId, async (tx) => {
    awaitLogins(tx, connectionId);
    const [isFresh, sealed] = await Promise.all([
      useAssertion(tx, connectionId, `logout ${asked.id}`, asked.until),
      selectPrivateKey(tx, connectionId, 'signing'),
    ]);
    if (!isFresh) throw new Refusal('replayed', 'The request was used before.');
    if (sealed === undefined) throw unknownConnection(connectionId);
    const sids = asked.sessionIndexes.length === 0 ? [undefined] : asked.sessionIndexes;
    for (const sid of sids) deleteUpstreamSessions(tx, connectionId, { sid, sub: asked.nameId }, revocation);
    const door = { tenantId, requestId, now: clock.now() };
    const actor = { kind: 'connection', id: connectionId, name } as const;
    const after = { connectionId, sessions: asked.sessionIndexes.length };
    appendAudit(tx, { ...door, actor }, [{ action: 'sessions.signed_out', subject: null, after }]);
    return secrets.open(sealed);
  });
  const back: LogoutParties = {
    from: addressesOf(publicUrl, connectionId).entityId,
    to: settings.entityId,
    destination: endpoint.url,
  };
  const id = `_${randomBytes(20).toString('hex')}`;
  const xml = writeLogoutResponse(back, { id, now, requestId: asked.id });
  return {
    kind: 'answered',
    transfer: transferOf(endpoint, { field: 'SAMLResponse', xml, relayState }, privateKey),
  };
}
