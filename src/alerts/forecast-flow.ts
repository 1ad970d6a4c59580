/** The forecast of a tenant, from the days that were kept and the seats as they are. */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { dayOf, type Forecast, forecast, type SeatDay } from '../licensing/forecast.ts';
import { type PoolSeen, selectPoolSeen } from './alert-store.ts';
import { selectSeatDays } from './seat-day-store.ts';

/** Of one day, with the same seats, it is always the same. */
export function forecastOf(
  tenantId: TenantId,
  { contract, usage }: PoolSeen,
  days: readonly SeatDay[],
  now: Date,
): Forecast {
  const { held, overage, onHold, unmanagedPaid } = usage;
  const taken = held + overage + onHold + unmanagedPaid;
  return forecast({ contract, days, taken, now, seed: `${tenantId} ${dayOf(now)}` });
}

export async function readForecast(database: Database, tenantId: TenantId, now: Date): Promise<Forecast> {
  return await inTenant(database, tenantId, async (tx) => {
    const [seen, days] = await Promise.all([selectPoolSeen(tx), selectSeatDays(tx)]);
    return forecastOf(tenantId, seen, days, now);
  });
}
