/** Looks every few seconds whether metadata is due to be fetched again. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Refresh, refreshMetadata } from './metadata-flow.ts';

const intervalMs = 3000;
/** Each takes ten seconds at most, and they are fetched together. */
const fetchedAtOnce = 20;

export function startMetadataTask(of: Omit<Refresh, 'stopping'>, log: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const refresh = { ...of, stopping: stopping.signal };
  const run = async () => {
    while (!stopping.signal.aborted) {
      await refreshMetadata(refresh, fetchedAtOnce).catch((error: unknown) => {
        if (!stopping.signal.aborted) log.warn({ err: error }, 'metadata could not be refreshed');
      });
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
