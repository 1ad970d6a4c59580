/**
 * Turns tenants to the newest version of the role catalogue, one after the other: until then a tenant's decisions stand by
 * the version before, whoever is decided for meanwhile.
 */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { changedRoles } from '../licensing/catalogue.ts';
import { waitForAnyBatch } from './batch-store.ts';
import {
  findCatalogueWork,
  markRolesForBlue,
  selectNewestCatalogue,
  writeCatalogueVersion,
} from './catalogue-store.ts';
import { decide } from './decide-flow.ts';
import { lockPool } from './pool-store.ts';

/**
 * Answers how many tenants there were.
 *
 * @throws AggregateError of the tenants for which it failed, after the others were turned.
 */
export async function adoptCatalogue(database: Database, now: Date, most: number): Promise<number> {
  const { version } = await selectNewestCatalogue(database);
  const tenants = await findCatalogueWork(database, version, most);
  const failures: unknown[] = [];
  for (const tenantId of tenants) {
    const door: Door = { tenantId, actor: { kind: 'system', rule: 'catalogue' }, now, requestId: null };
    await adopt(database, door).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) {
    const text = `${failures.length} of ${tenants.length} tenants could not be turned to catalogue ${version}`;
    throw new AggregateError(failures, text);
  }
  return tenants.length;
}

/** Whoever asks for a role that became paid or free is decided for; whoever has one that is another in Blue is carried there. */
async function adopt(database: Database, door: Door): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    const newest = await selectNewestCatalogue(tx);
    const { catalogue: before } = pool.rules;
    // Another process was here first.
    if (before.version >= newest.version) return;
    const { billing, level } = changedRoles(before, newest);
    writeCatalogueVersion(tx, newest.version);
    const rules = { ...pool.rules, catalogue: newest };
    const { audit } = await decide(tx, door, { ...pool, rules }, { roles: billing });
    const changed = [...new Set([...billing, ...level])];
    if (changed.length > 0) {
      await waitForAnyBatch(tx);
      markRolesForBlue(tx, changed, door.now);
    }
    const event = {
      action: 'catalogue.adopted',
      subject: null,
      before: { version: before.version },
      after: { version: newest.version, billing, level },
    };
    appendAudit(tx, door, [event, ...audit]);
  });
}
