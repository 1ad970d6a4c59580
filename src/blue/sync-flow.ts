/**
 * One pass over a tenant: take it, read Blue's lists where they are not known or old, carry marked people over, say how it
 * went, give it back. Any step may be lost or repeated: the next pass finds what is left.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { carryDue } from './carry-flow.ts';
import type { Connection } from './connection.ts';
import { BlueTrouble, clientOf } from './connection-client.ts';
import { notConnected } from './connection-flow.ts';
import {
  changeAsHolder,
  LeaseLost,
  noteTrouble,
  retryConnection,
  selectConnection,
} from './connection-store.ts';
import { readBlue } from './drift-flow.ts';
import { type Lease, withLease } from './lease-flow.ts';
import { type BlueServices, Interrupted, type Pass } from './pass-flow.ts';
import { wakeMarks } from './people-store.ts';
import { troubleOf } from './trouble.ts';

/** Blue's lists are read again after this long. */
export const driftMs = 15 * 60 * 1000;
/** Then others have a turn; what is left is found again. */
const passMsMax = 20_000;
/** A wait that Blue asks for and that is longer than this is not waited for here. */
const paceMsMax = 5000;

/** How a pass is ended from outside. */
export interface PassSignals {
  /** Nothing more is begun. */
  ending: AbortSignal;
  /** What is in flight is ended too. */
  abort: AbortSignal;
}

/** Answers `busy` when another worker has the tenant, or it is not connected. @throws whatever is no failure of Blue's. */
export async function syncTenant(
  services: BlueServices,
  tenantId: TenantId,
  { ending, abort }: PassSignals,
): Promise<'done' | 'busy'> {
  const work = async (lease: Lease) => {
    try {
      await runPass(services, tenantId, lease, ending);
    } catch (error) {
      // Both leave everything as it is found by the next worker.
      if (!(error instanceof LeaseLost || error instanceof Interrupted)) throw error;
    }
    return 'done' as const;
  };
  return (await withLease(services.database, tenantId, abort, work)) ?? 'busy';
}

async function runPass(
  services: BlueServices,
  tenantId: TenantId,
  lease: Lease,
  ending: AbortSignal,
): Promise<void> {
  const { database, realClock } = services;
  const started = performance.now();
  let pass: Pass | undefined;
  while (performance.now() - started < passMsMax && !ending.aborted && !lease.signal.aborted) {
    const connection = await inTenant(database, tenantId, selectConnection);
    if (connection === undefined || isResting(connection, realClock.now())) return;
    try {
      // Settings don't change during a pass: whoever writes them takes the lease away.
      pass ??= { services, tenantId, lease, ending, client: clientOf(services, connection, lease.signal) };
      if (needsReading(connection, realClock.now())) await readBlue(pass, connection);
      else if (!(await carryDue(pass, connection))) return await noteRest(pass, connection);
    } catch (error) {
      // Being ended is no failure of Blue's.
      if (lease.signal.aborted) return;
      return await noteFailure(services, tenantId, lease, connection, error, pass === undefined);
    }
    const waitMs = pass.client.pace();
    if (waitMs > paceMsMax) {
      const next = new Date(realClock.now().getTime() + waitMs);
      return await inTenant(database, tenantId, (tx) =>
        changeAsHolder(tx, lease.holder, { next_try_at: next }),
      );
    }
  }
}

/** Nothing is left to do: what was waited for is over. */
async function noteRest({ services, tenantId, lease }: Pass, { state }: Connection): Promise<void> {
  if (state === 'ok') return;
  await inTenant(services.database, tenantId, (tx) =>
    changeAsHolder(tx, lease.holder, { state: 'ok', cause: null, next_try_at: null }),
  );
}

function isResting({ state, nextTryAt }: Connection, now: Date): boolean {
  return state === 'stopped' || (nextTryAt !== null && nextTryAt > now);
}

function needsReading({ readAt, sending, organization }: Connection, now: Date): boolean {
  return readAt === null || organization === null || sending || now.getTime() - readAt.getTime() >= driftMs;
}

async function noteFailure(
  { database, realClock }: BlueServices,
  tenantId: TenantId,
  lease: Lease,
  { failures }: Connection,
  error: unknown,
  isUnopened: boolean,
): Promise<void> {
  if (!isUnopened && !(error instanceof BlueTrouble)) throw error;
  const trouble =
    error instanceof BlueTrouble
      ? troubleOf(error.failure, failures, realClock.now(), Math.random())
      : { state: 'stopped' as const, cause: unreadableSecret, failures: failures + 1, nextTryAt: null };
  await inTenant(database, tenantId, (tx) => noteTrouble(tx, lease.holder, trouble));
}

const unreadableSecret =
  'The token’s secret was stored under another SECRETS_KEY and can’t be read: write tokenSecret again.';

const busyMsMax = 20_000;
const busyPollMs = 50;

/**
 * Runs a pass now, whatever stopped or delayed the tenant; with `drift` Blue's lists are read first. Waits for a worker
 * that has the tenant; after 20 s what was asked for is left to it.
 *
 * @throws Fault `not_found` without a connection.
 */
export async function syncNow(
  services: BlueServices,
  door: Door,
  { drift }: { drift: boolean },
): Promise<void> {
  const { database } = services;
  await inTenant(database, door.tenantId, async (tx) => {
    if ((await selectConnection(tx)) === undefined) throw notConnected();
    retryConnection(tx, drift);
    wakeMarks(tx);
    appendAudit(tx, door, [{ action: 'blue.sync_asked', subject: null, after: { drift } }]);
  });
  await passNow(services, door.tenantId);
}

/** A pass, as soon as no other worker has the tenant; none when that takes too long. */
export async function passNow(services: BlueServices, tenantId: TenantId): Promise<void> {
  const never = new AbortController().signal;
  const signals = { ending: never, abort: never };
  for (const started = performance.now(); performance.now() - started < busyMsMax; await sleep(busyPollMs)) {
    if ((await syncTenant(services, tenantId, signals)) === 'done') return;
  }
}
