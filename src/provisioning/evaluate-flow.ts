/**
 * Decides for many people: who differs is found without a lock, and decided for in batches so small that nobody waits long for
 * the pool. It gives no seat: the queue is served when everybody has been decided for.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { type Terms, termsAt } from '../licensing/contract.ts';
import { movedBy } from '../licensing/sub-pool.ts';
import type { Affected } from './affected.ts';
import { type TermsPrints, termsPrints } from './basis.ts';
import { claimBatch, type Range, releaseBatch, waitForBatches } from './batch-store.ts';
import { selectDiffering } from './compare-sql.ts';
import { type Batch, type BatchDone, selectSets, writeBatch } from './desire-sql.ts';
import { differingPeople, type Person } from './differing.ts';
import { Pace } from './pace-flow.ts';
import { inputsOf } from './plan-audit.ts';
import type { Pool } from './pool.ts';
import { lockPool, lockPoolRow, readPool, writePool } from './pool-store.ts';
import {
  beginBulk,
  deleteRequest,
  type EvaluationRequest,
  firstRequest,
  isRequested,
} from './request-sql.ts';
import { type Ruling, rulingOf } from './ruling.ts';

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

/** Whether the decision of any of them is not what it should be. */
export function isAnyDiffering(database: Database, door: Door, affected: Affected): Promise<boolean> {
  return inTenant(database, door.tenantId, async (tx) => {
    const grounds = groundsAt(await readPool(tx), door.now);
    return (await selectDiffering(tx, affected, grounds)).length > 0;
  });
}

/** What is decided by while the revision of the rules is the same. */
interface Grounds extends Pick<Pool, 'revision' | 'rules'> {
  terms: Terms;
  prints: TermsPrints;
  now: Date;
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
  const { grounds, differing } = await inTenant(database, door.tenantId, async (tx) => {
    const first = groundsAt(await readPool(tx), door.now);
    return { grounds: first, differing: await selectDiffering(tx, request.affected, first) };
  });
  const evaluation: Evaluation = { database, door, request, grounds, end: null, others: [] };
  const most = Math.min(peoplePerBatch, door.peoplePerDecision ?? peoplePerBatch);
  const parts = partsOf(differing, most, evaluation.others);
  await Promise.all(Array.from({ length: lanes }, () => writeParts(evaluation, parts)));
  await writeOthers(evaluation, decideEach);
  if (evaluation.end === 'outdated') await evaluateRequest(database, door, request, decideEach);
}

interface Evaluation {
  database: Database;
  door: Door;
  request: EvaluationRequest;
  grounds: Grounds;
  /** Why what was found no longer counts: there are other rules, or another process has carried it out. */
  end: 'outdated' | 'over' | null;
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

async function writePart(evaluation: Evaluation, rulings: Rulings, people: readonly Person[]): Promise<void> {
  const { others } = evaluation;
  const range = rangeOf(people);
  const pool = await claim(evaluation, range);
  if (pool === undefined) return;
  const ids = people.map(({ userId }) => userId);
  try {
    // Who claims in an open batch has its time, and may open it.
    const isCommon = pool.rules.settlement === 'immediate' && pool.batch === null;
    others.push(...(isCommon ? await writeAlike(evaluation, rulings, { people, pool, range }) : ids));
    if (!isCommon) await giveBack(evaluation, range);
  } catch (error) {
    await giveBack(evaluation, range);
    if (!(error instanceof Undone)) throw error;
    others.push(...ids);
  }
}

interface Part {
  people: readonly Person[];
  /** As it was claimed. */
  pool: Pool;
  range: Range;
}

/** Answers who is left. @throws Undone when what it rests on has changed meanwhile. */
async function writeAlike(
  evaluation: Evaluation,
  rulings: Rulings,
  { people, pool, range }: Part,
): Promise<UserId[]> {
  const { database, door, request, grounds } = evaluation;
  const { terms } = grounds;
  return await inTenant(database, door.tenantId, async (tx) => {
    beginBulk(tx);
    const known = { rulings: await rulings.of(tx, people), rules: pool.rules, inputs: inputsOf(pool, terms) };
    const done = await writeBatch(tx, door, { ...known, keepUntil: request.keepUntil });
    const [locked, isOurs] = await Promise.all([lockPool(tx), releaseBatch(tx, range)]);
    const isSame = await isStill(tx, evaluation, locked);
    if (!isSame || !isOurs || locked.batch !== null) throw new Undone();
    writePool(tx, locked, { ...poolAfter(locked, done), terms, isSettled: false }, door.now);
    return done.rest;
  });
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
async function isStill(tx: TenantTransaction, evaluation: Evaluation, { revision }: Pool): Promise<boolean> {
  const isOurs = await isRequested(tx, evaluation.request.id);
  if (isOurs && revision === evaluation.grounds.revision) return true;
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

/** Whose case is not the common one, a few at a time. */
async function writeOthers(evaluation: Evaluation, decideEach: DecideEach): Promise<void> {
  const { database, door, request, grounds, others } = evaluation;
  const pace = new Pace(
    Math.min(limits.peoplePerDecision, door.peoplePerDecision ?? limits.peoplePerDecision),
  );
  while (others.length > 0 && evaluation.end === null) {
    const some = others.splice(0, pace.people);
    await pace.time(some.length, (locked) =>
      inTenant(database, door.tenantId, async (tx) => {
        beginBulk(tx);
        const pool = await lockPool(tx);
        locked();
        if (!(await isStill(tx, evaluation, pool))) return;
        await waitForBatches(tx, some);
        const marked = some.map((userId) => ({ userId, keepUntil: request.keepUntil }));
        const then = await decideEach(tx, door, pool, marked);
        writePool(tx, pool, { ...then, terms: grounds.terms, isSettled: false }, door.now);
      }),
    );
  }
}

/** What follows for everybody whose mappings print alike: one of them is looked up, and the rules are asked once. */
class Rulings {
  readonly #grounds: Grounds;
  readonly #known = new Map<string, Ruling>();

  constructor(grounds: Grounds) {
    this.#grounds = grounds;
  }

  async of(tx: TenantTransaction, people: readonly Person[]): Promise<Batch['rulings']> {
    const alike = Map.groupBy(people, ({ print }) => print);
    // Few sets are of many people; those of the others are seldom asked again.
    if (this.#known.size > rulingsKnownMax) this.#known.clear();
    const firsts = [...alike].flatMap(([print, [first]]): [UserId, string][] =>
      first === undefined || this.#known.has(print) ? [] : [[first.userId, print]],
    );
    if (firsts.length > 0) {
      const { rules, now } = this.#grounds;
      const prints = new Map(firsts);
      for (const { userId, set } of await selectSets(tx, [...prints.keys()], rules, now))
        this.#known.set(prints.get(userId) ?? '', rulingOf(set, rules, this.#grounds));
    }
    // Whoever is no user any more has none.
    return [...alike].flatMap(([print, some]) => {
      const ruling = this.#known.get(print);
      return ruling === undefined ? [] : [{ ...ruling, people: some.map(({ userId }) => userId) }];
    });
  }
}

/** About two kilobytes each. */
const rulingsKnownMax = 4000;

/** Cuts them into parts of at most so many people; those whose case is not the common one go to `others`. */
function* partsOf(differing: readonly Buffer[], most: number, others: UserId[]): Generator<Person[]> {
  let part: Person[] = [];
  for (const person of differing.values().flatMap(differingPeople)) {
    if (person.isCommon) part.push(person);
    else others.push(person.userId);
    if (part.length < most) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
