/** Those of a large edit who are written while the pool is locked, a few at a time; and whether what was found still counts. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { movedBy } from '../licensing/sub-pool.ts';
import { marksAmong } from './affected-sql.ts';
import { isAnyBatch } from './batch-store.ts';
import { type BatchDone, writeBatch } from './desire-sql.ts';
import type { Person } from './differing.ts';
import { Pace } from './pace-flow.ts';
import { inputsOf } from './plan-audit.ts';
import type { Pool } from './pool.ts';
import { lockPool, writePool } from './pool-store.ts';
import { beginBulk, type EvaluationRequest, isRequested } from './request-sql.ts';
import type { Grounds, Rulings } from './ruling-store.ts';
import { roomForHead, type Sure } from './sure-flow.ts';

export interface Marked {
  userId: UserId;
  keepUntil: Date | null;
}

/** Decides by `plan` for each of at most `limits.peoplePerDecision`; answers the pool as it is then, still to be written. */
export type DecideEach = (
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  marked: readonly Marked[],
) => Promise<Pool>;

/** A large edit as it is carried out. */
export interface Evaluation {
  database: Database;
  door: Door;
  request: EvaluationRequest;
  grounds: Grounds;
  rulings: Rulings;
  /** As of which people were compared. */
  snapshot: string;
  /** Who gets a seat in any case; null: nobody is known to, or any more. */
  sure: Sure | null;
  /** Why what was found no longer counts: there are other rules, or another process has carried it out. */
  end: 'outdated' | 'over' | 'failed' | null;
  /** Who may give a seat back: to be written while the pool is locked. */
  left: Person[];
  /** Whose case is not the common one. */
  others: UserId[];
}

/** Until another process may have written a batch. */
export const busyMs = 50;

/** Whether what was found still counts. */
export async function isStill(tx: TenantTransaction, evaluation: Evaluation, pool: Pool): Promise<boolean> {
  const { request, grounds } = evaluation;
  const isOurs = await isRequested(tx, request.id);
  if (isOurs && pool.revision === grounds.revision && pool.settledAt <= grounds.now) return true;
  evaluation.end = isOurs ? 'outdated' : 'over';
  return false;
}

/** Who claims in an open batch has its time, and may open it. */
export function isCommon({ rules, batch }: Pool): boolean {
  return rules.settlement === 'immediate' && batch === null;
}

/** Who gets a seat in any case still; null from when there is no room for all of them. */
export function sureNow(evaluation: Evaluation, locked: Pool): Sure | null {
  const { sure, grounds } = evaluation;
  if (sure !== null && roomForHead(locked, grounds.terms) < sure.left) evaluation.sure = null;
  return evaluation.sure;
}

/** Those who may give a seat back, a few at a time. */
export function writeLeft(evaluation: Evaluation): Promise<void> {
  const { database, door, request, grounds, rulings, left, others } = evaluation;
  return writeLocked(evaluation, left, async (people) => {
    const { rulings: known, strangers } = await rulings.of(database, door, people);
    return async (tx, pool) => {
      if (!isCommon(pool)) {
        others.push(...people.map(({ userId }) => userId));
        return pool;
      }
      const sure = sureNow(evaluation, pool);
      const done = await writeBatch(tx, door, {
        ...{ rulings: known, rules: pool.rules, keepUntil: request.keepUntil },
        ...{ snapshot: evaluation.snapshot, isLocked: true, sureTo: sure?.to ?? null },
        isAnyUnmanaged: pool.usage.unmanagedPaid > 0,
        inputs: inputsOf(pool, grounds.terms),
      });
      if (sure !== null) sure.left -= done.granted;
      others.push(...done.rest, ...strangers);
      return poolAfter(pool, done);
    };
  });
}

/** Those whose case is not the common one, a few at a time. */
export function writeOthers(evaluation: Evaluation, decideEach: DecideEach): Promise<void> {
  const { door, request, others } = evaluation;
  return writeLocked(evaluation, others, (some) => async (tx, pool) => {
    // Whoever is marked is decided for by the mark; or waits for an administrator to let it happen.
    const known = await marksAmong(tx, some);
    const marked = some
      .filter((userId) => !known.has(userId))
      .map((userId) => ({ userId, keepUntil: request.keepUntil }));
    return await decideEach(tx, door, pool, marked);
  });
}

/** Answers the pool as it is then, still to be written. */
type Write = (tx: TenantTransaction, pool: Pool) => Promise<Pool>;

/** @param prepare What needs no lock; answers what is done under it. */
async function writeLocked<Item>(
  evaluation: Evaluation,
  items: Item[],
  prepare: (some: Item[]) => Write | Promise<Write>,
): Promise<void> {
  const { database, door, grounds } = evaluation;
  const most = door.peoplePerDecision ?? limits.peoplePerDecision;
  const pace = new Pace(Math.min(limits.peoplePerDecision, most));
  while (items.length > 0 && evaluation.end === null) {
    const some = items.splice(0, pace.people);
    const write = await prepare(some);
    let isBusy = false;
    await pace.time(some.length, (locked) =>
      inTenant(database, door.tenantId, async (tx) => {
        beginBulk(tx);
        const [pool, isWriting] = await Promise.all([lockPool(tx), isAnyBatch(tx)]);
        isBusy = isWriting;
        if (isBusy || !(await isStill(tx, evaluation, pool))) return;
        locked();
        const then = await write(tx, pool);
        writePool(tx, pool, { ...then, terms: grounds.terms, isSettled: false }, door.now);
      }),
    );
    if (!isBusy) continue;
    items.push(...some);
    await sleep(busyMs);
  }
}

export function poolAfter(pool: Pool, { granted, released, moved }: BatchDone): Pool {
  const { usage, subPools } = pool;
  return {
    ...pool,
    usage: { ...usage, held: usage.held + granted - released },
    subPools: movedBy(subPools, new Map(Object.entries(moved))),
  };
}
