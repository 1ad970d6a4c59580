/** Who would lose a seat, in the order in which a smaller contract takes them. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { excessOrder, excessSource } from '../provisioning/decision-store.ts';

export interface Loser {
  id: string;
  userName: string;
  displayName: string | null;
  seat: 'held' | 'overage';
  /** 0: a pin. */
  priority: number;
  claimedAt: Date;
}

export async function selectLosers(tx: TenantTransaction, most: number): Promise<Loser[]> {
  if (most === 0) return [];
  return await tx.run(sql<Loser>`
    select u.id, u.user_name as "userName", u.display_name as "displayName", d.seat, d.priority,
      d.claimed_at as "claimedAt"
    from ${excessSource}
    where d.tenant_id = ${tx.tenantId} and d.seat in ('held', 'overage')
    order by ${excessOrder} limit ${most}
  `);
}
