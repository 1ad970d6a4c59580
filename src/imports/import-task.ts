/** Looks once a second for imports of which rows are to be carried out. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import { carryOutImports } from './import-flow.ts';

const intervalMs = 1000;

/** A failure is logged and tried again at the next look. */
export function startImportTask(
  database: Database,
  { clock, nudge }: { clock: Clock; nudge: () => void },
  log: Logger,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async () => {
    while (!signal.aborted) {
      try {
        const carried = await carryOutImports(
          database,
          () => clock.now(),
          () => signal.aborted,
        );
        if (carried > 0) nudge();
      } catch (error) {
        log.warn({ err: error }, 'imports could not be carried out');
      }
      await sleep(intervalMs, undefined, { signal }).catch(() => {});
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
