/**
 * Who an identity provider vouched for becomes a user of the tenant and a session; whatever comes of it leaves a trace.
 *
 * Locks: the pool where the claimed groups can change a decision, the connection's row, shared, and the user's row; who comes for
 * the first time is made by user-flow.ts, with its locks.
 */

import { isDeepStrictEqual } from 'node:util';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { rehearse } from '../db/rehearsal.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { columnsOf } from '../directory/user.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import { type ConnectionId, newId, type TenantId, type UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { limits } from '../kernel/limits.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import { lockForClaimed, replaceClaimed } from '../provisioning/claimed-groups-flow.ts';
import { markMaker } from '../provisioning/made-people-store.ts';
import { createUser } from '../provisioning/user-flow.ts';
import { selectUserView } from '../provisioning/user-view-store.ts';
import { insertSession } from '../sessions/session-store.ts';
import { keepAccessRequest } from './access-request-flow.ts';
import { forgetAccessRequest, type Newcomer } from './access-request-store.ts';
import { findClaimedChange } from './claimed-change-flow.ts';
import { type Connection, defaultRoleOf } from './connection.ts';
import { holdConnection } from './connection-store.ts';
import type { ClaimedGroups } from './core/claimed-groups.ts';
import { converge } from './core/convergence.ts';
import { type ExternalIdentity, newUser } from './core/identity.ts';
import { Refusal, type RefusalReason } from './core/refusal.ts';
import { type ClaimValues, shownClaims, shownIdentity, type TestReport } from './core/test-report.ts';
import { refuseForeign } from './foreign-domain-flow.ts';
import {
  insertLink,
  insertTrace,
  type LoginTrace,
  noteSignIn,
  selectMatches,
  useAssertion,
} from './login-store.ts';
import { writeReport } from './test-store.ts';

export interface SignOn {
  database: Database;
  /** What is written down. */
  clock: Clock;
  /** What is agreed with the identity provider. */
  realClock: Clock;
  secrets: SecretBox;
  publicUrl: string;
}

export interface ConnectionPlace {
  tenantId: TenantId;
  connectionId: ConnectionId;
}

export type Trace = LoginTrace & {
  steps: string[];
  /** The test that the login is: it ends in a report, and leaves no trace. */
  testId: string | null;
};

/** What an identity provider's answer came to, once it was checked. */
export interface Vouched {
  /** As it was when the answer was checked. */
  connection: Connection;
  identity: ExternalIdentity;
  /** All that came, for a test. */
  claims: ClaimValues;
  /** Those of the connection's groups claim. */
  groups: ClaimedGroups;
  /** Names the answer, which is good once, and until when it could be shown again. */
  once: { id: string; until: Date };
  /** Until when the identity provider lets a session live; null: it doesn't say. */
  sessionUntil: Date | null;
  authenticatedAt: Date;
  /** How the person showed who they are, in the identity provider's word. */
  acr: string | null;
  /** What a logout at the identity provider must name; null: nothing. */
  upstream: JsonObject | null;
  /** What the identity provider calls the session (OpenID's sid, SAML's SessionIndex); null: it doesn't say. */
  upstreamSid: string | null;
  returnTo: string | null;
}

export type LoginOutcome =
  | { kind: 'signed_in'; session: string; seconds: number; returnTo: string | null }
  | { kind: 'tested'; report: TestReport }
  | { kind: 'refused'; reference: string; reason: RefusalReason; isTraced: boolean };

/** Characters of what a trace repeats of an answer. */
export const detailLengthMax = 1000;

export interface AnswerContext {
  requestId: string;
  /** SHA-256 of the answer, in hex. */
  responseHash: string;
  /** Whether one that shows no signature of the identity provider, as anybody can post, is to be traced. */
  mayTrace: () => boolean;
}

/**
 * Refusals are outcomes.
 *
 * @param read Checks the answer, and adds to the trace the steps that it passed: `signature` once it is the identity provider's.
 * @throws Fault `unavailable` and the like.
 */
export async function settleLogin(
  signOn: SignOn,
  { tenantId, connectionId }: ConnectionPlace,
  { requestId, responseHash, mayTrace }: AnswerContext,
  read: (trace: Trace) => Promise<Vouched>,
): Promise<LoginOutcome> {
  const now = signOn.clock.now();
  const trace: Trace = {
    ...{ id: newId<string>(now.getTime()), connectionId, at: now, responseHash },
    ...{ steps: [], reason: null, detail: null, userId: null, subject: null, attributes: [] },
    testId: null,
  };
  try {
    const vouched = await read(trace);
    if (trace.testId !== null) return await rehearseLogin(signOn, tenantId, vouched, { trace, requestId });
    return await signIn(signOn, tenantId, vouched, { trace, requestId });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const { reason, message: detail } = refusal;
    if (trace.testId !== null) {
      const failed = { ...emptyReport(trace), reason, detail: detail.slice(0, detailLengthMax) };
      return await reportTest(signOn.database, tenantId, trace.testId, failed);
    }
    const isTraced = trace.steps.includes('signature') || mayTrace();
    if (isTraced) {
      await inTenant(signOn.database, tenantId, async (tx) =>
        insertTrace(tx, { ...trace, reason, detail: detail.slice(0, detailLengthMax) }),
      );
    }
    return { kind: 'refused', reference: trace.id, reason, isTraced };
  }
}

function emptyReport({ at, steps }: Trace): TestReport {
  const nobody = { claims: {}, identity: null, user: null, roles: [], seat: null };
  return { at: at.toISOString(), steps: [...steps], reason: null, detail: null, ...nobody };
}

async function reportTest(
  database: Database,
  tenantId: TenantId,
  testId: string,
  report: TestReport,
): Promise<LoginOutcome> {
  await inTenant(database, tenantId, async (tx) => writeReport(tx, testId, report));
  return { kind: 'tested', report };
}

/** The login as it would be, and how the person would stand; then all of it is taken back. */
async function rehearseLogin(
  signOn: SignOn,
  tenantId: TenantId,
  vouched: Vouched,
  { trace, requestId }: { trace: Trace; requestId: string },
): Promise<LoginOutcome> {
  const { claims, identity } = vouched;
  const shown = { claims: shownClaims(claims), identity: shownIdentity(identity) };
  const before = emptyReport(trace);
  const msMax = limits.connectionTestMsMax;
  const report = await rehearse(
    signOn.database,
    { tenantId, msMax },
    async (database): Promise<TestReport> => {
      try {
        await signIn({ ...signOn, database }, tenantId, vouched, { trace, requestId });
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === undefined) throw error;
        return {
          ...before,
          ...shown,
          reason: refusal.reason,
          detail: refusal.message.slice(0, detailLengthMax),
        };
      }
      const { userId } = trace;
      const view =
        userId === null
          ? undefined
          : await inTenant(database, tenantId, (tx) => selectUserView(tx, userId, trace.at));
      const roles = [...new Set((view?.decision?.effective ?? []).map(({ role }) => role))];
      const steps = [...before.steps, 'identity', 'session'];
      const user = view && {
        id: view.user.id,
        userName: columnsOf(view.user.attributes).userName,
        isNew: view.user.createdAt.getTime() === trace.at.getTime(),
      };
      return { ...before, ...shown, steps, user: user ?? null, roles, seat: view?.seat.state ?? null };
    },
  );
  return await reportTest(signOn.database, tenantId, trace.testId ?? '', report);
}

