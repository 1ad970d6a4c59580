/** Looks once a second whether an alert is due anywhere, and whether a tenant's refusals come near what providers bear. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import { guardBlocks } from '../provisioning/block-guard-flow.ts';
import { raiseAlerts } from './alert-flow.ts';

const intervalMs = 1000;
const tenantsPerLook = 100;

/** A failure is logged and tried again at the next look. */
export function startAlertTask(database: Database, clock: Clock, log: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const look = async () => {
    const now = clock.now();
    for (const work of [() => guardBlocks(database, now), () => raiseAlerts(database, now, tenantsPerLook)]) {
      await work().catch((error: unknown) => log.warn({ err: error }, 'alerts could not be looked for'));
    }
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      await look();
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
