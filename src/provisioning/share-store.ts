/**
 * The queues and the borrowed seats of a tenant that has sub-pools: the head of each queue, and of each sub-pool that has
 * more than its share the lowest ranked seats. Elsewhere nothing of this is read.
 */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Terms } from '../licensing/contract.ts';
import { borrowedBy, type Shares } from '../licensing/sub-pool.ts';
import {
  borrowedLines,
  grantsMaxOf,
  type Line,
  type LineCount,
  type LineCounts,
  noneCounted,
  outstandingOf,
  reachOfLines,
} from './lines.ts';
import { type Facts, unique } from './plan.ts';
import type { Pool } from './pool.ts';
import type { Standing } from './standing.ts';
import { excessOrder, excessSource, isUnspent, loadStandingOf, standingColumns } from './standing-store.ts';

/** What is loaded of the queues and of the seats that others lend. */
type Shared = Pick<Facts, 'queue' | 'grantsMax' | 'victims' | 'lineCounts' | 'isMoreTaken'>;

/** The heads of the queues, how many seats may be given by them, and whose seats may be taken back. */
export async function loadShared(
  tx: TenantTransaction,
  pool: Pool,
  terms: Terms,
  { people, most, now }: { people: number; most: number; now: Date },
): Promise<Shared> {
  if (!terms.grants || pool.evaluating) {
    const grantsMax = Number.POSITIVE_INFINITY;
    return { queue: [], grantsMax, victims: [], lineCounts: noneCounted, isMoreTaken: false };
  }
  const reach = reachOfLines(pool, terms, people, most);
  const [heads, unspent, told, lineCounts] = await Promise.all([
    loadLines(tx, reach.lines, sql`true`),
    terms.allowance === 0 ? [] : loadLines(tx, reach.lines, isUnspent(terms, now)),
    loadTold(tx, most, now),
    countLines(tx, reach.claiming, terms, now),
  ]);
  const outstanding = outstandingOf(reach, lineCounts);
  // Seats above the capacity may be none for those who could take one back.
  const lowest = await loadLowest(tx, borrowedLines(reach, outstanding, people + pool.usage.overage, most));
  // Both are read up to the same place: the one that was cut tells.
  const grantsMax = Math.min(grantsMaxOf(reach, heads), grantsMaxOf(reach, unspent));
  const { untold, surplus, over } = outstanding;
  const going = pool.rules.noticeHours === 0 ? untold + over : over;
  return {
    ...{ queue: unique([...heads, ...unspent]), grantsMax, lineCounts },
    victims: unique([...told, ...lowest]),
    isMoreTaken: Math.max(untold, surplus) > most || going > Math.min(grantsMax, most),
  };
}

/** How many wait in each of these lines, at most as many as are named, and how many of any line have notice. */
async function countLines(
  tx: TenantTransaction,
  lines: readonly Line[],
  terms: Terms,
  now: Date,
): Promise<LineCounts> {
  const waiting = ofLines(tx, lines, sql`${inQueue} and not d.unasked`, queueOrder);
  const rows = await tx.run(sql<LineCount & { name: string | null }>`
    select name, sum(waiting)::integer as waiting, sum(unspent)::integer as unspent, sum(told)::integer as told,
      sum(over)::integer as over
    from (
      select d.sub_pool as name, count(*) as waiting, count(*) filter (where ${isUnspent(terms, now)}) as unspent,
        0 as told, 0 as over
      from (${waiting}) d group by d.sub_pool
      union all
      select d.sub_pool, 0, 0, count(*), count(*) filter (where d.notice_until <= ${now})
      from decisions d where d.tenant_id = ${tx.tenantId} and d.notice_until is not null group by d.sub_pool
    ) counted group by name`);
  return new Map(rows.map(({ name, ...count }) => [name, count]));
}

/** The first who wait in each line. */
function loadLines(
  tx: TenantTransaction,
  lines: readonly Line[],
  who: RawBuilder<boolean>,
): Promise<Standing[]> {
  const first = ofLines(tx, lines, sql`${inQueue} and ${who}`, queueOrder);
  return loadStandingOf(tx, sql`select ${standingColumns} from (${first}) d`);
}

