/** Tells the clients of a tenant what is over. Whoever does not listen is tried again for about an hour, and then given up. */

import { randomUUID } from 'node:crypto';
import type { Dispatcher } from 'undici';
import { appendAudit } from '../../audit/audit-store.ts';
import type { Database } from '../../db/database.ts';
import { inTenant } from '../../db/tenant-transaction.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { SecretBox } from '../../kernel/secret-box.ts';
import { issuerOf } from './issuer.ts';
import { readKeyRing } from './key-flow.ts';
import { postLogoutToken, signLogoutToken } from './logout-client.ts';
import { deleteLogout, deleteUnwantedLogouts, type Logout, takeLogouts } from './logout-store.ts';

export interface LogoutServices {
  database: Database;
  clock: Clock;
  realClock: Clock;
  secrets: SecretBox;
  publicUrl: string;
  blueAgent: Dispatcher;
}

export interface ToldLogout {
  logout: Logout;
  /** undefined: it is told. */
  problem: string | undefined;
  isGivenUp: boolean;
}

/** Those that are due, as many as are told at a time. */
export async function tellLogouts(services: LogoutServices, tenantId: TenantId): Promise<ToldLogout[]> {
  const { database, realClock, secrets } = services;
  const logouts = await inTenant(database, tenantId, async (tx) => {
    deleteUnwantedLogouts(tx);
    return await takeLogouts(tx, limits.openIdLogoutsAtOnceMax);
  });
  if (logouts.length === 0) return [];
  const { signing } = await readKeyRing(database, secrets, realClock.now());
  const outcomes = await Promise.all(
    logouts.map(async (logout) => ({ logout, problem: await tell(services, signing[0], logout) })),
  );
  await Promise.all(outcomes.map((outcome) => settle(services, tenantId, outcome)));
  return outcomes.map((outcome) => ({ ...outcome, isGivenUp: isLast(outcome.logout) }));
}

function isLast({ tries }: Logout): boolean {
  return tries >= limits.openIdLogoutTriesMax;
}

async function tell(
  { realClock, publicUrl, blueAgent }: LogoutServices,
  key: Parameters<typeof signLogoutToken>[1],
  { uri, clientId, userId, sid }: Logout,
): Promise<string | undefined> {
  const notice = { issuer: issuerOf(publicUrl), jti: randomUUID(), now: realClock.now() };
  const token = await signLogoutToken({ ...notice, clientId, userId, sid }, key);
  return await postLogoutToken(uri, token, { dispatcher: blueAgent, msMax: limits.openIdLogoutMsMax });
}

async function settle(
  { database, clock }: LogoutServices,
  tenantId: TenantId,
  { logout, problem }: { logout: Logout; problem: string | undefined },
): Promise<void> {
  if (problem !== undefined && !isLast(logout)) return;
  const { id, clientId, userId, tries } = logout;
  await inTenant(database, tenantId, async (tx) => {
    deleteLogout(tx, id);
    if (problem === undefined) return;
    const door = { tenantId, actor: { kind: 'system', rule: 'back-channel logout' } as const };
    const event = { action: 'logout.undelivered', subject: userId, after: { clientId, problem, tries } };
    appendAudit(tx, { ...door, now: clock.now(), requestId: null }, [event]);
  });
}
