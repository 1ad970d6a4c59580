/** Rows of sub-pools. Every write here is made under the pool's lock; what of them is used is written with the pool. */

import { sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { SubPool } from '../licensing/sub-pool.ts';

export function writeSubPool(tx: TenantTransaction, { name, seats, borrowLimit }: SubPool): void {
  const columns = { seats, borrow_limit: borrowLimit };
  tx.send(
    db
      .insertInto('sub_pools')
      .values({ tenant_id: tx.tenantId, name, ...columns })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'name']).doUpdateSet(columns)),
  );
}

export function deleteSubPool(tx: TenantTransaction, name: string): void {
  tx.send(db.deleteFrom('sub_pools').where('tenant_id', '=', tx.tenantId).where('name', '=', name));
}

/** Whether a claim or a kept place still belongs to it: of people who are yet to be decided for, too. */
export async function isInUse(tx: TenantTransaction, name: string): Promise<boolean> {
  const rows = await tx.run(
    sql`select from decisions where tenant_id = ${tx.tenantId} and sub_pool = ${name} limit 1`,
  );
  return rows.length > 0;
}
