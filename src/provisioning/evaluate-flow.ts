/**
 * Decides for many people: who differs is found without a lock, and decided for in batches so small that nobody waits long for
 * the pool. A seat gets by it whoever gets one in any case; the queue is served when everybody has been decided for.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import { limits } from '../kernel/limits.ts';
import { termsAt } from '../licensing/contract.ts';
import type { Affected } from './affected.ts';
import { termsPrints } from './basis.ts';
import { type Claim, claimBatch, type Range, releaseBatch } from './batch-store.ts';
import { currentSnapshot, middleId, selectDiffering } from './compare-sql.ts';
import { writeBatch } from './desire-sql.ts';
import { type Person, partsOf } from './differing.ts';
import {
  busyMs,
  type DecideEach,
  type Evaluation,
  isCommon,
  isStill,
  poolAfter,
  sureNow,
  writeLeft,
  writeOthers,
} from './evaluate-locked-flow.ts';
import { inputsOf, termsInputs } from './plan-audit.ts';
import type { Pool } from './pool.ts';
import { lockPool, lockPoolRow, readPool, writePool } from './pool-store.ts';
import { beginBulk, deleteRequest, type EvaluationRequest, firstRequest } from './request-sql.ts';
import { type Grounds, Rulings } from './ruling-store.ts';
import { findSure } from './sure-flow.ts';

/** Carries out all large edits that wait, the oldest first. Another process may do the same at the same time. */
export async function evaluateRequests(
  database: Database,
  door: Door,
  decideEach: DecideEach,
): Promise<void> {
  for (;;) {
    const request = await inTenant(database, door.tenantId, firstRequest);
    if (request === undefined) return;
    await evaluateRequest(database, door, request, decideEach);
    await inTenant(database, door.tenantId, async (tx) => deleteRequest(tx, request.id));
  }
}

/** Nobody is decided for as of a time before that to which dates have been looked at: whoever carries out an edit may be another. */
export function notBefore(door: Door, { settledAt }: Pick<Pool, 'settledAt'>): Door {
  return settledAt > door.now ? { ...door, now: settledAt } : door;
}

/** Whether the decision of any of them is not what it should be. */
export async function isAnyDiffering(database: Database, door: Door, affected: Affected): Promise<boolean> {
  return (await compare(database, door, affected, () => door.now)).people.length > 0;
}

/** A few more than are decided for at once are compared as fast by one. */
const manyTimes = 4;

/** What they answer, when all have ended. @throws what the first of them failed with. */
async function allOf<T>(works: readonly Promise<T>[]): Promise<T[]> {
  const ends = await Promise.allSettled(works);
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}

interface Compared {
  grounds: Grounds;
  /** Packed as differing.ts reads them. */
  people: Buffer[];
  /** What was committed when the comparison began (pg_snapshot). */
  snapshot: string;
}

/** In two halves at once, where the people are many. @param nowOf As of when. */
async function compare(
  database: Database,
  { tenantId, peoplePerDecision = limits.peoplePerDecision }: Door,
  affected: Affected,
  nowOf: (pool: Pool) => Date,
): Promise<Compared> {
  const { grounds, snapshot, middle } = await inTenant(database, tenantId, async (tx) => {
    const pool = await readPool(tx);
    // Behind the rules, and before any of the people is read: whoever is decided for after it may have been looked at half before
    // and half after.
    const [known, half] = await Promise.all([
      currentSnapshot(tx),
      middleId(tx, affected, peoplePerDecision * manyTimes),
    ]);
    return { grounds: groundsAt(pool, nowOf(pool)), snapshot: known, middle: half };
  });
  const parts = middle === undefined ? [{}] : [{ to: middle }, { from: middle }];
  const halves = await allOf(
    parts.map((part) => inTenant(database, tenantId, (tx) => selectDiffering(tx, affected, grounds, part))),
  );
  return { grounds, people: halves.flat(), snapshot };
}

/** What is decided by at that time. */
export function groundsAt({ revision, rules, subPools, contract }: Pool, now: Date): Grounds {
  const terms = termsAt(contract, now);
  return { revision, rules, subPools, terms, prints: termsPrints(terms), now };
}

/** Under other rules than those it began with it begins again. */
async function evaluateRequest(
  database: Database,
  door: Door,
  request: EvaluationRequest,
  decideEach: DecideEach,
): Promise<void> {
  while ((await evaluateOnce(database, door, request, decideEach)) === 'outdated');
}

