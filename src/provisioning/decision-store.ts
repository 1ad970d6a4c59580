/**
 * Loads the facts of decisions and writes what was decided. The only writer of decisions: everything here is done while
 * the tenant's seat pool row is locked, except for marks for Blue.
 */

import { type RawBuilder, sql } from 'kysely';
import { prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { GroupId, UserId } from '../kernel/ids.ts';
import { rankOf } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import type { RequestedRole } from '../licensing/desire.ts';
import type { Decision, EffectiveRole, Seat } from '../licensing/effect.ts';
import type { Rules, SeatOrder } from '../licensing/mapping.ts';
import type { Pin } from '../licensing/pin.ts';
import type { Affected } from './affected.ts';
import { affectedIds } from './affected-sql.ts';
import { basisOf, termsBasisOf, termsPrints } from './basis.ts';
import type { DecisionChange } from './plan.ts';
import type { PersonFacts, Standing } from './standing.ts';

interface PersonRow extends DecisionRow {
  id: UserId;
  active: boolean;
  address: string | null;
  tie: string;
  is_duplicate: boolean;
  is_excluded: boolean;
  groups: GroupId[] | null;
  role_values: string[];
  claim_values: string[];
  pin: (Omit<Pin, 'until'> & { until: string | null }) | null;
  basis: string | null;
  terms_basis: string | null;
}

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
  overage_spent: boolean;
  due_at: Date | null;
}

/** The columns of a `DecisionRow`, of `d`. */
export const decisionColumns = sql`d.requested, d.effective, d.priority, d.claimed_at, d.seat, d.since, d.refusal,
  d.kept_claimed_at, d.kept_until, d.overage_spent, d.due_at`;

/**
 * The facts of everybody affected, as this transaction sees them.
 *
 * @param keepUntil Until when the place is kept of whoever loses the last paid role by what was written.
 */
export async function loadPersons(
  tx: TenantTransaction,
  affected: Affected,
  keepUntil: Date | null,
): Promise<PersonFacts[]> {
  const rows = await tx.run(
    prepared(sql<PersonRow>`
    with affected as (${affectedIds(tx, affected)})
    select u.id, u.active, u.address, md5(t.tie_salt || ' ' || u.tie_key) as tie, u.role_values, u.claim_values,
      u.active and exists (
        select from users o where o.tenant_id = u.tenant_id and o.address = u.address and o.active
          and o.address_order < u.address_order
      ) as is_duplicate,
      coalesce(u.user_name_key = any(s.exclusions) or u.address = any(s.exclusions), false) as is_excluded,
      (select array_agg(m.group_id) from memberships m
       where m.tenant_id = u.tenant_id and m.user_id = u.id and m.group_id = any(
         array(select group_id from mappings where tenant_id = ${tx.tenantId} and group_id is not null))) as groups,
      (select jsonb_build_object('role', p.role, 'workspaces', p.workspaces, 'until', p.until, 'reserved', p.reserved)
       from pins p where p.tenant_id = u.tenant_id and p.user_id = u.id) as pin,
      d.basis::text, d.terms_basis::text, ${decisionColumns}
    from affected a
    join users u on u.tenant_id = ${tx.tenantId} and u.id = a.id
    join tenants t on t.tenant_id = u.tenant_id
    left join tenant_settings s on s.tenant_id = u.tenant_id
    left join decisions d on d.tenant_id = u.tenant_id and d.user_id = u.id
    order by u.id
  `),
  );
  return rows.map((row) => ({
    id: row.id,
    active: row.active,
    address: row.address,
    isDuplicate: row.is_duplicate,
    isExcluded: row.is_excluded,
    groups: new Set(row.groups ?? []),
    roleValues: row.role_values,
    claimValues: row.claim_values,
    pin:
      row.pin === null
        ? null
        : { ...row.pin, until: row.pin.until === null ? null : new Date(row.pin.until) },
    tie: row.tie,
    decision: toDecision(row),
    prints: { basis: row.basis, terms: row.terms_basis },
    keepUntil,
  }));
}

type StandingRow = DecisionRow & { user_id: UserId; tie: string; pin_until: Date | null };

const standingColumns = sql`d.user_id, d.tie, ${decisionColumns}, (
  select p.until from pins p where p.tenant_id = d.tenant_id and p.user_id = d.user_id) as pin_until`;

/** The first `most` who wait, in the order they will be served. */
export function loadQueue(tx: TenantTransaction, most: number): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat = 'waiting'`, inOrder);
}

/** The first `most` who wait and whose time above the capacity is not used up. */
export function loadUnspentQueue(tx: TenantTransaction, most: number): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat = 'waiting' and not d.overage_spent`, inOrder);
}

