/** Ends a session that its person signs out of. */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { deleteSession } from './session-store.ts';

export async function endSession(database: Database, tenantId: TenantId, hash: string): Promise<void> {
  await inTenant(database, tenantId, async (tx) => deleteSession(tx, hash));
}
