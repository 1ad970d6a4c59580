/** Looks once a second whether it is time to look at some tenant's seats, and at those that lie idle there. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import { reclaimDue } from './reclaim-flow.ts';

const intervalMs = 1000;
const tenantsPerLook = 100;

/** A failure is logged and tried again at the next look. */
export function startReclaimTask(
  database: Database,
  { clock, realClock }: { clock: Clock; realClock: Clock },
  log: Logger,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const run = async () => {
    while (!stopping.signal.aborted) {
      try {
        await reclaimDue(database, { now: clock.now(), realNow: realClock.now() }, tenantsPerLook);
      } catch (error) {
        log.warn({ err: error }, 'idle seats could not be looked at');
      }
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
