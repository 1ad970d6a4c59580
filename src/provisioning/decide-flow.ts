/**
 * The middle of every write that can change a decision: load the facts as the transaction now sees them, plan, write
 * the decisions with their audit, and mark for Blue whoever's roles changed. Of many people it writes down who they are, and
 * decides for them in batches once the transaction is over, so that nobody waits long for the pool.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { roomIn } from '../licensing/admit.ts';
import { type Terms, termsAt } from '../licensing/contract.ts';
import { admitHead } from './admit-sql.ts';
import { type Affected, knownCount } from './affected.ts';
import { areMoreThan, takeMarks, writeMarks } from './affected-sql.ts';
import {
  loadExcess,
  loadOverage,
  loadPersons,
  loadQueue,
  loadUnspentQueue,
  markForBlue,
  writeDecisions,
} from './decision-store.ts';
import { type DecideEach, evaluateRequests } from './evaluate-flow.ts';
import { Pace } from './pace-flow.ts';
import { type DecisionChange, type Facts, type Plan, plan } from './plan.ts';
import { auditOf, inputsOf } from './plan-audit.ts';
import type { Pool } from './pool.ts';
import { lockPool, writePool } from './pool-store.ts';
import { firstRequest, forgetDecided, writeDecided, writeRequest } from './request-sql.ts';
import type { PersonFacts, Standing } from './standing.ts';

export interface Decided {
  plan: Plan;
  /** For the caller to append with its own entries, so that all go in one statement. */
  audit: AuditEvent[];
}

export interface Circumstances {
  /** People whose roles in Blue may differ for another reason than a decision (a new address). */
  alsoMark?: readonly UserId[];
  /** Until when the place is kept of whoever loses the last paid role by this write; null: a place is not kept. */
  keepUntil?: Date | null;
  /** The open batch is settled now. */
  isSettling?: boolean;
  /** How many lose their seats, because there are fewer and their time is over. */
  excess?: number;
  /** Dates up to now have been looked at. */
  isSettled?: boolean;
}

const most = limits.peoplePerDecision;

/**
 * Decides for everybody affected, after the directory was written. Sends its writes, to travel with COMMIT; what it leaves for
 * later is done before the caller's transaction answers.
 */
export async function decide(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  affected: Affected,
  circumstances: Circumstances = {},
): Promise<Decided> {
  const { alsoMark = [], keepUntil = null, isSettled = false } = circumstances;
  const count = knownCount(affected);
  const isLarge = count === undefined ? await areMoreThan(tx, affected, most) : count > most;
  // Whoever the request names is written down at once: afterwards nothing may tell any more who they were.
  if (isLarge && count !== undefined) writeMarks(tx, affected, keepUntil);
  else if (isLarge) writeRequest(tx, affected, keepUntil);
  const facts = await loadFacts(tx, door, pool, isLarge ? {} : affected, circumstances);
  const planned = plan({ ...facts, evaluating: pool.evaluating || isLarge }, door.now);
  const evaluating = pool.evaluating || isLarge || isMoreWaiting(facts, planned);
  writeDecisions(tx, planned.changes, { ...facts, ...planned, now: door.now });
  if (pool.evaluating)
    writeDecided(
      tx,
      facts.persons.map(({ id }) => id),
    );
  writePool(tx, pool, { ...planned, evaluating, isSettled }, door.now);
  if (isLarge || evaluating !== pool.evaluating) tx.afterCommit((database) => evaluateRest(database, door));
  const changed = planned.changes.filter(changesRoles).map(({ userId }) => userId);
  markForBlue(tx, [...changed, ...alsoMark], door.now);
  return { plan: planned, audit: auditOf(pool, planned) };
}

/** What would be decided, under other rules perhaps; nothing is written. All are looked at, however many they are. */
export async function foresee(
  tx: TenantTransaction,
  door: Pick<Door, 'now'>,
  pool: Pool,
  affected: Affected,
): Promise<Plan> {
  const persons = await loadPersons(tx, affected, null);
  const room = roomNow(pool, termsAt(pool.contract, door.now)) + persons.length;
  const queue = await loadQueue(tx, Math.min(room, 1_000_000));
  const facts = factsOf(pool, { persons, queue, overage: await loadOverage(tx, pool.usage.overage) });
  return plan(facts, door.now);
}

