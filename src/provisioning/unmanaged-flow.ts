/** How many people have a paid role in Blue without the gateway: what of the contract's seats it can't give. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { type Database, db } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { decide } from './decide-flow.ts';
import { lockPool } from './pool-store.ts';

/** Writes by how many people more or fewer it is. Where it fell, those who wait are promoted; nobody loses a seat. */
export async function noteUnmanagedPaid(database: Database, door: Door, change: number): Promise<void> {
  if (change === 0) return;
  await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    const before = pool.usage.unmanagedPaid;
    const after = Math.max(0, before + change);
    tx.send(db.updateTable('seat_pools').set({ unmanaged_paid: after }).where('tenant_id', '=', tx.tenantId));
    const { audit } = await decide(tx, door, { ...pool, usage: { ...pool.usage, unmanagedPaid: after } }, {});
    appendAudit(tx, door, [{ action: 'seats.unmanaged_changed', subject: null, before, after }, ...audit]);
  });
}
