/**
 * Which mappings name whom, and the decisions that follow for many people in one statement. The rules themselves stay where they
 * are: `desire` and `effect` are asked once for each set of mappings, and the database hands their answer to everybody whom the
 * same set names. Whoever's case is not the common one is left for `plan`.
 */

import { type RawBuilder, sql } from 'kysely';
import type { Door } from '../audit/door.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { isValid, type Mapping, type Rules } from '../licensing/mapping.ts';
import type { MappingSet, Verdict } from './verdict.ts';

export interface Batch {
  marked: readonly { userId: UserId; keepUntil: Date | null }[];
  verdicts: readonly Verdict[];
  rules: Rules;
  /** What the decisions were made from, for the trail. */
  inputs: unknown;
}

export interface BatchDone {
  /** Seats that were given back. */
  released: number;
  /** Who is left for `plan`. */
  rest: UserId[];
}

/** The set of each of the people. */
export function selectSets(
  tx: TenantTransaction,
  userIds: readonly UserId[],
  rules: Rules,
  now: Date,
): Promise<{ userId: UserId; set: MappingSet }[]> {
  return tx.run(sql<{ userId: UserId; set: MappingSet }>`
    with ${people(tx, userIds, rules, now)}
    select p.id as "userId", p.set from person p
  `);
}

/** `person (id, set, …)` of those who are users: with what tells whether their case is the common one. */
function people(
  tx: TenantTransaction,
  userIds: readonly UserId[],
  { mappings }: Rules,
  now: Date,
): RawBuilder<unknown> {
  const valid = mappings.flatMap((mapping, place) => (isValid(mapping, now) ? [{ mapping, place }] : []));
  const places = (of: 'groupId' | 'roleValue' | 'claimValue', type: 'uuid' | 'text') => {
    const named = valid.filter(({ mapping }) => mapping[of] !== null);
    const keys = named.map(({ mapping }: { mapping: Mapping }) => mapping[of]);
    return sql`unnest(${keys}::${sql.raw(type)}[], ${named.map(({ place }) => place)}::integer[])`;
  };
  const ids = sql`${userIds}::uuid[]`;
  return sql`
    one as materialized (
      select u.* from users u where u.tenant_id = ${tx.tenantId} and u.id = any(${ids})
    ), named (user_id, place) as (
      select m.user_id, g.place from memberships m join ${places('groupId', 'uuid')} as g (key, place) on g.key = m.group_id
      where m.tenant_id = ${tx.tenantId} and m.user_id = any(${ids})
      union all
      select o.id, r.place from one o join ${places('roleValue', 'text')} as r (key, place) on r.key = any(o.role_values)
      union all
      select o.id, c.place from one o join ${places('claimValue', 'text')} as c (key, place) on c.key = any(o.claim_values)
    ), sets (user_id, set) as (
      select user_id, array_agg(place order by place) from named group by user_id
    ), person as materialized (
      select o.id, coalesce(s.set, '{}') as set, md5(t.tie_salt || ' ' || o.tie_key) as tie,
        o.active and not coalesce(o.user_name_key = any(ts.exclusions) or o.address = any(ts.exclusions), false)
          and not exists (select from pins p where p.tenant_id = o.tenant_id and p.user_id = o.id)
          and not exists (select from users e where e.tenant_id = o.tenant_id and e.address = o.address and e.active
            and e.address_order < o.address_order) as is_common
      from one o
      join tenants t on t.tenant_id = o.tenant_id
      left join tenant_settings ts on ts.tenant_id = o.tenant_id
      left join sets s on s.user_id = o.id
    )`;
}

/**
 * Writes the decisions of everybody marked whose case is common: no pin, no second of an address, nobody left alone, no kept
 * place, no seat above the capacity, and a set that a verdict is for. Nobody gets a seat by it. With the trail and the marks for
 * Blue, as `plan` and what writes its changes would.
 */