type Loaded = Pick<Facts, 'persons' | 'queue' | 'overage'> & Partial<Pick<Facts, 'displaced' | 'isSettling'>>;

function factsOf(pool: Pool, { persons, queue, overage, displaced = [], isSettling = false }: Loaded): Facts {
  const ids = new Set(persons.map(({ id }) => id));
  const others = (standing: readonly Standing[]) => standing.filter(({ id }) => !ids.has(id));
  const lost = others(displaced);
  const lostIds = new Set(lost.map(({ id }) => id));
  return {
    ...pool,
    persons,
    queue: others(queue),
    overage: others(overage).filter(({ id }) => !lostIds.has(id)),
    displaced: lost,
    isSettling,
  };
}

/**
 * Everybody affected, and enough of the queue for every seat that is free or may be given back. Each person affected
 * either gives back a seat or stands in the queue, so that one more row for each is enough: where their number is
 * known beforehand, all is read in one round trip.
 */
async function loadFacts(
  tx: TenantTransaction,
  { now }: Pick<Door, 'now'>,
  pool: Pool,
  affected: Affected,
  { keepUntil = null, excess = 0, isSettling = false }: Circumstances,
): Promise<Facts> {
  const read = async (people: number): Promise<Standing[][]> => {
    const [queue, overage, displaced] = await Promise.all([
      loadHead(tx, pool, now, people),
      loadAbove(tx, pool, now, people),
      loadExcess(tx, Math.min(excess, most)),
    ]);
    return [queue, overage, displaced];
  };
  const count = knownCount(affected);
  const loading = loadPersons(tx, affected, keepUntil);
  const [persons, [queue = [], overage = [], displaced = []]] =
    count === undefined
      ? [await loading, await read((await loading).length)]
      : await Promise.all([loading, read(count)]);
  return factsOf(pool, { persons, queue, overage, displaced, isSettling });
}

/** As many of the queue as may be served; of those whose time above the capacity is used up as many again. */
async function loadHead(tx: TenantTransaction, pool: Pool, now: Date, people: number): Promise<Standing[]> {
  const terms = termsAt(pool.contract, now);
  if (!terms.grants || pool.evaluating) return [];
  const needed = Math.min(most, roomNow(pool, terms) + people);
  if (terms.allowance === 0) return await loadQueue(tx, needed);
  const [queue, unspent] = await Promise.all([loadQueue(tx, needed), loadUnspentQueue(tx, needed)]);
  const known = new Set(queue.map(({ id }) => id));
  return [...queue, ...unspent.filter(({ id }) => !known.has(id))];
}

/** Of those with a seat above the capacity, who may come within it. */
async function loadAbove(tx: TenantTransaction, pool: Pool, now: Date, people: number): Promise<Standing[]> {
  const terms = termsAt(pool.contract, now);
  if (!terms.grants || pool.evaluating) return [];
  return await loadOverage(tx, Math.min(pool.usage.overage, most, roomNow(pool, terms) + people));
}

function roomNow({ usage }: Pool, terms: Terms): number {
  const { held, overage } = roomIn(terms, usage);
  return held + overage;
}

/** Seats are left, and the head of the queue that was read is served: behind it others may wait. */
function isMoreWaiting({ queue, evaluating }: Facts, { usage, terms, batch }: Plan): boolean {
  if (evaluating || batch !== null || !terms.grants || queue.length < most) return false;
  const { held, overage } = roomIn(terms, usage);
  return held + overage > 0;
}

/**
 * Decides in batches for whom large edits concern and for those who are marked, then serves the queue: each batch a transaction
 * of its own. Another process may do the same at the same time.
 */
export async function evaluateRest(database: Database, door: Door): Promise<void> {
  const pace = new Pace();
  let isMore = true;
  while (isMore) {
    await evaluateRequests(database, door, decideEach);
    await pace.time(pace.people, (locked) =>
      inTenant(database, door.tenantId, async (tx) => {
        isMore = await evaluateBatch(tx, door, { people: pace.people, locked });
      }),
    );
  }
}

