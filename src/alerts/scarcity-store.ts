/** Who waits for a seat, and who has one for the longest. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { Scarcity } from './alert-message.ts';

const holdersNamed = 10;
/** Who waits for somebody's approval would not get a seat that is free. */
const isQueued = sql`d.seat = 'waiting' and d.approval is null`;

interface Row {
  id: string;
  userName: string;
  since: Date;
}

export async function selectScarcity(tx: TenantTransaction): Promise<Scarcity> {
  const [[count], [oldestWaiter = null], holders] = await Promise.all([
    tx.run(sql<{ queued: number }>`
      select count(*) as queued from decisions d where d.tenant_id = ${tx.tenantId} and ${isQueued}`),
    tx.run(sql<Row>`
      select u.id, u.user_name as "userName", d.claimed_at as since
      from decisions d join users u on u.tenant_id = d.tenant_id and u.id = d.user_id
      where d.tenant_id = ${tx.tenantId} and ${isQueued} order by d.claimed_at, d.user_id limit 1`),
    tx.run(sql<Row>`
      select u.id, u.user_name as "userName", d.since
      from decisions d join users u on u.tenant_id = d.tenant_id and u.id = d.user_id
      where d.tenant_id = ${tx.tenantId} and d.seat in ('held', 'overage')
      order by d.since, d.user_id limit ${holdersNamed}`),
  ]);
  return { queued: count?.queued ?? 0, oldestWaiter, holders };
}
