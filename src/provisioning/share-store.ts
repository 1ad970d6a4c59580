/**
 * The queues and the borrowed seats of a tenant that has sub-pools: the head of each queue, and of each sub-pool that has
 * more than its share the lowest ranked seats. Elsewhere nothing of this is read.
 */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { roomIn } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import { borrowedBy, type Shares } from '../licensing/sub-pool.ts';
import { borrowedLines, grantsMaxOf, type Line, reachOfLines } from './lines.ts';
import { boundless, type Facts, unique } from './plan.ts';
import type { Pool } from './pool.ts';
import type { Standing } from './standing.ts';
import {
  excessOrder,
  excessSource,
  inOrder,
  isUnspent,
  loadNoticed,
  loadStandingOf,
  standingColumns,
} from './standing-store.ts';

/** The heads of the queues, how many seats may be given or taken back by them, and whose seats may be taken back. */
export async function loadShared(
  tx: TenantTransaction,
  pool: Pool,
  terms: Terms,
  { people, most, takenMax, now }: { people: number; most: number; takenMax: number; now: Date },
): Promise<Pick<Facts, 'queue' | 'grantsMax' | 'isMoreClaimed' | 'victims'>> {
  if (!terms.grants || pool.evaluating) return { queue: [], ...boundless, victims: [] };
  // The first of them may be given a free seat.
  const { held, overage } = roomIn(terms, pool.usage);
  const claimsMax = takenMax + Math.min(held + overage, most);
  const reach = reachOfLines(pool, terms, { people, most, claims: claimsMax });
  const [heads, unspent, claims, unspentClaims, noticed] = await Promise.all([
    loadLines(tx, reach.lines, sql`true`),
    terms.allowance === 0 ? [] : loadLines(tx, reach.lines, isUnspent(terms, now)),
    loadLines(tx, reach.claiming, sql`not d.unasked`, claimsMax),
    // Seats above the capacity may be none for those who could take one back.
    terms.allowance === 0
      ? []
      : loadLines(tx, reach.claiming, sql`not d.unasked and ${isUnspent(terms, now)}`, claimsMax),
    loadNoticed(tx),
  ]);
  const takers = unique([...claims, ...unspentClaims]);
  const lines = borrowedLines(reach, takers.length + people + pool.usage.overage, people);
  const victims = unique([...noticed, ...(await loadLowest(tx, lines, takenMax + pool.usage.overage))]);
  return {
    queue: unique([...heads, ...unspent, ...takers]),
    // Both are read up to the same place: the one that was cut tells.
    grantsMax: Math.min(grantsMaxOf(reach, heads), grantsMaxOf(reach, unspent)),
    isMoreClaimed: claims.length >= claimsMax && victims.length > 0,
    victims,
  };
}

/** The first who wait in each line, and of them the first `most`. */
function loadLines(
  tx: TenantTransaction,
  lines: readonly Line[],
  who: RawBuilder<boolean>,
  most?: number,
): Promise<Standing[]> {
  const first = ofLines(tx, lines, sql`d.seat = 'waiting' and d.approval is null and ${who}`, inOrder);
  return loadFirst(tx, first, inOrder, most);
}

/** The lowest ranked who have a seat in the lines, without pins. */
async function loadLowest(tx: TenantTransaction, lines: readonly Line[], most: number): Promise<Standing[]> {
  if (lines.length === 0) return [];
  return loadFirst(tx, lowestOf(tx, lines), fromBehind, most);
}

function loadFirst(
  tx: TenantTransaction,
  rows: RawBuilder<unknown>,
  order: RawBuilder<unknown>,
  most: number | undefined,
): Promise<Standing[]> {
  const first = most === undefined ? sql`` : sql`order by ${order} limit ${most}`;
  return loadStandingOf(tx, sql`select ${standingColumns} from (select * from (${rows}) d ${first}) d`);
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

function lowestOf(tx: TenantTransaction, lines: readonly Line[]): RawBuilder<unknown> {
  return ofLines(tx, lines, sql`d.seat in ('held', 'overage') and d.priority > 0`, fromBehind);
}

const fromBehind = sql`d.priority desc, d.rank_at desc, d.tie desc, d.user_id desc`;

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
