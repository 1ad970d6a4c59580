/** Keeps fallback roles free: whoever names one, and whoever changes the catalogue, wait for each other. */

import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { FallbackRole } from '../licensing/catalogue.ts';
import { lockCatalogue, selectNewestCatalogue } from './catalogue-store.ts';

/**
 * Taken before the seat pool, and held until the transaction ends. The newest version counts, also where the tenant was not
 * decided for with it yet.
 *
 * @throws Fault `invalid` for a role that is paid.
 */
export async function requireFreeFallback(tx: TenantTransaction, role: FallbackRole | null): Promise<void> {
  // These are never paid (`catalogueProblem`).
  if (role === null || role === 'none' || role === 'view_only') return;
  await lockCatalogue(tx, 'use');
  const newest = await selectNewestCatalogue(tx);
  if (newest.roleOf(role).billing === 'free') return;
  throw new Fault('invalid', `"fallbackRole" ${role} is a paid role: it can't stand in for a paid one.`, {
    field: 'fallbackRole',
  });
}