export async function writeBatch(
  tx: TenantTransaction,
  { actor, now, requestId }: Door,
  { marked, verdicts, rules, inputs }: Batch,
): Promise<BatchDone> {
  const own = sql`tenant_id = ${tx.tenantId}`;
  const userIds = marked.map(({ userId }) => userId);
  const moving = marked.flatMap(({ userId, keepUntil }) => (keepUntil === null ? [] : [userId]));
  const rank = rules.order === 'strict' ? sql`to_timestamp(0)` : sql`n.claimed_at`;
  const [row] = await tx.run(sql<BatchDone>`
    with ${people(tx, userIds, rules, now)},
    ${verdictRows(verdicts, now)},
    ${judgement(tx, moving, now)},
    gone as (
      delete from decisions where ${own} and user_id in (select id from next n where n.is_empty and n.is_known)
    ), written as (
      insert into decisions (tenant_id, user_id, requested, effective, priority, claimed_at, rank_at, tie, seat, since,
        overage_spent, basis, terms_basis)
      select ${tx.tenantId}, n.id, n.requested, n.effective, n.priority, n.claimed_at,
        case when n.claimed_at is not null then ${rank} end, n.tie, n.seat, n.since, n.overage_spent, n.basis, n.terms_basis
      from next n where not n.is_empty and (n.is_changed or n.is_reprinted)
      on conflict (tenant_id, user_id) do update set
        requested = excluded.requested, effective = excluded.effective, priority = excluded.priority,
        claimed_at = excluded.claimed_at, rank_at = excluded.rank_at, seat = excluded.seat, since = excluded.since,
        refusal = null, overage_spent = excluded.overage_spent, due_at = null, basis = excluded.basis,
        terms_basis = excluded.terms_basis
    ), told as (
      insert into audit_events (tenant_id, at, actor, request_id, action, subject, before, after, inputs)
      select ${tx.tenantId}, ${now}, ${JSON.stringify(actor)}::jsonb, ${requestId}, 'decision.changed', n.id, n.before, n.after,
        ${JSON.stringify(inputs)}::jsonb
      from next n where n.is_changed order by n.id
    ), marks as (
      insert into blue_sync (tenant_id, user_id, marked_at)
      select ${tx.tenantId}, n.id, ${now} from next n where n.is_changed and n.are_roles_changed order by n.id
      on conflict (tenant_id, user_id)
        do update set desired_version = blue_sync.desired_version + 1, marked_at = excluded.marked_at, not_before = null
    )
    select (select count(*) from next n where n.was_held and n.seat <> 'held') as released,
      array(select id from judged where not is_common) as rest
  `);
  return row ?? { released: 0, rest: [] };
}

/** `verdict`: a row for each set; `fresh` is the decision of somebody who had none, as the trail tells it. */
function verdictRows(verdicts: readonly Verdict[], now: Date): RawBuilder<unknown> {
  const rows = verdicts.map(({ set, ...verdict }) => ({ ...verdict, set: `{${set.join()}}` }));
  return sql`verdict as materialized (
    select v.*, v.requested = '[]' as is_empty, ${decisionJson({
      requested: sql`v.requested`,
      effective: sql`v.unseated`,
      priority: sql`v.priority`,
      claimedAt: sql`${now}::timestamptz`,
      seat: sql`case when v.priority is null then 'none' else 'waiting' end`,
      since: sql`${now}::timestamptz`,
      refusal: sql`null::text`,
      isOverageSpent: sql`false`,
      endsAt: sql`null::timestamptz`,
    })} as fresh
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as v (set integer[], requested jsonb, seated jsonb, unseated jsonb,
      priority integer, basis bigint, "seatedTerms" bigint, "unseatedTerms" bigint)
  )`;
}

