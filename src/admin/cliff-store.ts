/** Who would lose a seat, in the order in which a smaller contract takes them. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { Shares } from '../licensing/sub-pool.ts';
import { isBorrowed } from '../provisioning/share-store.ts';
import { excessOrder, excessSource } from '../provisioning/standing-store.ts';

export interface Loser {
  id: string;
  userName: string;
  displayName: string | null;
  seat: 'held' | 'overage';
  /** 0: a pin. */
  priority: number;
  claimedAt: Date;
}

/** @param shares As they would be then: who borrows goes first. */
export async function selectLosers(tx: TenantTransaction, shares: Shares, most: number): Promise<Loser[]> {
  if (most === 0) return [];
  return await tx.run(sql<Loser>`
    select u.id, u.user_name as "userName", u.display_name as "displayName", d.seat, d.priority,
      d.claimed_at as "claimedAt"
    from ${excessSource}
    where d.tenant_id = ${tx.tenantId} and d.seat in ('held', 'overage')
    order by ${excessOrder(isBorrowed(tx, shares))} limit ${most}
  `);
}
