/**
 * Reads the decisions that stand and writes what was decided. The only writer of decisions: everything here is done while
 * the tenant's seat pool row is locked, except for marks for Blue.
 */

import { type RawBuilder, sql } from 'kysely';
import { prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { rankOf } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import type { RequestedRole } from '../licensing/desire.ts';
import type { Decision, EffectiveRole, Seat } from '../licensing/effect.ts';
import type { Rules, SeatOrder } from '../licensing/mapping.ts';
import { basisOf, termsBasisOf, termsPrints } from './basis.ts';
import type { DecisionChange } from './plan.ts';
import { joinMember, seenAtSql } from './reclaim-sql.ts';
import { effectiveId, type RoleSet, requestedId, roleSetsOf } from './role-set.ts';
import { keepRoleSets, rolesOf } from './role-set-sql.ts';
import type { PersonFacts, Standing } from './standing.ts';

export interface DecisionRow {
  requested: RequestedRole[] | null;
  effective: EffectiveRole[];
  priority: number | null;
  claimed_at: Date | null;
  seat: Seat;
  since: Date;
  refusal: Decision['refusal'];
  kept_claimed_at: Date | null;
  kept_until: Date | null;
  overage_since: Date | null;
  may_preempt: boolean;
  sub_pool: string | null;
  notice_until: Date | null;
  approval: Decision['approval'];
  due_at: Date | null;
}

const plainColumns = sql`d.priority, d.claimed_at, d.seat, d.since, d.refusal,
  d.kept_claimed_at, d.kept_until, d.overage_since, d.may_preempt, d.sub_pool, d.notice_until, d.approval, d.due_at`;

/** The columns of a `DecisionRow`, of `d`. */
export const decisionColumns = sql`${rolesOf(sql`d.requested_id`)} as requested, ${rolesOf(sql`d.effective_id`)} as effective, ${plainColumns}`;

/** The same, with the names of the roles in their place. */
export const namedColumns = sql`d.requested_id, d.effective_id, ${plainColumns}`;

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

/** The first `most` of those with a seat above the capacity. */
export function loadOverage(tx: TenantTransaction, most: number): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat = 'overage'`, inOrder);
}

/**
 * The first `most` who lose their seats when there are fewer: borrowed, then above the capacity, then without a pin, of the
 * lowest priority, longest not seen (never before once), of the latest claim.
 */
export function loadExcess(
  tx: TenantTransaction,
  most: number,
  isBorrowed: RawBuilder<boolean>,
): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat in ('held', 'overage')`, excessOrder(isBorrowed), excessSource);
}

