/**
 * Who an identity provider vouched for becomes a user of the tenant and a session.
 *
 * Locks: the pool where the claimed groups can change a decision, the connection's row, shared, and the user's row; who comes for
 * the first time is made by user-flow.ts, with its locks.
 */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { Clock } from '../kernel/clock.ts';
import { Fault } from '../kernel/fault.ts';
import type { ConnectionId, TenantId, UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { limits } from '../kernel/limits.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import { lockForClaimed, replaceClaimed } from '../provisioning/claimed-groups-flow.ts';
import { markMaker } from '../provisioning/made-people-store.ts';
import { createUser } from '../provisioning/user-flow.ts';
import { keepAccessRequest } from './access-request-flow.ts';
import { forgetAccessRequest, type Newcomer } from './access-request-store.ts';
import { findClaimedChange } from './claimed-change-flow.ts';
import { defaultRoleOf, type StandingConnection } from './connection.ts';
import { holdConnection } from './connection-store.ts';
import type { ClaimedGroups } from './core/claimed-groups.ts';
import { converge } from './core/convergence.ts';
import { type ExternalIdentity, newUser } from './core/identity.ts';
import { Refusal } from './core/refusal.ts';
import type { ClaimValues } from './core/test-report.ts';
import { refuseForeign } from './foreign-domain-flow.ts';
import { insertLink, type LoginTrace, letIn, selectMatches, useAssertion } from './login-store.ts';

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
  /** All that the identity provider sent, for a test's report. */
  claims: ClaimValues;
};

/** Characters of what a trace repeats of an answer. */
export const detailLengthMax = 1000;

/** What an identity provider's answer came to, once it was checked. */
export interface Vouched {
  /** As it was when the answer was checked. */
  connection: StandingConnection;
  identity: ExternalIdentity;
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
  /** When the login was begun, by the clock that identity providers know. */
  askedAt: Date;
  returnTo: string | null;
}

export interface SignedIn {
  kind: 'signed_in';
  session: string;
  seconds: number;
  returnTo: string | null;
}

/** @throws Refusal, and what `refusalOf` makes one of. */
export async function signIn(
  { database, realClock }: SignOn,
  tenantId: TenantId,
  { connection, identity, groups, once, ...said }: Vouched,
  { trace, requestId }: { trace: Trace; requestId: string },
): Promise<SignedIn> {
  const { id: connectionId, jit, name } = connection;
  trace.subject = identity.subject;
  const now = trace.at;
  const door: Door = { tenantId, now, requestId, actor: { kind: 'connection', id: connectionId, name } };
  const seconds = secondsOf(said.sessionUntil, realClock.now());
  const session = `${tenantId}.${newToken('session')}`;
  const finish = async (tx: TenantTransaction, userId: UserId, isNew: boolean) => {
    trace.userId = userId;
    const { authenticatedAt, acr, upstream, upstreamSid } = said;
    const { isHeld, isRevoked, isActive } = await letIn(tx, {
      ...{ connection, askedAt: said.askedAt },
      session: {
        ...{ userId, connectionId, createdAt: now, expiresAt: new Date(now.getTime() + seconds * 1000) },
        ...{ hash: hashToken(session), authenticatedAt, acr, upstream, upstreamSid },
      },
      trace: { ...trace, steps: [...trace.steps, 'identity', 'session'], userId },
    });
    if (!isHeld) {
      throw new Refusal('disabled', 'The connection was changed or switched off meanwhile: sign in again.');
    }
    if (isRevoked) {
      throw new Refusal(
        'revoked',
        'The identity provider ended the person’s sessions meanwhile: sign in again.',
      );
    }
    if (!isActive) throw new Refusal('inactive', `The user ${userId} is not active.`);
    if (isNew) {
      insertLink(tx, { connectionId, subject: identity.subject, userId, at: now });
      forgetAccessRequest(tx, connectionId, identity.subject);
    }
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
    const finished = finish(tx, userId, isNew);
    // Then it is all in one statement, which writes nothing where it refuses.
    if (!isNew && change === undefined) tx.commit();
    await finished;
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
      const isThere = async (tx: TenantTransaction) => {
        const [found] = await Promise.all([look(tx), holdConnection(tx, connection)]);
        return (await become(tx, found)) === undefined;
      };
      if (!isTaken || !(await inTenant(database, tenantId, isThere))) throw error;
    });
  }
  return { kind: 'signed_in', session, seconds, returnTo: said.returnTo };
}

/** Just in time: the person, the link and the session come to be together, or not at all. @throws Refusal */
async function createPerson(
  database: Database,
  door: Door,
  connection: StandingConnection,
  { identity, groups }: Newcomer,
  finish: (tx: TenantTransaction, userId: UserId, isNew: boolean) => Promise<void>,
): Promise<void> {
  await refuseForeign(database, door.tenantId, identity);
  const draft = { attributes: newUser(identity), externalId: null };
  const making = { claimValues: groups, defaultRole: defaultRoleOf(connection.jit) };
  await createUser(database, door, null, draft, {
    making,
    also: async (tx, userId) => {
      // Whoever was removed since the look for users; who ends sessions waits from here.
      const [{ removed }] = await Promise.all([
        selectMatches(tx, connection, identity),
        holdConnection(tx, connection),
      ]);
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
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
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
