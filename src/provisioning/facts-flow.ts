/** What is loaded for a decision: the people, and as many of the queue and of those with seats as it may reach. */

import type { Door } from '../audit/door.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { roomIn } from '../licensing/admit.ts';
import { type Terms, termsAt } from '../licensing/contract.ts';
import { type Decision, isSeated } from '../licensing/effect.ts';
import { type Excess, noExcess } from '../licensing/excess.ts';
import type { Rules } from '../licensing/mapping.ts';
import { sharesOf } from '../licensing/sub-pool.ts';
import { type Affected, knownCount } from './affected.ts';
import { loadPersons } from './person-store.ts';
import { boundless, type DecisionChange, type Facts, type Plan, takersOf, unique } from './plan.ts';
import type { Pool } from './pool.ts';
import { isBorrowed, loadShared } from './share-store.ts';
import type { PersonFacts, Standing } from './standing.ts';
import {
  loadExcess,
  loadNoticed,
  loadOverage,
  loadPreemptors,
  loadQueue,
  loadUnspentQueue,
  loadVictims,
} from './standing-store.ts';

/** When, and how many people at a time. */
export interface Moment extends Pick<Door, 'now' | 'peoplePerDecision'> {
  /** Seats that may be taken from others. */
  takenMax?: number;
}

export function mostOf({ peoplePerDecision }: Moment): number {
  return peoplePerDecision ?? limits.peoplePerDecision;
}

/**
 * Seats that are taken from others by one decision. While notices are given they are as many at every look, however few people are
 * decided for: whoever has notice for the sake of somebody who is not read would lose it.
 */
function takenMaxOf(pace: Moment, { noticeHours }: Rules): number {
  const { seatsTakenAtOnce } = limits;
  return pace.takenMax ?? (noticeHours === 0 ? Math.max(mostOf(pace), seatsTakenAtOnce) : seatsTakenAtOnce);
}

export interface Loading {
  /** Until when the place is kept of whoever loses the last paid role by this write; null: a place is not kept. */
  keepUntil?: Date | null;
  /** The open batch is settled now. */
  isSettling?: boolean;
  /** Because there are fewer seats, and their time is over. */
  excess?: Excess;
  /** Whose reserved pin is set now. */
  reserving?: UserId | null;
  /** Everybody affected; undefined: as they are written. */
  crowd?: Promise<PersonFacts[]>;
}

type Loaded = Pick<Facts, 'persons' | 'queue' | 'overage'> &
  Partial<
    Pick<
      Facts,
      | 'evaluating'
      | 'displaced'
      | 'lowered'
      | 'preemptors'
      | 'victims'
      | 'grantsMax'
      | 'takenMax'
      | 'isMoreClaimed'
      | 'isSettling'
      | 'reserving'
    >
  >;

export function factsOf(pool: Pool, loaded: Loaded): Facts {
  const { persons, queue, overage, displaced = [], lowered = [] } = loaded;
  const { isSettling = false, reserving = null } = loaded;
  const { preemptors = [], victims = [], grantsMax, takenMax, isMoreClaimed } = { ...boundless, ...loaded };
  const ids = new Set(persons.map(({ id }) => id));
  const others = (standing: readonly Standing[]) => standing.filter(({ id }) => !ids.has(id));
  const [lost, less] = [others(displaced), others(lowered)];
  const turned = new Set([...lost, ...less].map(({ id }) => id));
  return {
    ...pool,
    evaluating: pool.evaluating || (loaded.evaluating ?? false),
    persons,
    queue: others(queue),
    ...{ grantsMax, takenMax, isMoreClaimed },
    overage: others(overage).filter(({ id }) => !turned.has(id)),
    displaced: lost,
    lowered: less,
    preemptors: others(preemptors),
    victims: others(victims).filter(({ id }) => !turned.has(id)),
    isSettling,
    isAsking: false,
    reserving,
  };
}

/**
 * Everybody affected, and enough of the queue for every seat that is free or may be given back. Each person affected
 * either gives back a seat or stands in the queue, so that one more row for each is enough: where their number is
 * known beforehand, all is read in one round trip.
 */
export async function loadFacts(
  tx: TenantTransaction,
  pace: Moment,
  pool: Pool,
  affected: Affected,
  { keepUntil = null, excess = noExcess, isSettling = false, reserving = null, crowd }: Loading,
): Promise<Facts> {
  const most = mostOf(pace);
  const takenMax = takenMaxOf(pace, pool.rules);
  const isStrict = pool.rules.order === 'strict';
  const lostRead = Math.min(excess.lost, most);
  const read = async (others: number) => {
    const reach = reachOf(pool, pace.now, others);
    const terms = termsAt(pool.contract, pace.now);
    const people = others + lostRead;
    const isLent = isBorrowed(tx, sharesOf(pool.subPools, terms, pool.usage));
    const served = Math.min(most, reach.queue);
    const [head, overage, displaced, lowered, preemptors, noticed] = await Promise.all([
      // Those above the capacity come first: while not all of them can be looked at, nobody of the queue is.
      reach.above > most
        ? emptyHead
        : loadHead(tx, pool, terms, { needed: reach.queue, people, most, takenMax, now: pace.now }),
      loadOverage(tx, Math.min(most, reach.above)),
      loadExcess(tx, lostRead, isLent),
      loadExcess(tx, Math.min(excess.lowered, most), isLent, ['held']),
      // Of those who may take a seat, so many may be given a free one.
      isStrict && terms.grants ? loadPreemptors(tx, takenMax + served) : [],
      isStrict && terms.grants ? loadNoticed(tx) : [],
    ]);
    const victims = [...noticed, ...head.victims];
    return { ...head, preemptors, overage, displaced, lowered, victims, takenMax };
  };
  const count = knownCount(affected);
  const loading = crowd ?? loadPersons(tx, affected, keepUntil, isStrict);
  const [persons, others] =
    count === undefined
      ? [await loading, await read((await loading).length)]
      : await Promise.all([loading, read(count)]);
  const evaluating = persons.length > 0 && reachOf(pool, pace.now, persons.length).above > most;
  const facts = factsOf(pool, { evaluating, persons, ...others, isSettling, reserving });
  return isStrict ? await withVictims(tx, pace, facts) : facts;
}

