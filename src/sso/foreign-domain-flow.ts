/** Whoever is made by a login has no address below a domain of another organisation: Blue knows people by their addresses. */

import type { Database } from '../db/database.ts';
import { findDomains } from '../domains/domain-store.ts';
import type { TenantId } from '../kernel/ids.ts';
import { claimedDomains } from './core/convergence.ts';
import type { ExternalIdentity } from './core/identity.ts';
import { Refusal } from './core/refusal.ts';

/** @throws Refusal where another tenant has verified a claim's domain. */
export async function refuseForeign(
  database: Database,
  tenantId: TenantId,
  identity: ExternalIdentity,
): Promise<void> {
  for (const [domain, owner] of await findDomains(database, claimedDomains(identity))) {
    if (owner !== tenantId) {
      throw new Refusal('foreign_domain', `The domain ${domain} of a claim is another organisation's.`);
    }
  }
}
