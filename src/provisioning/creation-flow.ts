/** Forgets creations whose answers have been written. */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { deleteUnanswered } from './creation-store.ts';

export async function forgetCreations(
  database: Database,
  tenantId: TenantId,
  ids: readonly string[],
): Promise<void> {
  await inTenant(database, tenantId, async (tx) => deleteUnanswered(tx, ids));
}
