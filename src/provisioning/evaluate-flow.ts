/**
 * Decides for many people: who differs is found without a lock, and decided for in batches so small that nobody waits long for
 * the pool. It gives no seat: the queue is served when everybody has been decided for.
 */

import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, Restart, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { type Terms, termsAt } from '../licensing/contract.ts';
import type { Affected } from './affected.ts';
import { type TermsPrints, termsPrints } from './basis.ts';
import { type Differing, selectDiffering } from './compare-sql.ts';
import { selectSets, writeBatch } from './desire-sql.ts';
import { Pace } from './pace-flow.ts';
import { inputsOf } from './plan-audit.ts';
import type { Pool } from './pool.ts';
import { lockPool, readPool, writePool } from './pool-store.ts';
import { deleteRequest, type EvaluationRequest, firstRequest, loseAtMostTheLast } from './request-sql.ts';
import { type MappingSet, type Verdict, verdictOf } from './verdict.ts';

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

async function evaluateRequest(
  database: Database,
  door: Door,
  { affected, keepUntil }: EvaluationRequest,
  decideEach: DecideEach,
): Promise<void> {
  const found = await inTenant(database, door.tenantId, async (tx) => {
    const grounds = groundsAt(await readPool(tx), door.now);
    return { grounds, alike: await selectDiffering(tx, affected, grounds) };
  });
  const alike: Alike[] = found.alike;
  let { grounds } = found;
  const pace = new Pace();
  /** Whose case is not the common one. */
  const others: UserId[] = [];
  const batch = async (people: readonly UserId[], of: readonly Alike[]) => {
    await pace.time(people.length, (locked) =>
      inTenant(database, door.tenantId, async (tx) => {
        loseAtMostTheLast(tx);
        const verdicts = await verdictsFor(tx, of, grounds);
        const pool = await lockPool(tx);
        locked();
        if (!pool.evaluating) return;
        if (pool.revision !== grounds.revision) {
          // Under other rules than were thought it begins again with those.
          grounds = groundsAt(pool, door.now);
          for (const group of of) delete group.set;
          throw new Restart();
        }
        const marked = people.map((userId) => ({ userId, keepUntil }));
        const done = await decideMany(tx, door, pool, marked, verdicts);
        others.push(...done.rest.slice(limits.peoplePerDecision).map(({ userId }) => userId));
        const rest = done.rest.slice(0, limits.peoplePerDecision);
        const after = rest.length === 0 ? done.pool : await decideEach(tx, door, done.pool, rest);
        writePool(tx, pool, { ...after, terms: grounds.terms, isSettled: false }, door.now);
      }),
    );
  };
  for (const part of partsOf(alike, () => pace.people)) await batch(part.people, part.of);
  while (others.length > 0)
    await batch(others.splice(0, Math.min(pace.people, limits.peoplePerDecision)), []);
}

/** For the set of each group: asked of the database once. */
async function verdictsFor(
  tx: TenantTransaction,
  groups: readonly Alike[],
  { rules, ...grounds }: Grounds,
): Promise<Verdict[]> {
  const unknown = new Map(
    groups.filter(({ set }) => set === undefined).map((group) => [idAt(group.ids, 0), group]),
  );
  if (unknown.size > 0) {
    for (const { userId, set } of await selectSets(tx, [...unknown.keys()], rules, grounds.now)) {
      const group = unknown.get(userId);
      if (group !== undefined) group.set = set;
    }
  }
  return verdictsOf(
    groups.flatMap(({ set }) => (set === undefined ? [] : [set])),
    { rules, ...grounds },
  );
}

function verdictsOf(sets: readonly MappingSet[], grounds: Omit<Grounds, 'revision'>): Verdict[] {
  const different = new Map(sets.map((set) => [set.join(), set]));
  return [...different.values()].map((set) => verdictOf(set, grounds.rules, grounds));
}

/** Of people of whom nothing is known: their sets are looked up under the lock. */
export async function decideMarked(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  marked: readonly Marked[],
  decideEach: DecideEach,
): Promise<Pool> {
  const grounds = groundsAt(pool, door.now);
  const ids = marked.map(({ userId }) => userId);
  const sets = await selectSets(tx, ids, pool.rules, door.now);
  const verdicts = verdictsOf(
    sets.map(({ set }) => set),
    grounds,
  );
  const done = await decideMany(tx, door, pool, marked, verdicts);
  return done.rest.length === 0 ? done.pool : await decideEach(tx, door, done.pool, done.rest);
}

/** Writes what is common among them; answers the pool with the seats that were given back, and whose case is another. */
async function decideMany(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  marked: readonly Marked[],
  verdicts: readonly Verdict[],
): Promise<{ pool: Pool; rest: readonly Marked[] }> {
  // Who claims in an open batch has its time, and may open it.
  if (pool.rules.settlement !== 'immediate' || pool.batch !== null) return { pool, rest: marked };
  const inputs = inputsOf(pool, termsAt(pool.contract, door.now));
  const { released, rest } = await writeBatch(tx, door, { marked, verdicts, rules: pool.rules, inputs });
  const others = new Set(rest);
  const usage = { ...pool.usage, held: pool.usage.held - released };
  return { pool: { ...pool, usage }, rest: marked.filter(({ userId }) => others.has(userId)) };
}

/** Cuts the groups into parts of at most so many people. */
function* partsOf(
  groups: readonly Alike[],
  most: () => number,
): Generator<{ people: UserId[]; of: Alike[] }> {
  let part: { people: UserId[]; of: Alike[] } = { people: [], of: [] };
  for (const group of groups) {
    for (let at = 0; at < group.count; at += 1) {
      if (at === 0 || part.people.length === 0) part.of.push(group);
      part.people.push(idAt(group.ids, at));
      if (part.people.length < most()) continue;
      yield part;
      part = { people: [], of: [] };
    }
  }
  if (part.people.length > 0) yield part;
}

function idAt(ids: Buffer, at: number): UserId {
  const hex = ids.toString('hex', at * 16, at * 16 + 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    '-',
  ) as UserId;
}
