/**
 * Decides for many people: who differs is found without a lock, and decided for in batches so small that nobody waits long for
 * the pool. It gives no seat: the queue is served when everybody has been decided for.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, Restart, type TenantTransaction } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { termsAt } from '../licensing/contract.ts';
import { movedBy } from '../licensing/sub-pool.ts';
import type { Affected } from './affected.ts';
import { termsPrints } from './basis.ts';
import { claimBatch, isAnyBatch, type Range, releaseBatch } from './batch-store.ts';
import { selectDiffering } from './compare-sql.ts';
import { type BatchDone, writeBatch } from './desire-sql.ts';
import { type Person, partsOf } from './differing.ts';
import { Pace } from './pace-flow.ts';
import { inputsOf, termsInputs } from './plan-audit.ts';
import type { Pool } from './pool.ts';
import { lockPool, lockPoolRow, readPool, writePool } from './pool-store.ts';
import {
  beginBulk,
  deleteRequest,
  type EvaluationRequest,
  firstRequest,
  isRequested,
} from './request-sql.ts';
import { type Grounds, Rulings } from './ruling-store.ts';

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
export function isAnyDiffering(database: Database, door: Door, affected: Affected): Promise<boolean> {
  return inTenant(database, door.tenantId, async (tx) => {
    const grounds = groundsAt(await readPool(tx), door.now);
    return (await selectDiffering(tx, affected, grounds)).people.length > 0;
  });
}

function groundsAt({ revision, rules, contract }: Pool, now: Date): Grounds {
  const terms = termsAt(contract, now);
  return { revision, rules, terms, prints: termsPrints(terms), now };
}

/** Under other rules than those it began with it begins again. */
async function evaluateRequest(
  database: Database,
  door: Door,
  request: EvaluationRequest,
  decideEach: DecideEach,
): Promise<void> {
  const { grounds, compared } = await inTenant(database, door.tenantId, async (tx) => {
    const pool = await readPool(tx);
    const first = groundsAt(pool, notBefore(door, pool).now);
    return { grounds: first, compared: await selectDiffering(tx, request.affected, first) };
  });
  const evaluation: Evaluation = {
    database,
    door: { ...door, now: grounds.now },
    request,
    grounds,
    snapshot: compared.snapshot,
    end: null,
    left: [],
    others: [],
  };
  const most = Math.min(peoplePerBatch, door.peoplePerDecision ?? peoplePerBatch);
  const parts = partsOf(compared.people, most, evaluation.others);
  await Promise.all(Array.from({ length: lanes }, () => writeParts(evaluation, parts)));
  await writeLeft(evaluation);
  await writeOthers(evaluation, decideEach);
  if (evaluation.end === 'outdated') await evaluateRequest(database, door, request, decideEach);
}

interface Evaluation {
  database: Database;
  door: Door;
  request: EvaluationRequest;
  grounds: Grounds;
  /** As of which people were compared. */
  snapshot: string;
  /** Why what was found no longer counts: there are other rules, or another process has carried it out. */
  end: 'outdated' | 'over' | null;
  /** Who may give a seat back: to be written while the pool is locked. */
  left: Person[];
  /** Whose case is not the common one. */
  others: UserId[];
}

/** So many batches are under way at a time: one is written while the other is prepared. */
const lanes = 2;
const peoplePerBatch = 1000;

async function writeParts(evaluation: Evaluation, parts: Iterator<Person[]>): Promise<void> {
  const rulings = new Rulings(evaluation.grounds);
  while (evaluation.end === null) {
    const next = parts.next();
    if (next.done) return;
    await writePart(evaluation, rulings, next.value);
  }
}

/** Thrown to undo a batch. */
class Undone extends Error {}

async function writePart(evaluation: Evaluation, rulings: Rulings, people: Person[]): Promise<void> {
  const range = rangeOf(people);
  const pool = await claim(evaluation, range);
  if (pool === undefined) return;
  try {
    evaluation.left.push(...(await writeUnlocked(evaluation, rulings, { people, pool, range })));
  } catch (error) {
    await giveBack(evaluation, range);
    if (!(error instanceof Undone)) throw error;
    evaluation.left.push(...people);
  }
}

interface Part {
  people: readonly Person[];
  /** As it was claimed. */
  pool: Pool;
  range: Range;
}

