/** Looks once a second for signals that are due. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type PushServices, pushDue } from './push-flow.ts';
import { findDueSignals } from './signal-store.ts';

const intervalMs = 1000;
const tenantsPerLook = 50;

/** A failure of one tenant is logged and tried again at the next look. */
export function startPushTask(services: PushServices): { stop(): Promise<void> } {
  const { database, clock, log } = services;
  const stopping = new AbortController();
  const look = async () => {
    const tenants = await findDueSignals(database, clock.now(), tenantsPerLook);
    await Promise.all(
      tenants.map((tenant) =>
        pushDue(services, tenant).catch((error) =>
          log.warn({ err: error, tenant }, 'signals could not be pushed'),
        ),
      ),
    );
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      await look().catch((error) => log.warn({ err: error }, 'signals could not be looked for'));
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
