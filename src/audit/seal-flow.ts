/** Chains the trail: seals of each tenant follow each other, each in a transaction of its own that locks nothing writers need. */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Signer } from '../kernel/signer.ts';
import { sealText } from './audit-seal.ts';
import { insertSeal, selectNextSeal } from './seal-store.ts';

/** Seals what may be sealed of the tenant's trail, by `most` seals at most. Answers how many were made. */
export async function sealTrail(
  database: Database,
  signer: Signer,
  { tenantId, now, most }: { tenantId: TenantId; now: Date; most: number },
): Promise<number> {
  let made = 0;
  while (made < most && (await sealOnce(database, signer, tenantId, now))) made += 1;
  return made;
}

/** Of two gateways that seal the same, the number is the first one's. */
async function sealOnce(database: Database, signer: Signer, tenantId: TenantId, now: Date): Promise<boolean> {
  return await inTenant(database, tenantId, async (tx) => {
    const seal = await selectNextSeal(tx, now);
    return seal !== undefined && (await insertSeal(tx, seal, signer.sign(sealText(tenantId, seal))));
  });
}
