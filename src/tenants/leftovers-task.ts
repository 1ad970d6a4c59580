/** Once a minute clears what has served its time, and looks through some of the tenants for too many recorded calls. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import { listTenants } from './credential-store.ts';
import { clearExcess, clearIssued, clearLeftovers } from './leftovers-flow.ts';

const minuteMs = 60_000;
/** To know whether a tenant has too many, they are counted: a look does so for no more tenants than this. */
const countedPerLook = 100;

/** A failure is logged and tried again at the next look. */
export function startLeftoversTask(
  database: Database,
  { clock, realClock }: { clock: Clock; realClock: Clock },
  log: Logger,
  intervalMs = minuteMs,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let lastSlug = '';
  const isOver = () => stopping.signal.aborted;
  const countSome = async () => {
    const tenants = await listTenants(database, lastSlug, countedPerLook);
    lastSlug = tenants.length < countedPerLook ? '' : (tenants.at(-1)?.slug ?? '');
    for (const { id } of tenants) {
      if (isOver()) return;
      await clearExcess(database, id);
    }
  };
  const run = async () => {
    // Whoever starts and stops at once has nothing to clear.
    while (await pause(intervalMs, stopping.signal)) {
      const works = [
        () => clearLeftovers(database, clock.now(), isOver),
        () => clearIssued(database, realClock.now(), isOver),
        countSome,
      ];
      for (const work of works) {
        await work().catch((error: unknown) => log.warn({ err: error }, 'leftovers could not be cleared'));
      }
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

/** false: it was to stop. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
