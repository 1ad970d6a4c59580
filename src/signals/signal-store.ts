/** Signals that wait for their receivers. */

import { sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { type Signal, verification } from './security-event.ts';

/** SSF 1.0 §8.1.4.2: whatever the stream asked for. */
export function insertVerification(
  tx: TenantTransaction,
  streamId: string,
  { id, state, at }: { id: string; state: string | null; at: Date },
): void {
  tx.send(
    db.insertInto('signal_events').values({
      tenant_id: tx.tenantId,
      stream_id: streamId,
      id,
      event: verification,
      user_id: null,
      detail: JSON.stringify(state === null ? {} : { state }),
      at,
      due_at: at,
    }),
  );
}

export async function countVerifications(tx: TenantTransaction, streamId: string): Promise<number> {
  const [row] = await tx.run(sql<{ count: number }>`
    select count(*)::integer as count from signal_events
    where tenant_id = ${tx.tenantId} and stream_id = ${streamId} and event = ${verification}
  `);
  return row?.count ?? 0;
}

export async function findDueSignals(database: Database, at: Date, most: number): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_due_signals(${at}, ${most})`,
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

export interface DueSignal extends Signal {
  audience: string;
  endpointUrl: string;
  /** Sealed. */
  authorizationHeader: Buffer | null;
  attempts: number;
}

/** Takes signals that are due; until `again` nobody else takes them. */
export async function claimDueSignals(
  tx: TenantTransaction,
  { at, again, most }: { at: Date; again: Date; most: number },
): Promise<DueSignal[]> {
  return await tx.run(sql<DueSignal>`
    with due as (
      select e.stream_id, e.id from signal_events e
      join signal_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id
        and s.endpoint_url is not null and s.status = 'enabled'
      where e.tenant_id = ${tx.tenantId} and e.due_at <= ${at}
      order by e.due_at limit ${most} for update of e skip locked)
    update signal_events e set due_at = ${again}, attempts = attempts + 1
    from due join signal_streams s on s.tenant_id = ${tx.tenantId} and s.id = due.stream_id
    join signal_receivers r on r.tenant_id = ${tx.tenantId} and r.id = s.receiver_id
    where e.tenant_id = ${tx.tenantId} and e.stream_id = due.stream_id and e.id = due.id
    returning e.id, e.stream_id as "streamId", e.event, e.user_id as "userId", e.detail, e.at, e.attempts,
      r.audience, s.endpoint_url as "endpointUrl", s.authorization_header as "authorizationHeader"
  `);
}

export function deferSignal(
  tx: TenantTransaction,
  { streamId, id }: Pick<Signal, 'streamId' | 'id'>,
  until: Date,
): void {
  tx.send(
    db
      .updateTable('signal_events')
      .set({ due_at: until })
      .where('tenant_id', '=', tx.tenantId)
      .where('stream_id', '=', streamId)
      .where('id', '=', id),
  );
}

/** Who has them, or can't read them. @param ids As receivers send them. */
export function deleteSignals(tx: TenantTransaction, streamId: string, ids: readonly string[]): void {
  tx.send(sql`
    delete from signal_events where tenant_id = ${tx.tenantId} and stream_id = ${streamId} and id::text = any (${ids}::text[])
  `);
}

/** The oldest. */
export async function selectSignals(
  tx: TenantTransaction,
  streamId: string,
  most: number,
): Promise<Signal[]> {
  return await tx.run(sql<Signal & { detail: JsonObject }>`
    select id, stream_id as "streamId", event, user_id as "userId", detail, at from signal_events
    where tenant_id = ${tx.tenantId} and stream_id = ${streamId} order by at, id limit ${most}
  `);
}
