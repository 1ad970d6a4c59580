/** What logins read and write: requests under way, assertions that were used, links, the trace. */

import { type RawBuilder, sql } from 'kysely';
import { db, prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { first } from '../kernel/assert.ts';
import { digest } from '../kernel/digest.ts';
import { fold } from '../kernel/fold.ts';
import type { ConnectionId, DirectoryId, UserId } from '../kernel/ids.ts';
import { revokedSince } from '../sessions/revocation-store.ts';
import { type NewSession, newSession } from '../sessions/session-store.ts';
import type { StandingConnection } from './connection.ts';
import { heldConnection } from './connection-store.ts';
import type { Asked, StepUp } from './core/asked.ts';
import { claimedDomains, type Matches } from './core/convergence.ts';
import type { ExternalIdentity } from './core/identity.ts';
import type { RefusalReason } from './core/refusal.ts';
import { tombstoneOf } from './tombstone-store.ts';

/** Of whom a request was made, and by which browser. */
export interface RequestKey {
  stateHash: string;
  connectionId: ConnectionId;
  browserHash: string;
}

export interface LoginRequest extends RequestKey, Asked {
  requestId: string;
  /** Of an OpenID request; null: of a SAML one. */
  codeVerifier: string | null;
  /** By the clock that identity providers know. */
  askedAt: Date;
  /** The test that it is; null: it is none. */
  testId: string | null;
  expiresAt: Date;
}

export function insertLoginRequest(tx: TenantTransaction, request: LoginRequest): void {
  tx.send(
    db.insertInto('sso_requests').values({
      tenant_id: tx.tenantId,
      state_hash: request.stateHash,
      connection_id: request.connectionId,
      request_id: request.requestId,
      browser_hash: request.browserHash,
      expires_at: request.expiresAt,
      return_to: request.returnTo,
      step_up: JSON.stringify(request.stepUp),
      code_verifier: request.codeVerifier,
      asked_at: request.askedAt,
      test_id: request.testId,
    }),
  );
}

export type TakenRequest = Pick<
  LoginRequest,
  'requestId' | 'returnTo' | 'stepUp' | 'codeVerifier' | 'askedAt' | 'testId'
>;

/** Takes a request away, so that of several answers one finds it; undefined: there is none for this browser and connection. */
export async function takeLoginRequest(
  tx: TenantTransaction,
  { stateHash, connectionId, browserHash }: RequestKey,
  now: Date,
): Promise<TakenRequest | undefined> {
  const query = db
    .deleteFrom('sso_requests')
    .where('tenant_id', '=', tx.tenantId)
    .where('state_hash', '=', stateHash)
    .where('connection_id', '=', connectionId)
    .where('browser_hash', '=', browserHash)
    .where('expires_at', '>', now)
    .returning([
      ...(['request_id as requestId', 'return_to as returnTo', 'step_up as stepUp'] as const),
      ...(['code_verifier as codeVerifier', 'asked_at as askedAt', 'test_id as testId'] as const),
    ]);
  const [row] = await tx.run(prepared(query));
  return row && { ...row, stepUp: row.stepUp as StepUp };
}

/** false: it was used before. */
export async function useAssertion(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  assertionId: string,
  expiresAt: Date,
): Promise<boolean> {
  const query = db
    .insertInto('sso_assertions')
    .values({
      tenant_id: tx.tenantId,
      connection_id: connectionId,
      id_hash: digest(assertionId),
      expires_at: expiresAt,
    })
    .onConflict((conflict) => conflict.constraint('sso_assertions_once').doNothing());
  return (await tx.count(prepared(query))) === 1;
}

export async function selectMatches(
  tx: TenantTransaction,
  connection: { id: ConnectionId; directoryId: DirectoryId | null },
  identity: ExternalIdentity,
): Promise<Matches> {
  const { subject, externalId = null, userName, email } = identity;
  const [userNameKey, emailKey] = [userName, email].map((one) => (one === undefined ? null : fold(one)));
  const domains = claimedDomains(identity);
  const [of, through] = [tx.tenantId, connection.id];
  const usersAt = (address: string | null | undefined) =>
    sql`array(select id from users where tenant_id = ${of} and address = ${address ?? null} order by id limit 2)`;
  const servedBy = (isThrough: RawBuilder<unknown>) => sql`array(
    select distinct domain from sso_connection_domains s join domains d using (tenant_id, domain)
    where tenant_id = ${of} and s.connection_id ${isThrough} ${through} and domain = any (${domains}::text[])
      and d.verified_at is not null)`;
  const rows = await tx.run(
    prepared(sql<Matches>`
    select
      (select user_id from sso_links where tenant_id = ${of} and connection_id = ${through} and subject = ${subject}) as linked,
      (select user_id from user_sources where tenant_id = ${of} and directory_id = ${connection.directoryId}::uuid
        and external_id = ${externalId}) as "byExternalId",
      (select id from users where tenant_id = ${of} and user_name_key = ${userNameKey ?? null}) as "byUserName",
      ${usersAt(emailKey)} as "byEmail",
      ${usersAt(userNameKey)} as "byUserNameAsAddress",
      ${servedBy(sql`=`)} as served,
      ${servedBy(sql`<>`)} as "servedElsewhere",
      ${tombstoneOf(tx, connection, identity)} as removed
  `),
  );
  return first(rows);
}

/** Constraints `sso_links_subject` and `sso_links_user` refuse a second user of a subject, and a second subject of a user. */
export function insertLink(
  tx: TenantTransaction,
  link: { connectionId: ConnectionId; subject: string; userId: UserId; at: Date },
): void {
  tx.send(
    db.insertInto('sso_links').values({
      tenant_id: tx.tenantId,
      connection_id: link.connectionId,
      subject: link.subject,
      user_id: link.userId,
      linked_at: link.at,
    }),
  );
}

export interface LoginTrace {
  id: string;
  connectionId: ConnectionId;
  at: Date;
  /** The steps that were passed. */
  steps: readonly string[];
  /** null: signed in. */
  reason: RefusalReason | null;
  detail: string | null;
  userId: UserId | null;
  subject: string | null;
  attributes: readonly string[];
  responseHash: string;
}

export function insertTrace(tx: TenantTransaction, trace: LoginTrace): void {
  tx.send(newTrace(tx, trace));
}

function newTrace({ tenantId }: TenantTransaction, trace: LoginTrace): RawBuilder<unknown> {
  return sql`
    insert into sso_logins (tenant_id, id, connection_id, at, steps, reason, detail, user_id, subject, attributes, response_hash)
    select ${tenantId}, ${trace.id}, ${trace.connectionId}, ${trace.at}, ${trace.steps}, ${trace.reason}, ${trace.detail},
      ${trace.userId}, ${trace.subject}, ${trace.attributes}, ${trace.responseHash}`;
}

/** Whether the connection is as it was, the person's sessions were not ended meanwhile, and the user was let in. */
interface LetIn {
  isHeld: boolean;
  isRevoked: boolean;
  isActive: boolean;
}

/**
 * Lets an active user in through a connection that is as it was: the session, its trace, and that the user was seen; else nothing is
 * written. Who changes the connection or deactivates the user waits until the transaction ends. Whoever ends the person's sessions at
 * the connection does so, too, where the transaction has touched the connection before (`useAssertion`, `holdConnection`).
 *
 * @param askedAt When the login was begun, by the clock that identity providers know.
 */
export async function letIn(
  tx: TenantTransaction,
  {
    connection,
    session,
    trace,
    askedAt,
  }: { connection: StandingConnection; session: NewSession; trace: LoginTrace; askedAt: Date },
): Promise<LetIn> {
  const rows = await tx.run(
    prepared(sql<LetIn>`
    with held as (${heldConnection(tx, connection)}), revoked as (${revokedSince(tx, session, askedAt)}), person as (
      update users set last_sign_in_at = ${trace.at}
      where tenant_id = ${tx.tenantId} and id = ${session.userId} and active and exists (select from held)
        and not exists (select from revoked)
      returning id
    ), session as (${newSession(tx, session, sql`person, held`)}), trace as (${newTrace(tx, trace)} from person)
    select exists (select from held) as "isHeld", exists (select from revoked) as "isRevoked",
      exists (select from person) as "isActive"`),
  );
  return first(rows);
}

export interface TraceQuery {
  connectionId: ConnectionId | undefined;
  /** Older than this one. */
  before: string;
  limit: number;
}

/** Newest first. */
export function selectTraces(tx: TenantTransaction, { connectionId, before, limit }: TraceQuery) {
  const query = db
    .selectFrom('sso_logins')
    .selectAll()
    .where('tenant_id', '=', tx.tenantId)
    .where('id', '<', before)
    .orderBy('id', 'desc')
    .limit(limit);
  return tx.run(connectionId === undefined ? query : query.where('connection_id', '=', connectionId));
}

export async function selectTrace(tx: TenantTransaction, id: string) {
  const [row] = await tx.run(
    db.selectFrom('sso_logins').selectAll().where('tenant_id', '=', tx.tenantId).where('id', '=', id),
  );
  return row;
}