/** Of whoever gives no seat back by it; answers the others. @throws Undone when what it rests on has changed meanwhile. */
async function writeUnlocked(
  evaluation: Evaluation,
  rulings: Rulings,
  { people, pool, range }: Part,
): Promise<Person[]> {
  const { database, door, request, grounds } = evaluation;
  const { terms } = grounds;
  if (!isCommon(pool)) throw new Undone();
  return await inTenant(database, door.tenantId, async (tx) => {
    beginBulk(tx);
    // How many seats are used is nothing that such a decision is made from, and changes meanwhile.
    const { rulings: known, strangers } = await rulings.of(tx, people);
    const { rest } = await writeBatch(tx, door, {
      ...{ rulings: known, rules: pool.rules, keepUntil: request.keepUntil },
      ...{ snapshot: evaluation.snapshot, isLocked: false },
      // How many seats are used is nothing that such a decision is made from, and changes meanwhile.
      inputs: termsInputs(terms),
    });
    const [locked, isOurs] = await Promise.all([lockPool(tx), releaseBatch(tx, range)]);
    if (!(await isStill(tx, evaluation, locked)) || !isOurs || !isCommon(locked)) throw new Undone();
    const ids = new Set([...rest, ...strangers]);
    return people.filter(({ userId }) => ids.has(userId));
  });
}

/** Who claims in an open batch has its time, and may open it. */
function isCommon({ rules, batch }: Pool): boolean {
  return rules.settlement === 'immediate' && batch === null;
}

function rangeOf(people: readonly Person[]): Range {
  const [first, last] = [people[0]?.userId, people.at(-1)?.userId];
  assert(first !== undefined && last !== undefined, 'a part has people');
  return { first, last };
}

/** Until another process may be done with these people. */
const busyMs = 50;

/** The pool as it was then; undefined: there is nothing to do any more. */
async function claim(evaluation: Evaluation, range: Range): Promise<Pool | undefined> {
  const { database, door } = evaluation;
  for (; ; await sleep(busyMs)) {
    const pool = await inTenant(database, door.tenantId, async (tx) => {
      const locked = await lockPool(tx);
      const isSame = await isStill(tx, evaluation, locked);
      return isSame && (await claimBatch(tx, range)) ? locked : undefined;
    });
    if (pool !== undefined || evaluation.end !== null) return pool;
  }
}

async function giveBack({ database, door }: Evaluation, range: Range): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    await lockPoolRow(tx);
    await releaseBatch(tx, range);
  });
}

/** Whether what was found still counts. */
async function isStill(tx: TenantTransaction, evaluation: Evaluation, pool: Pool): Promise<boolean> {
  const { request, grounds } = evaluation;
  const isOurs = await isRequested(tx, request.id);
  if (isOurs && pool.revision === grounds.revision && pool.settledAt <= grounds.now) return true;
  evaluation.end = isOurs ? 'outdated' : 'over';
  return false;
}

function poolAfter(pool: Pool, { released, moved }: BatchDone): Pool {
  const { usage, subPools } = pool;
  return {
    ...pool,
    usage: { ...usage, held: usage.held - released },
    subPools: movedBy(subPools, new Map(Object.entries(moved))),
  };
}

/** Those who may give a seat back, a few at a time. */
function writeLeft(evaluation: Evaluation): Promise<void> {
  const { door, request, grounds, left, others } = evaluation;
  const rulings = new Rulings(grounds);
  return writeLocked(evaluation, left, async (tx, pool, people) => {
    if (!isCommon(pool)) {
      others.push(...people.map(({ userId }) => userId));
      return pool;
    }
    const { rulings: known, strangers } = await rulings.of(tx, people);
    const done = await writeBatch(tx, door, {
      ...{ rulings: known, rules: pool.rules, keepUntil: request.keepUntil },
      ...{ snapshot: evaluation.snapshot, isLocked: true, inputs: inputsOf(pool, grounds.terms) },
    });
    others.push(...done.rest, ...strangers);
    return poolAfter(pool, done);
  });
}

/** Those whose case is not the common one, a few at a time. */
function writeOthers(evaluation: Evaluation, decideEach: DecideEach): Promise<void> {
  const { door, request, others } = evaluation;
  return writeLocked(evaluation, others, async (tx, pool, some) => {
    const marked = some.map((userId) => ({ userId, keepUntil: request.keepUntil }));
    return await decideEach(tx, door, pool, marked);
  });
}

/** @param write Answers the pool as it is then, still to be written. */
async function writeLocked<Item>(
  evaluation: Evaluation,
  items: Item[],
  write: (tx: TenantTransaction, pool: Pool, some: Item[]) => Promise<Pool>,
): Promise<void> {
  const { database, door, grounds } = evaluation;
  const most = door.peoplePerDecision ?? limits.peoplePerDecision;
  const pace = new Pace(Math.min(limits.peoplePerDecision, most));
  while (items.length > 0 && evaluation.end === null) {
    const some = items.splice(0, pace.people);
    await pace.time(some.length, (locked) =>
      inTenant(database, door.tenantId, async (tx) => {
        beginBulk(tx);
        const [pool, isWriting] = await Promise.all([lockPool(tx), isAnyBatch(tx)]);
        if (isWriting) throw new Restart(busyMs);
        locked();
        if (!(await isStill(tx, evaluation, pool))) return;
        writePool(
          tx,
          pool,
          { ...(await write(tx, pool, some)), terms: grounds.terms, isSettled: false },
          door.now,
        );
      }),
    );
  }
}
