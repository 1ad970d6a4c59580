/** Looks once a second whether a date of some contract has come, or the catalogue is another, and settles those tenants. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import { adoptCatalogue } from './catalogue-adoption-flow.ts';
import { settleDue } from './settle-flow.ts';

const intervalMs = 1000;
const tenantsPerLook = 100;

/** A failure is logged and tried again at the next look. */
export function startContractTask(database: Database, clock: Clock, log: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const run = async () => {
    while (!stopping.signal.aborted) {
      // Each by itself: a tenant for which one fails keeps no other from what is due.
      for (const look of [adoptCatalogue, settleDue]) {
        try {
          await look(database, clock.now(), tenantsPerLook);
        } catch (error) {
          log.warn({ err: error }, 'what is due could not be done for every tenant');
        }
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
