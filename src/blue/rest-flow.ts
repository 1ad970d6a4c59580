/** Lets a tenant wait after an error of our own, so that it does not come up at every look. */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { restConnection } from './connection-store.ts';

const restMs = 30_000;

export async function restTenant(database: Database, tenantId: TenantId, now: Date): Promise<void> {
  await inTenant(database, tenantId, async (tx) => {
    restConnection(tx, new Date(now.getTime() + restMs), 'The gateway met an error of its own: see its log.');
  });
}