/** The first `most` who wait and may take the seat of a lower priority. */
export function loadPreemptors(tx: TenantTransaction, most: number): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat = 'waiting' and d.may_preempt and d.approval is null`, inOrder);
}

/** Whose seat may go to a better claim: everybody who has notice, and the first `most` who would be next. */
export async function loadVictims(tx: TenantTransaction, most: number): Promise<Standing[]> {
  const seated = sql`d.seat in ('held', 'overage') and d.priority > 0`;
  const [noticed, next] = await Promise.all([
    loadStanding(tx, limits.peoplePerDecision, sql`${seated} and d.notice_until is not null`, inOrder),
    loadStanding(tx, most, seated, sql`d.priority desc, d.since, d.tie desc, d.user_id desc`),
  ]);
  const known = new Set(noticed.map(({ id }) => id));
  return [...noticed, ...next.filter(({ id }) => !known.has(id))];
}

const inOrder = sql`d.priority, d.rank_at, d.tie, d.user_id`;
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

export function toDecision(row: DecisionRow): Decision | null {
  if (row.requested === null) return null;
  const { requested, effective, priority, claimed_at, seat, since, refusal } = row;
  const { kept_claimed_at, kept_until } = row;
  return {
    requested,
    effective,
    claim:
      priority === null || claimed_at === null
        ? null
        : { priority, claimedAt: claimed_at, mayPreempt: row.may_preempt },
    seat,
    since,
    refusal,
    kept:
      kept_claimed_at === null || kept_until === null
        ? null
        : { claimedAt: kept_claimed_at, until: kept_until },
    overageSince: row.overage_since,
    subPool: row.sub_pool,
    noticeUntil: row.notice_until,
    approval: row.approval,
    endsAt: row.due_at,
  };
}

/** People by their folded userNames or addresses. */
export async function selectUsersNamed(tx: TenantTransaction, names: readonly string[]): Promise<UserId[]> {
  const rows = await tx.run(sql<{ id: UserId }>`
    select id from users
    where tenant_id = ${tx.tenantId} and (user_name_key = any(${names}) or address = any(${names}))
  `);
  return rows.map(({ id }) => id);
}

export async function selectUserNames(
  tx: TenantTransaction,
  ids: readonly UserId[],
): Promise<Map<UserId, string>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.run(sql<{ id: UserId; user_name: string }>`
    select id, user_name from users where tenant_id = ${tx.tenantId} and id = any(${ids}::uuid[])
  `);
  return new Map(rows.map((row) => [row.id, row.user_name]));
}

/** What the decisions rest on that are written. */
export interface Grounds {
  persons: readonly PersonFacts[];
  rules: Rules;
  terms: Terms;
  now: Date;
}

/** Sends the changed decisions, and what those that stand rest on now where it is another thing. */
export function writeDecisions(
  tx: TenantTransaction,
  changes: readonly DecisionChange[],
  { persons, rules, terms, now }: Grounds,
): void {
  const prints = termsPrints(terms);
  const bases = new Map(persons.map((person) => [person.id, String(basisOf(person, rules, now))]));
  const changed = new Set(changes.map(({ userId }) => userId));
  const standing = persons.flatMap(({ id, decision, prints: stored }) => {
    if (decision === null || changed.has(id)) return [];
    const known = { basis: bases.get(id) ?? null, terms: String(termsBasisOf(decision, prints)) };
    return known.basis === stored?.basis && known.terms === stored?.terms ? [] : [{ id, ...known }];
  });
  if (changes.length === 0 && standing.length === 0) return;
  const gone = changes.filter(({ after }) => after === null).map(({ userId }) => userId);
  const rows = changes.flatMap(({ userId, tie, after }) => {
    if (after === null) return [];
    const known = { basis: bases.get(userId) ?? null, terms_basis: String(termsBasisOf(after, prints)) };
    return [{ ...rowOf(userId, tie, after, rules.order), ...known }];
  });
  const sets = changes.flatMap(({ after }) =>
    after === null ? [] : roleSetsOf(after.requested, after.effective),
  );
  writeRows(tx, { gone, rows, sets, standing });
}

/** Sends that somebody who is no user any more has none. */
export function deleteDecision(tx: TenantTransaction, userId: UserId): void {
  tx.send(sql`delete from decisions where tenant_id = ${tx.tenantId} and user_id = ${userId}`);
}

interface Rows {
  gone: readonly UserId[];
  rows: readonly object[];
  /** That the rows name. */
  sets: readonly RoleSet[];
  /** Of decisions that stand. */
  standing: readonly { id: UserId; basis: string | null; terms: string }[];
}

function writeRows(tx: TenantTransaction, { gone, rows, sets, standing }: Rows): void {
  // Most often there are only rows: a statement that could do all was planned anew each time, for longer than it ran.
  const others =
    gone.length + standing.length === 0
      ? sql``
      : sql`gone as (
      delete from decisions where tenant_id = ${tx.tenantId} and user_id = any(${gone}::uuid[])
    ), reprinted as (
      update decisions d set basis = p.basis, terms_basis = p.terms
      from jsonb_to_recordset(${JSON.stringify(standing)}::jsonb) as p (id uuid, basis bigint, terms bigint)
      where d.tenant_id = ${tx.tenantId} and d.user_id = p.id
    ),`;
  tx.send(
    prepared(sql`
    with ${others} sets as (${keepRoleSets(tx, sets)})
    insert into decisions (tenant_id, user_id, requested_id, effective_id, priority, claimed_at, rank_at, tie, seat, since,
      refusal, kept_claimed_at, kept_until, overage_since, may_preempt, sub_pool, notice_until, approval, due_at, basis, terms_basis)
    select ${tx.tenantId}, r.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r (user_id uuid, requested_id uuid, effective_id uuid, priority integer, claimed_at timestamptz,
            rank_at timestamptz, tie text, seat text, since timestamptz, refusal text, kept_claimed_at timestamptz,
            kept_until timestamptz, overage_since timestamptz, may_preempt boolean, sub_pool text, notice_until timestamptz,
            approval text, due_at timestamptz, basis bigint, terms_basis bigint)
    on conflict (tenant_id, user_id) do update set
      requested_id = excluded.requested_id, effective_id = excluded.effective_id, priority = excluded.priority,
      claimed_at = excluded.claimed_at, rank_at = excluded.rank_at, tie = excluded.tie, seat = excluded.seat,
      since = excluded.since, refusal = excluded.refusal, kept_claimed_at = excluded.kept_claimed_at,
      kept_until = excluded.kept_until, overage_since = excluded.overage_since,
      may_preempt = excluded.may_preempt, sub_pool = excluded.sub_pool, notice_until = excluded.notice_until, approval = excluded.approval,
      due_at = excluded.due_at,
      -- Whose own facts were not looked at asks by what they asked by.
      basis = coalesce(excluded.basis, decisions.basis), terms_basis = excluded.terms_basis
  `),
  );
}

function rowOf(userId: UserId, tie: string, decision: Decision, order: SeatOrder) {
  const { claim, kept } = decision;
  return {
    user_id: userId,
    requested_id: requestedId(decision.requested),
    effective_id: effectiveId(decision.effective),
    priority: claim?.priority ?? null,
    claimed_at: claim?.claimedAt ?? null,
    rank_at: claim === null ? null : rankOf(claim.claimedAt, order),
    tie,
    seat: decision.seat,
    since: decision.since,
    refusal: decision.refusal,
    kept_claimed_at: kept?.claimedAt ?? null,
    kept_until: kept?.until ?? null,
    overage_since: decision.overageSince,
    may_preempt: claim?.mayPreempt ?? false,
    sub_pool: decision.subPool,
    notice_until: decision.noticeUntil,
    approval: decision.approval,
    due_at: decision.endsAt,
  };
}

/** Sends that a claim's time counts for its rank, or no longer does. */
export function writeRanks(tx: TenantTransaction, order: SeatOrder): void {
  const rank = order === 'strict' ? sql`to_timestamp(0)` : sql`claimed_at`;
  tx.send(sql`
    update decisions set rank_at = ${rank}
    where tenant_id = ${tx.tenantId} and claimed_at is not null and rank_at is distinct from ${rank}
  `);
}

/** Sends the marks "these people's roles in Blue may differ from what was decided". */
export function markForBlue(tx: TenantTransaction, userIds: readonly UserId[], now: Date): void {
  if (userIds.length === 0) return;
  const ids = [...new Set(userIds)].sort();
  tx.send(
    prepared(sql`
    insert into blue_sync (tenant_id, user_id, marked_at)
    select ${tx.tenantId}, m.user_id, ${now} from unnest(${ids}::uuid[]) as m (user_id)
    on conflict (tenant_id, user_id)
      do update set desired_version = blue_sync.desired_version + 1, marked_at = excluded.marked_at,
        not_before = null
  `),
  );
}
