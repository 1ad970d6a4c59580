/** Ends a session that its person signs out of. */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { deleteSession, type EndedSession } from './session-store.ts';

/** Answers what a logout at the identity provider would name; undefined: the session was over already. */
export async function endSession(
  database: Database,
  tenantId: TenantId,
  hash: string,
): Promise<EndedSession | undefined> {
  return await inTenant(database, tenantId, (tx) => deleteSession(tx, hash));
}
