/** Sessions of people who signed in. The cookie holds the tenant and a secret, the row the secret's hash. */

import { type RawBuilder, sql } from 'kysely';
import { db, prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId, UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { noteRevocation, type Revocation } from './revocation-store.ts';

export interface Session {
  userId: UserId;
  connectionId: ConnectionId;
  connectionName: string;
  tenantName: string;
  tenantSlug: string;
  expiresAt: Date;
  /** When the person showed the identity provider who they are. */
  authenticatedAt: Date;
  /** How, in the identity provider's word. */
  acr: string | null;
}

export interface NewSession
  extends Pick<Session, 'userId' | 'connectionId' | 'expiresAt' | 'authenticatedAt' | 'acr'> {
  hash: string;
  createdAt: Date;
  /** What a logout at the identity provider must name; null: nothing. */
  upstream: JsonObject | null;
  /** What the identity provider calls the session; null: it doesn't say. */
  upstreamSid: string | null;
}

/** As part of a statement: a session of the connection's epoch. @param from What there must be a row of, with `session_epoch`. */
export function newSession(
  { tenantId }: TenantTransaction,
  session: NewSession,
  from: RawBuilder<unknown>,
): RawBuilder<unknown> {
  return sql`
    insert into sso_sessions (tenant_id, token_hash, user_id, connection_id, created_at, expires_at, authenticated_at, acr,
      upstream, upstream_sid, epoch)
    select ${tenantId}, ${session.hash}, ${session.userId}, ${session.connectionId}, ${session.createdAt}, ${session.expiresAt},
      ${session.authenticatedAt}, ${session.acr}, ${session.upstream && JSON.stringify(session.upstream)}::jsonb,
      ${session.upstreamSid}, session_epoch from ${from}`;
}

/** undefined: none of that hash, it is over, all of the connection were ended, or its user or connection is switched off. */
export async function selectSession(
  tx: TenantTransaction,
  hash: string,
  now: Date,
): Promise<Session | undefined> {
  const [row] = await tx.run(
    prepared(sql<Session>`
      select e.user_id as "userId", e.connection_id as "connectionId", c.name as "connectionName",
        t.name as "tenantName", t.slug as "tenantSlug", e.expires_at as "expiresAt",
        e.authenticated_at as "authenticatedAt", e.acr
      from sso_sessions e
      join users u on u.tenant_id = e.tenant_id and u.id = e.user_id and u.active
      join sso_connections c on c.tenant_id = e.tenant_id and c.id = e.connection_id and c.enabled
        and c.session_epoch = e.epoch
      join tenants t on t.tenant_id = e.tenant_id
      where e.tenant_id = ${tx.tenantId} and e.token_hash = ${hash} and e.expires_at > ${now}
    `),
  );
  return row;
}

/** Whether both are there, and the first is good still. */
export async function areOfOnePerson(
  tx: TenantTransaction,
  one: string,
  other: string,
  now: Date,
): Promise<boolean> {
  const rows = await tx.run(sql`
    select from sso_sessions a join sso_sessions b on b.tenant_id = a.tenant_id and b.user_id = a.user_id
    join sso_connections c on c.tenant_id = a.tenant_id and c.id = a.connection_id and c.enabled and c.session_epoch = a.epoch
    where a.tenant_id = ${tx.tenantId} and a.token_hash = ${one} and a.expires_at > ${now} and b.token_hash = ${other}`);
  return rows.length > 0;
}

export interface EndedSession {
  userId: UserId;
  connectionId: ConnectionId;
  /** What a logout at the identity provider must name; null: nothing. */
  upstream: JsonObject | null;
  /** What the identity provider calls the session; null: it doesn't say. */
  upstreamSid: string | null;
}

/** undefined: it was over already. */
export async function deleteSession(tx: TenantTransaction, hash: string): Promise<EndedSession | undefined> {
  const [row] = await tx.run(
    db
      .deleteFrom('sso_sessions')
      .where('tenant_id', '=', tx.tenantId)
      .where('token_hash', '=', hash)
      .returning(['user_id', 'connection_id', 'upstream', 'upstream_sid']),
  );
  return (
    row && {
      userId: row.user_id as UserId,
      connectionId: row.connection_id as ConnectionId,
      upstream: row.upstream as JsonObject | null,
      upstreamSid: row.upstream_sid,
    }
  );
}

/** Receivers of signals are told, as they are by the next two; by a person's own sign-out they are not. */
export function deleteSessionsOfUser(tx: TenantTransaction, id: UserId): void {
  revoke(tx, sql`user_id = ${id}`);
}

/** Those that the user has through one connection, from which logins are kept (`awaitLogins`); also of a login that was begun before. */
export function deleteSessionsOfUserAt(
  tx: TenantTransaction,
  id: UserId,
  connectionId: ConnectionId,
  revocation: Revocation,
): void {
  noteRevocation(tx, connectionId, { userId: id }, revocation);
  revoke(tx, sql`user_id = ${id} and connection_id = ${connectionId}`);
}

/** Few: `endSessionsOfConnection` ended those that stood. */
export function deleteSessionsOfConnection(tx: TenantTransaction, id: ConnectionId): void {
  revoke(tx, sql`connection_id = ${id}`);
}

/** Sessions of the connection, whose row the caller has locked, are of an earlier epoch now, and so are logins under way. */
export function beginEpoch(tx: TenantTransaction, id: ConnectionId): void {
  tx.send(sql`
    update sso_connections set session_epoch = session_epoch + 1 where tenant_id = ${tx.tenantId} and id = ${id}`);
  tx.send(sql`
    delete from sso_requests where tenant_id = ${tx.tenantId} and connection_id = ${id} and test_id is null`);
}

/** Those of earlier epochs; receivers of signals are told. Answers how many there were, also where somebody else deletes them now. */
export async function deleteSessionsOfEpochsBefore(tx: TenantTransaction, most: number): Promise<number> {
  const [row] = await tx.run(sql<{ count: number }>`
    with found as (
      select e.token_hash from sso_connections c
      join sso_sessions e on e.tenant_id = c.tenant_id and e.connection_id = c.id and e.epoch < c.session_epoch
      where c.tenant_id = ${tx.tenantId} limit ${most}
    ), gone as (
      delete from sso_sessions where tenant_id = ${tx.tenantId} and token_hash in (select token_hash from found)
      returning user_id
    ), told as (
      select signal_session_revoked(${tx.tenantId}, user_id) from (select distinct user_id from gone) as people
    )
    select (select count(*) from found) as count, (select count(*) from told) as told
  `);
  return row?.count ?? 0;
}

/** Those of one session at the identity provider, or of all of a person's there, as `deleteSessionsOfUserAt`. */
export function deleteUpstreamSessions(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  { sid, sub }: { sid: string | undefined; sub: string | undefined },
  revocation: Revocation,
): void {
  noteRevocation(tx, connectionId, { sid, sub }, revocation);
  const isOfSession = sid === undefined ? sql`true` : sql`upstream_sid = ${sid}`;
  const isOfPerson = sub === undefined ? sql`true` : sql`upstream ->> 'sub' = ${sub}`;
  revoke(tx, sql`connection_id = ${connectionId} and ${isOfSession} and ${isOfPerson}`);
}

/**
 * Sends what waits for the logins that hold the connection, and keeps others from it: the next statement sees their sessions. Before
 * anything else touches the connection in the transaction, or two of them wait for one another.
 */
export function awaitLogins(tx: TenantTransaction, id: ConnectionId): void {
  tx.send(
    db
      .selectFrom('sso_connections')
      .select('id')
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id)
      .forUpdate(),
  );
}

function revoke(tx: TenantTransaction, which: RawBuilder<unknown>): void {
  tx.send(sql`
    with gone as (delete from sso_sessions where tenant_id = ${tx.tenantId} and ${which} returning user_id)
    select signal_session_revoked(${tx.tenantId}, user_id) from (select distinct user_id from gone) as people
  `);
}
