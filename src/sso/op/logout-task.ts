/** Looks a few times a second whether clients are to be told of logouts; a slow client holds up only its own tenant. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TenantId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import { type LogoutServices, type ToldLogout, tellLogouts } from './logout-flow.ts';
import { findLogoutWork } from './logout-store.ts';

const intervalMs = 250;

/** A failure is logged and tried again. */
export function startLogoutTask(services: LogoutServices, log: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = new Map<TenantId, Promise<void>>();
  const report = (tenant: TenantId, { logout, problem, isGivenUp }: ToldLogout) => {
    if (problem === undefined) return;
    const { clientId: client, tries } = logout;
    const text = isGivenUp ? 'a client was never told of a logout' : 'a client was not told of a logout';
    log[isGivenUp ? 'error' : 'warn']({ tenant, client, tries, problem }, text);
  };
  const tell = async (tenant: TenantId) => {
    try {
      while (!stopping.signal.aborted) {
        const told = await tellLogouts(services, tenant);
        for (const one of told) report(tenant, one);
        if (told.length === 0) break;
      }
    } catch (err) {
      log.warn({ err, tenant }, 'clients could not be told of logouts');
    } finally {
      running.delete(tenant);
    }
  };
  const look = async () => {
    for (const tenant of await findLogoutWork(services.database, limits.openIdLogoutsAtOnceMax)) {
      if (!running.has(tenant)) running.set(tenant, tell(tenant));
    }
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      await look().catch((err: unknown) => log.warn({ err }, 'no look for logouts to tell'));
      await sleep(intervalMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };
  const looping = loop();
  return {
    stop: async () => {
      stopping.abort();
      await looping;
      await Promise.all(running.values());
    },
  };
}