const inQueue = sql`d.seat = 'waiting' and d.approval is null`;
const queueOrder = sql`d.priority, d.rank_at, d.tie, d.user_id`;

/** The lowest ranked who have a seat in each line, without pins and without whoever has notice. */
async function loadLowest(tx: TenantTransaction, lines: readonly Line[]): Promise<Standing[]> {
  if (lines.length === 0) return [];
  return loadStandingOf(
    tx,
    sql`select ${standingColumns} from (${lowestOf(tx, lines, sql`d.notice_until is null`)}) d`,
  );
}

/** Of those who were told that the seat goes the first whose time is over, and of the others the last. */
function loadTold(tx: TenantTransaction, most: number, now: Date): Promise<Standing[]> {
  const told = sql`select d.* from decisions d where d.tenant_id = ${tx.tenantId}`;
  return loadStandingOf(
    tx,
    sql`select ${standingColumns} from (
        (${told} and d.notice_until <= ${now} order by d.notice_until, ${lowestOrder} limit ${most})
        union all
        (${told} and d.notice_until > ${now} order by d.notice_until desc, ${queueOrder} limit ${most})
      ) d`,
  );
}

/** Which of these people have a seat that other shares lend. */
export async function selectBorrowers(
  tx: TenantTransaction,
  shares: Shares,
  userIds: readonly UserId[],
): Promise<Set<UserId>> {
  const lines = overLines(shares);
  if (lines.length === 0 || userIds.length === 0) return new Set();
  const rows = await tx.run(sql<{ user_id: UserId }>`
    select d.user_id from (${lowestOf(tx, lines)}) d where d.user_id = any(${userIds}::uuid[])
  `);
  return new Set(rows.map((row) => row.user_id));
}

/** Which of these people are among the first `most` who lose the seat when there are fewer. */
export async function selectLosing(
  tx: TenantTransaction,
  shares: Shares,
  most: number,
  userIds: readonly UserId[],
): Promise<Set<UserId>> {
  if (most === 0 || userIds.length === 0) return new Set();
  const rows = await tx.run(sql<{ user_id: UserId }>`
    select e.user_id from (
      select d.user_id from ${excessSource} where d.tenant_id = ${tx.tenantId} and d.seat in ('held', 'overage')
      order by ${excessOrder(isBorrowed(tx, shares))} limit ${most}
    ) e where e.user_id = any(${userIds}::uuid[])
  `);
  return new Set(rows.map((row) => row.user_id));
}

/** Of decision `d`: its seat is borrowed. */
export function isBorrowed(tx: TenantTransaction, shares: Shares): RawBuilder<boolean> {
  const lines = overLines(shares);
  if (lines.length === 0) return sql`false`;
  return sql`d.user_id in (select b.user_id from (${lowestOf(tx, lines)}) b)`;
}

function overLines(shares: Shares): Line[] {
  return [...shares]
    .map(([name, share]) => ({ name, most: borrowedBy(share) }))
    .filter(({ most }) => most > 0);
}

const lowestOrder = sql`d.priority desc, d.rank_at desc, d.tie desc, d.user_id desc`;

function lowestOf(
  tx: TenantTransaction,
  lines: readonly Line[],
  who: RawBuilder<unknown> = sql`true`,
): RawBuilder<unknown> {
  return ofLines(tx, lines, sql`d.seat in ('held', 'overage') and d.priority > 0 and ${who}`, lowestOrder);
}

/** Two branches, since an index serves `= name` and `is null`, and not `is not distinct from`. */
function ofLines(
  tx: TenantTransaction,
  lines: readonly Line[],
  where: RawBuilder<unknown>,
  order: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const named = lines.filter(({ name }) => name !== null);
  const rest = lines.find(({ name }) => name === null);
  return sql`
    select d.* from jsonb_to_recordset(${JSON.stringify(named)}::jsonb) as l (name text, most integer)
    cross join lateral (
      select d.* from decisions d where d.tenant_id = ${tx.tenantId} and d.sub_pool = l.name and ${where}
      order by ${order} limit l.most
    ) d
    union all (
      select d.* from decisions d where d.tenant_id = ${tx.tenantId} and d.sub_pool is null and ${where}
      order by ${order} limit ${rest?.most ?? 0}
    )`;
}
