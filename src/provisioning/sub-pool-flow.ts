/** Writes the shares of a tenant's sub-pools: what becomes free by it is given, and what was lent is taken back, at once. */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { roomIn } from '../licensing/admit.ts';
import { termsAt } from '../licensing/contract.ts';
import {
  borrowedBy,
  lentBy,
  overcommitted,
  type Share,
  type SubPool,
  type SubPoolDraft,
  shareOf,
  sharesOf,
} from '../licensing/sub-pool.ts';
import { decide } from './decide-flow.ts';
import type { Pool } from './pool.ts';
import { lockPool, readPool } from './pool-store.ts';
import { bySubPools } from './prospect.ts';
import { deleteSubPool, isInUse, writeSubPool } from './sub-pool-store.ts';

/** How a share is used now. */
export interface SubPoolUse {
  /** null: unlimited. */
  seats: number | null;
  used: number;
  borrowed: number;
  lent: number;
}

export interface SubPoolsView {
  items: (SubPoolDraft & SubPoolUse & { seats: number })[];
  /** Of claims by mappings without a sub-pool, and of pins. */
  rest: SubPoolUse;
  overcommitted: number;
}

/** Shares may exceed the capacity: it changes by the contract's dates, and they are promises, not seats. */
export async function putSubPool(database: Database, door: Door, draft: SubPoolDraft): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    const { before, written, after } = subPoolsWith(pool, draft);
    writeSubPool(tx, written);
    const event = { action: 'sub_pool.written', subject: null, before: before ?? null, after: written };
    await install(tx, door, pool, after, event);
  });
}

/** @throws Fault `invalid` where there would be too many. */
export function subPoolsWith(
  { subPools }: Pick<Pool, 'subPools'>,
  draft: SubPoolDraft,
): { before: SubPool | undefined; written: SubPool; after: SubPool[] } {
  const before = subPools.find(({ name }) => name === draft.name);
  if (before === undefined && subPools.length >= limits.subPoolsPerTenantMax) {
    throw new Fault('invalid', `There can be at most ${limits.subPoolsPerTenantMax} sub-pools.`);
  }
  const written = { ...draft, used: before?.used ?? 0 };
  return { before, written, after: [...subPools.filter((one) => one !== before), written] };
}

/** @throws Fault `not_found`; `conflict` while a mapping names it, or people have places in it. */
export async function removeSubPool(database: Database, door: Door, name: string): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    const { before, after } = await subPoolsWithout(tx, pool, name);
    deleteSubPool(tx, name);
    await install(tx, door, pool, after, { action: 'sub_pool.deleted', subject: null, before });
  });
}

/** @throws Fault as `removeSubPool`. */
export async function subPoolsWithout(
  tx: TenantTransaction,
  pool: Pool,
  name: string,
): Promise<{ before: SubPool; after: SubPool[] }> {
  const before = findSubPool(pool, name);
  const naming = pool.rules.mappings.find(({ subPool }) => subPool === name);
  if (naming !== undefined) {
    throw new Fault('conflict', `Mapping ${naming.id} names the sub-pool: change the mapping first.`);
  }
  if (await isInUse(tx, name)) {
    throw new Fault('conflict', 'Places are still kept in the sub-pool: release them, or wait.');
  }
  return { before, after: pool.subPools.filter((one) => one !== before) };
}

async function install(
  tx: TenantTransaction,
  door: Door,
  before: Pool,
  subPools: readonly SubPool[],
  event: AuditEvent,
): Promise<void> {
  const { pool, affected } = bySubPools(before, subPools);
  const { audit } = await decide(tx, door, pool, affected);
  appendAudit(tx, door, [event, ...audit]);
}

export async function viewSubPools(
  database: Database,
  { tenantId, now }: Pick<Door, 'tenantId' | 'now'>,
): Promise<SubPoolsView> {
  const { subPools, usage, contract } = await inTenant(database, tenantId, readPool);
  const terms = termsAt(contract, now);
  const shares = sharesOf(subPools, terms, usage);
  const room = roomIn(terms, usage);
  const all = [...shares.values()].reduce((sum, { used }) => sum + used, 0);
  const use = (share: Share) => ({
    used: share.used,
    borrowed: borrowedBy(share),
    lent: lentBy(share, room.held + room.overage, all),
  });
  const rest = shareOf(shares, null);
  return {
    items: subPools.map((one) => ({ ...one, ...use(shareOf(shares, one.name)) })),
    rest: { seats: Number.isFinite(rest.seats) ? rest.seats : null, ...use(rest) },
    overcommitted: overcommitted(subPools, terms),
  };
}

function findSubPool({ subPools }: Pick<Pool, 'subPools'>, name: string): SubPool {
  const found = subPools.find((one) => one.name === name);
  if (found === undefined) throw unknownSubPool(name);
  return found;
}

export function unknownSubPool(name: string): Fault {
  return new Fault('not_found', `There is no sub-pool "${name}".`);
}
