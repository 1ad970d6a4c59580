/** Writes what the recorder has gathered: one transaction for each tenant, beside all requests. */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { RecordedRequest } from './recorded-request.ts';
import { insertRequests, touchTokens } from './request-store.ts';

/** @param records Of this tenant. */
export async function writeRequests(
  database: Database,
  tenantId: TenantId,
  records: readonly RecordedRequest[],
): Promise<void> {
  const lastUse = new Map<string, string>();
  for (const { token_id, at } of records) {
    const known = lastUse.get(token_id);
    // ISO 8601 in UTC: the order of texts is that of instants.
    if (known === undefined || known < at) lastUse.set(token_id, at);
  }
  // In the order of ids, so that two processes don't wait for each other.
  const uses = [...lastUse].map(([id, at]) => ({ id, at })).sort((a, b) => (a.id < b.id ? -1 : 1));
  await inTenant(database, tenantId, async (tx) => {
    insertRequests(tx, records);
    touchTokens(tx, uses);
  });
}
