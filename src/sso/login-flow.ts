/**
 * A login: the browser is sent to the identity provider with a request that only it can have answered, once; the answer goes
 * through the gate, the library and the policy, and becomes a user and a session. Every answer leaves a trace.
 *
 * Locks: the connection's row, shared, and the user's row; who comes for the first time is made by user-flow.ts, with its locks.
 */

import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { Clock } from '../kernel/clock.ts';
import { digest } from '../kernel/digest.ts';
import { Fault } from '../kernel/fault.ts';
import { type ConnectionId, newId, type TenantId, type UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import { createUser } from '../provisioning/user-flow.ts';
import { insertSession } from '../sessions/session-store.ts';
import { addressesOf, type Connection } from './connection.ts';
import { unknownConnection } from './connection-flow.ts';
import { holdConnection, selectConnection, selectPrivateKey } from './connection-store.ts';
import { converge, type ExternalIdentity, identityOf, newUser } from './core/identity.ts';
import { Refusal, type RefusalReason } from './core/refusal.ts';
import { readResponse, readStrictly } from './core/saml-gate.ts';
import { checkAssertion, type SignedAssertion } from './core/saml-policy.ts';
import { trimXml } from './core/xml.ts';
import {
  insertLink,
  insertLoginRequest,
  insertTrace,
  type LoginTrace,
  noteSignIn,
  selectMatches,
  takeLoginRequest,
  useAssertion,
} from './login-store.ts';
import { authorizeUrl, verifiedAssertion } from './saml-client.ts';

export interface SignOn {
  database: Database;
  /** What is written down. */
  clock: Clock;
  /** What is agreed with the identity provider. */
  realClock: Clock;
  secrets: SecretBox;
  publicUrl: string;
}

interface At {
  tenantId: TenantId;
  connectionId: ConnectionId;
}

/** @throws Fault `not_found` for a connection that is not there or is switched off. */
export async function startLogin(
  { database, clock, secrets, publicUrl }: SignOn,
  { tenantId, connectionId }: At,
): Promise<{ url: string; relayState: string; browser: string }> {
  const [relayState, browser] = [randomBytes(32).toString('base64url'), newToken('login')];
  const requestId = `_${randomBytes(20).toString('hex')}`;
  const { connection, sealed } = await inTenant(database, tenantId, async (tx) => {
    const [found, key] = await Promise.all([
      selectConnection(tx, connectionId),
      selectPrivateKey(tx, connectionId),
    ]);
    if (found === undefined || key === undefined || !found.enabled) throw unknownConnection(connectionId);
    insertLoginRequest(tx, {
      stateHash: hashToken(relayState),
      connectionId,
      requestId,
      browserHash: hashToken(browser),
      expiresAt: new Date(clock.now().getTime() + limits.loginMinutesMax * 60_000),
    });
    return { connection: found, sealed: key };
  });
  const { settings } = connection;
  const privateKey = settings.signRequests ? secrets.open(sealed) : undefined;
  const parties = { settings, addresses: addressesOf(publicUrl, connectionId) };
  return { url: await authorizeUrl(parties, { id: requestId, relayState, privateKey }), relayState, browser };
}

/** Characters of what a trace repeats of an answer. */
const detailLengthMax = 1000;

export interface Posted {
  /** undefined: not there, or there more than once. */
  samlResponse: string | undefined;
  relayState: string | undefined;
  /** The cookie of the browser that began. */
  browser: string | undefined;
}

export type LoginOutcome =
  | { kind: 'signed_in'; session: string; seconds: number }
  | { kind: 'refused'; reference: string; reason: RefusalReason; isTraced: boolean };

/**
 * Refusals are outcomes.
 *
 * @param mayTrace Whether one that shows no signature of the identity provider, as anybody can post, is to be traced.
 * @throws Fault `unavailable` and the like.
 */
export async function acceptResponse(
  signOn: SignOn,
  at: At,
  posted: Posted,
  { requestId, mayTrace }: { requestId: string; mayTrace: () => boolean },
): Promise<LoginOutcome> {
  const { database } = signOn;
  const now = signOn.clock.now();
  const trace: Trace = {
    ...{ id: newId<string>(now.getTime()), connectionId: at.connectionId, at: now },
    ...{ steps: [], reason: null, detail: null, userId: null, subject: null, attributes: [] },
    responseHash: digest(posted.samlResponse ?? ''),
  };
  try {
    const { connection, assertion } = await readAnswer(signOn, at, posted, trace);
    return await signIn(signOn, at.tenantId, connection, assertion, { trace, requestId });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const { reason, message: detail } = refusal;
    const isTraced = trace.steps.includes('signature') || mayTrace();
    if (isTraced) {
      await inTenant(database, at.tenantId, async (tx) =>
        insertTrace(tx, { ...trace, reason, detail: detail.slice(0, detailLengthMax) }),
      );
    }
    return { kind: 'refused', reference: trace.id, reason, isTraced };
  }
}

type Trace = LoginTrace & { steps: string[] };

/** What was signed, by whom we asked, as the answer to what this browser asked. */
async function readAnswer(
  { database, clock, realClock, publicUrl }: SignOn,
  { tenantId, connectionId }: At,
  { samlResponse, relayState, browser }: Posted,
  trace: Trace,
): Promise<{ connection: Connection; assertion: SignedAssertion }> {
  if (samlResponse === undefined) throw new Refusal('form', 'SAMLResponse must be there, once.');
  const { xml, response } = readResponse(samlResponse);
  trace.steps.push('gate');
  if (relayState === undefined) {
    throw new Refusal('unsolicited', 'Nobody asked here: begin at the login address of the connection.');
  }
  const stateHash = hashToken(relayState);
  const browserHash = hashToken(browser ?? '');
  const [connection, requestId] = await inTenant(database, tenantId, (tx) =>
    Promise.all([
      selectConnection(tx, connectionId),
      takeLoginRequest(tx, { stateHash, connectionId, browserHash }, clock.now()),
    ]),
  );
  if (connection?.enabled !== true) throw new Refusal('disabled', 'The connection is switched off.');
  if (requestId === undefined) {
    throw new Refusal('request', 'This browser has no such request here that waits for an answer.');
  }
  trace.steps.push('request');
  const { settings } = connection;
  const addresses = addressesOf(publicUrl, connectionId);
  const signed = await verifiedAssertion({ settings, addresses }, xml);
  trace.steps.push('signature');
  const assertion = checkAssertion(response, readStrictly(signed.xml), {
    entityId: settings.entityId,
    audience: addresses.entityId,
    acsUrl: addresses.acsUrl,
    requestId,
    now: realClock.now(),
  });
  if (trimXml(signed.nameId ?? '') !== (assertion.nameId?.value ?? '')) {
    throw new Refusal('structure', 'Two readers find two NameIDs.');
  }
  trace.attributes = [...assertion.attributes.keys()].map((name) => name.slice(0, detailLengthMax));
  trace.steps.push('policy');
  return { connection, assertion };
}

async function signIn(
  { database, realClock, publicUrl }: SignOn,
  tenantId: TenantId,
  connection: Connection,
  assertion: SignedAssertion,
  { trace, requestId }: { trace: Trace; requestId: string },
): Promise<LoginOutcome> {
  const { id: connectionId, jit, settings, directoryId } = connection;
  const { entityId } = addressesOf(publicUrl, connectionId);
  const identity = identityOf(assertion, jit.attributes, { idp: settings.entityId, sp: entityId });
  trace.subject = identity.subject;
  const now = trace.at;
  const seconds = secondsOf(assertion, realClock.now());
  const session = `${tenantId}.${newToken('session')}`;
  const keptUntil = new Date(assertion.notOnOrAfter.getTime() + limits.clockSkewSecondsMax * 1000);
  const finish = async (tx: TenantTransaction, userId: UserId, isNew: boolean) => {
    const [held, isActive] = await Promise.all([
      holdConnection(tx, connectionId),
      noteSignIn(tx, userId, now),
    ]);
    if (!isDeepStrictEqual(held, connection)) {
      throw new Refusal('disabled', 'The connection was changed or switched off meanwhile: sign in again.');
    }
    if (!isActive) throw new Refusal('inactive', `The user ${userId} is not active.`);
    if (isNew) insertLink(tx, { connectionId, subject: identity.subject, userId, at: now });
    const expiresAt = new Date(now.getTime() + seconds * 1000);
    insertSession(tx, { userId, connectionId, expiresAt, createdAt: now, hash: hashToken(session) });
    insertTrace(tx, { ...trace, steps: [...trace.steps, 'identity', 'session'], userId });
  };
  const isDone = await inTenant(database, tenantId, async (tx) => {
    const [isFresh, matches] = await Promise.all([
      useAssertion(tx, connectionId, assertion.id, keptUntil),
      selectMatches(tx, connectionId, directoryId, identity),
    ]);
    if (!isFresh) throw new Refusal('replayed', 'The assertion was used before.');
    const who = converge(matches, jit);
    if (who.kind === 'create') return false;
    trace.userId = who.userId;
    await finish(tx, who.userId, who.isNew);
    return true;
  });
  if (!isDone) await createPerson(database, connection, identity, { tenantId, now, requestId }, finish);
  return { kind: 'signed_in', session, seconds };
}

/** Just in time: the person, the link and the session come to be together, or not at all. */
async function createPerson(
  database: Database,
  { id, name }: Connection,
  identity: ExternalIdentity,
  door: Omit<Door, 'actor'>,
  finish: (tx: TenantTransaction, userId: UserId, isNew: boolean) => Promise<void>,
): Promise<void> {
  const draft = { attributes: newUser(identity), externalId: null };
  await createUser(database, { ...door, actor: { kind: 'connection', id, name } }, null, draft, {
    also: (tx, userId) => finish(tx, userId, true),
  });
}

function secondsOf({ sessionNotOnOrAfter }: SignedAssertion, realNow: Date): number {
  const most = limits.sessionHoursMax * 3600;
  if (sessionNotOnOrAfter === null) return most;
  return Math.min(most, Math.ceil((sessionNotOnOrAfter.getTime() - realNow.getTime()) / 1000));
}

/** What a flow refuses, in the words of logins; undefined: it is no refusal. */
function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof Fault && error.code === 'no_seat') return new Refusal('no_seat', error.message);
  if (error instanceof Fault && error.code === 'conflict') return new Refusal('unproved', error.message);
  const constraint = brokenConstraint(error);
  if (constraint !== undefined && /^sso_\w+_connection_id_fkey$/.test(constraint)) {
    return new Refusal('disabled', 'The connection was removed.');
  }
  switch (constraint) {
    case 'sso_links_user':
      return new Refusal('clash', 'The user has another subject on this connection.');
    case 'sso_links_subject':
      return new Refusal('clash', 'The subject was linked at the same moment: sign in again.');
    default:
      return undefined;
  }
}
