/** Seats in use by the day: what forecasts are made from. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { historyDaysMax, type SeatDay } from '../licensing/forecast.ts';

/** Today is not over, and the first of the history is what the second is compared with. */
const daysRead = historyDaysMax + 2;

/** Sends what is in use on a day, where it differs from what was last written. */
export function writeSeatDay(tx: TenantTransaction, day: string, used: number): void {
  tx.send(sql`
    insert into seat_days (tenant_id, day, used_max, used_last)
    select ${tx.tenantId}, ${day}, greatest(${used}::integer, last.used_last), ${used}::integer
    from (select 1) as one left join (
      select used_last from seat_days where tenant_id = ${tx.tenantId} and day <= ${day} order by day desc limit 1) as last
      on true
    where last.used_last is distinct from ${used}::integer
    on conflict (tenant_id, day) do update
      set used_max = greatest(seat_days.used_max, excluded.used_last), used_last = excluded.used_last
  `);
}

/** The newest days on which it changed, in their order: enough for all the history that counts, and its beginning. */
export async function selectSeatDays(tx: TenantTransaction): Promise<SeatDay[]> {
  const rows = await tx.run(sql<SeatDay>`
    select day, used_last as used from seat_days where tenant_id = ${tx.tenantId} order by day desc limit ${daysRead}
  `);
  return rows.reverse();
}
