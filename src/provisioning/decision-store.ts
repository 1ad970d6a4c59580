/**
 * Loads the facts of decisions and writes what was decided. The only writer of seats: everything here is done while
 * the tenant's seat pool row is locked, except for marks.
 */

import { type RawBuilder, sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import type { GroupId, UserId } from '../kernel/ids.ts';
import { type Contract, nextChange } from '../licensing/contract.ts';
import type { RequestedRole } from '../licensing/desire.ts';
import type { Decision, EffectiveRole, Seat } from '../licensing/effect.ts';
import type { Rules } from '../licensing/mapping.ts';
import { contractJson } from './contract-sql.ts';
import type { DecisionChange, PersonFacts, Plan, Waiting } from './plan.ts';

/** The tenant's seats, locked, with the rules that hold now. */
export interface Pool {
  used: number;
  /** People with a paid role in Blue whom the gateway did not put there. */
  unmanagedPaid: number;
  contract: Contract | undefined;
  rules: Rules;
}

/** Whom a write may have changed the facts of. */
export interface Affected {
  userIds?: readonly UserId[];
  /** Everybody who has one of these addresses in Blue. */
  addresses?: readonly string[];
  /** Everybody who is in one of these groups. */
  groupIds?: readonly GroupId[];
  /** Everybody about whom something is decided. */
  everyone?: boolean;
}

/** Locks the pool row, then reads contract, mappings and default workspaces in a snapshot taken after the lock. */
export async function lockPool(tx: TenantTransaction): Promise<Pool> {
  const pool = await lockPoolWhere(tx, sql`true`);
  assert(pool !== null, 'every tenant has a seat pool');
  return pool;
}

/** The pool row, locked, without the rules: a write that turns out to decide nothing never reads them. */
export type LockedPool = Pick<Pool, 'used' | 'unmanagedPaid'>;

/** Reads the rules as they are under the lock. */
export async function withRules(tx: TenantTransaction, locked: LockedPool): Promise<Pool> {
  const rules = await loadRules(tx, sql`true`);
  assert(rules !== undefined, 'every tenant has a seat pool');
  return { ...locked, ...rules };
}

/** Locks the pool row when the group is mapped; null: it is not. */
export function lockPoolIfMapped(tx: TenantTransaction, groupId: GroupId): Promise<LockedPool | null> {
  return lockRowWhere(
    tx,
    sql`exists (select from groups g where g.tenant_id = p.tenant_id and g.id = ${groupId} and g.mapped)`,
  );
}

/**
 * Locks the pool row when the user is not as foreseen in what a decision rests on; null: nothing will change there.
 *
 * @param foreseen What is left out stays as it is.
 */
export function lockPoolIfUserDiffers(
  tx: TenantTransaction,
  userId: UserId,
  { active, address }: { active?: boolean; address?: string | null },
): Promise<Pool | null> {
  const moves = address === undefined ? sql`false` : sql`u.address is distinct from ${address}`;
  return lockPoolWhere(
    tx,
    sql`exists (
      select from users u where u.tenant_id = p.tenant_id and u.id = ${userId}
        and (u.active <> ${active ?? null}::boolean or ${moves})
    )`,
  );
}

/** Locks the pool row when a mapping waits for a group of this name; null: none does. */
export function lockPoolIfAwaited(tx: TenantTransaction, name: AwaitedName): Promise<Pool | null> {
  return lockPoolWhere(
    tx,
    sql`exists (select from mappings m where m.tenant_id = p.tenant_id and ${isAwaiting(name)})`,
  );
}

/** By what a mapping can wait for its group. */
export interface AwaitedName {
  displayNameKey: string;
  externalId: string | null;
}

/** Of mapping `m`: its group is not there yet, and one of this name would be it. */
export function isAwaiting({ displayNameKey, externalId }: AwaitedName) {
  return sql<boolean>`m.group_id is null
    and (m.group_display_name_key = ${displayNameKey} or m.group_external_id = ${externalId})`;
}

async function lockPoolWhere(tx: TenantTransaction, condition: RawBuilder<unknown>): Promise<Pool | null> {
  const [pool, rules] = await Promise.all([lockRowWhere(tx, condition), loadRules(tx, condition)]);
  return pool === null || rules === undefined ? null : { ...pool, ...rules };
}

/** @param condition On `p` (seat_pools). */
async function lockRowWhere(
  tx: TenantTransaction,
  condition: RawBuilder<unknown>,
): Promise<LockedPool | null> {
  const [pool] = await tx.run(sql<LockedPool>`
    select used, unmanaged_paid as "unmanagedPaid" from seat_pools p
    where p.tenant_id = ${tx.tenantId} and ${condition} for no key update of p
  `);
  return pool ?? null;
}

/** Contract and rules as they are now; undefined, and nothing read, where the condition does not hold. */
async function loadRules(
  tx: TenantTransaction,
  condition: RawBuilder<unknown>,
): Promise<Pick<Pool, 'contract' | 'rules'> | undefined> {
  const [row] = await tx.run(sql<{
    contract: Contract | null;
    mappings: Rules['mappings'];
    workspaces: string[];
  }>`
    select
      ${contractJson(tx.tenantId)} as contract,
      (select coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'priority', m.priority, 'groupId', m.group_id,
                'role', m.role, 'workspaces', m.workspaces, 'fallbackRole', m.fallback_role) order by m.priority), '[]')
       from mappings m where m.tenant_id = ${tx.tenantId}) as mappings,
      (select coalesce(max(b.default_workspaces), '{}')
       from blue_connections b where b.tenant_id = ${tx.tenantId}) as workspaces
    from seat_pools p where p.tenant_id = ${tx.tenantId} and ${condition}
  `);
  if (row === undefined) return undefined;
  return {
    contract: row.contract ?? undefined,
    rules: { mappings: row.mappings, defaultWorkspaces: row.workspaces },
  };
}

interface PersonRow extends DecisionRow {
  id: UserId;
  active: boolean;
  address: string | null;
  tie: string;
  is_duplicate: boolean;
  groups: GroupId[] | null;
}

interface DecisionRow {
  requested: RequestedRole[] | null;
  effective: EffectiveRole[];
  priority: number | null;
  claimed_at: Date | null;
  seat: Seat;
  since: Date;
  refusal: Decision['refusal'];
}

/** The facts of everybody affected, as this transaction sees them. */
export async function loadPersons(tx: TenantTransaction, affected: Affected): Promise<PersonFacts[]> {
  const rows = await tx.run(sql<PersonRow>`
    with affected as (${affectedIds(tx, affected)})
    select u.id, u.active, u.address, md5(t.tie_salt || ' ' || u.tie_key) as tie,
      u.active and exists (
        select from users o where o.tenant_id = u.tenant_id and o.address = u.address and o.active
          and o.address_order < u.address_order
      ) as is_duplicate,
      (select array_agg(m.group_id) from memberships m
       where m.tenant_id = u.tenant_id and m.user_id = u.id and m.group_id = any(
         array(select group_id from mappings where tenant_id = ${tx.tenantId} and group_id is not null))) as groups,
      d.requested, d.effective, d.priority, d.claimed_at, d.seat, d.since, d.refusal
    from affected a
    join users u on u.tenant_id = ${tx.tenantId} and u.id = a.id
    join tenants t on t.tenant_id = u.tenant_id
    left join decisions d on d.tenant_id = u.tenant_id and d.user_id = u.id
    order by u.id
  `);
  return rows.map((row) => ({
    id: row.id,
    active: row.active,
    address: row.address,
    isDuplicate: row.is_duplicate,
    groups: new Set(row.groups ?? []),
    tie: row.tie,
    decision: toDecision(row),
  }));
}

function affectedIds(tx: TenantTransaction, affected: Affected) {
  const { userIds = [], addresses = [], groupIds = [], everyone = false } = affected;
  const members = sql`select user_id from memberships where tenant_id = ${tx.tenantId}`;
  const ids = sql`
    select id from users where tenant_id = ${tx.tenantId} and id = any(${userIds}::uuid[])
    union select id from users where tenant_id = ${tx.tenantId} and address = any(${addresses})
    union ${members} and group_id = any(${groupIds}::uuid[])
  `;
  if (!everyone) return ids;
  return sql`
    ${ids} union select user_id from decisions where tenant_id = ${tx.tenantId}
    union ${members} and group_id in (select group_id from mappings where tenant_id = ${tx.tenantId})
  `;
}

/** The first `most` who wait, in the order they will be served. Infinity: all of them. */
export async function loadQueue(tx: TenantTransaction, most: number): Promise<Waiting[]> {
  if (most <= 0) return [];
  const rows = await tx.run(sql<DecisionRow & { user_id: UserId; tie: string }>`
    select user_id, tie, requested, effective, priority, claimed_at, seat, since, refusal
    from decisions where tenant_id = ${tx.tenantId} and seat = 'waiting'
    order by priority, claimed_at, tie, user_id
    limit ${Number.isFinite(most) ? most : null}
  `);
  return rows.flatMap((row) => {
    const decision = toDecision(row);
    return decision === null ? [] : [{ id: row.user_id, tie: row.tie, decision }];
  });
}

export function toDecision(row: DecisionRow): Decision | null {
  if (row.requested === null) return null;
  const { requested, effective, priority, claimed_at, seat, since, refusal } = row;
  const claim = priority === null || claimed_at === null ? null : { priority, claimedAt: claimed_at };
  return { requested, effective, claim, seat, since, refusal };
}

/**
 * Sends the changed decisions, the pool's count and its ceiling, which only falls until the excess is gone.
 *
 * @param isForEveryone Only then the contract's date that has come is done with: whoever was not decided for still
 *   has what the contract meant before it.
 */
export function writePlan(
  tx: TenantTransaction,
  pool: Pool,
  { changes, used, terms }: Plan,
  now: Date,
  isForEveryone: boolean,
): void {
  if (changes.length > 0) writeDecisions(tx, changes);
  const ceiling = terms.capacity === null ? null : Math.max(terms.capacity, used);
  const dueAt = isForEveryone ? (nextChange(pool.contract, now) ?? null) : undefined;
  tx.send(
    db
      .updateTable('seat_pools')
      .set({ used, ceiling, ...(dueAt === undefined ? {} : { due_at: dueAt }) })
      .where('tenant_id', '=', tx.tenantId)
      .where((where) =>
        where.or([
          where('used', '!=', used),
          where('ceiling', 'is distinct from', ceiling),
          ...(dueAt === undefined ? [] : [where('due_at', 'is distinct from', dueAt)]),
        ]),
      ),
  );
}

function writeDecisions(tx: TenantTransaction, changes: readonly DecisionChange[]): void {
  const gone = changes.filter(({ after }) => after === null).map(({ userId }) => userId);
  const rows = changes.flatMap(({ userId, tie, after }) =>
    after === null
      ? []
      : [
          {
            user_id: userId,
            requested: after.requested,
            effective: after.effective,
            priority: after.claim?.priority ?? null,
            claimed_at: after.claim?.claimedAt ?? null,
            tie,
            seat: after.seat,
            since: after.since,
            refusal: after.refusal,
          },
        ],
  );
  tx.send(sql`
    with gone as (
      delete from decisions where tenant_id = ${tx.tenantId} and user_id = any(${gone}::uuid[])
    )
    insert into decisions
      (tenant_id, user_id, requested, effective, priority, claimed_at, tie, seat, since, refusal)
    select ${tx.tenantId}, r.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r (user_id uuid, requested jsonb, effective jsonb, priority integer, claimed_at timestamptz, tie text,
            seat text, since timestamptz, refusal text)
    on conflict (tenant_id, user_id) do update set
      requested = excluded.requested, effective = excluded.effective, priority = excluded.priority,
      claimed_at = excluded.claimed_at, tie = excluded.tie, seat = excluded.seat, since = excluded.since,
      refusal = excluded.refusal
  `);
}

/** Sends the marks "these people's roles in Blue may differ from what was decided". */
export function markForBlue(tx: TenantTransaction, userIds: readonly UserId[], now: Date): void {
  if (userIds.length === 0) return;
  const ids = [...new Set(userIds)].sort();
  tx.send(sql`
    insert into blue_sync (tenant_id, user_id, marked_at)
    select ${tx.tenantId}, m.user_id, ${now} from unnest(${ids}::uuid[]) as m (user_id)
    on conflict (tenant_id, user_id)
      do update set desired_version = blue_sync.desired_version + 1, marked_at = excluded.marked_at,
        not_before = null
  `);
}
