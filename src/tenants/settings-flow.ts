/** Writes what a tenant has chosen, and what follows from it at once. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { type Database, db } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Settings } from './settings.ts';
import { selectSettings } from './settings-store.ts';

/** Replaces the settings whole. Where parking ends, who is parked is forgotten. */
export async function putSettings(database: Database, door: Door, settings: Settings): Promise<Settings> {
  const columns = { parking: settings.parking, request_retention_days: settings.requestRetentionDays };
  await inTenant(database, door.tenantId, async (tx) => {
    // There may be no settings to lock yet. Who only refers to the tenant is not held up.
    tx.send(db.selectFrom('tenants').select('slug').where('tenant_id', '=', tx.tenantId).forNoKeyUpdate());
    const before = await selectSettings(tx);
    tx.send(
      db
        .insertInto('tenant_settings')
        .values({ tenant_id: tx.tenantId, ...columns })
        .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet(columns)),
    );
    const isParkingOver = before.parking && !settings.parking;
    const parkedMembersDeleted = isParkingOver
      ? await tx.count(db.deleteFrom('parked_members').where('tenant_id', '=', tx.tenantId))
      : undefined;
    const after = { ...settings, ...(parkedMembersDeleted === undefined ? {} : { parkedMembersDeleted }) };
    appendAudit(tx, door, [{ action: 'settings.written', subject: null, before, after }]);
  });
  return settings;
}