async function signIn(
  { database, realClock }: SignOn,
  tenantId: TenantId,
  { connection, identity, groups, once, ...said }: Vouched,
  { trace, requestId }: { trace: Trace; requestId: string },
): Promise<LoginOutcome> {
  const { id: connectionId, jit, name } = connection;
  trace.subject = identity.subject;
  const now = trace.at;
  const door: Door = { tenantId, now, requestId, actor: { kind: 'connection', id: connectionId, name } };
  const seconds = secondsOf(said.sessionUntil, realClock.now());
  const session = `${tenantId}.${newToken('session')}`;
  const finish = async (tx: TenantTransaction, userId: UserId, isNew: boolean) => {
    trace.userId = userId;
    const [held, isActive] = await Promise.all([
      holdConnection(tx, connectionId),
      noteSignIn(tx, userId, now),
    ]);
    if (!isDeepStrictEqual(held, connection)) {
      throw new Refusal('disabled', 'The connection was changed or switched off meanwhile: sign in again.');
    }
    if (!isActive) throw new Refusal('inactive', `The user ${userId} is not active.`);
    if (isNew) {
      insertLink(tx, { connectionId, subject: identity.subject, userId, at: now });
      forgetAccessRequest(tx, connectionId, identity.subject);
    }
    const expiresAt = new Date(now.getTime() + seconds * 1000);
    const { authenticatedAt, acr, upstream, upstreamSid } = said;
    insertSession(tx, {
      ...{ userId, connectionId, expiresAt, createdAt: now, hash: hashToken(session) },
      ...{ authenticatedAt, acr, upstream, upstreamSid },
    });
    insertTrace(tx, { ...trace, steps: [...trace.steps, 'identity', 'session'], userId });
  };
  const look = (tx: TenantTransaction) =>
    Promise.all([
      selectMatches(tx, connection, identity),
      findClaimedChange(tx, connection, identity.subject, groups),
    ]);
  /** undefined: they are signed in; else who is to be made. */
  const become = async (
    tx: TenantTransaction,
    [matches, change]: Awaited<ReturnType<typeof look>>,
  ): Promise<Newcomer | undefined> => {
    const who = converge(identity, matches, { create: jit.enabled && jit.create });
    if (who.kind === 'create') return { identity, groups: change?.after ?? [] };
    const { userId, isNew } = who;
    trace.userId = userId;
    const pool = change && (await lockForClaimed(tx, change));
    await finish(tx, userId, isNew);
    if (change) await replaceClaimed(tx, door, pool ?? null, { ...change, link: { connectionId, userId } });
    if (isNew) {
      const after = { connectionId, subject: identity.subject };
      appendAudit(tx, door, [{ action: 'user.linked', subject: userId, after }]);
    }
    return undefined;
  };
  const newcomer = await inTenant(database, tenantId, async (tx) => {
    const [isFresh, found] = await Promise.all([
      useAssertion(tx, connectionId, once.id, once.until),
      look(tx),
    ]);
    if (!isFresh) throw new Refusal('replayed', 'The answer was used before.');
    return await become(tx, found);
  });
  if (newcomer !== undefined && jit.approval)
    throw await keepAccessRequest(database, door, connectionId, newcomer);
  if (newcomer !== undefined) {
    await createPerson(database, door, connection, newcomer, finish).catch(async (error: unknown) => {
      // A directory, or another window, made the person at the same moment.
      const isTaken = error instanceof Fault && error.code === 'conflict';
      const isThere = async (tx: TenantTransaction) => (await become(tx, await look(tx))) === undefined;
      if (!isTaken || !(await inTenant(database, tenantId, isThere))) throw error;
    });
  }
  return { kind: 'signed_in', session, seconds, returnTo: said.returnTo };
}

