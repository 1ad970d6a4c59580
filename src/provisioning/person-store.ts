/**
 * Loads the facts of people that decisions rest on: one by one for a write, and for a look at what an edit would do as a crowd.
 * Of a large group most people are alike: those come as one row with a list of ids, which spares the reading of thousands of
 * equal rows.
 */

import { type RawBuilder, sql } from 'kysely';
import { prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { GroupId, UserId } from '../kernel/ids.ts';
import type { Verdict } from '../licensing/desire.ts';
import type { Pin } from '../licensing/pin.ts';
import type { Affected } from './affected.ts';
import { affectedIds } from './affected-sql.ts';
import { type DecisionRow, decisionColumns, namedColumns, toDecision } from './decision-store.ts';
import { seenAtOf } from './reclaim-sql.ts';
import { rolesOf } from './role-set-sql.ts';
import type { PersonFacts } from './standing.ts';
import { isPaidInBlue } from './unmanaged-sql.ts';

interface PersonRow extends DecisionRow {
  id: UserId;
  active: boolean;
  address: string | null;
  tie: string;
  is_duplicate: boolean;
  is_excluded: boolean;
  is_paid_in_blue: boolean;
  groups: GroupId[] | null;
  role_values: string[];
  claim_values: string[];
  default_role: string | null;
  verdict: Verdict | null;
  pin: (Omit<Pin, 'until'> & { until: string | null }) | null;
  reclaimed_at: Date | null;
  seen_at: Date | null;
  basis: string | null;
  terms_basis: string | null;
}

/** What is to stand in place of what is written. */
interface Instead {
  mappedGroups?: readonly GroupId[];
  exclusions?: readonly string[] | undefined;
  /** Only who has a seat. */
  ofHolders?: boolean | undefined;
  areSeen?: boolean;
}

/** Selects the `PersonRow` of everybody affected. */
function personsSql(
  tx: TenantTransaction,
  affected: Affected,
  { mappedGroups, exclusions, ofHolders = false, areSeen = false }: Instead = {},
  columns = decisionColumns,
): RawBuilder<unknown> {
  // It is looked up whether each group of a person is mapped: by a list of all mapped groups the index was asked for each.
  const isMapped =
    mappedGroups === undefined
      ? sql`exists (select from mappings x where x.tenant_id = m.tenant_id and x.group_id = m.group_id)`
      : sql`m.group_id = any(${mappedGroups}::uuid[])`;
  const excluded = exclusions === undefined ? sql`s.exclusions` : sql`${exclusions}::text[]`;
  return sql`
    with affected as (${affectedIds(tx, affected)})
    select u.id, u.active, u.address, md5(t.tie_salt || ' ' || u.tie_key) as tie, u.role_values, u.claim_values, u.default_role,
      u.active and exists (
        select from users o where o.tenant_id = u.tenant_id and o.address = u.address and o.active
          and o.address_order < u.address_order
      ) as is_duplicate,
      coalesce(u.user_name_key = any(${excluded}) or u.address = any(${excluded}), false) as is_excluded,
      d.user_id is null and ${isPaidInBlue(sql`u`)} as is_paid_in_blue,
      (select array_agg(m.group_id) filter (where ${isMapped}) from memberships m
       where m.tenant_id = u.tenant_id and m.user_id = u.id) as groups,
      case when p.user_id is not null then jsonb_build_object('role', p.role, 'workspaces', p.workspaces,
        'until', p.until, 'reserved', p.reserved) end as pin,
      case when v.user_id is not null then jsonb_build_object('via', v.via, 'isGranted', v.is_granted) end as verdict,
      r.taken_at as reclaimed_at, ${areSeen ? seenAtOf(sql`u`, sql`u.id`) : sql`null::timestamptz`} as seen_at, d.basis::text, d.terms_basis::text,
      ${columns}
    from affected a
    join users u on u.tenant_id = ${tx.tenantId} and u.id = a.id
    join tenants t on t.tenant_id = u.tenant_id
    left join tenant_settings s on s.tenant_id = u.tenant_id
    ${ofHolders ? sql`` : sql`left`} join decisions d on d.tenant_id = u.tenant_id and d.user_id = u.id
      ${ofHolders ? sql`and d.seat in ('held', 'overage')` : sql``}
    left join pins p on p.tenant_id = u.tenant_id and p.user_id = u.id
    left join seat_approvals v on v.tenant_id = u.tenant_id and v.user_id = u.id
    left join seat_reclaims r on r.tenant_id = u.tenant_id and r.user_id = u.id and r.state = 'taken'`;
}

/**
 * The facts of everybody affected, as this transaction sees them.
 *
 * @param keepUntil Until when the place is kept of whoever loses the last paid role by what was written.
 * @param areSeen Whether it is looked up when they were last seen.
 */
export async function loadPersons(
  tx: TenantTransaction,
  affected: Affected,
  keepUntil: Date | null,
  areSeen = false,
): Promise<PersonFacts[]> {
  const rows = await tx.run(prepared(sql<PersonRow>`${personsSql(tx, affected, { areSeen })} order by u.id`));
  return rows.map((row) => {
    const { id, tie, address } = row;
    const prints = { basis: row.basis, terms: row.terms_basis };
    return { ...factsOf(row), id, tie, address, seenAt: row.seen_at, prints, keepUntil };
  });
}

/** What people who are alike have in common. */
function factsOf(
  row: Alike,
): Omit<PersonFacts, 'id' | 'tie' | 'address' | 'seenAt' | 'prints' | 'keepUntil'> {
  const { pin } = row;
  return {
    active: row.active,
    isDuplicate: row.is_duplicate,
    isExcluded: row.is_excluded,
    isPaidInBlue: row.is_paid_in_blue,
    groups: new Set(row.groups ?? []),
    roleValues: row.role_values,
    claimValues: row.claim_values,
    defaultRole: row.default_role,
    verdict: row.verdict,
    pin: pin === null ? null : { ...pin, until: pin.until === null ? null : new Date(pin.until) },
    reclaimedAt: row.reclaimed_at,
    decision: toDecision(row),
  };
}

type Alike = Omit<PersonRow, 'id' | 'tie' | 'address' | 'seen_at' | 'basis' | 'terms_basis'>;

/** What tells people apart of whom the same is to be said, with the names of roles in their place: who forgets a column is told by the type. */
const columns: Record<Exclude<keyof Alike, 'requested' | 'effective'>, true> = {
  ...{
    active: true,
    is_duplicate: true,
    is_excluded: true,
    is_paid_in_blue: true,
    groups: true,
    role_values: true,
    claim_values: true,
    default_role: true,
  },
  ...{ verdict: true, pin: true, reclaimed_at: true, priority: true },
  ...{ claimed_at: true, seat: true, since: true, refusal: true, kept_claimed_at: true, kept_until: true },
  ...{
    overage_since: true,
    may_preempt: true,
    sub_pool: true,
    notice_until: true,
    approval: true,
    unasked: true,
    due_at: true,
  },
};

/** By what those who are alike are told apart. */
type Told = [id: UserId, tie: string, address: string | null, seenAt: string | null];

/** As `loadPersons`, in the order of their ids, with what is to stand in place of what is written. */
export async function loadCrowd(
  tx: TenantTransaction,
  affected: Affected,
  instead: Instead,
): Promise<PersonFacts[]> {
  // Equal rows are told apart by all their columns at each step of a sort: hashing looks at each row once.
  tx.send(sql`select set_config('enable_sort', 'off', true)`);
  const alike = sql.join(Object.keys(columns).map((name) => sql.ref(name)));
  const rows = await tx.run(sql<Alike & { people: Told[] }>`
    select d.*, ${rolesOf(sql`d.requested_id`)} as requested, ${rolesOf(sql`d.effective_id`)} as effective
    from (
      select ${tx.tenantId}::uuid as tenant_id, json_agg(json_build_array(id, tie, address, seen_at)) as people,
        requested_id, effective_id, ${alike}
      from (${personsSql(tx, affected, instead, namedColumns)}) persons
      group by requested_id, effective_id, ${alike}
    ) d
  `);
  return rows
    .flatMap(({ people, ...row }) => {
      const facts = { ...factsOf(row), keepUntil: null };
      return people.map(([id, tie, address, seen]) => {
        const seenAt = seen === null ? null : new Date(seen);
        return { ...facts, id, tie, address, seenAt };
      });
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
