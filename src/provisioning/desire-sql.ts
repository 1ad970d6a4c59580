/**
 * Which mappings name whom, and the decisions that follow for many people in one statement. The rules themselves stay where they
 * are: `desire` and `effect` are asked once for each set of mappings, and the database hands their answer to everybody whom the
 * same set names. Whoever's case is not the common one is left for `plan`.
 */

import { type RawBuilder, sql } from 'kysely';
import type { Door } from '../audit/door.ts';
import { prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { isValid, type Mapping, type Rules } from '../licensing/mapping.ts';
import type { SubPoolUse } from '../licensing/sub-pool.ts';
import { markingTogether } from './mark-sql.ts';
import { effectiveId } from './role-set.ts';
import type { Named, StoredRuling } from './ruling.ts';
import { type ToldDecision, telling, told } from './told-sql.ts';
import { isPaidInBlue } from './unmanaged-sql.ts';

export interface Batch {
  /** Of whoever loses the last paid role by it: until when the place is kept. */
  keepUntil: Date | null;
  /** With whom they are for. */
  rulings: readonly (StoredRuling & { people: readonly UserId[] })[];
  rules: Rules;
  /** What the decisions were made from, for the trail. */
  inputs: unknown;
  /** Whether the pool is locked: else whoever would give a seat back, or to another sub-pool, is left. */
  isLocked: boolean;
  /** Some have paid roles in Blue that are not the gateway's: whoever may be one of them is left. */
  isAnyUnmanaged: boolean;
  /** Whoever's case is common and who claims at this priority or a better one gets a seat (see sure-flow.ts); null: nobody does. */
  sureTo: number | null;
  /** As of which the people were compared: whoever was decided for since is left alone (pg_snapshot). */
  snapshot: string;
}

export interface BatchDone {
  /** Seats that were given, and given back. */
  granted: number;
  released: number;
  /** By the names of sub-pools: by how much more they use. */
  moved: SubPoolUse;
  /** Who is left for `plan`. */
  rest: UserId[];
}

/** The set of each of the people, and their default role. */
export function selectSets(
  tx: TenantTransaction,
  userIds: readonly UserId[],
  { mappings }: Rules,
  now: Date,
): Promise<(Named & { userId: UserId })[]> {
  const valid = mappings.flatMap((mapping, place) => (isValid(mapping, now) ? [{ mapping, place }] : []));
  const places = (of: 'groupId' | 'roleValue' | 'claimValue', type: 'uuid' | 'text') => {
    const named = valid.filter(({ mapping }) => mapping[of] !== null);
    const keys = named.map(({ mapping }: { mapping: Mapping }) => mapping[of]);
    return sql`unnest(${keys}::${sql.raw(type)}[], ${named.map(({ place }) => place)}::integer[])`;
  };
  const own = sql`tenant_id = ${tx.tenantId}`;
  return tx.run(
    prepared(sql<Named & { userId: UserId }>`
    with one as materialized (
      select u.id, u.role_values, u.claim_values, u.default_role from users u where u.${own} and u.id = any(${userIds}::uuid[])
    ), named (user_id, place) as (
      select m.user_id, g.place from memberships m join ${places('groupId', 'uuid')} as g (key, place) on g.key = m.group_id
      where m.${own} and m.user_id = any(${userIds}::uuid[])
      union all
      select o.id, r.place from one o join ${places('roleValue', 'text')} as r (key, place) on r.key = any(o.role_values)
      union all
      select o.id, c.place from one o join ${places('claimValue', 'text')} as c (key, place) on c.key = any(o.claim_values)
    ), sets (user_id, set) as (
      select user_id, array_agg(place order by place) from named group by user_id
    )
    select o.id as "userId", coalesce(s.set, '{}') as set, o.default_role as "defaultRole" from one o left join sets s on s.user_id = o.id
  `),
  );
}

/**
 * Writes what the rulings say, with the trail and the marks for Blue, as `plan` and what writes its changes would. Seats that it
 * gives are for the caller to count, under the lock. Left alone is whoever has a kept place or a seat above the capacity, and whoever was decided for, or is to be,
 * since the rulings were found.
 */
export async function writeBatch(
  tx: TenantTransaction,
  door: Door,
  { keepUntil, rulings, rules, inputs, isLocked, isAnyUnmanaged, sureTo, snapshot }: Batch,
): Promise<BatchDone> {
  const own = sql`tenant_id = ${tx.tenantId}`;
  const { now } = door;
  const rank =
    rules.order === 'strict'
      ? sql`case when n.claimed_at is not null then to_timestamp(0) end`
      : sql`n.claimed_at`;
  const [row] = await tx.run(
    prepared(sql<BatchDone>`
    with ${rulingRows(rulings)},
    ${judgement(tx, { keepUntil, isLocked, isAnyUnmanaged, sureTo, snapshot, now })},
    gone as (
      delete from decisions where ${own} and user_id = any(array(select id from next n where n.is_common and n.is_empty and n.is_known))
    ), written as (
      -- Nobody else makes one meanwhile: to look first whether there is one would cost a tenth more.
      insert into decisions (tenant_id, user_id, requested_id, effective_id, priority, claimed_at, rank_at, tie, seat, since,
        overage_since, may_preempt, sub_pool, basis, terms_basis)
      select ${tx.tenantId}, n.id, n.requested_id, n.effective_id, n.priority, n.claimed_at, ${rank}, n.tie, n.seat, n.since,
        n.overage_since, n.may_preempt, n.sub_pool, n.basis, n.terms_basis
      from next n where n.is_common and n.is_changed and not n.is_known
    ), rewritten as (
      update decisions d set requested_id = n.requested_id, effective_id = n.effective_id, priority = n.priority,
        claimed_at = n.claimed_at, rank_at = ${rank}, seat = n.seat, since = n.since, refusal = null,
        overage_since = n.overage_since, may_preempt = n.may_preempt, sub_pool = n.sub_pool, due_at = null, basis = n.basis, terms_basis = n.terms_basis
      from next n where d.${own} and d.user_id = any(array(select id from next)) and d.user_id = n.id
        and n.is_common and n.is_known and not n.is_empty and (n.is_changed or n.is_reprinted)
    ), told as (
      ${telling(tx, door, changes, inputs)}
    ), marks as (
      ${markingTogether(tx, sql`select n.id as user_id from next n where n.is_common and n.is_changed and n.are_roles_changed`, now)}
    )
    select array(select n.id from next n where not n.is_common) as rest,
      (select count(*) from next n where n.is_common and n.seat = 'held' and n.old_seat is distinct from 'held') as granted,
      (select count(*) from next n where n.is_common and n.old_seat = 'held' and (n.is_empty or n.seat <> 'held')) as released,
      (select coalesce(jsonb_object_agg(name, moved), '{}') from (
        select name, sum(by) as moved from (
          select n.old_sub_pool as name, -1 as by from next n where n.is_common and n.old_seat = 'held'
          union all select n.sub_pool, 1 from next n where n.is_common and n.old_seat = 'held' and n.seat = 'held'
        ) m where name is not null group by name
      ) s) as "moved"
  `),
  );
  return row ?? { granted: 0, released: 0, moved: {}, rest: [] };
}

/** `ruling`: a row for each set. */
function rulingRows(rulings: Batch['rulings']): RawBuilder<unknown> {
  return sql`ruling as materialized (
    select * from jsonb_to_recordset(${JSON.stringify(rulings)}::jsonb) as v (people uuid[], "isEmpty" boolean, "requestedId" uuid, "seatedId" uuid,
      "unseatedId" uuid, "seatedInBlue" uuid, "unseatedInBlue" uuid, priority integer, "mayPreempt" boolean, "subPool" text, "isCommon" boolean, basis bigint, "seatedTerms" bigint, "unseatedTerms" bigint)
  )`;
}

/**
 * `next`: whose case is common, what they have then, and what of it is another thing than before. Each of the people is looked up by the
 * index (`offset 0`), whatever the planner thinks of how many there are: of a tenant that just came to be many it thinks little, and
 * compared each with all of them; and where it took the people for more it read all users for each batch.
 */
function judgement(
  tx: TenantTransaction,
  {
    keepUntil,
    isLocked,
    isAnyUnmanaged,
    sureTo,
    snapshot,
    now,
  }: Pick<Batch, 'keepUntil' | 'isLocked' | 'isAnyUnmanaged' | 'sureTo' | 'snapshot'> & Pick<Door, 'now'>,
): RawBuilder<unknown> {
  const own = sql`tenant_id = ${tx.tenantId}`;
  const isPaid = sql`v.priority is not null`;
  const isHeld = sql`coalesce(d.seat = 'held' or v.priority <= ${sureTo}::integer, false)`;
  return sql`seated as (
    select p.id, md5(t.tie_salt || ' ' || u.tie_key) as tie, v."isCommon" and d.kept_until is null
        and d.approval is null and d.unasked is not true and d.notice_until is null and (d.seat is null or d.seat in ('none', 'waiting', 'held'))
        and (not ${isAnyUnmanaged}::boolean or u.id is null or not ${isPaidInBlue(sql`u`)})
        -- Who may be moving is remembered.
        and (${keepUntil === null}::boolean or d.priority is null or ${isPaid})
        and (${isLocked}::boolean or d.seat is distinct from 'held'
          or ${isPaid} and d.sub_pool is not distinct from v."subPool") as is_common,
      v."requestedId" as requested_id, v.priority, v.basis, v."isEmpty" as is_empty, d.user_id is not null as is_known,
      case when not (${isPaid}) then 'none' when ${isHeld} then 'held' else 'waiting' end as seat,
      case when ${isPaid} and ${isHeld} then v."seatedId" else v."unseatedId" end as effective_id,
      case when ${isPaid} and ${isHeld} then v."seatedInBlue" else v."unseatedInBlue" end as in_blue,
      case when not (${isPaid}) then 0 when ${isHeld} then v."seatedTerms" else v."unseatedTerms" end as terms_basis,
      case when ${isPaid} then coalesce(d.claimed_at, ${now}) end as claimed_at,
      case when ${isPaid} and not ${isHeld} and d.seat = 'waiting' then d.overage_since end as overage_since,
      ${isPaid} and v."mayPreempt" as may_preempt, d.may_preempt as old_preempt,
      v."subPool" as sub_pool, d.sub_pool as old_sub_pool,
      d.requested_id as old_requested_id, d.effective_id as old_effective_id, d.priority as old_priority, d.claimed_at as old_claimed_at,
      d.seat as old_seat, d.since as old_since, d.refusal as old_refusal, d.overage_since as old_overage_since, d.due_at as old_due,
      d.basis as old_basis, d.terms_basis as old_terms
    from ruling v cross join lateral unnest(v.people) as p (id)
    join tenants t on t.${own}
    left join lateral (select * from decisions where ${own} and user_id = p.id offset 0) d on true
    -- Whoever has a decision is there.
    left join lateral (select id, tie_key, tenant_id, address from users where ${own} and id = p.id and d.user_id is null offset 0) u on true
    where (d.user_id is not null or u.id is not null)
      and not exists (select from evaluation_decided o where o.${own} and o.user_id = p.id
        and not pg_visible_in_snapshot(o.decided_by, ${snapshot}::pg_snapshot) offset 0)
      and not exists (select from evaluation_marks m where m.${own} and m.user_id = p.id offset 0)
  ), compared as (
    select s.*, case when s.old_seat = s.seat then s.old_since else ${now} end as since,
      case when s.is_empty or not s.is_known then s.is_empty = s.is_known
        else (s.requested_id, s.effective_id, s.priority, s.claimed_at, s.seat, s.overage_since, s.may_preempt, s.sub_pool)
          is distinct from (s.old_requested_id, s.old_effective_id, s.old_priority, s.old_claimed_at, s.old_seat, s.old_overage_since, s.old_preempt, s.old_sub_pool)
          or s.old_refusal is not null or s.old_due is not null end as is_changed,
      (s.basis, s.terms_basis) is distinct from (s.old_basis, s.old_terms) as is_reprinted
    from seated s
  ), next as materialized (
    select c.*,
      case when not c.is_known then c.effective_id <> ${effectiveId([])} else c.effective_id <> c.old_effective_id
        and c.in_blue <> (select s.in_blue from role_sets s where s.${own} and s.id = c.old_effective_id) end as are_roles_changed
    from compared c
  )`;
}

const before: ToldDecision = {
  requestedId: sql`n.old_requested_id`,
  effectiveId: sql`n.old_effective_id`,
  priority: sql`n.old_priority`,
  claimedAt: sql`n.old_claimed_at`,
  mayPreempt: sql`n.old_preempt`,
  seat: sql`n.old_seat`,
  since: sql`n.old_since`,
  refusal: sql`n.old_refusal`,
  overageSince: sql`n.old_overage_since`,
  isUnasked: sql`false`,
  subPool: sql`n.old_sub_pool`,
  endsAt: sql`n.old_due`,
};

const after: ToldDecision = {
  requestedId: sql`n.requested_id`,
  effectiveId: sql`n.effective_id`,
  priority: sql`n.priority`,
  claimedAt: sql`n.claimed_at`,
  mayPreempt: sql`n.may_preempt`,
  seat: sql`n.seat`,
  since: sql`n.since`,
  refusal: sql`null`,
  overageSince: sql`n.overage_since`,
  isUnasked: sql`false`,
  subPool: sql`n.sub_pool`,
  endsAt: sql`null`,
};

/** In the order of the ids. */
const changes = sql`
  select n.id as subject, row_number() over (order by n.id) - 1 as place,
    case when n.is_known then ${told(before)} end as before, case when not n.is_empty then ${told(after)} end as after
  from next n where n.is_common and n.is_changed`;
