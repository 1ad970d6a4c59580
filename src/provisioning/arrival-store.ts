/**
 * People arrive (shared) and rules come about that give something to whoever is there (exclusive) one after the other: two that
 * run at the same time would not see each other, and the person would go without. Taken before any row.
 */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';

export function lockArrivals(tx: TenantTransaction, as: 'user' | 'rule'): void {
  const lock = sql.raw(as === 'user' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock');
  tx.send(sql`select ${lock}(hashtextextended(${`${tx.tenantId} arrivals`}, 0))`);
}