interface BatchSize {
  people: number;
  /** To be called when the pool is locked. */
  locked: () => void;
}

/** Answers whether there is more to do. */
async function evaluateBatch(
  tx: TenantTransaction,
  door: Door,
  { people, locked }: BatchSize,
): Promise<boolean> {
  const [pool, marked, request] = await Promise.all([
    lockPool(tx),
    takeMarks(tx, Math.min(people, most)),
    firstRequest(tx),
  ]);
  locked();
  if (!pool.evaluating) return false;
  if (marked.length > 0) {
    const after = await decideEach(tx, door, pool, marked);
    writePool(tx, pool, { ...after, terms: termsAt(pool.contract, door.now), isSettled: false }, door.now);
  }
  if (marked.length > 0 || request !== undefined) return true;
  return (await admitMany(tx, door, pool, people)) || (await serveQueue(tx, door, pool));
}

/** By `plan`; seats are given afterwards. */
const decideEach: DecideEach = async (tx, door, pool, marked) => {
  const facts = factsOf(pool, { persons: await loadMarked(tx, marked), queue: [], overage: [] });
  const planned = plan(facts, door.now);
  writePlanned(tx, door, pool, facts, planned);
  return { ...pool, usage: planned.usage, batch: planned.batch };
};

/** Answers whether seats were given, so that there may be more: to so many that `plan` would take long for them. */
async function admitMany(tx: TenantTransaction, door: Door, pool: Pool, people: number): Promise<boolean> {
  const terms = termsAt(pool.contract, door.now);
  const { held: room } = roomIn(terms, pool.usage);
  const isCommon = terms.grants && terms.allowance === 0 && pool.usage.overage === 0 && pool.batch === null;
  if (!isCommon || room <= most) return false;
  const admitted = await admitHead(tx, door, Math.min(room, people), inputsOf(pool, terms));
  if (admitted === 0) return false;
  const usage = { ...pool.usage, held: pool.usage.held + admitted };
  writePool(tx, pool, { ...pool, usage, terms, evaluating: true, isSettled: false }, door.now);
  return true;
}

/** Answers whether more of the queue is to be served. */
async function serveQueue(tx: TenantTransaction, door: Door, pool: Pool): Promise<boolean> {
  const facts = { ...(await loadFacts(tx, door, { ...pool, evaluating: false }, {}, {})), evaluating: false };
  const planned = plan(facts, door.now);
  const evaluating = planned.changes.length > 0 && isMoreWaiting(facts, planned);
  writePlanned(tx, door, pool, facts, planned);
  if (!evaluating) forgetDecided(tx);
  writePool(tx, pool, { ...planned, evaluating, isSettled: false }, door.now);
  return evaluating;
}

function writePlanned(tx: TenantTransaction, door: Door, pool: Pool, facts: Facts, planned: Plan): void {
  writeDecisions(tx, planned.changes, { ...facts, ...planned, now: door.now });
  markForBlue(
    tx,
    planned.changes.filter(changesRoles).map(({ userId }) => userId),
    door.now,
  );
  appendAudit(tx, door, auditOf(pool, planned));
}

async function loadMarked(
  tx: TenantTransaction,
  marked: readonly { userId: UserId; keepUntil: Date | null }[],
): Promise<PersonFacts[]> {
  const keepUntil = new Map(marked.map((mark) => [mark.userId, mark.keepUntil]));
  const persons = await loadPersons(tx, { userIds: [...keepUntil.keys()] }, null);
  return persons.map((person) => ({ ...person, keepUntil: keepUntil.get(person.id) ?? null }));
}

/** Seats alone mean nothing to Blue: only a change of roles does. */
function changesRoles({ before, after }: DecisionChange): boolean {
  return JSON.stringify(rolesOf(before)) !== JSON.stringify(rolesOf(after));
}

function rolesOf(decision: DecisionChange['after']): string[] {
  return (decision?.effective ?? []).map(({ workspace, role }) => `${workspace} ${role}`).sort();
}
