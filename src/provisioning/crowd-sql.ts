/**
 * People as crowds (crowd.ts), read without a row for each: whom an edit concerns, and who is served from the queue.
 */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { GroupId, UserId } from '../kernel/ids.ts';
import type { Traits } from '../licensing/desire.ts';
import type { Decision } from '../licensing/effect.ts';
import type { Affected } from './affected.ts';
import { affectedIds } from './affected-sql.ts';
import type { Keys, StoredCrowd } from './crowd.ts';
import { rolesOf } from './role-set-sql.ts';
import { inOrder, isQueued } from './standing-store.ts';

interface CrowdRow {
  people: [UserId, ...UserId[]];
  /** null: everybody whose case is not the common one. */
  basis: string | null;
  requested: Decision['requested'];
  seat: Decision['seat'];
  priority: number | null;
  may_preempt: boolean;
}

const alike = sql`basis, requested_id, seat, priority, may_preempt`;

/** @param people Selects `id` and what is `alike`. */
function crowdsSql(tx: TenantTransaction, people: RawBuilder<unknown>): RawBuilder<CrowdRow> {
  return sql<CrowdRow>`
    select d.people, d.basis::text, ${rolesOf(sql`d.requested_id`)} as requested, d.seat, d.priority, d.may_preempt
    from (select ${tx.tenantId}::uuid as tenant_id, json_agg(id) as people, ${alike} from (${people}) p group by ${alike}) d`;
}

/**
 * Sends that people are looked up one by one, as desire-sql.ts does, and those who are alike found by hashing, in memory: a sort tells
 * equal rows apart by all their columns at each of its steps.
 */
function planForCrowds(tx: TenantTransaction): void {
  tx.send(sql`
    select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
      set_config('enable_sort', 'off', true), set_config('work_mem', '32MB', true)
  `);
}

function storedOf({ basis, may_preempt: mayPreempt, ...rest }: CrowdRow): StoredCrowd {
  return { ...rest, basis: basis ?? '', mayPreempt };
}

export interface Scope {
  /** Whoever is named by one of them is one of the others. */
  untold: Keys;
  /** Only who has a seat. */
  ofHolders: boolean;
}

/** `others`: whose case is not the common one, or who has no decision. */
export async function selectCrowds(
  tx: TenantTransaction,
  affected: Affected,
  { untold, ofHolders }: Scope,
): Promise<{ crowds: StoredCrowd[]; others: UserId[] }> {
  const own = sql`tenant_id = ${tx.tenantId}`;
  const { groupIds, roleValues, claimValues } = untold;
  const isCommon = sql`d.basis is not null and d.seat in ('none', 'waiting', 'held') and d.refusal is null and d.kept_until is null
    and d.overage_since is null and d.approval is null and not d.unasked and d.sub_pool is null and d.notice_until is null and d.due_at is null
    and a.id not in (select id from users where ${own} and default_role is not null)
    ${groupIds.length === 0 ? sql`` : sql`and a.id not in (select user_id from memberships where ${own} and group_id = any(${groupIds}::uuid[]))`}
    ${roleValues.length === 0 ? sql`` : sql`and a.id not in (select id from users where ${own} and role_values && ${roleValues}::text[])`}
    ${claimValues.length === 0 ? sql`` : sql`and a.id not in (select id from users where ${own} and claim_values && ${claimValues}::text[])`}`;
  planForCrowds(tx);
  const rows = await tx.run(
    crowdsSql(
      tx,
      sql`select a.id, c.basis, c.requested_id, c.seat, c.priority, c.may_preempt
        from (${affectedIds(tx, affected)}) a (id)
        ${ofHolders ? sql`` : sql`left`} join decisions d on d.${own} and d.user_id = a.id
          ${ofHolders ? sql`and d.seat in ('held', 'overage')` : sql``}
        left join lateral (select d.* where ${isCommon}) c on true`,
    ),
  );
  return {
    crowds: rows.filter(({ basis }) => basis !== null).map(storedOf),
    others: rows.flatMap(({ basis, people }) => (basis === null ? people : [])),
  };
}

/** What mappings look at of each of the people. */
export async function selectTraits(
  tx: TenantTransaction,
  userIds: readonly UserId[],
  mappedGroups: readonly GroupId[],
): Promise<Map<UserId, Traits>> {
  if (userIds.length === 0) return new Map();
  const own = sql`tenant_id = ${tx.tenantId}`;
  const rows = await tx.run(sql<{
    id: UserId;
    groups: GroupId[] | null;
    role_values: string[];
    claim_values: string[];
  }>`
    select u.id, u.role_values, u.claim_values, (
      select json_agg(m.group_id) filter (where m.group_id = any(${mappedGroups}::uuid[])) from memberships m
      where m.${own} and m.user_id = u.id) as groups
    from users u where u.${own} and u.id = any(${userIds}::uuid[])
  `);
  return new Map(
    rows.map(({ id, groups, role_values: roleValues, claim_values: claimValues }) => [
      id,
      { groups: new Set(groups ?? []), roleValues, claimValues },
    ]),
  );
}

/** The first `most` of those who wait, but for these, in the order they are served. */
export async function selectHead(
  tx: TenantTransaction,
  most: number,
  except: readonly UserId[],
): Promise<StoredCrowd[]> {
  if (most <= 0) return [];
  const rows = await tx.run(
    crowdsSql(
      tx,
      sql`select d.user_id as id, ${alike} from decisions d where d.tenant_id = ${tx.tenantId} and ${isQueued(except)}
        order by ${inOrder} limit ${most}`,
    ),
  );
  return rows.map(storedOf);
}

/** The first `most` of people who want a seat by these priorities, in the order they would be served. */
export async function selectFirst(
  tx: TenantTransaction,
  claims: readonly { priority: number; people: readonly UserId[] }[],
  most: number,
  now: Date,
): Promise<UserId[]> {
  const rows = await tx.run(sql<{ id: UserId }>`
    select d.user_id as id from jsonb_to_recordset(${JSON.stringify(claims)}::jsonb) as c (priority integer, people uuid[])
    cross join lateral unnest(c.people) as p (id)
    join decisions d on d.tenant_id = ${tx.tenantId} and d.user_id = p.id
    order by c.priority, coalesce(d.claimed_at, ${now}), d.tie, d.user_id limit ${most}
  `);
  return rows.map(({ id }) => id);
}
