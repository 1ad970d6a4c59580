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
import { type MappingSet, rulingOf } from './ruling.ts';

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
    for (const part of partsOf(alike, () => pace.people, others)) {
      const outcome = await inBatch(part.people, async (tx) => {
        const rulings = await rulingsFor(tx, part.of, grounds);
        const { keepUntil } = request;
        return (pool) => decideAlike(tx, door, pool, { rulings, keepUntil, others });
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

/** Asks the database once for the set of each group. */
async function rulingsFor(
  tx: TenantTransaction,
  groups: Part['of'],
  { rules, ...grounds }: Grounds,
): Promise<Batch['rulings']> {
  const unknown = new Map(
    groups
      .map(({ group }) => group)
      .filter(({ set }) => set === undefined)
      .map((group) => [idAt(group.ids, 0), group]),
  );
  if (unknown.size > 0) {
    for (const { userId, set } of await selectSets(tx, [...unknown.keys()], rules, grounds.now)) {
      const group = unknown.get(userId);
      if (group !== undefined) group.set = set;
    }
  }
  // Whoever is no user any more is met by none of the statements.
  return groups.map(({ group: { set = [] }, people }) => ({ ...rulingOf(set, rules, grounds), people }));
}

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
  const { rules, usage } = pool;
  const { released, rest } = await writeBatch(tx, door, { rulings, keepUntil, rules, inputs });
  others.push(...rest);
  return { ...pool, usage: { ...usage, held: usage.held - released } };
}

interface Part {
  people: number;
  of: { group: Alike; people: UserId[] }[];
}

/** Cuts the groups into parts of at most so many people; those whose case is not the common one go to `others`. */
function* partsOf(groups: readonly Alike[], most: () => number, others: UserId[]): Generator<Part> {
  let part: Part = { people: 0, of: [] };
  for (const group of groups) {
    if (!group.isCommon) {
      others.push(...idsOf(group, 0, group.count));
      continue;
    }
    for (let at = 0; at < group.count; ) {
      const people = idsOf(group, at, at + most() - part.people);
      part = { people: part.people + people.length, of: part.of.concat({ group, people }) };
      at += people.length;
      if (part.people < most()) continue;
      yield part;
      part = { people: 0, of: [] };
    }
  }
  if (part.people > 0) yield part;
}

function idsOf({ ids, count }: Differing, from: number, to: number): UserId[] {
  return Array.from({ length: Math.max(1, Math.min(count, to) - from) }, (_, at) => idAt(ids, from + at));
}

function idAt(ids: Buffer, at: number): UserId {
  const hex = ids.toString('hex', at * 16, at * 16 + 16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.join('-') as UserId;
}
