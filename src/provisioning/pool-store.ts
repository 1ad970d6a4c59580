/**
 * The tenant's row of seats: the lock of everything that can change a decision, the count of what is used, and the rules
 * that hold while it is locked.
 */

import { type RawBuilder, sql } from 'kysely';
import { lookForAlerts } from '../alerts/alert-store.ts';
import { db, prepared } from '../db/database.ts';
import { commitsEarly, type TenantTransaction } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import type { GroupId, UserId } from '../kernel/ids.ts';
import type { Usage } from '../licensing/admit.ts';
import type { Losses } from '../licensing/breaker.ts';
import { type Contract, nextChange, type Terms } from '../licensing/contract.ts';
import type { OpenBatch } from '../licensing/effect.ts';
import { excessOf, excessSinceOf } from '../licensing/excess.ts';
import { nextValidity } from '../licensing/mapping.ts';
import { excessUntil, limitOf } from '../licensing/overage.ts';
import { type SubPool, useOf, withUse } from '../licensing/sub-pool.ts';
import type { AwaitedName } from './awaited-name.ts';
import { contractJson } from './contract-sql.ts';
import type { LockedPool, Pool } from './pool.ts';
import { type KnownRules, RulesMemory } from './rules-memory.ts';
import { type RulesRow, rulesJson, toRules } from './rules-sql.ts';

/** A mapping is about half a kilobyte. */
const memory = new RulesMemory(50_000);

/**
 * Locks the pool row. Contract, mappings and settings are those of its revision: read in a snapshot taken after the lock, unless
 * this process has them.
 */
export async function lockPool(tx: TenantTransaction): Promise<Pool> {
  return await withRules(tx, await lockPoolRow(tx));
}

/** As it stands, for a look at what would be: another writer may change it meanwhile. */
export async function readPool(tx: TenantTransaction): Promise<Pool> {
  const [pool, rules] = await Promise.all([selectRow(tx, sql`true`, sql``), loadRules(tx)]);
  assert(pool !== null, 'every tenant has a seat pool');
  return poolOf(pool, rules);
}

/** With the rules as they are under the lock: a change of them waits for it, and brings another revision. */
export async function withRules(tx: TenantTransaction, locked: LockedPool): Promise<Pool> {
  const { tenantId } = tx;
  const known = memory.get(tenantId, locked.revision);
  if (known !== undefined) return poolOf(locked, known);
  const rules = await loadRules(tx);
  memory.set(tenantId, locked.revision, rules);
  return poolOf(locked, rules);
}

function poolOf({ subPoolUse, ...locked }: LockedPool, { subPools, ...rules }: KnownRules): Pool {
  return { ...locked, ...rules, subPools: withUse(subPools, subPoolUse) };
}

/** Locks the pool row, and reads no rules. */
export async function lockPoolRow(tx: TenantTransaction): Promise<LockedPool> {
  const locked = await lockRowWhere(tx, sql`true`);
  assert(locked !== null, 'every tenant has a seat pool');
  return locked;
}

/**
 * Locks the pool row when the group is mapped, or was a moment ago: while a large edit is carried out, whom a mapping that is gone
 * concerned is told by the group's members. null: neither.
 */
export function lockPoolIfMapped(tx: TenantTransaction, groupId: GroupId): Promise<LockedPool | null> {
  return lockRowWhere(
    tx,
    sql`(exists (select from groups g where g.tenant_id = p.tenant_id and g.id = ${groupId} and g.mapped)
      or exists (select from evaluation_requests r where r.tenant_id = p.tenant_id))`,
  );
}

/** What a decision rests on of a user, as far as a request tells; what is left out stays as it is. */
export interface ForeseenUser {
  active?: boolean;
  address?: string | null;
}

