/** Looks once a second whether an alert is due anywhere, and sometimes whether refusals come near what providers bear. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import { guardBlocks } from '../provisioning/block-guard-flow.ts';
import { raiseAlerts } from './alert-flow.ts';

const intervalMs = 1000;
const tenantsPerLook = 100;
/** Where refusals are many, writes have to be counted: that is not done at every look. */
const guardedEvery = 5;

/** A failure is logged and tried again at the next look. */
export function startAlertTask(database: Database, clock: Clock, log: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const attempt = (work: Promise<unknown>) =>
    work.catch((error: unknown) => log.warn({ err: error }, 'alerts could not be looked for'));
  const run = async () => {
    for (let looks = 0; !stopping.signal.aborted; looks += 1) {
      const now = clock.now();
      if (looks % guardedEvery === 0) await attempt(guardBlocks(database, now));
      await attempt(raiseAlerts(database, now, tenantsPerLook));
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
