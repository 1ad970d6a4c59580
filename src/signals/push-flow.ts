/**
 * Pushes the signals of one tenant that are due. Claimed first, in a transaction of its own, so that several gateways push each
 * once; one that dies in between leaves it to be pushed again, under the same jti.
 */

import type { Logger } from 'pino';
import type { Dispatcher } from 'undici';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Clock } from '../kernel/clock.ts';
import type { TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import type { PrivateJwk } from '../sso/op/key.ts';
import { readKeyRing } from '../sso/op/key-flow.ts';
import { pushToken } from './push-client.ts';
import { claimsOf } from './security-event.ts';
import { claimDueSignals, type DueSignal, deferSignal, deleteSignals } from './signal-store.ts';
import { signSecurityEvent } from './token-client.ts';

export interface PushServices {
  database: Database;
  clock: Clock;
  realClock: Clock;
  secrets: SecretBox;
  publicUrl: string;
  blueAgent: Dispatcher;
  log: Logger;
}

/** Longer than a push takes. */
const claimedMs = 60_000;
const atOnce = 20;

/** Answers how many were claimed. */
export async function pushDue(services: PushServices, tenantId: TenantId): Promise<number> {
  const at = services.clock.now();
  const again = new Date(at.getTime() + claimedMs);
  const due = await inTenant(services.database, tenantId, (tx) =>
    claimDueSignals(tx, { at, again, most: atOnce }),
  );
  if (due.length === 0) return 0;
  const { signing } = await readKeyRing(services.database, services.secrets, services.realClock.now());
  await Promise.all(due.map((signal) => push(services, tenantId, signal, signing[0])));
  return due.length;
}

async function push(
  services: PushServices,
  tenantId: TenantId,
  signal: DueSignal,
  key: PrivateJwk,
): Promise<void> {
  const { database, secrets, publicUrl, clock, log } = services;
  const parties = { issuer: publicUrl, audience: signal.audience, subjects: `${publicUrl}/oidc` };
  const claims = claimsOf(signal, { ...parties, now: services.realClock.now() });
  const token = await signSecurityEvent(claims, key);
  const header = signal.authorizationHeader;
  const pushed = await pushToken(services.blueAgent, {
    ...{ url: signal.endpointUrl, token },
    authorization: header === null ? null : secrets.open(header),
  });
  const about = { tenant: tenantId, stream: signal.streamId, signal: signal.id, attempts: signal.attempts };
  if (pushed.kind === 'refused')
    log.warn({ ...about, problem: pushed.problem }, 'a signal was refused, and is given up');
  if (pushed.kind === 'failed')
    log.info({ ...about, problem: pushed.problem }, 'a signal could not be pushed');
  await inTenant(database, tenantId, async (tx) => {
    if (pushed.kind === 'failed')
      deferSignal(tx, signal, new Date(clock.now().getTime() + restMs(signal.attempts)));
    else deleteSignals(tx, signal.streamId, [signal.id]);
  });
}

/** Two seconds after the first attempt, twice as long after each, a quarter of an hour at most. */
function restMs(attempts: number): number {
  return Math.min(limits.signalRestMsMax, 1000 * 2 ** Math.min(attempts, 20));
}
