/**
 * Compares each tenant's decisions, once a night, with what deciding again gives. It mends nothing: a difference is a mistake of
 * ours, of which an alert tells.
 */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { Clock } from '../kernel/clock.ts';
import type { TenantId } from '../kernel/ids.ts';
import { type Comparison, nextComparison } from '../licensing/alert.ts';
import { termsAt } from '../licensing/contract.ts';
import { excessSinceOf } from '../licensing/excess.ts';
import { readPool, setDue } from '../provisioning/pool-store.ts';
import { type Verification, verifySeats } from '../provisioning/verify-flow.ts';
import { claimComparison, findDueComparisons, writeComparison } from './comparison-store.ts';

const retryMs = 60 * 60_000;
/** Differing people that are counted. */
const countedMax = 10_000;

/**
 * Compares the tenants whose time has come, one after the other; one that failed has another turn in an hour.
 *
 * @param signal Aborted when the process is about to end.
 * @throws AggregateError of the tenants for which it failed, after the others were compared.
 */
export async function compareDue(
  database: Database,
  clock: Clock,
  most: number,
  signal?: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  for (const tenantId of await findDueComparisons(database, clock.now(), most)) {
    if (signal?.aborted) return;
    await compareTenant(database, tenantId, clock, signal).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} tenants were not compared`);
}

/**
 * While a large edit is under way most differ, and when a date has come those whom it concerns, until it is looked at: then it is
 * left to the next turn.
 */
async function compareTenant(
  database: Database,
  tenantId: TenantId,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  const now = clock.now();
  const retryAt = new Date(now.getTime() + retryMs);
  const isOurs = await inTenant(database, tenantId, async (tx) => {
    const [claimed, pool] = await Promise.all([claimComparison(tx, now, retryAt), readPool(tx)]);
    const isBehind = pool.dueAt !== null && pool.dueAt <= now;
    // During a rolling update a process that knows nothing of such seats may have written last.
    const { excessSince, contract, usage } = pool;
    const isForgotten =
      excessSince === null && excessSinceOf(pool, termsAt(contract, now), usage, now) !== null;
    if (claimed && isForgotten) setDue(tx, now);
    return claimed && !pool.evaluating && !isBehind && !isForgotten;
  });
  if (!isOurs) return;
  const found = await compare((at) => verifySeats(database, tenantId, at, countedMax, signal), now, clock);
  await inTenant(database, tenantId, async (tx) => {
    if ((await readPool(tx)).evaluating) return;
    const done = clock.now();
    writeComparison(tx, found, done, nextComparison(tenantId, done));
  });
}

/** What was written meanwhile may differ once, and does not when it is looked at again. @param now Nothing is due then. */
async function compare(
  verify: (at: Date) => Promise<Verification>,
  now: Date,
  clock: Clock,
): Promise<Comparison> {
  const first = await verify(now);
  if (first.differing.length === 0 && miscountedIn(first) === 0) return { differing: 0, miscounted: 0 };
  const again = await verify(clock.now());
  const known = new Set(first.differing);
  return {
    differing: again.differing.filter((id) => known.has(id)).length,
    miscounted: Math.min(miscountedIn(first), miscountedIn(again)),
  };
}

function miscountedIn({ counted, found, subPools }: Verification): number {
  const isOff =
    counted.held !== found.held || counted.overage !== found.overage || counted.onHold !== found.onHold;
  return subPools.length + (isOff ? 1 : 0);
}