/** `judged`: whose case is common; `next`: what they have then, and what of it is another thing than before. */
function judgement(tx: TenantTransaction, moving: readonly UserId[], now: Date): RawBuilder<unknown> {
  const isPaid = sql`v.priority is not null`;
  return sql`judged as materialized (
    select p.id, p.set, p.tie, p.is_common and v.set is not null and d.kept_until is null
      and (d.seat is null or d.seat in ('none', 'waiting', 'held'))
      and not (p.id = any(${moving}::uuid[]) and d.priority is not null and not (${isPaid})) as is_common
    from person p left join verdict v on v.set = p.set
    left join decisions d on d.tenant_id = ${tx.tenantId} and d.user_id = p.id
  ), seated as (
    select j.id, j.tie, v.requested, v.priority, v.basis, v.is_empty, v.fresh,
      d.user_id is not null as is_known, coalesce(d.seat = 'held', false) as was_held,
      case when not (${isPaid}) then 'none' when d.seat = 'held' then 'held' else 'waiting' end as seat,
      case when ${isPaid} and d.seat = 'held' then v.seated else v.unseated end as effective,
      case when not (${isPaid}) then 0 when d.seat = 'held' then v."seatedTerms" else v."unseatedTerms" end as terms_basis,
      case when ${isPaid} then coalesce(d.claimed_at, ${now}) end as claimed_at,
      coalesce(${isPaid} and d.seat <> 'held' and d.overage_spent, false) as overage_spent,
      d.requested as old_requested, d.effective as old_effective, d.priority as old_priority, d.claimed_at as old_claimed_at,
      d.seat as old_seat, d.since as old_since, d.refusal as old_refusal, d.overage_spent as old_spent, d.due_at as old_due,
      d.basis as old_basis, d.terms_basis as old_terms
    from judged j join verdict v on v.set = j.set
    left join decisions d on d.tenant_id = ${tx.tenantId} and d.user_id = j.id
    where j.is_common
  ), compared as (
    select s.*, case when s.old_seat = s.seat then s.old_since else ${now} end as since,
      case when s.is_empty then s.is_known else (s.requested, s.effective, s.priority, s.claimed_at, s.seat, s.overage_spent)
        is distinct from (s.old_requested, s.old_effective, s.old_priority, s.old_claimed_at, s.old_seat, s.old_spent)
        or s.old_refusal is not null or s.old_due is not null end as is_changed,
      (s.basis, s.terms_basis) is distinct from (s.old_basis, s.old_terms) as is_reprinted
    from seated s
  ), next as materialized (
    select c.*, case when c.is_changed and c.is_known then ${decisionJson(before)} end as before,
      case when not c.is_changed or c.is_empty then null when c.is_known then ${decisionJson(after)} else c.fresh end as after,
      c.effective is distinct from c.old_effective
        and ${roles(sql`c.effective`)} is distinct from ${roles(sql`c.old_effective`)} as are_roles_changed
    from compared c
  )`;
}

interface DecisionParts {
  requested: RawBuilder<unknown>;
  effective: RawBuilder<unknown>;
  priority: RawBuilder<unknown>;
  claimedAt: RawBuilder<unknown>;
  seat: RawBuilder<unknown>;
  since: RawBuilder<unknown>;
  refusal: RawBuilder<unknown>;
  isOverageSpent: RawBuilder<unknown>;
  endsAt: RawBuilder<unknown>;
}

const before: DecisionParts = {
  requested: sql`c.old_requested`,
  effective: sql`c.old_effective`,
  priority: sql`c.old_priority`,
  claimedAt: sql`c.old_claimed_at`,
  seat: sql`c.old_seat`,
  since: sql`c.old_since`,
  refusal: sql`c.old_refusal`,
  isOverageSpent: sql`c.old_spent`,
  endsAt: sql`c.old_due`,
};

const after: DecisionParts = {
  requested: sql`c.requested`,
  effective: sql`c.effective`,
  priority: sql`c.priority`,
  claimedAt: sql`c.claimed_at`,
  seat: sql`c.seat`,
  since: sql`c.since`,
  refusal: sql`null::text`,
  isOverageSpent: sql`c.overage_spent`,
  endsAt: sql`null::timestamptz`,
};

/** A decision without a kept place, as the trail tells it (licensing/effect.ts). */
export function decisionJson(parts: DecisionParts): RawBuilder<unknown> {
  return sql`jsonb_build_object('requested', ${parts.requested}, 'effective', ${parts.effective},
    'claim', case when ${parts.priority} is not null then
      jsonb_build_object('priority', ${parts.priority}, 'claimedAt', ${instant(parts.claimedAt)}) end,
    'seat', ${parts.seat}, 'since', ${instant(parts.since)}, 'refusal', ${parts.refusal}, 'kept', null,
    'isOverageSpent', ${parts.isOverageSpent}, 'endsAt', ${instant(parts.endsAt)})`;
}

/** As JSON has instants: in UTC, with milliseconds. */
function instant(at: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`to_char(${at} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** What Blue sees of them. */
function roles(effective: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select array_agg(concat(e ->> 'workspace', ' ', e ->> 'role') order by 1)
    from jsonb_array_elements(${effective}) e)`;
}
