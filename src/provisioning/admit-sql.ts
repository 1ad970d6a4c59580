/** The head of the queue gets the seats that are free, many at once: as `admit` and `effect` would have it where nothing is out of the ordinary. */

import { sql } from 'kysely';
import type { Door } from '../audit/door.ts';
import { prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { markingTogether } from './mark-sql.ts';
import { telling, told } from './told-sql.ts';

/**
 * Gives seats within the capacity of a tenant without sub-pools to the first `most` who wait, in their order, with the trail and
 * the marks for Blue. Answers how many there were.
 *
 * @param inputs What the decisions were made from, for the trail.
 */
export async function admitHead(
  tx: TenantTransaction,
  door: Door,
  most: number,
  inputs: unknown,
): Promise<number> {
  const own = sql`tenant_id = ${tx.tenantId}`;
  const { now } = door;
  const changes = sql`
    select n.user_id as subject, n.place,
      ${told({ ...same, effectiveId: sql`n.old_effective_id`, seat: sql`'waiting'`, since: sql`n.old_since`, overageSince: sql`n.overage_since`, isUnasked: sql`n.unasked` })} as before,
      ${told({ ...same, effectiveId: sql`n.effective_id`, seat: sql`'held'`, since: sql`${now}::timestamptz`, overageSince: sql`null::timestamptz`, isUnasked: sql`false` })} as after
    from next n`;
  const [row] = await tx.run(
    prepared(sql<{ admitted: number }>`
    with head as materialized (
      select user_id, requested_id, effective_id as old_effective_id, priority, claimed_at, since as old_since, overage_since, may_preempt, unasked, sub_pool, due_at,
        row_number() over (order by priority, rank_at, tie, user_id) - 1 as place
      from decisions where ${own} and seat = 'waiting' and approval is null
      order by priority, rank_at, tie, user_id limit ${most}
    ), next as materialized (
      select h.*, s.seated_id as effective_id from head h
      cross join lateral (select seated_id from role_sets where ${own} and id = h.requested_id offset 0) s
    ), written as (
      update decisions d set seat = 'held', since = ${now}, effective_id = n.effective_id, overage_since = null, unasked = false, terms_basis = 0
      from next n where d.${own} and d.user_id = any(array(select user_id from next)) and d.user_id = n.user_id
    ), told as (
      ${telling(tx, door, changes, inputs)}
    ), marks as (
      ${markingTogether(tx, sql`select user_id from next`, now)}
    )
    select count(*) as admitted from next
  `),
  );
  return row?.admitted ?? 0;
}

const same = {
  requestedId: sql`n.requested_id`,
  priority: sql`n.priority`,
  claimedAt: sql`n.claimed_at`,
  refusal: sql`null::text`,
  mayPreempt: sql`n.may_preempt`,
  subPool: sql`n.sub_pool`,
  endsAt: sql`n.due_at`,
};
