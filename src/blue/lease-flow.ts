/**
 * The lease of a tenant: while a worker has it, no other process works on the tenant. It is kept alive in the background;
 * when that fails in time, requests in flight are ended before the lease runs out, so that two workers never send at once.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import type { TenantId } from '../kernel/ids.ts';
import { releaseLease, renewLease, takeLease } from './connection-store.ts';

export interface Lease {
  holder: string;
  /** Aborted when the lease is lost, or the caller's signal is: nothing may be sent any more. */
  signal: AbortSignal;
}

/** A worker that dies keeps a tenant this long. */
const leaseMs = 20_000;
const renewMs = 5000;
/** Without a renewal for this long the worker gives up, well before the lease ends. */
const giveUpMs = 13_000;

/** Works while the tenant is ours. Answers null when another worker has it. */
export async function withLease<T>(
  database: Database,
  tenantId: TenantId,
  signal: AbortSignal,
  work: (lease: Lease) => Promise<T>,
): Promise<T | null> {
  const holder = randomUUID();
  if (!(await takeLease(database, tenantId, holder, leaseMs))) return null;
  const lost = new AbortController();
  const ended = new AbortController();
  const lease = { holder, signal: AbortSignal.any([signal, lost.signal]) };
  const working = (async () => {
    try {
      return await work(lease);
    } finally {
      ended.abort();
    }
  })();
  try {
    const [result] = await Promise.all([working, keep(database, tenantId, holder, ended.signal, lost)]);
    return result;
  } finally {
    await releaseLease(database, tenantId, holder);
  }
}

async function keep(
  database: Database,
  tenantId: TenantId,
  holder: string,
  ended: AbortSignal,
  lost: AbortController,
): Promise<void> {
  // Runs by itself: a renewal may hang for as long as the database does.
  const watch = setTimeout(() => lost.abort(), giveUpMs);
  while (!ended.aborted && !lost.signal.aborted) {
    await sleep(renewMs, undefined, { signal: ended }).catch(() => {});
    if (ended.aborted) break;
    try {
      if (await renewLease(database, tenantId, holder, leaseMs)) watch.refresh();
      else lost.abort();
    } catch {
      // The database may be back in a moment: the watch says how long that may take.
    }
  }
  clearTimeout(watch);
}
