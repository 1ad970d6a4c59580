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
import { limitOf, type Terms, termsAt } from '../licensing/contract.ts';
import { sharesOf } from '../licensing/sub-pool.ts';
import { type Affected, knownCount } from './affected.ts';
import { areMoreThan, takeMarks, writeMarks } from './affected-sql.ts';
import { breakerOf, stagedAfter, untripped } from './breaker-flow.ts';
import {
  loadExcess,
  loadOverage,
  loadPreemptors,
  loadQueue,
  loadUnspentQueue,
  loadVictims,
  markForBlue,
  writeDecisions,
} from './decision-store.ts';
import { loadCrowd, loadPersons } from './person-store.ts';
import { type DecisionChange, type Facts, type Plan, type Planned, plan, unique } from './plan.ts';
import type { Pool } from './pool.ts';
import { lockPool, writePool } from './pool-store.ts';
import type { Prospect } from './prospect.ts';
import { isBorrowed, loadShared } from './share-store.ts';
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
  /** Whose reserved pin is set now. */
  reserving?: UserId | null;
  /** A directory says so of people who may not know: the breaker looks at it. */
  isSync?: boolean;
}

interface Loading extends Circumstances {
  /** Everybody affected; undefined: as they are written. */
  crowd?: Promise<PersonFacts[]>;
}

/** More than any tenant has. */
const everybody = 1_000_000_000;

/** When, and how many people at a time. */
type Pace = Pick<Door, 'now' | 'peoplePerDecision'>;

function mostOf({ peoplePerDecision }: Pace): number {
  return peoplePerDecision ?? limits.peoplePerDecision;
}

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
  const { alsoMark = [], keepUntil = null, isSettled = false, isSync = false } = circumstances;
  const most = mostOf(door);
  const count = knownCount(affected);
  const isLarge = count === undefined ? await areMoreThan(tx, affected, most) : count > most;
  const foreseen = isLarge ? undefined : await planFor(tx, door, pool, affected, circumstances);
  const stage = isSync ? await breakerOf(tx, door, pool, affected, foreseen) : untripped(pool);
  if (stage.isTripped || isLarge) writeMarks(tx, affected, { keepUntil, staged: stage.isTripped });
  const { facts, planned } =
    foreseen !== undefined && !stage.isTripped
      ? foreseen
      : await planFor(tx, door, { ...pool, evaluating: pool.evaluating || isLarge }, {}, circumstances);
  const isMarked = isLarge && !stage.isTripped;
  const evaluating = facts.evaluating || isMarked || isMoreWaiting(facts, planned, most);
  const stagedSince = await stagedAfter(tx, door, pool, facts, stage.isTripped);
  writeDecisions(tx, planned.changes, pool.rules.order);
  writePool(tx, pool, { ...planned, evaluating, isSettled, stagedSince, losses: stage.losses }, door.now);
  if (isMarked || evaluating !== pool.evaluating) tx.afterCommit((database) => evaluateRest(database, door));
  const changed = planned.changes.filter(changesRoles).map(({ userId }) => userId);
  markForBlue(tx, [...changed, ...alsoMark], door.now);
  return { plan: planned, audit: [...stage.audit, ...auditOf(pool, planned)] };
}

async function planFor(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  affected: Affected,
  circumstances: Circumstances,
): Promise<Planned> {
  const facts = await loadFacts(tx, door, pool, affected, circumstances);
  return { facts, planned: plan(facts, door.now) };
}

export interface Foreseen {
  /** Everybody who was looked at because of the edit itself. */
  persons: readonly PersonFacts[];
  plan: Plan;
}

/** What would be decided by an edit; nothing is written or locked. All are looked at, however many they are. */
export async function foresee(
  tx: TenantTransaction,
  door: Pick<Door, 'now'>,
  { pool, affected, isSettling = false, exclusions, pinned }: Prospect,
): Promise<Foreseen> {
  const mappedGroups = pool.rules.mappings.flatMap(({ groupId }) => groupId ?? []);
  const crowd = loadCrowd(tx, affected, { mappedGroups, exclusions });
  const pace = { now: door.now, peoplePerDecision: everybody };
  const reserving = pinned?.pin?.reserved === true ? pinned.userId : null;
  const facts = await loadFacts(tx, pace, pool, affected, { isSettling, reserving, crowd });
  const persons = facts.persons.map((person) =>
    person.id === pinned?.userId ? { ...person, pin: pinned.pin } : person,
  );
  return { persons, plan: plan({ ...facts, persons }, door.now) };
}

