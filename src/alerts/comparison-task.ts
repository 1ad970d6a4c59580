/** Looks once a minute whether it is night for some tenant, and its decisions are to be compared. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import { compareDue } from './comparison-flow.ts';

const intervalMs = 60_000;
const tenantsPerLook = 100;

/** A failure is logged, and the tenant has another turn. */
export function startComparisonTask(
  database: Database,
  clock: Clock,
  log: Logger,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const run = async () => {
    for (;;) {
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      await compareDue(database, clock, tenantsPerLook, stopping.signal).catch((error: unknown) => {
        if (!stopping.signal.aborted) log.warn({ err: error }, 'decisions could not be compared');
      });
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
