/**
 * The worker: looks for tenants with work and carries many of them into Blue at a time, each on its own, so that a dead or
 * slow one delays only itself.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { findBlueWork } from './connection-store.ts';
import type { BlueServices } from './pass-flow.ts';
import { restTenant } from './rest-flow.ts';
import { driftMs, type PassSignals, syncTenant } from './sync-flow.ts';

const intervalMs = 250;
/** While stopping, requests in flight have this long to be answered. */
const graceMs = 3000;

export interface SyncTask {
  /** Somebody was marked: look now. */
  nudge(): void;
  /** Finishes the request in flight, within a few seconds; what is left is found by the next worker. */
  stop(): Promise<void>;
}

export function startSyncTask(deps: BlueServices & { log: Logger }): SyncTask {
  const { log, database, realClock } = deps;
  const [ending, abort] = [new AbortController(), new AbortController()];
  const signals: PassSignals = { ending: ending.signal, abort: abort.signal };
  const running = new Map<TenantId, Promise<void>>();
  let wake = new AbortController();

  const work = async (tenantId: TenantId) => {
    try {
      await syncTenant(deps, tenantId, signals);
    } catch (err) {
      log.error({ err, tenant: tenantId }, 'a tenant could not be carried into Blue');
      await restTenant(database, tenantId, realClock.now()).catch(() => {});
    } finally {
      running.delete(tenantId);
    }
  };
  const look = async () => {
    const room = limits.blueTenantsAtOnceMax - running.size;
    if (room <= 0) return;
    const now = realClock.now();
    const found = await findBlueWork(database, now, new Date(now.getTime() - driftMs), room);
    for (const tenantId of found) if (!running.has(tenantId)) running.set(tenantId, work(tenantId));
  };
  const loop = async () => {
    while (!ending.signal.aborted) {
      wake = new AbortController();
      await look().catch((err) => log.warn({ err }, 'no look for work in Blue'));
      const signal = AbortSignal.any([ending.signal, wake.signal]);
      await sleep(intervalMs, undefined, { signal }).catch(() => {});
    }
  };
  const looping = loop();
  return {
    nudge: () => wake.abort(),
    stop: async () => {
      ending.abort();
      const timer = setTimeout(() => abort.abort(), graceMs);
      await looping;
      await Promise.all(running.values());
      clearTimeout(timer);
    },
  };
}
