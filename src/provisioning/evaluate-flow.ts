/**
 * Decides for many people: who differs is found without a lock, and decided for in batches so small that nobody waits long for
 * the pool. It gives no seat: the queue is served when everybody has been decided for.
 */

import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { type Terms, termsAt } from '../licensing/contract.ts';
import { movedBy } from '../licensing/sub-pool.ts';
import type { Affected } from './affected.ts';
import { type TermsPrints, termsPrints } from './basis.ts';
import { selectDiffering } from './compare-sql.ts';
import { type Batch, selectSets, writeBatch } from './desire-sql.ts';
import { differingPeople, type Person } from './differing.ts';
import { Pace } from './pace-flow.ts';
import { inputsOf } from './plan-audit.ts';
import type { Pool } from './pool.ts';
import { lockPool, readPool, writePool } from './pool-store.ts';
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

/** `over`: another process has carried it out, and what was found here no longer counts. */
type Outcome = 'done' | 'outdated' | 'over';

/** Under other rules than those it began with it begins again. */
async function evaluateRequest(
  database: Database,
  door: Door,
  request: EvaluationRequest,
  decideEach: DecideEach,
): Promise<void> {
  const pace = new Pace(door.peoplePerDecision);
  const { grounds, differing } = await inTenant(database, door.tenantId, async (tx) => {
    const first = groundsAt(await readPool(tx), door.now);
    return { grounds: first, differing: await selectDiffering(tx, request.affected, first) };
  });
  const rulings = new Rulings(grounds);
  /** Whose case is not the common one. */
  const others: UserId[] = [];
  const inBatch = async (people: number, work: (tx: TenantTransaction) => Promise<Batching>) => {
    let outcome: Outcome = 'done';
    await pace.time(people, (locked) =>
      inTenant(database, door.tenantId, async (tx) => {
        beginBulk(tx);
        const decideIn = await work(tx);
        const [pool, isOurs] = await Promise.all([lockPool(tx), isRequested(tx, request.id)]);
        locked();
        outcome = !isOurs ? 'over' : pool.revision === grounds.revision ? 'done' : 'outdated';
        if (outcome !== 'done') return;
        const after = await decideIn(pool);
        writePool(tx, pool, { ...after, terms: grounds.terms, isSettled: false }, door.now);
      }),
    );
    return outcome;
  };
  const next = async (): Promise<Outcome> => {
    for (const people of partsOf(differing, () => pace.people, others)) {
      const outcome = await inBatch(people.length, async (tx) => {
        const known = await rulings.of(tx, people);
        const { keepUntil } = request;
        return (pool) => decideAlike(tx, door, pool, { rulings: known, keepUntil, others });
      });
      if (outcome !== 'done') return outcome;
    }
    while (others.length > 0) {
      const some = others.splice(
        0,
        Math.min(pace.people, door.peoplePerDecision ?? limits.peoplePerDecision),
      );
      const marked = some.map((userId) => ({ userId, keepUntil: request.keepUntil }));
      const outcome = await inBatch(some.length, async (tx) => (pool) => decideEach(tx, door, pool, marked));
      if (outcome !== 'done') return outcome;
    }
    return 'done';
  };
  if ((await next()) === 'outdated') await evaluateRequest(database, door, request, decideEach);
}

/** Answers the pool as it is then, still to be written. */
type Batching = (pool: Pool) => Promise<Pool>;

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
const rulingsKnownMax = 8000;

interface AlikePeople extends Pick<Batch, 'rulings' | 'keepUntil'> {
  /** Takes those whose case is not the common one. */
  others: UserId[];
}

async function decideAlike(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  { rulings, keepUntil, others }: AlikePeople,
): Promise<Pool> {
  // Who claims in an open batch has its time, and may open it.
  if (pool.rules.settlement !== 'immediate' || pool.batch !== null) {
    for (const { people } of rulings) others.push(...people);
    return pool;
  }
  const inputs = inputsOf(pool, termsAt(pool.contract, door.now));
  const { rules, usage, subPools } = pool;
  const { released, moved, rest } = await writeBatch(tx, door, { rulings, keepUntil, rules, inputs });
  others.push(...rest);
  return {
    ...pool,
    usage: { ...usage, held: usage.held - released },
    subPools: movedBy(subPools, new Map(Object.entries(moved))),
  };
}

/** Cuts them into parts of at most so many people; those whose case is not the common one go to `others`. */
function* partsOf(differing: readonly Buffer[], most: () => number, others: UserId[]): Generator<Person[]> {
  let part: Person[] = [];
  for (const person of differing.values().flatMap(differingPeople)) {
    if (person.isCommon) part.push(person);
    else others.push(person.userId);
    if (part.length < most()) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
