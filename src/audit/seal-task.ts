/** Looks once a second which tenants' trails have rows that are not sealed yet. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Services } from '../http/services.ts';
import { sealTrail } from './seal-flow.ts';
import { findUnsealedTenants } from './seal-store.ts';

const intervalMs = 1000;
const tenantsPerPage = 100;
/** Of one tenant and look, so that what a large edit leaves to be sealed slows nobody: the others have their turn, and the rest its own at the next one. */
const sealsPerLook = 8;
const firstTenant = '00000000-0000-0000-0000-000000000000';

/** A failure is logged and tried again at the next look. */
export function startSealTask(
  { database, auditSigner, realClock }: Pick<Services, 'database' | 'auditSigner' | 'realClock'>,
  log: Logger,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const look = async () => {
    for (let after: string | undefined = firstTenant; after !== undefined; ) {
      const found = await findUnsealedTenants(database, after, tenantsPerPage);
      for (const tenantId of found) {
        if (stopping.signal.aborted) return;
        const work = { tenantId, now: realClock.now(), most: sealsPerLook };
        await sealTrail(database, auditSigner, work).catch((error: unknown) =>
          log.warn({ err: error, tenant: tenantId }, 'a trail could not be sealed'),
        );
      }
      after = found.length === tenantsPerPage ? found.at(-1) : undefined;
    }
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      await look().catch((error: unknown) => log.warn({ err: error }, 'trails could not be looked at'));
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