type Loaded = Pick<Facts, 'persons' | 'queue' | 'overage'> &
  Partial<
    Pick<
      Facts,
      'evaluating' | 'displaced' | 'preemptors' | 'victims' | 'grantsMax' | 'isSettling' | 'reserving'
    >
  >;

function factsOf(pool: Pool, loaded: Loaded): Facts {
  const { persons, queue, overage, displaced = [], isSettling = false, reserving = null } = loaded;
  const { preemptors = [], victims = [], grantsMax = Number.POSITIVE_INFINITY } = loaded;
  const ids = new Set(persons.map(({ id }) => id));
  const others = (standing: readonly Standing[]) => standing.filter(({ id }) => !ids.has(id));
  const lost = others(displaced);
  const lostIds = new Set(lost.map(({ id }) => id));
  return {
    ...pool,
    evaluating: pool.evaluating || (loaded.evaluating ?? false),
    persons,
    queue: others(queue),
    grantsMax,
    overage: others(overage).filter(({ id }) => !lostIds.has(id)),
    displaced: lost,
    preemptors: others(preemptors),
    victims: others(victims).filter(({ id }) => !lostIds.has(id)),
    isSettling,
    reserving,
  };
}

/**
 * Everybody affected, and enough of the queue for every seat that is free or may be given back. Each person affected
 * either gives back a seat or stands in the queue, so that one more row for each is enough: where their number is
 * known beforehand, all is read in one round trip.
 */
async function loadFacts(
  tx: TenantTransaction,
  pace: Pace,
  pool: Pool,
  affected: Affected,
  { keepUntil = null, excess = 0, isSettling = false, reserving = null, crowd }: Loading,
): Promise<Facts> {
  const most = mostOf(pace);
  const read = async (people: number) => {
    const reach = reachOf(pool, pace.now, people);
    const terms = termsAt(pool.contract, pace.now);
    const [head, overage, displaced, preemption] = await Promise.all([
      // Those above the capacity come first: while not all of them can be looked at, nobody of the queue is.
      reach.above > most ? emptyHead : loadHead(tx, pool, terms, { needed: reach.queue, people, most }),
      loadOverage(tx, Math.min(most, reach.above)),
      loadExcess(tx, Math.min(excess, most), isBorrowed(tx, sharesOf(pool.subPools, terms, pool.usage))),
      loadPreemption(tx, pace, pool, people),
    ]);
    const victims = [...preemption.victims, ...head.victims];
    return { ...head, ...preemption, overage, displaced, victims };
  };
  const count = knownCount(affected);
  const loading = crowd ?? loadPersons(tx, affected, keepUntil);
  const [persons, others] =
    count === undefined
      ? [await loading, await read((await loading).length)]
      : await Promise.all([loading, read(count)]);
  const evaluating = persons.length > 0 && reachOf(pool, pace.now, persons.length).above > most;
  return factsOf(pool, { evaluating, persons, ...others, isSettling, reserving });
}

/** How many may be promoted, of the queue and of those above the capacity, when so many people are decided for. */
function reachOf(pool: Pool, now: Date, people: number): { queue: number; above: number } {
  const terms = termsAt(pool.contract, now);
  if (!terms.grants || pool.evaluating) return { queue: 0, above: 0 };
  const queue = roomNow(pool, terms) + people;
  return { queue, above: Math.min(pool.usage.overage, queue) };
}

/** Order `strict`: who may take a seat, and whose seats may go. */
async function loadPreemption(
  tx: TenantTransaction,
  pace: Pace,
  pool: Pool,
  people: number,
): Promise<Pick<Facts, 'preemptors' | 'victims'>> {
  const { grants } = termsAt(pool.contract, pace.now);
  if (pool.rules.order !== 'strict' || !grants) return { preemptors: [], victims: [] };
  const most = mostOf(pace);
  const preemptors = await loadPreemptors(tx, most);
  return { preemptors, victims: await loadVictims(tx, Math.min(most, preemptors.length + people)) };
}

type Head = Pick<Loaded, 'queue' | 'grantsMax'> & Pick<Facts, 'victims'>;
const emptyHead: Head = { queue: [], victims: [] };

