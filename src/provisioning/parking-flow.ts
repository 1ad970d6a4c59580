/** Lets people join the groups that were told of them before they arrived (settings: `parking`). */

import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { TenantId, UserId } from '../kernel/ids.ts';
import { reviseGroup } from './group-flow.ts';
import { selectArrivals } from './parking-store.ts';

/**
 * Each group is a transaction of its own, which looks again at who still waits: what ends half-way is found the next
 * time, and who was taken out of the group meanwhile does not join.
 *
 * @param userId Only those who wait for this user; undefined: for anybody.
 */
export async function joinArrivals(database: Database, door: Door, userId?: UserId): Promise<void> {
  const arrivals = await inTenant(database, door.tenantId, (tx) => selectArrivals(tx, userId));
  for (const { groupId, directoryId, names } of arrivals) {
    const edit = { clear: false, add: names, remove: [] };
    try {
      await reviseGroup(database, door, {
        id: groupId,
        directoryId,
        parking: 'arrival',
        edit,
        revise: (current) => current,
      });
    } catch (error) {
      // The group was deleted meanwhile, and nobody waits for it any more.
      if (!(error instanceof Fault) || error.code !== 'not_found') throw error;
    }
  }
}

/** As a rule of the gateway: for people who came by another door than the directory that named them. */
export function joinByRule(database: Database, tenantId: TenantId, now: Date): Promise<void> {
  return joinArrivals(database, {
    tenantId,
    actor: { kind: 'system', rule: 'parking' },
    now,
    requestId: null,
  });
}
