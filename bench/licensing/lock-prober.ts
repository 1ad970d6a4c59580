/** How long others hold a tenant's pool lock: what somebody who asks for it again and again has to wait. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { TenantId } from '../../src/kernel/ids.ts';
import { quantile } from '../figure.ts';

export interface Probing {
  url: string;
  tenantId: TenantId;
}

export interface Probed {
  longestMs: number;
  /** What asking costs while nobody holds it. */
  medianMs: number;
  probes: number;
}

export interface LockProber {
  /** Ends when the probe that is under way has its lock. */
  stop(): Promise<Probed>;
}

export async function startLockProber(probing: Probing, ending: AsyncDisposableStack): Promise<LockProber> {
  const worker = new Worker(new URL('./lock-prober-worker.ts', import.meta.url), { workerData: probing });
  ending.defer(async () => {
    await worker.terminate();
  });
  await once(worker, 'message');
  return {
    stop: async () => {
      const answer = once(worker, 'message');
      worker.postMessage('stop');
      const [waitsMs]: number[][] = await answer;
      const waits = waitsMs ?? [];
      return { longestMs: Math.max(...waits), medianMs: quantile(waits, 0.5), probes: waits.length };
    },
  };
}