/** The head of the queue; of those whose time above the capacity is not used up as many again. */
async function loadHead(
  tx: TenantTransaction,
  pool: Pool,
  terms: Terms,
  { needed, people, most }: { needed: number; people: number; most: number },
): Promise<Head> {
  if (pool.subPools.length > 0) return await loadShared(tx, pool, terms, { people, most });
  const reach = Math.min(most, needed);
  if (terms.allowance === 0) return { queue: await loadQueue(tx, reach), victims: [] };
  const [queue, unspent] = await Promise.all([loadQueue(tx, reach), loadUnspentQueue(tx, reach)]);
  return { queue: unique([...queue, ...unspent]), victims: [] };
}

function roomNow({ usage }: Pool, terms: Terms): number {
  const { held, overage } = roomIn(terms, usage);
  return held + overage;
}

/** Seats are left, and all who were looked at are served: behind them others may wait. */
function isMoreWaiting(
  { queue, persons, evaluating, subPools, grantsMax }: Facts,
  { usage, terms, batch }: Plan,
  most: number,
): boolean {
  if (evaluating || batch !== null || !terms.grants) return false;
  const { held, overage } = roomIn(terms, usage);
  if (held > 0 && usage.overage > 0) return true;
  if (subPools.length > 0) return Number.isFinite(grantsMax);
  // Of the queue that was read, people who are decided for themselves are no part.
  return held + overage > 0 && queue.length + persons.length >= most;
}

/**
 * Decides in batches for those who are marked, then serves the queue: each batch a transaction of its own. Another process may
 * do the same at the same time.
 */
export async function evaluateRest(database: Database, door: Door): Promise<void> {
  while (await inTenant(database, door.tenantId, (tx) => evaluateBatch(tx, door)));
}

/** Answers whether there is more to do. */
async function evaluateBatch(tx: TenantTransaction, door: Door): Promise<boolean> {
  const most = mostOf(door);
  const [pool, marked] = await Promise.all([lockPool(tx), takeMarks(tx, most)]);
  if (!pool.evaluating) return false;
  const facts =
    marked.length > 0
      ? factsOf(pool, { persons: await loadMarked(tx, marked), queue: [], overage: [] })
      : { ...(await loadFacts(tx, door, { ...pool, evaluating: false }, {}, {})), evaluating: false };
  const planned = plan(facts, door.now);
  const evaluating = marked.length > 0 || (planned.changes.length > 0 && isMoreWaiting(facts, planned, most));
  writeDecisions(tx, planned.changes, pool.rules.order);
  const { stagedSince, losses } = pool;
  writePool(tx, pool, { ...planned, evaluating, isSettled: false, stagedSince, losses }, door.now);
  markForBlue(
    tx,
    planned.changes.filter(changesRoles).map(({ userId }) => userId),
    door.now,
  );
  appendAudit(tx, door, auditOf(pool, planned));
  return evaluating;
}

async function loadMarked(
  tx: TenantTransaction,
  marked: readonly { userId: UserId; keepUntil: Date | null }[],
): Promise<PersonFacts[]> {
  const keepUntil = new Map(marked.map((mark) => [mark.userId, mark.keepUntil]));
  const persons = await loadPersons(tx, { userIds: [...keepUntil.keys()] }, null);
  return persons.map((person) => ({ ...person, keepUntil: keepUntil.get(person.id) ?? null }));
}

function auditOf({ usage, subPools }: Pool, { changes, terms }: Plan): AuditEvent[] {
  const { policy, capacity } = terms;
  const shares = subPools.length === 0 ? {} : { subPools };
  const inputs = { usage, capacity, limit: limitOf(terms), policy, ...shares };
  return changes.map(({ userId, before, after }) => ({
    action: 'decision.changed',
    subject: userId,
    before,
    after,
    inputs,
  }));
}

/** Seats alone mean nothing to Blue: only a change of roles does. */
function changesRoles({ before, after }: DecisionChange): boolean {
  return JSON.stringify(rolesOf(before)) !== JSON.stringify(rolesOf(after));
}

function rolesOf(decision: DecisionChange['after']): string[] {
  return (decision?.effective ?? []).map(({ workspace, role }) => `${workspace} ${role}`).sort();
}
