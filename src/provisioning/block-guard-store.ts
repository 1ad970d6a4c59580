/** How often directories were refused for want of a seat, and whether policy `block` stands as `queue` because of it. */

import { sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { DirectoryId, TenantId } from '../kernel/ids.ts';

/** Sends that a directory was refused, and forgets what lies before `since`: there are never more rows than minutes. */
export function countRefusal(tx: TenantTransaction, directoryId: DirectoryId, now: Date, since: Date): void {
  tx.send(sql`
    with past as (
      delete from seat_refusals where tenant_id = ${tx.tenantId} and directory_id = ${directoryId} and minute < ${since})
    insert into seat_refusals (tenant_id, directory_id, minute, refusals)
    values (${tx.tenantId}, ${directoryId}, date_trunc('minute', ${now}::timestamptz), 1)
    on conflict (tenant_id, directory_id, minute) do update set refusals = seat_refusals.refusals + 1
  `);
}

/** Tenants of whom some directory was refused so often since then. */
export async function findRefusedTenants(
  database: Database,
  since: Date,
  fewest: number,
): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_refused_tenants(${since}, ${fewest})`,
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

export interface DirectoryRefusals {
  directoryId: DirectoryId;
  refusals: number;
}

export function selectRefusals(
  tx: TenantTransaction,
  since: Date,
  fewest: number,
): Promise<DirectoryRefusals[]> {
  return tx.run(sql<DirectoryRefusals>`
    select directory_id as "directoryId", sum(refusals) as refusals from seat_refusals
    where tenant_id = ${tx.tenantId} and minute >= ${since}
    group by directory_id having sum(refusals) >= ${fewest}
  `);
}

/** Writes of a directory that were recorded since then, counted up to `most`. */
export async function countWrites(
  tx: TenantTransaction,
  directoryId: DirectoryId,
  since: Date,
  most: number,
): Promise<number> {
  const [row] = await tx.run(sql<{ count: number }>`
    select count(*) as count from (
      select from recorded_requests where tenant_id = ${tx.tenantId} and at >= ${since}
        and directory_id = ${directoryId} and method <> 'GET' limit ${most}) as writes
  `);
  return row?.count ?? 0;
}

/** Sends that policy `block` stands as `queue` from now on. */
export function liftBlock(tx: TenantTransaction, now: Date): void {
  tx.send(db.updateTable('contracts').set({ block_lifted_at: now }).where('tenant_id', '=', tx.tenantId));
  forgetRefusals(tx);
}

/** The policy stands as written, and refusals are counted anew. Answers since when it was lifted; undefined: it was not. */
export async function restoreBlock(tx: TenantTransaction): Promise<Date | undefined> {
  const restored = tx.run(sql<{ since: Date }>`
    update contracts c set block_lifted_at = null
    from contracts was where was.tenant_id = c.tenant_id
      and c.tenant_id = ${tx.tenantId} and c.block_lifted_at is not null
    returning was.block_lifted_at as since
  `);
  forgetRefusals(tx);
  return (await restored)[0]?.since;
}

function forgetRefusals(tx: TenantTransaction): void {
  tx.send(db.deleteFrom('seat_refusals').where('tenant_id', '=', tx.tenantId));
}
