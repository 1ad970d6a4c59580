/** Writes what a tenant has chosen, and what follows from it at once. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { type Database, db } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { fold } from '../kernel/fold.ts';
import { sameJson } from '../kernel/same-json.ts';
import type { Settings } from '../tenants/settings.ts';
import { selectSettings, writeSettings } from '../tenants/settings-store.ts';
import type { Affected } from './affected.ts';
import { lockArrivals } from './arrival-store.ts';
import { decide } from './decide-flow.ts';
import { selectUsersNamed, writeRanks } from './decision-store.ts';
import { lockPool } from './pool-store.ts';

/** Replaces the settings whole. Where parking ends, who is parked is forgotten. */
export async function putSettings(database: Database, door: Door, settings: Settings): Promise<Settings> {
  const chosen = { ...settings, exclusions: [...new Set(settings.exclusions.map(fold))].sort() };
  await inTenant(database, door.tenantId, async (tx) => {
    // Who arrives meanwhile would miss a default role.
    lockArrivals(tx, 'rule');
    const pool = await lockPool(tx);
    const before = await selectSettings(tx);
    writeSettings(tx, chosen);
    const isParkingOver = before.parking && !chosen.parking;
    const parkedMembersDeleted = isParkingOver
      ? await tx.count(db.deleteFrom('parked_members').where('tenant_id', '=', tx.tenantId))
      : undefined;
    if (before.order !== chosen.order) writeRanks(tx, chosen.order);
    const affected = await affectedBy(tx, before, chosen);
    // A batch ends with the way of settling that opened it.
    const isSettling = pool.batch !== null && before.settlement !== chosen.settlement;
    const rules = { ...pool.rules, ...chosen };
    const decided = await decide(tx, door, { ...pool, rules }, affected, { isSettling });
    const after = { ...chosen, ...(parkedMembersDeleted === undefined ? {} : { parkedMembersDeleted }) };
    appendAudit(tx, door, [{ action: 'settings.written', subject: null, before, after }, ...decided.audit]);
  });
  return chosen;
}

/** The default role concerns everybody; who is left alone, those whose names come or go. */
async function affectedBy(tx: TenantTransaction, before: Settings, after: Settings): Promise<Affected> {
  if (before.defaultRole !== after.defaultRole) return { everyone: true };
  if (!sameJson(before.approvals, after.approvals)) return { everyone: true };
  const turned = [...new Set(before.exclusions).symmetricDifference(new Set(after.exclusions))];
  return turned.length === 0 ? {} : { userIds: await selectUsersNamed(tx, turned) };
}
