/** Compares what is stored with what deciding again gives, page by page and without a lock; nothing is written. */

import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId, UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { Usage } from '../licensing/admit.ts';
import { factsOf } from './facts-flow.ts';
import { loadPersons } from './person-store.ts';
import { plan } from './plan.ts';
import { readPool } from './pool-store.ts';

export interface Verification {
  /** People who were compared. */
  people: number;
  /** Of them, whose stored decision is not what their facts give now. */
  differing: UserId[];
  /** Seats as the pool counts them, and as the decisions do. */
  counted: Seats;
  found: Seats;
  /** Sub-pools whose stored count is another than that of the decisions. */
  subPools: { name: string; counted: number; found: number }[];
}

type Seats = Pick<Usage, 'held' | 'overage' | 'onHold'>;

/**
 * Whoever has a seat, or a kept place, keeps it here: who of those who wait should have one is not asked. A write that happens
 * meanwhile may show as a difference; it is gone the next time. People who are still to be decided for, as those whom the breaker
 * holds back, are not compared, and whom an import wrote that is still carried out is not named.
 *
 * @param most Differing people that are named.
 */
export async function verifySeats(
  database: Database,
  tenantId: TenantId,
  now: Date,
  most: number,
  signal?: AbortSignal,
): Promise<Verification> {
  const result = await inTenant(database, tenantId, async (tx) => {
    const [seats, subPools] = await Promise.all([countSeats(tx), differingSubPools(tx)]);
    return { ...seats, subPools };
  });
  const verification: Verification = { ...result, people: 0, differing: [] };
  for (let after: UserId | null = null; ; ) {
    signal?.throwIfAborted();
    const page: { ids: UserId[]; differing: UserId[] } = await inTenant(database, tenantId, (tx) =>
      comparePage(tx, after, now),
    );
    verification.people += page.ids.length;
    verification.differing.push(...page.differing.slice(0, most - verification.differing.length));
    after = page.ids.at(-1) ?? null;
    if (page.ids.length < limits.peoplePerDecision) return verification;
  }
}

async function countSeats(tx: TenantTransaction): Promise<Pick<Verification, 'counted' | 'found'>> {
  const [row] = await tx.run(sql<{ counted: Seats; found: Seats }>`
    select jsonb_build_object('held', p.used - p.overage - p.on_hold, 'overage', p.overage, 'onHold', p.on_hold) as counted,
      (select jsonb_build_object('held', count(*) filter (where d.seat = 'held'),
        'overage', count(*) filter (where d.seat = 'overage'), 'onHold', count(*) filter (where d.seat = 'hold'))
       from decisions d where d.tenant_id = p.tenant_id) as found
    from seat_pools p where p.tenant_id = ${tx.tenantId}
  `);
  const none = { held: 0, overage: 0, onHold: 0 };
  return row ?? { counted: none, found: none };
}

/** In the order of their names; of one statement, so that no write comes between the two counts. */
function differingSubPools(tx: TenantTransaction): Promise<Verification['subPools']> {
  return tx.run(sql<Verification['subPools'][number]>`
    with counted as (
      select u.key as name, u.value::integer as seats
      from seat_pools p cross join jsonb_each_text(p.sub_pool_use) u where p.tenant_id = ${tx.tenantId}
    ), found as (
      select d.sub_pool as name, count(*)::integer as seats from decisions d
      where d.tenant_id = ${tx.tenantId} and d.sub_pool is not null and d.seat in ('held', 'overage', 'hold')
      group by d.sub_pool
    )
    select name, coalesce(c.seats, 0) as counted, coalesce(f.seats, 0) as found
    from counted c full join found f using (name)
    where coalesce(c.seats, 0) <> coalesce(f.seats, 0) order by name
  `);
}

async function comparePage(
  tx: TenantTransaction,
  after: UserId | null,
  now: Date,
): Promise<{ ids: UserId[]; differing: UserId[] }> {
  const [pool, rows] = await Promise.all([
    readPool(tx),
    tx.run(sql<{ id: UserId }>`
      select u.id from users u where u.tenant_id = ${tx.tenantId} and (${after}::uuid is null or u.id > ${after}::uuid)
        and not exists (select from evaluation_marks m where m.tenant_id = u.tenant_id and m.user_id = u.id)
      order by u.id limit ${limits.peoplePerDecision}`),
  ]);
  const ids = rows.map(({ id }) => id);
  const persons = await loadPersons(tx, { userIds: ids }, null);
  const facts = factsOf(pool, { persons, queue: [], overage: [], grantsMax: 0, evaluating: true });
  const differing = plan(facts, now).changes.map(({ userId }) => userId);
  const written = differing.length === 0 ? new Set() : await writtenAmong(tx, differing);
  return { ids, differing: differing.filter((id) => !written.has(id)) };
}

/** Whom of these an import wrote whose last row is still to come, with which they are decided for. */
async function writtenAmong(tx: TenantTransaction, userIds: readonly UserId[]): Promise<Set<UserId>> {
  const rows = await tx.run(sql<{ id: UserId }>`
    select r.user_id as id from imports i join import_rows r on r.tenant_id = i.tenant_id and r.import_id = i.id
    where i.tenant_id = ${tx.tenantId} and i.done_at is null and r.user_id = any(${userIds}::uuid[])
  `);
  return new Set(rows.map(({ id }) => id));
}
