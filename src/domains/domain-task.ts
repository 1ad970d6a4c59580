/** Looks once a minute whether it is time to look again at the records of some verified domain. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Clock } from '../kernel/clock.ts';
import type { TextRecords } from './dns-client.ts';
import { checkDueDomains } from './domain-flow.ts';

const intervalMs = 60_000;
const domainsPerLook = 20;

/** A failure is logged and tried again at the next look. */
export function startDomainTask(
  database: Database,
  { clock, textRecords }: { clock: Clock; textRecords: TextRecords },
  log: Logger,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const run = async () => {
    for (;;) {
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      try {
        while (
          (await checkDueDomains(database, textRecords, clock.now(), domainsPerLook)) === domainsPerLook &&
          !stopping.signal.aborted
        );
      } catch (error) {
        log.warn({ err: error }, 'domains could not be looked at');
      }
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
