/** When each tenant's decisions are compared, and what the last comparison found. */

import { sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Comparison } from '../licensing/alert.ts';

export async function findDueComparisons(database: Database, now: Date, most: number): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_due_comparisons(${now}, ${most})`,
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

/** Takes the tenant's turn; false: another gateway has it. @param retryAt The next one, where this one is not finished. */
export async function claimComparison(tx: TenantTransaction, now: Date, retryAt: Date): Promise<boolean> {
  const claimed = await tx.count(
    db
      .updateTable('alert_states')
      .set({ compare_at: retryAt })
      .where('tenant_id', '=', tx.tenantId)
      .where('compare_at', '<=', now),
  );
  return claimed > 0;
}

/** Sends what was found; where it is another thing than before, alerts are looked for now. */
export function writeComparison(
  tx: TenantTransaction,
  { differing, miscounted }: Comparison,
  now: Date,
  nextAt: Date,
): void {
  tx.send(sql`
    update alert_states set differing = ${differing}, miscounted = ${miscounted}, compare_at = ${nextAt},
      look_at = case when (differing, miscounted) = (${differing}, ${miscounted}) then look_at else least(look_at, ${now}) end
    where tenant_id = ${tx.tenantId}
  `);
}
