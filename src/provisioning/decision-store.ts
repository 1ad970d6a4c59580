/**
 * How a decision is read from its row, and what was decided for each of some people written; for many at once see desire-sql.ts
 * and admit-sql.ts. It is written while the tenant's seat pool row is locked, except for marks for Blue.
 */

import { sql } from 'kysely';
import { lookForAlerts } from '../alerts/alert-store.ts';
import { prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { rankOf } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import type { RequestedRole } from '../licensing/desire.ts';
import type { Decision, EffectiveRole, Seat } from '../licensing/effect.ts';
import type { Rules, SeatOrder } from '../licensing/mapping.ts';
import { basisOf, termsBasisOf, termsPrints } from './basis.ts';
import { marking } from './mark-sql.ts';
import type { DecisionChange } from './plan.ts';
import { nameRoles, type RoleSet } from './role-set.ts';
import { keepRoleSets, rolesOf } from './role-set-sql.ts';
import type { PersonFacts } from './standing.ts';

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
  unasked: boolean;
  due_at: Date | null;
}

const plainColumns = sql`d.priority, d.claimed_at, d.seat, d.since, d.refusal,
  d.kept_claimed_at, d.kept_until, d.overage_since, d.may_preempt, d.sub_pool, d.notice_until, d.approval, d.unasked, d.due_at`;

/** The columns of a `DecisionRow`, of `d`. */
export const decisionColumns = sql`${rolesOf(sql`d.requested_id`)} as requested, ${rolesOf(sql`d.effective_id`)} as effective, ${plainColumns}`;

/** The same, with the names of the roles in their place. */
export const namedColumns = sql`d.requested_id, d.effective_id, ${plainColumns}`;

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
    isUnasked: row.unasked,
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
  if (changes.some(isAskingChanged)) lookForAlerts(tx);
  const gone = changes.filter(({ after }) => after === null).map(({ userId }) => userId);
  const sets: RoleSet[] = [];
  const rows = changes.flatMap(({ userId, tie, after }) => {
    if (after === null) return [];
    const named = nameRoles(after.requested, after.effective);
    sets.push(...named.sets);
    const names = { requested_id: named.requestedId, effective_id: named.effective[0]?.id };
    const known = { basis: bases.get(userId) ?? null, terms_basis: String(termsBasisOf(after, prints)) };
    return [{ ...rowOf(userId, tie, after, rules.order), ...names, ...known }];
  });
  writeRows(tx, { gone, rows, sets, standing });
}

/** Seats don't show that a claim waits for an approval, or does no more. */
function isAskingChanged({ before, after }: DecisionChange): boolean {
  return (before?.approval === 'pending') !== (after?.approval === 'pending');
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
      refusal, kept_claimed_at, kept_until, overage_since, may_preempt, sub_pool, notice_until, approval, unasked, due_at, basis, terms_basis)
    select ${tx.tenantId}, r.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r (user_id uuid, requested_id uuid, effective_id uuid, priority integer, claimed_at timestamptz,
            rank_at timestamptz, tie text, seat text, since timestamptz, refusal text, kept_claimed_at timestamptz,
            kept_until timestamptz, overage_since timestamptz, may_preempt boolean, sub_pool text, notice_until timestamptz,
            approval text, unasked boolean, due_at timestamptz, basis bigint, terms_basis bigint)
    on conflict (tenant_id, user_id) do update set
      requested_id = excluded.requested_id, effective_id = excluded.effective_id, priority = excluded.priority,
      claimed_at = excluded.claimed_at, rank_at = excluded.rank_at, tie = excluded.tie, seat = excluded.seat,
      since = excluded.since, refusal = excluded.refusal, kept_claimed_at = excluded.kept_claimed_at,
      kept_until = excluded.kept_until, overage_since = excluded.overage_since,
      may_preempt = excluded.may_preempt, sub_pool = excluded.sub_pool, notice_until = excluded.notice_until, approval = excluded.approval,
      unasked = excluded.unasked,
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
    unasked: decision.isUnasked,
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
  const people = sql`select distinct user_id from unnest(${userIds}::uuid[]) as m (user_id)`;
  tx.send(prepared(marking(tx, people, now)));
}
