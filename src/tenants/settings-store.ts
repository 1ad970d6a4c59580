/** Reads what a tenant has chosen. */

import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { defaultSettings, type Settings } from './settings.ts';

export async function selectSettings(tx: TenantTransaction): Promise<Settings> {
  const [row] = await tx.run(
    db
      .selectFrom('tenant_settings')
      .select(['parking', 'request_retention_days'])
      .where('tenant_id', '=', tx.tenantId),
  );
  if (row === undefined) return defaultSettings;
  return { parking: row.parking, requestRetentionDays: row.request_retention_days };
}
