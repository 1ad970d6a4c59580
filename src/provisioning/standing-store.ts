/** Whose turn it is: those who wait, who has a seat above the capacity, and who would lose one first, each in its order. */

import { type RawBuilder, sql } from 'kysely';
import { prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { Terms } from '../licensing/contract.ts';
import type { Seat } from '../licensing/effect.ts';
import { type DecisionRow, decisionColumns, toDecision } from './decision-store.ts';
import { joinMember, seenAtSql } from './reclaim-sql.ts';
import type { Standing } from './standing.ts';

type StandingRow = DecisionRow & { user_id: UserId; tie: string; pin_until: Date | null };

export const standingColumns = sql`d.user_id, d.tie, ${decisionColumns}, (
  select p.until from pins p where p.tenant_id = d.tenant_id and p.user_id = d.user_id) as pin_until`;

/** The first `most` who wait, in the order they will be served. */
export function loadQueue(tx: TenantTransaction, most: number): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat = 'waiting' and d.approval is null`, inOrder);
}

/** The first `most` who wait and whose time above the capacity is not used up. */
export function loadUnspentQueue(
  tx: TenantTransaction,
  most: number,
  terms: Terms,
  now: Date,
): Promise<Standing[]> {
  const where = sql`d.seat = 'waiting' and d.approval is null and ${isUnspent(terms, now)}`;
  return loadStanding(tx, most, where, inOrder);
}

/** Of decision `d`: as `isOverageSpent` says it is not. */
export function isUnspent({ policy, graceDays }: Terms, now: Date): RawBuilder<boolean> {
  if (policy !== 'grace') return sql`true`;
  return sql`(d.overage_since is null or d.overage_since + make_interval(hours => ${24 * graceDays}) > ${now})`;
}

/** Those who wait behind the first `skipped`, none of these people counted. */
export function loadQueueBehind(
  tx: TenantTransaction,
  most: number,
  { skipped, except }: { skipped: number; except: readonly UserId[] },
): Promise<Standing[]> {
  return loadStanding(tx, most, isQueued(except), sql`${inOrder} offset ${skipped}`);
}

/** Of decision `d`: it waits for its turn, and is none of these people's. */
export function isQueued(except: readonly UserId[]): RawBuilder<boolean> {
  return sql`d.seat = 'waiting' and d.approval is null and d.user_id <> all(${except}::uuid[])`;
}

/** Of those who wait without its being known whether somebody must be asked, so many. */
export function loadUnasked(tx: TenantTransaction, most: number): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.unasked`, sql`d.user_id`);
}

/** The first `most` of those with a seat above the capacity. */
export function loadOverage(tx: TenantTransaction, most: number): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat = 'overage'`, inOrder);
}

/**
 * The first `most` who lose their seats when there are fewer: borrowed, then above the capacity, then without a pin, of the
 * lowest priority, longest not seen (never before once), of the latest claim.
 *
 * @param seats Among whom.
 */
export function loadExcess(
  tx: TenantTransaction,
  most: number,
  isBorrowed: RawBuilder<boolean>,
  seats: readonly Seat[] = ['held', 'overage'],
): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat = any(${seats})`, excessOrder(isBorrowed), excessSource);
}

/** The first `most` who wait and may take the seat of a lower priority. */
export function loadPreemptors(tx: TenantTransaction, most: number): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat = 'waiting' and d.may_preempt and d.approval is null`, inOrder);
}

/** Whoever was told that the seat goes: to a share that lent it, or to a better claim. */
export function loadNoticed(tx: TenantTransaction): Promise<Standing[]> {
  return loadStanding(tx, 2 * limits.seatsTakenAtOnce, sql`d.notice_until is not null`, inOrder);
}

/** Whose seat may go to a better claim: everybody who has notice, and the first `most` who would be next. */
export async function loadVictims(tx: TenantTransaction, most: number): Promise<Standing[]> {
  const seated = sql`d.seat in ('held', 'overage') and d.priority > 0`;
  const [noticed, next] = await Promise.all([
    loadNoticed(tx),
    loadStanding(tx, most, seated, sql`d.priority desc, d.since, d.tie desc, d.user_id desc`),
  ]);
  const known = new Set(noticed.map(({ id }) => id));
  return [...noticed, ...next.filter(({ id }) => !known.has(id))];
}

export const inOrder = sql`d.priority, d.rank_at, d.tie, d.user_id`;
/** What `excessOrder` looks at. */
export const excessSource = sql`decisions d join users u on u.tenant_id = d.tenant_id and u.id = d.user_id ${joinMember}`;
export const excessOrder = (
  isBorrowed: RawBuilder<boolean>,
) => sql`not ${isBorrowed}, d.seat = 'held', d.priority = 0, d.priority desc,
  ${seenAtSql} nulls first, d.claimed_at desc, d.tie desc, d.user_id desc`;

/** So few are said to the planner, which plans anew each time where it can't know. */
const fewRows = 4;

async function loadStanding(
  tx: TenantTransaction,
  most: number,
  where: RawBuilder<unknown>,
  order: RawBuilder<unknown>,
  source = sql`decisions d`,
): Promise<Standing[]> {
  if (most <= 0) return [];
  return await loadStandingOf(
    tx,
    sql`select ${standingColumns} from ${source} where d.tenant_id = ${tx.tenantId} and ${where}
      order by ${order} limit ${most <= fewRows ? sql.raw(String(most)) : most}`,
  );
}

/** @param query Selects the `standingColumns`. */
export async function loadStandingOf(tx: TenantTransaction, query: RawBuilder<unknown>): Promise<Standing[]> {
  const rows = await tx.run(prepared(query as RawBuilder<StandingRow>));
  return rows.flatMap((row) => {
    const decision = toDecision(row);
    return decision === null ? [] : [{ id: row.user_id, tie: row.tie, decision, until: row.pin_until }];
  });
}
