/** What time alone brings about: dates of contracts and mappings, ends of pins, holds and grace, and of batches of claims. */

import { sql } from 'kysely';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { nextChange, termsAt } from '../licensing/contract.ts';
import { isEnding } from '../licensing/effect.ts';
import { type Excess, excessOf, noExcess } from '../licensing/excess.ts';
import { excessUntil } from '../licensing/overage.ts';
import type { Affected } from './affected.ts';
import { decide } from './decide-flow.ts';
import { activateDue } from './draft-activation-flow.ts';
import { affectedByTerms, dueBy } from './due.ts';
import { isAnyDiffering } from './evaluate-flow.ts';
import type { Pool } from './pool.ts';
import { lockPool, readPool } from './pool-store.ts';
import { evaluateRest } from './rest-flow.ts';

/**
 * Tenants for whom an instant has come: they are settled. Answers how many there were.
 *
 * @param most Tenants.
 * @throws AggregateError of the tenants for which it failed, after the others were settled.
 */
export async function settleDue(
  database: Database,
  now: Date,
  most: number,
  options: Pick<Door, 'peoplePerDecision'> = {},
): Promise<number> {
  const due = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_due_pools(${now}, ${most})`,
  );
  const failures: unknown[] = [];
  for (const { tenant_id: tenantId } of due) {
    const door: Door = {
      tenantId,
      actor: { kind: 'system', rule: 'time' },
      now,
      requestId: null,
      ...options,
    };
    await settleTenant(database, door).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) {
    throw new AggregateError(failures, `${failures.length} of ${due.length} tenants could not be settled`);
  }
  return due.length;
}

/** Each part of what is due is a transaction; it ends when nothing is due any more. */
async function settleTenant(database: Database, door: Door): Promise<void> {
  await evaluateRest(database, door);
  for (let now: Date | undefined; now !== door.now; ) {
    const last = now;
    now = await inTenant(database, door.tenantId, async (tx) => stepOf(await readPool(tx), door.now, last));
    const step = { ...door, now };
    while (await activateDue(database, step));
    const isPast = now < door.now;
    while (await inTenant(database, door.tenantId, (tx) => settleOnce(tx, step, isPast)));
  }
}

/**
 * Up to when all that is due is done as of one time: until the contract comes to say something else, so that after a downtime seats
 * that came free while it gave some are given by it (I24).
 */
function stepOf({ contract, dueAt, settledAt }: Pool, now: Date, last: Date | undefined): Date {
  if (dueAt === null) return now;
  // Never before a time as of which it was decided already, and from the change on that ended the last step.
  const from = new Date(
    Math.max(dueAt.getTime(), settledAt.getTime(), last === undefined ? 0 : last.getTime() + 1),
  );
  const change = nextChange(contract, from);
  return change === undefined || now < change ? now : new Date(change.getTime() - 1);
}

/**
 * What is due first, and those above the capacity only once that is done: somebody who gives a seat back at the same instant is
 * one of them. Answers whether there may be more to do: that the capacity fell is known once the first part is written.
 *
 * @param isPast Nobody loses a seat by a capacity that is another one by now.
 */
async function settleOnce(tx: TenantTransaction, door: Door, isPast: boolean): Promise<boolean> {
  const pool = await lockPool(tx);
  if (pool.dueAt === null || pool.dueAt > door.now) return false;
  const excessNow = isPast ? noExcess : excessAt(pool, door.now);
  const excess = pool.settledAt < door.now ? noExcess : excessNow;
  const affected: Affected = { ...affectedByTerms(pool, pool.contract, door.now), ...dueBy(pool, door.now) };
  const isSettling = pool.batch?.settlesAt != null && pool.batch.settlesAt <= door.now;
  const { audit } = await decide(tx, door, pool, affected, { isSettling, excess, isSettled: true });
  appendAudit(tx, door, audit);
  return pool.settledAt < door.now || excessNow.lost + excessNow.lowered > 0;
}

/** Whose time is over, because the capacity fell. */
function excessAt({ contract, usage, excessSince }: Pool, now: Date): Excess {
  const terms = termsAt(contract, now);
  return excessSince === null || now < excessUntil(terms, excessSince) ? noExcess : excessOf(terms, usage);
}

/**
 * Decides for everybody again; where nothing changed, nothing is written. Answers how many decisions changed, of many only whether.
 */
export async function settle(database: Database, door: Door): Promise<number> {
  const everyone = { everyone: true };
  // What was found here is found again by the batches: who reads this answer waits for them anyway.
  const isDiffering = await isAnyDiffering(database, door, everyone);
  const changed = await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    // Also where the time went back: dates that had come are ahead again.
    const isSettled = (pool.dueAt !== null && pool.dueAt <= door.now) || door.now < pool.settledAt;
    const { audit } = await decide(tx, door, pool, isDiffering ? everyone : {}, { isSettled });
    appendAudit(tx, door, audit);
    return audit.length;
  });
  return changed === 0 && isDiffering ? 1 : changed;
}

/** Settles the open batch of claims now, in its order. Answers whether there was one. */
export async function settleBatch(database: Database, door: Door): Promise<boolean> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    // Of one that has ended already the queue is being served.
    if (pool.batch === null || isEnding(pool.batch)) return false;
    const { audit } = await decide(tx, door, pool, {}, { isSettling: true });
    const event = { action: 'seats.batch_settled', subject: null, before: pool.batch };
    appendAudit(tx, door, [event, ...audit]);
    return true;
  });
}