/** The first `most` of those with a seat above the capacity. */
export function loadOverage(tx: TenantTransaction, most: number): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat = 'overage'`, inOrder);
}

/**
 * The first `most` who lose their seats when there are fewer: above the capacity, then without a pin, of the lowest priority,
 * of the latest claim.
 */
export function loadExcess(tx: TenantTransaction, most: number): Promise<Standing[]> {
  return loadStanding(tx, most, sql`d.seat in ('held', 'overage')`, excessOrder);
}

const inOrder = sql`d.priority, d.rank_at, d.tie, d.user_id`;
export const excessOrder = sql`d.seat = 'held', d.priority = 0, d.priority desc, d.claimed_at desc, d.tie desc, d.user_id desc`;

async function loadStanding(
  tx: TenantTransaction,
  most: number,
  where: RawBuilder<unknown>,
  order: RawBuilder<unknown>,
): Promise<Standing[]> {
  if (most <= 0) return [];
  const rows = await tx.run(
    prepared(sql<StandingRow>`
    select ${standingColumns} from decisions d where d.tenant_id = ${tx.tenantId} and ${where}
    order by ${order} limit ${most}
  `),
  );
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
    claim: priority === null || claimed_at === null ? null : { priority, claimedAt: claimed_at },
    seat,
    since,
    refusal,
    kept:
      kept_claimed_at === null || kept_until === null
        ? null
        : { claimedAt: kept_claimed_at, until: kept_until },
    isOverageSpent: row.overage_spent,
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
  if (standing.length > 0) writePrints(tx, standing);
  if (changes.length === 0) return;
  const gone = changes.filter(({ after }) => after === null).map(({ userId }) => userId);
  const rows = changes.flatMap(({ userId, tie, after }) =>
    after === null
      ? []
      : [
          {
            ...rowOf(userId, tie, after, rules.order),
            basis: bases.get(userId) ?? null,
            terms_basis: String(termsBasisOf(after, prints)),
          },
        ],
  );
  tx.send(
    prepared(sql`
    with gone as (
      delete from decisions where tenant_id = ${tx.tenantId} and user_id = any(${gone}::uuid[])
    )
    insert into decisions (tenant_id, user_id, requested, effective, priority, claimed_at, rank_at, tie, seat, since,
      refusal, kept_claimed_at, kept_until, overage_spent, due_at, basis, terms_basis)
    select ${tx.tenantId}, r.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r (user_id uuid, requested jsonb, effective jsonb, priority integer, claimed_at timestamptz,
            rank_at timestamptz, tie text, seat text, since timestamptz, refusal text, kept_claimed_at timestamptz,
            kept_until timestamptz, overage_spent boolean, due_at timestamptz, basis bigint, terms_basis bigint)
    on conflict (tenant_id, user_id) do update set
      requested = excluded.requested, effective = excluded.effective, priority = excluded.priority,
      claimed_at = excluded.claimed_at, rank_at = excluded.rank_at, tie = excluded.tie, seat = excluded.seat,
      since = excluded.since, refusal = excluded.refusal, kept_claimed_at = excluded.kept_claimed_at,
      kept_until = excluded.kept_until, overage_spent = excluded.overage_spent, due_at = excluded.due_at,
      -- Whose own facts were not looked at asks by what they asked by.
      basis = coalesce(excluded.basis, decisions.basis), terms_basis = excluded.terms_basis
  `),
  );
}

function writePrints(
  tx: TenantTransaction,
  prints: readonly { id: UserId; basis: string | null; terms: string }[],
): void {
  tx.send(sql`
    update decisions d set basis = p.basis, terms_basis = p.terms
    from jsonb_to_recordset(${JSON.stringify(prints)}::jsonb) as p (id uuid, basis bigint, terms bigint)
    where d.tenant_id = ${tx.tenantId} and d.user_id = p.id
  `);
}

function rowOf(userId: UserId, tie: string, decision: Decision, order: SeatOrder) {
  const { claim, kept } = decision;
  return {
    user_id: userId,
    requested: decision.requested,
    effective: decision.effective,
    priority: claim?.priority ?? null,
    claimed_at: claim?.claimedAt ?? null,
    rank_at: claim === null ? null : rankOf(claim.claimedAt, order),
    tie,
    seat: decision.seat,
    since: decision.since,
    refusal: decision.refusal,
    kept_claimed_at: kept?.claimedAt ?? null,
    kept_until: kept?.until ?? null,
    overage_spent: decision.isOverageSpent,
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
