/** Receivers of signals, and the stream that each has. */

import { type Selectable, sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import type { Tables } from '../db/tables.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { hashToken } from '../kernel/token.ts';
import type { StreamStatus } from './stream-request.ts';

export interface Receiver {
  tenantId: TenantId;
  id: string;
  name: string;
  audience: string;
}

/** undefined: no such token. */
export async function findReceiver(database: Database, token: string): Promise<Receiver | undefined> {
  const [row] = await database.run(
    sql<Receiver>`select tenant_id as "tenantId", id, name, audience from find_signal_receiver(${hashToken(token)})`,
  );
  return row;
}

export interface ReceiverRow {
  id: string;
  name: string;
  audience: string;
  createdAt: Date;
  streamId: string | null;
  status: StreamStatus | null;
  endpointUrl: string | null;
  /** Signals that it has not taken. */
  waiting: number;
}

/** @param id undefined: all, from `after` on. */
export async function selectReceivers(
  tx: TenantTransaction,
  { id, after, limit }: { id?: string; after: string; limit: number },
): Promise<ReceiverRow[]> {
  const chosen = id === undefined ? sql`r.id > ${after}` : sql`r.id = ${id}`;
  return await tx.run(sql<ReceiverRow>`
    select r.id, r.name, r.audience, r.created_at as "createdAt", s.id as "streamId", s.status, s.endpoint_url as "endpointUrl",
      (select count(*)::integer from signal_events e where e.tenant_id = r.tenant_id and e.stream_id = s.id) as waiting
    from signal_receivers r left join signal_streams s on s.tenant_id = r.tenant_id and s.receiver_id = r.id
    where r.tenant_id = ${tx.tenantId} and ${chosen} order by r.id limit ${limit}
  `);
}

export async function countReceivers(tx: TenantTransaction): Promise<number> {
  const [row] = await tx.run(
    sql<{
      count: number;
    }>`select count(*)::integer as count from signal_receivers where tenant_id = ${tx.tenantId}`,
  );
  return row?.count ?? 0;
}

export function insertReceiver(
  tx: TenantTransaction,
  {
    id,
    name,
    audience,
    hash,
    createdAt,
  }: { id: string; name: string; audience: string; hash: string; createdAt: Date },
): void {
  tx.send(
    db
      .insertInto('signal_receivers')
      .values({ tenant_id: tx.tenantId, id, name, audience, token_hash: hash, created_at: createdAt }),
  );
}

/** Its stream and what waits there go with it. Answers its token's hash; undefined: there is none. */
export async function deleteReceiver(
  tx: TenantTransaction,
  id: string,
): Promise<{ name: string; hash: string } | undefined> {
  const [row] = await tx.run(
    db
      .deleteFrom('signal_receivers')
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id)
      .returning(['name', 'token_hash as hash']),
  );
  return row;
}

export interface Stream {
  id: string;
  endpointUrl: string | null;
  /** Sealed. */
  authorizationHeader: Buffer | null;
  events: readonly string[];
  description: string | null;
  status: StreamStatus;
  statusReason: string | null;
}

export async function selectStream(tx: TenantTransaction, receiverId: string): Promise<Stream | undefined> {
  const [row] = await tx.run(select(tx, receiverId));
  return row && toStream(row);
}

/** As `selectStream`, and nobody else changes it until the transaction ends; signals come all the same. */
export async function lockStream(tx: TenantTransaction, receiverId: string): Promise<Stream | undefined> {
  const [row] = await tx.run(select(tx, receiverId).forNoKeyUpdate());
  return row && toStream(row);
}

function select(tx: TenantTransaction, receiverId: string) {
  return db
    .selectFrom('signal_streams')
    .selectAll()
    .where('tenant_id', '=', tx.tenantId)
    .where('receiver_id', '=', receiverId);
}

/** Constraint `signal_streams_receiver` refuses a receiver's second one. */
export function insertStream(
  tx: TenantTransaction,
  receiverId: string,
  { id, ...stream }: Stream,
  createdAt: Date,
): void {
  tx.send(
    db.insertInto('signal_streams').values({
      ...{ tenant_id: tx.tenantId, id, receiver_id: receiverId, created_at: createdAt },
      ...changeable(stream),
    }),
  );
}

export function updateStream(tx: TenantTransaction, { id, ...stream }: Stream): void {
  tx.send(
    db
      .updateTable('signal_streams')
      .set(changeable(stream))
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id),
  );
}

export function deleteStream(tx: TenantTransaction, id: string): void {
  tx.send(db.deleteFrom('signal_streams').where('tenant_id', '=', tx.tenantId).where('id', '=', id));
}

function changeable(stream: Omit<Stream, 'id'>) {
  return {
    endpoint_url: stream.endpointUrl,
    authorization_header: stream.authorizationHeader,
    events: [...stream.events],
    description: stream.description,
    status: stream.status,
    status_reason: stream.statusReason,
  };
}

function toStream(row: Selectable<Tables['signal_streams']>): Stream {
  return {
    id: row.id,
    endpointUrl: row.endpoint_url,
    authorizationHeader: row.authorization_header,
    events: row.events,
    description: row.description,
    status: row.status,
    statusReason: row.status_reason,
  };
}
