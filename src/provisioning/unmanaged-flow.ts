/** How many people have a paid role in Blue without the gateway: what of the contract's seats it can't give. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { type Database, db } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { decide } from './decide-flow.ts';
import { lockPool } from './pool-store.ts';

/** Writes the count when it is another; where it fell, those who wait are promoted. Nobody loses a seat. */
export async function noteUnmanagedPaid(database: Database, door: Door, count: number): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    if (pool.usage.unmanagedPaid === count) return;
    tx.send(db.updateTable('seat_pools').set({ unmanaged_paid: count }).where('tenant_id', '=', tx.tenantId));
    const { audit } = await decide(tx, door, { ...pool, usage: { ...pool.usage, unmanagedPaid: count } }, {});
    const change = { before: pool.usage.unmanagedPaid, after: count };
    appendAudit(tx, door, [{ action: 'seats.unmanaged_changed', subject: null, ...change }, ...audit]);
  });
}
