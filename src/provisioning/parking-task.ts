/** Looks every few seconds whether somebody has arrived for whom a group waits. */

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import type { TenantId } from '../kernel/ids.ts';
import { joinByRule } from './parking-flow.ts';

const intervalMs = 5000;
const tenantsPerPage = 1000;
const firstId = '00000000-0000-0000-0000-000000000000';

/** A failure of one tenant is logged and tried again at the next look. */
export function startParkingTask(database: Database, clock: Clock, log: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const look = async () => {
    let after: string = firstId;
    for (let isLast = false; !isLast; ) {
      const rows = await database.run(
        sql<{
          tenant_id: TenantId;
        }>`select tenant_id from find_parking_tenants(${after}::uuid, ${tenantsPerPage})`,
      );
      for (const { tenant_id: tenantId } of rows) {
        if (stopping.signal.aborted) return;
        await joinByRule(database, tenantId, clock.now()).catch((error) => {
          log.warn({ err: error, tenant: tenantId }, 'who waits for a group could not be looked at');
        });
      }
      after = rows.at(-1)?.tenant_id ?? after;
      isLast = rows.length < tenantsPerPage;
    }
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      await look().catch((error) => log.warn({ err: error }, 'who waits for a group could not be looked at'));
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
