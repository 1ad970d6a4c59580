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
import type { Affected } from './affected.ts';
import { type TermsPrints, termsPrints } from './basis.ts';
import { type Differing, selectDiffering } from './compare-sql.ts';
import { type Batch, selectSets, writeBatch } from './desire-sql.ts';
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
import { type MappingSet, type Ruling, rulingOf } from './ruling.ts';

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

/** One of them tells which mappings name them all. */
interface Alike extends Differing {
  set?: MappingSet;
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
  const { grounds, alike } = await inTenant(database, door.tenantId, async (tx) => {
    const first = groundsAt(await readPool(tx), door.now);
    return { grounds: first, alike: await selectDiffering(tx, request.affected, first) };
  });
  /** Whose case is not the common one. */
  const others: UserId[] = [];
  const decidePart = async ({ people, of }: Part): Promise<Outcome> => {
    let outcome: Outcome = 'done';
    await pace.time(people.length, (locked) =>
      inTenant(database, door.tenantId, async (tx) => {
        beginBulk(tx);
        const rulings = await rulingsFor(tx, of, grounds);
        const [pool, isOurs] = await Promise.all([lockPool(tx), isRequested(tx, request.id)]);
        locked();
        outcome = !isOurs ? 'over' : pool.revision === grounds.revision ? 'done' : 'outdated';
        if (outcome !== 'done') return;
        const after = await decideAlike(tx, door, pool, {
          people,
          rulings,
          keepUntil: request.keepUntil,
          others,
        });
        writePool(tx, pool, { ...after, terms: grounds.terms, isSettled: false }, door.now);
      }),
    );
    return outcome;
  };
  for (const part of partsOf(alike, () => pace.people, others)) {
    if ((await decidePart(part)) === 'outdated')
      return await evaluateRequest(database, door, request, decideEach);
  }
  await decideOthers(database, door, { others, keepUntil: request.keepUntil, pace }, decideEach);
}

/** Asks the database once for the set of each group. */
async function rulingsFor(
  tx: TenantTransaction,
  groups: readonly Alike[],
  { rules, ...grounds }: Grounds,
): Promise<Ruling[]> {
  const unknown = new Map(
    groups.filter(({ set }) => set === undefined).map((group) => [idAt(group.ids, 0), group]),
  );
  if (unknown.size > 0) {
    for (const { userId, set } of await selectSets(tx, [...unknown.keys()], rules, grounds.now)) {
      const group = unknown.get(userId);
      if (group !== undefined) group.set = set;
    }
  }
  // Whoever is no user any more is met by none of the statements.
  return groups.map(({ set = [] }) => rulingOf(set, rules, grounds));
}

interface AlikePeople extends Pick<Batch, 'people' | 'rulings' | 'keepUntil'> {
  /** Takes those whose case is not the common one. */
  others: UserId[];
}

/** Answers the pool as it is then, still to be written. */
async function decideAlike(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  { people, rulings, keepUntil, others }: AlikePeople,
): Promise<Pool> {
  // Who claims in an open batch has its time, and may open it.
  if (pool.rules.settlement !== 'immediate' || pool.batch !== null) {
    others.push(...people.map(({ userId }) => userId));
    return pool;
  }
  const inputs = inputsOf(pool, termsAt(pool.contract, door.now));
  const { rules, usage } = pool;
  const { released, rest } = await writeBatch(tx, door, { people, rulings, keepUntil, rules, inputs });
  others.push(...rest);
  return { ...pool, usage: { ...usage, held: usage.held - released } };
}

/** One by one, as `plan` does. */
async function decideOthers(
  database: Database,
  door: Door,
  { others, keepUntil, pace }: { others: UserId[]; keepUntil: Date | null; pace: Pace },
  decideEach: DecideEach,
): Promise<void> {
  while (others.length > 0) {
    const some = others.splice(0, Math.min(pace.people, door.peoplePerDecision ?? limits.peoplePerDecision));
    await pace.time(some.length, (locked) =>
      inTenant(database, door.tenantId, async (tx) => {
        const pool = await lockPool(tx);
        locked();
        const marked = some.map((userId) => ({ userId, keepUntil }));
        const after = await decideEach(tx, door, pool, marked);
        writePool(
          tx,
          pool,
          { ...after, terms: termsAt(pool.contract, door.now), isSettled: false },
          door.now,
        );
      }),
    );
  }
}

interface Part {
  people: { userId: UserId; ruling: number }[];
  of: Alike[];
}

/** Cuts the groups into parts of at most so many people; those whose case is not the common one go to `others`. */
function* partsOf(groups: readonly Alike[], most: () => number, others: UserId[]): Generator<Part> {
  let part: Part = { people: [], of: [] };
  for (const group of groups) {
    for (let at = 0; at < group.count; at += 1) {
      const userId = idAt(group.ids, at);
      if (!group.isCommon) {
        others.push(userId);
        continue;
      }
      if (part.of.at(-1) !== group) part.of.push(group);
      part.people.push({ userId, ruling: part.of.length - 1 });
      if (part.people.length < most()) continue;
      yield part;
      part = { people: [], of: [] };
    }
  }
  if (part.people.length > 0) yield part;
}

function idAt(ids: Buffer, at: number): UserId {
  const hex = ids.toString('hex', at * 16, at * 16 + 16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.join('-') as UserId;
}
