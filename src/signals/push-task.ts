/** Looks once a second for signals that are due; a slow receiver holds up only its own tenant. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { TenantId } from '../kernel/ids.ts';
import { type PushServices, pushDue } from './push-flow.ts';
import { findDueSignals } from './signal-store.ts';

const intervalMs = 1000;
const tenantsPerLook = 50;

/** A failure of one tenant is logged and tried again at the next look. */
export function startPushTask(services: PushServices): { stop(): Promise<void> } {
  const { database, clock, log } = services;
  const stopping = new AbortController();
  const running = new Map<TenantId, Promise<void>>();
  const push = async (tenant: TenantId) => {
    try {
      await pushDue(services, tenant);
    } catch (err) {
      log.warn({ err, tenant }, 'signals could not be pushed');
    } finally {
      running.delete(tenant);
    }
  };
  const look = async () => {
    for (const tenant of await findDueSignals(database, clock.now(), tenantsPerLook)) {
      if (!running.has(tenant)) running.set(tenant, push(tenant));
    }
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      await look().catch((error) => log.warn({ err: error }, 'signals could not be looked for'));
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const looking = run();
  return {
    stop: async () => {
      stopping.abort();
      await looking;
      await Promise.all(running.values());
    },
  };
}
