/** Writes what a tenant has chosen, and what follows from it at once. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { type Database, db } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { fold } from '../kernel/fold.ts';
import { everyDefaultWorkspace } from '../licensing/mapping.ts';
import type { Settings } from '../tenants/settings.ts';
import { selectSettings, writeSettings } from '../tenants/settings-store.ts';
import { lockArrivals } from './arrival-store.ts';
import { waitForAnyBatch } from './batch-store.ts';
import { decide } from './decide-flow.ts';
import { selectUsersNamed, writeRanks } from './decision-store.ts';
import { type Placed, requirePlaces } from './places-flow.ts';
import { lockPool } from './pool-store.ts';
import { bySettings, type Turned } from './prospect.ts';
import { lookNow } from './reclaim-store.ts';
import { countPaidHolders, markLeftAlone } from './unmanaged-sql.ts';

/** Replaces the settings whole. Where parking ends, who is parked is forgotten. @throws Fault as `requirePlaces`. */
export async function putSettings(database: Database, door: Door, settings: Settings): Promise<Settings> {
  const chosen = folded(settings);
  await inTenant(database, door.tenantId, async (tx) => {
    // Who arrives meanwhile would miss a default role.
    lockArrivals(tx, 'rule');
    const pool = await lockPool(tx);
    const before = await selectSettings(tx);
    await requirePlaces(tx, pool.rules, defaultOf(chosen), defaultOf(before));
    writeSettings(tx, chosen, door.now);
    // Also where nobody is asked any more: notices that were given are withdrawn.
    if (before.reclaimDays !== chosen.reclaimDays) lookNow(tx, door.now);
    const isParkingOver = before.parking && !chosen.parking;
    const parkedMembersDeleted = isParkingOver
      ? await tx.count(db.deleteFrom('parked_members').where('tenant_id', '=', tx.tenantId))
      : undefined;
    if (before.order !== chosen.order) {
      await waitForAnyBatch(tx);
      writeRanks(tx, chosen.order);
    }
    const turned = await turnedBy(tx, before, chosen);
    markLeftAlone(tx, turned.userIds, chosen.exclusions);
    const prospect = bySettings(pool, before, chosen, turned);
    const { isSettling = false } = prospect;
    const decided = await decide(tx, door, prospect.pool, prospect.affected, { isSettling });
    const after = { ...chosen, ...(parkedMembersDeleted === undefined ? {} : { parkedMembersDeleted }) };
    appendAudit(tx, door, [{ action: 'settings.written', subject: null, before, after }, ...decided.audit]);
  });
  return chosen;
}

function defaultOf({ defaultRole: role }: Settings): Placed {
  return { role, workspaces: [everyDefaultWorkspace], field: 'defaultRole' };
}

/** Who is left alone is named once, whatever the case. */
export function folded(settings: Settings): Settings {
  return { ...settings, exclusions: [...new Set(settings.exclusions.map(fold))].sort() };
}

/** As it is before anything is decided by the settings. */
export async function turnedBy(tx: TenantTransaction, before: Settings, after: Settings): Promise<Turned> {
  const names = [...new Set(before.exclusions).symmetricDifference(new Set(after.exclusions))];
  if (names.length === 0) return { userIds: [], keptInBlue: 0 };
  const userIds = await selectUsersNamed(tx, names);
  return { userIds, keptInBlue: await countPaidHolders(tx, userIds) };
}