async function evaluateOnce(
  database: Database,
  door: Door,
  request: EvaluationRequest,
  decideEach: DecideEach,
): Promise<Evaluation['end']> {
  const { grounds, people, snapshot } = await compare(
    ...([database, door, request.affected] as const),
    (pool) => notBefore(door, pool).now,
  );
  const evaluation: Evaluation = {
    ...{ database, request, grounds, rulings: new Rulings(grounds), snapshot },
    sure: await findSure(database, door, { request, grounds, people }),
    door: { ...door, now: grounds.now },
    ...{ end: null, left: [], others: [] },
  };
  const most = Math.min(peoplePerBatch, door.peoplePerDecision ?? peoplePerBatch);
  await writeAllParts(evaluation, partsOf(people, most, evaluation.others));
  await writeLeft(evaluation);
  await writeOthers(evaluation, decideEach);
  return evaluation.end;
}

/** So many batches are under way at a time: one is written while the other is prepared. */
const lanes = 2;
/** Half as many cost a tenth more each: what a batch costs by itself, and what is decided for people who are alike. */
const peoplePerBatch = 2000;

/** @throws what the first lane fails with, when the others have ended too. */
async function writeAllParts(evaluation: Evaluation, parts: Iterator<Person[]>): Promise<void> {
  await allOf(
    Array.from({ length: lanes }, () =>
      writeParts(evaluation, parts).catch((error) => {
        evaluation.end ??= 'failed';
        throw error;
      }),
    ),
  );
}

async function writeParts(evaluation: Evaluation, parts: Iterator<Person[]>): Promise<void> {
  while (evaluation.end === null) {
    const next = parts.next();
    if (next.done) return;
    await writePart(evaluation, next.value);
  }
}

/** Thrown to undo a batch. */
class Undone extends Error {}

async function writePart(evaluation: Evaluation, people: Person[]): Promise<void> {
  const range = rangeOf(people);
  const claimed = await claim(evaluation, range);
  if (claimed === undefined) return;
  try {
    evaluation.left.push(...(await writeUnlocked(evaluation, { people, ...claimed })));
  } catch (error) {
    // One that can't be given back is over in a while.
    await giveBack(evaluation, claimed.claim).catch(() => {});
    if (!(error instanceof Undone)) throw error;
    evaluation.left.push(...people);
  }
}

interface Claimed {
  /** As it was when they were claimed. */
  pool: Pool;
  claim: Claim;
}

interface Part extends Claimed {
  people: readonly Person[];
}

/** Of whoever gives no seat back by it; answers the others. @throws Undone when what it rests on has changed meanwhile. */
async function writeUnlocked(evaluation: Evaluation, { people, pool, claim: ours }: Part): Promise<Person[]> {
  const { database, door, request, grounds, sure } = evaluation;
  const { terms } = grounds;
  if (!isCommon(pool)) throw new Undone();
  const { rulings: known, strangers } = await evaluation.rulings.of(database, door, people);
  return await inTenant(database, door.tenantId, async (tx) => {
    beginBulk(tx);
    const done = await writeBatch(tx, door, {
      ...{ rulings: known, rules: pool.rules, keepUntil: request.keepUntil },
      ...{ snapshot: evaluation.snapshot, isLocked: false, sureTo: sure?.to ?? null },
      isAnyUnmanaged: pool.usage.unmanagedPaid > 0,
      // Where no seat is given, how many are used is nothing that a decision is made from, and changes meanwhile.
      inputs: sure === null ? termsInputs(terms) : inputsOf(sure.pool, terms),
    });
    const [locked, isOurs] = await Promise.all([lockPool(tx), releaseBatch(tx, ours)]);
    if (!(await isStill(tx, evaluation, locked)) || !isOurs || !isCommon(locked)) throw new Undone();
    if (sure !== null && done.granted > 0) {
      if (sureNow(evaluation, locked) !== sure) throw new Undone();
      writePool(tx, locked, { ...poolAfter(locked, done), terms, isSettled: false }, door.now);
      sure.left -= done.granted;
    }
    const ids = new Set([...done.rest, ...strangers]);
    return people.filter(({ userId }) => ids.has(userId));
  });
}

function rangeOf(people: readonly Person[]): Range {
  const [first, last] = [people[0]?.userId, people.at(-1)?.userId];
  assert(first !== undefined && last !== undefined, 'a part has people');
  return { first, last };
}

/** undefined: there is nothing to do any more. */
async function claim(evaluation: Evaluation, range: Range): Promise<Claimed | undefined> {
  const { database, door } = evaluation;
  for (; ; await sleep(busyMs)) {
    const claimed = await inTenant(database, door.tenantId, async (tx) => {
      const pool = await lockPool(tx);
      const ours = (await isStill(tx, evaluation, pool)) ? await claimBatch(tx, range) : undefined;
      return ours === undefined ? undefined : { pool, claim: ours };
    });
    if (claimed !== undefined || evaluation.end !== null) return claimed;
  }
}

async function giveBack({ database, door }: Evaluation, ours: Claim): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    await lockPoolRow(tx);
    await releaseBatch(tx, ours);
  });
}