/** Locks the pool row when the user is not as foreseen in what a decision rests on; null: nothing will change there. */
export function lockPoolIfUserDiffers(
  tx: TenantTransaction,
  userId: UserId,
  { active, address }: ForeseenUser,
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

/** Locks the pool row when somebody who arrives gets something without being in a group; null: nobody does. */
export function lockPoolIfArrivalsDecide(
  tx: TenantTransaction,
  {
    roleValues,
    claimValues,
    defaultRole,
  }: {
    roleValues: readonly string[];
    claimValues: readonly string[];
    defaultRole: string | null;
  },
): Promise<Pool | null> {
  return lockPoolWhere(
    tx,
    sql`(${defaultRole !== null}::boolean
      or exists (select from tenant_settings s where s.tenant_id = p.tenant_id and s.default_role <> 'none')
      or exists (select from mappings m where m.tenant_id = p.tenant_id
        and (m.role_value = any(${roleValues}::text[]) or m.claim_value = any(${claimValues}::text[]))))`,
  );
}

/** As `lockPoolIfMapped`, of groups that an identity provider names at a login. */
export function lockPoolIfClaimed(tx: TenantTransaction, values: readonly string[]): Promise<Pool | null> {
  return lockPoolWhere(
    tx,
    sql`(exists (select from mappings m where m.tenant_id = p.tenant_id and m.claim_value = any(${values}::text[]))
      or exists (select from evaluation_requests r where r.tenant_id = p.tenant_id))`,
  );
}

/** Locks the pool row when a mapping waits for a group of this name; null: none does. */
export function lockPoolIfAwaited(tx: TenantTransaction, name: AwaitedName): Promise<Pool | null> {
  return lockPoolWhere(
    tx,
    sql`exists (select from mappings m where m.tenant_id = p.tenant_id and ${isAwaiting(name)})`,
  );
}

/** Of mapping `m`: its group is not there yet, and one of this name would be it. */
export function isAwaiting({ displayNameKey, externalId }: AwaitedName) {
  return sql<boolean>`m.group_id is null
    and (m.group_display_name_key = ${displayNameKey} or m.group_external_id = ${externalId})`;
}

async function lockPoolWhere(tx: TenantTransaction, condition: RawBuilder<unknown>): Promise<Pool | null> {
  const locked = await lockRowWhere(tx, condition);
  return locked === null ? null : await withRules(tx, locked);
}

interface PoolRow extends Usage, Omit<LockedPool, 'usage' | 'batch' | 'losses'> {
  lossesSince: Date | null;
  lostSeats: number;
  batchOpenedAt: Date | null;
  settlesAt: Date | null;
}

/** @param condition On `p` (seat_pools), and by no column of it that changes while others have the lock. */
async function lockRowWhere(
  tx: TenantTransaction,
  condition: RawBuilder<unknown>,
): Promise<LockedPool | null> {
  // In this order: who does not lock the row commits as usual.
  const locking = sql`case when ${condition} then ${commitsEarly} is not null else false end`;
  const locked = await selectRow(tx, locking, sql`for no key update of p`);
  if (locked !== null) tx.flushAfterCommit();
  return locked;
}

async function selectRow(
  tx: TenantTransaction,
  condition: RawBuilder<unknown>,
  locking: RawBuilder<unknown>,
): Promise<LockedPool | null> {
  const [row] = await tx.run(
    prepared(sql<PoolRow>`
    select used - overage - on_hold as held, overage, on_hold as "onHold", unmanaged_paid as "unmanagedPaid",
      batch_opened_at as "batchOpenedAt", settles_at as "settlesAt", evaluating, seat_limit as "limit", seat_capacity as capacity,
      excess_since as "excessSince", settled_at as "settledAt", due_at as "dueAt", frozen, staged_since as "stagedSince",
      losses_since as "lossesSince", losses as "lostSeats",
      rules_revision as revision, sub_pool_use as "subPoolUse"
    from seat_pools p where p.tenant_id = ${tx.tenantId} and ${condition} ${locking}
  `),
  );
  if (row === undefined) return null;
  const { held, overage, onHold, unmanagedPaid, batchOpenedAt, settlesAt, lossesSince, lostSeats, ...rest } =
    row;
  const batch = batchOpenedAt === null ? null : { openedAt: batchOpenedAt, settlesAt };
  const losses = lossesSince === null ? null : { since: lossesSince, seats: lostSeats };
  return { ...rest, usage: { held, overage, onHold, unmanagedPaid }, batch, losses };
}

/** Contract and rules as they are now. */
async function loadRules(tx: TenantTransaction): Promise<KnownRules> {
  const [row] = await tx.run(sql<{ contract: Contract | null; rules: RulesRow }>`
    select ${contractJson(tx.tenantId)} as contract, ${rulesJson(tx.tenantId)} as rules
  `);
  assert(row !== undefined, 'one row');
  const { contract, rules } = row;
  return { contract: contract ?? undefined, rules: toRules(rules), subPools: rules.subPools };
}

/** Sends that the tenant is settled next. */
export function setDue(tx: TenantTransaction, now: Date): void {
  tx.send(sql`
    update seat_pools set due_at = least(due_at, ${now}::timestamptz) where tenant_id = ${tx.tenantId}
  `);
}

/** What of the pool a plan leaves behind. */
export interface PoolAfter {
  usage: Usage;
  subPools: readonly SubPool[];
  batch: OpenBatch | null;
  evaluating: boolean;
  terms: Terms;
  /** Dates up to now have been looked at. */
  isSettled: boolean;
  /** As the write found it, or changed it. */
  stagedSince: Date | null;
  losses: Losses | null;
}

/**
 * Sends the counts of the pool and of its sub-pools, and the ceiling, which only falls until the excess is gone; and when
 * something of it is due. Sent after the decisions, whose due times it reads.
 */
export function writePool(tx: TenantTransaction, pool: Pool, after: PoolAfter, now: Date): void {
  const { usage, subPools, batch, evaluating, terms, isSettled, stagedSince, losses } = after;
  const used = usage.held + usage.overage + usage.onHold;
  const limit = limitOf(terms);
  const excessSince = excessSinceOf(pool, terms, usage, now);
  const { lost, lowered } = excessOf(terms, usage);
  const settledAt = isSettled ? now : pool.settledAt;
  const due = [
    nextChange(pool.contract, settledAt),
    nextValidity(pool.rules.mappings, settledAt),
    batch?.settlesAt,
    evaluating ? now : undefined,
    excessSince === null || lost + lowered === 0 ? undefined : excessUntil(terms, excessSince),
  ].flatMap((at) => (at == null ? [] : [at.getTime()]));
  const ownDue = due.length === 0 ? null : new Date(Math.min(...due));
  const columns = {
    used,
    overage: usage.overage,
    on_hold: usage.onHold,
    unmanaged_paid: usage.unmanagedPaid,
    ceiling: limit === null ? null : Math.max(limit, used),
    seat_limit: limit,
    seat_capacity: terms.capacity,
    excess_since: excessSince,
    batch_opened_at: batch?.openedAt ?? null,
    settles_at: batch?.settlesAt ?? null,
    evaluating,
    staged_since: stagedSince,
    losses_since: losses?.since ?? null,
    losses: losses?.seats ?? 0,
    sub_pool_use: JSON.stringify(useOf(subPools)),
    settled_at: settledAt,
    frozen: isSettled ? terms.phase === 'frozen' : pool.frozen,
    due_at: sql<Date | null>`least(${ownDue}::timestamptz,
      (select min(d.due_at) from decisions d where d.tenant_id = ${tx.tenantId} and d.due_at is not null),
      (select min(m.activate_at) from mapping_drafts m
       where m.tenant_id = ${tx.tenantId} and m.activate_at is not null))`,
  };
  // Seats don't show that somebody begins to wait to be let through, or nobody does any more; nor who waits after a large edit.
  const isStagingNew = stagedSince?.getTime() !== pool.stagedSince?.getTime();
  if (isStagingNew || (pool.evaluating && !evaluating)) lookForAlerts(tx);
  const names = Object.keys(columns) as (keyof typeof columns)[];
  tx.send(
    prepared(
      db
        .updateTable('seat_pools')
        .set(columns)
        .where('tenant_id', '=', tx.tenantId)
        .where((where) =>
          where.or(names.map((name) => where(name, 'is distinct from', columns[name] as never))),
        ),
    ),
  );
}