/** Just in time: the person, the link and the session come to be together, or not at all. @throws Refusal */
async function createPerson(
  database: Database,
  door: Door,
  connection: Connection,
  { identity, groups }: Newcomer,
  finish: (tx: TenantTransaction, userId: UserId, isNew: boolean) => Promise<void>,
): Promise<void> {
  await refuseForeign(database, door.tenantId, identity);
  const draft = { attributes: newUser(identity), externalId: null };
  const making = { claimValues: groups, defaultRole: defaultRoleOf(connection.jit) };
  await createUser(database, door, null, draft, {
    making,
    also: async (tx, userId) => {
      // Whoever was removed since the look for users.
      const { removed } = await selectMatches(tx, connection, identity);
      if (removed !== null) throw new Refusal('removed', `The user ${removed} was removed meanwhile.`);
      await finish(tx, userId, true);
      markMaker(tx, { connectionId: connection.id, userId }, making);
    },
  });
}

function secondsOf(until: Date | null, realNow: Date): number {
  const most = limits.sessionHoursMax * 3600;
  if (until === null) return most;
  return Math.min(most, Math.ceil((until.getTime() - realNow.getTime()) / 1000));
}

/** What a flow refuses, in the words of logins; undefined: it is no refusal. */
function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof Fault && error.code === 'no_seat') return new Refusal('no_seat', error.message);
  if (error instanceof Fault && error.code === 'conflict') return new Refusal('unproved', error.message);
  const constraint = brokenConstraint(error);
  if (constraint !== undefined && /^(sso|access)_\w+_connection_id_fkey$/.test(constraint)) {
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
