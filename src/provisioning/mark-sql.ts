/** Marks for Blue: these people's roles there may differ from what was decided. The sync takes them away. */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';

/**
 * An insert of marks. Who is marked already keeps the place in the line, and waits no longer for another try.
 *
 * @param people Selects `user_id`, of each once.
 * @param at Since when they are marked; SQL of a column of theirs, `m`, where it is not the same for all.
 */
export function marking(
  tx: TenantTransaction,
  people: RawBuilder<unknown>,
  at: Date | RawBuilder<Date>,
): RawBuilder<unknown> {
  return sql`
    insert into blue_sync (tenant_id, user_id, marked_at)
    select ${tx.tenantId}, m.user_id, ${at} from (${people}) m order by m.user_id
    on conflict (tenant_id, user_id) do update set desired_version = blue_sync.desired_version + 1, not_before = null`;
}

/** An insert of the marks of many people as one row: `unfolding` makes marks of each of it. @param people As for `marking`. */
export function markingTogether(
  tx: TenantTransaction,
  people: RawBuilder<unknown>,
  now: Date,
): RawBuilder<unknown> {
  return sql`
    insert into blue_sync_batches (tenant_id, marked_at, user_ids)
    select ${tx.tenantId}, ${now}, array_agg(m.user_id) from (${people}) m having count(*) > 0`;
}

/** Turns such rows into marks of each of the people; of two transactions that do so one finds nothing left. @param batches Selects `id`. */
export function unfolding(tx: TenantTransaction, batches: RawBuilder<unknown>): RawBuilder<unknown> {
  const people = sql`
    select u.user_id, min(t.marked_at) as marked_at from taken t cross join unnest(t.user_ids) as u (user_id) group by u.user_id`;
  return sql`
    with taken as (
      delete from blue_sync_batches where tenant_id = ${tx.tenantId} and id in (${batches}) returning marked_at, user_ids
    ) ${marking(tx, people, sql<Date>`m.marked_at`)}`;
}

/**
 * Unfolds the oldest batch, if it is of before an instant: of a tenant without a connection to Blue nothing else does. One alone, since
 * whoever marks one of the people waits for it. Answers of how many it was.
 */
export function unfoldMarksBefore(tx: TenantTransaction, at: Date): Promise<number> {
  return tx.count(
    unfolding(
      tx,
      sql`
        select id from blue_sync_batches where tenant_id = ${tx.tenantId} and marked_at < ${at} order by marked_at, id limit 1`,
    ),
  );
}
