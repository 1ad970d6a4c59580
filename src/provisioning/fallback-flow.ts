/** Keeps fallback roles free: whoever names one, and whoever changes the catalogue, wait for each other. */

import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { FallbackRole } from '../licensing/catalogue.ts';
import { lockCatalogue, selectNewestCatalogue } from './catalogue-store.ts';

/** Whoever is about to name these roles. Before the seat pool, and until the transaction ends. */
export async function lockFallbacks(
  tx: TenantTransaction,
  roles: readonly (FallbackRole | null)[],
): Promise<void> {
  if (roles.some(mayBePaid)) await lockCatalogue(tx, 'use');
}

/** Two of them are never paid (`catalogueProblem`). */
function mayBePaid(role: FallbackRole | null): boolean {
  return role !== null && role !== 'none' && role !== 'view_only';
}

/**
 * The newest version of the catalogue counts, also where the tenant was not decided for with it yet.
 *
 * @param named Each role, and the field that says it.
 * @throws Fault `invalid` naming the field, for a role that is paid.
 */
export async function requireFreeFallbacks(
  tx: TenantTransaction,
  named: readonly { role: FallbackRole | null; field: string }[],
): Promise<void> {
  const asked = named.filter(({ role }) => mayBePaid(role));
  if (asked.length === 0) return;
  const newest = await selectNewestCatalogue(tx);
  const paid = asked.find(({ role }) => role !== null && newest.roleOf(role).billing === 'paid');
  if (paid === undefined) return;
  throw new Fault(
    'invalid',
    `"${paid.field}" ${paid.role} is a paid role: it can't stand in for a paid one.`,
    {
      field: paid.field,
    },
  );
}
