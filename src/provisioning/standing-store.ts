/** Whose turn it is: those who wait, who has a seat above the capacity, and who would lose one first, each in its order. */

import { type RawBuilder, sql } from 'kysely';
import { prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { Terms } from '../licensing/contract.ts';
import type { Seat } from '../licensing/effect.ts';
import { type DecisionRow, decisionColumns, toDecision } from './decision-store.ts';
import { joinMember, seenAtOf, seenAtSql } from './reclaim-sql.ts';
import type { Standing } from './standing.ts';

type StandingRow = DecisionRow & {
  user_id: UserId;
  tie: string;
  pin_until: Date | null;
  seen_at: Date | null;
};

const columns = sql`d.user_id, d.tie, ${decisionColumns}, (
  select p.until from pins p where p.tenant_id = d.tenant_id and p.user_id = d.user_id) as pin_until`;
export const standingColumns = sql`${columns},
  case when d.seat in ('held', 'overage') then ${seenAtOf(sql`d`, sql`d.user_id`)} end as seen_at`;

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

/** Who would lose a seat to a better claim. */
export interface Victims {
  /** So many: of each sub-pool, where there are any. */
  most: number;
  areShared: boolean;
  /** Only whoever has a seat by a worse priority than this one. */
  below: number;
  /** Who is known otherwise. */
  except: readonly UserId[];
}

/**
 * The first of those whose seat may go to a better claim, besides those who have notice: of the lowest priority, idle longest. When
 * people were last seen is asked for all of those priorities, and so not where as many as are needed have notice.
 */
export async function loadVictims(tx: TenantTransaction, victims: Victims): Promise<Standing[]> {
  const { most, areShared, below, except } = victims;
  const seated = (lowest: number) => sql`d.tenant_id = ${tx.tenantId} and d.seat in ('held', 'overage')
    and d.priority >= ${lowest} and d.user_id <> all(${except}::uuid[])`;
  const first = areShared ? undefined : await selectFirstGoing(tx, most, seated(below + 1));
  if (first?.areTold === true) return [];
  const order = sql`d.priority desc, d.notice_until, greatest(d.since, ${seenAtSql}), d.tie desc, d.user_id desc`;
  const place = areShared ? sql`row_number() over (partition by d.sub_pool order by ${order})` : sql`1`;
  // Joined by hashing: statistics that know nothing of the tenant have each person looked up, which takes four times as long.
  tx.send(sql`select set_config('enable_nestloop', 'off', true)`);
  const rows = tx.run(sql<StandingRow>`
    select ${columns}, d.seen_at from (
      select d.*, ${seenAtSql} as seen_at, ${place} as place from ${excessSource} where ${seated(first?.lowest ?? below + 1)}
      ${areShared ? sql`` : sql`order by ${order} limit ${most}`}
    ) d where d.place <= ${most}`);
  tx.send(sql`select set_config('enable_nestloop', 'on', true)`);
  return toStanding(await rows);
}

/** Of the first who would go, of which priorities they are, and whether all have notice. */
async function selectFirstGoing(
  tx: TenantTransaction,
  most: number,
  seated: RawBuilder<unknown>,
): Promise<{ lowest: number | null; areTold: boolean }> {
  const [first] = await tx.run(sql<{ lowest: number | null; areTold: boolean }>`
    select min(f.priority) as lowest, coalesce(bool_and(f.notice_until is not null), true) as "areTold" from (
      select d.priority, d.notice_until from decisions d where ${seated} order by d.priority desc, d.notice_until limit ${most}
    ) f`);
  return first ?? { lowest: null, areTold: true };
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
  return toStanding(await tx.run(prepared(query as RawBuilder<StandingRow>)));
}

function toStanding(rows: readonly StandingRow[]): Standing[] {
  return rows.flatMap((row) => {
    const decision = toDecision(row);
    const { user_id: id, tie, pin_until: until, seen_at: seenAt } = row;
    return decision === null ? [] : [{ id, tie, decision, until, seenAt }];
  });
}