/** How many may be promoted, of the queue and of those above the capacity, when so many people are decided for. */
function reachOf(pool: Pool, now: Date, people: number): { queue: number; above: number } {
  const terms = termsAt(pool.contract, now);
  if (!terms.grants || pool.evaluating) return { queue: 0, above: 0 };
  const { held, overage } = roomIn(terms, pool.usage);
  // Above the capacity there may be room for the queue, and none to come within it.
  return { queue: held + overage + people, above: Math.min(pool.usage.overage, held + people) };
}

/** Order `strict`: with those whose seats may go to claims for which none is free. */
async function withVictims(tx: TenantTransaction, { now }: Moment, facts: Facts): Promise<Facts> {
  const { usage, subPools, persons, displaced, lowered, preemptors, takenMax } = facts;
  const takers = takersOf(facts, now);
  if (takers.length === 0) return facts;
  const areShared = subPools.length > 0;
  const isAnySpent = takers.some(({ isOverageSpent }) => isOverageSpent);
  const next = await loadVictims(tx, {
    // Seats above the capacity may be none for those who could take one; and as many as these a sub-pool may take back before.
    most:
      Math.min(takenMax, takers.length) +
      (isAnySpent ? usage.overage : 0) +
      (areShared ? facts.victims.length + persons.length : 0),
    areShared,
    below: Math.min(...takers.map(({ priority }) => priority)),
    except: [...persons, ...displaced, ...lowered].map(({ id }) => id),
  });
  const victims = unique([...facts.victims, ...next]);
  // So many take one: none of the others may take any of these where the next of them may not.
  const last = (preemptors[takenMax] ?? preemptors.at(-1))?.decision.claim?.priority ?? 0;
  const isAnyOpen = victims.some(({ decision }) => (decision.claim?.priority ?? 0) > last);
  const isMoreClaimed = facts.isMoreClaimed || (preemptors.length >= takenMax && isAnyOpen);
  return { ...facts, victims, isMoreClaimed };
}

type Head = Pick<Facts, 'queue' | 'grantsMax' | 'isMoreClaimed' | 'victims'>;
const emptyHead: Head = { queue: [], grantsMax: 0, isMoreClaimed: false, victims: [] };

interface HeadSize {
  /** As many of the queue as seats may be given. */
  needed: number;
  people: number;
  most: number;
  takenMax: number;
  now: Date;
}

/** The head of the queue; of those whose time above the capacity is not used up as many again. */
async function loadHead(
  tx: TenantTransaction,
  pool: Pool,
  terms: Terms,
  { needed, now, ...size }: HeadSize,
): Promise<Head> {
  if (pool.subPools.length > 0) return await loadShared(tx, pool, terms, { ...size, now });
  const reach = Math.min(size.most, needed);
  const [queue, unspent] = await Promise.all([
    loadQueue(tx, reach),
    terms.allowance === 0 ? [] : loadUnspentQueue(tx, reach, terms, now),
  ]);
  // Of a queue that was cut nobody who is known otherwise comes before those who were not read.
  const isCut = reach < needed && queue.length >= reach;
  const grantsMax = isCut ? reach : Number.POSITIVE_INFINITY;
  return { queue: unique([...queue, ...unspent]), grantsMax, isMoreClaimed: false, victims: [] };
}

/** Seats are left, and all who were looked at are served: behind them others may wait. */
export function isMoreWaiting(
  { queue, persons, evaluating, subPools, grantsMax, isMoreClaimed }: Facts,
  { changes, usage, terms, batch }: Plan,
  most: number,
): boolean {
  if (evaluating || batch !== null || !terms.grants) return false;
  const { held, overage } = roomIn(terms, usage);
  if (held > 0 && usage.overage > 0) return true;
  if (isMoreClaimed && changes.some(isOfHolders)) return true;
  if (subPools.length > 0) return Number.isFinite(grantsMax);
  // Of the queue that was read, people who are decided for themselves are no part.
  return held + overage > 0 && queue.length + persons.length >= most;
}

/** Somebody gets or loses a seat by it, or notice. */
function isOfHolders({ before, after }: DecisionChange): boolean {
  const isHeld = (decision: Decision | null) => isSeated(decision?.seat ?? 'none');
  return isHeld(before) !== isHeld(after) || before?.noticeUntil?.getTime() !== after?.noticeUntil?.getTime();
}
