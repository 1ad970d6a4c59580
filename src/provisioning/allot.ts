/** Who of the candidates has a seat afterwards, and who is told that it goes to a better claim. Pure. */

import type { UserId } from '../kernel/ids.ts';
import {
  admit,
  type Claim,
  compareClaims,
  grantOf,
  type Room,
  roomIn,
  type Usage,
} from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import { type Decision, isSeated, type OpenBatch, type Seat } from '../licensing/effect.ts';
import { afterNotice, goingAt, type Holder, preempt, type Swap, takeBack } from '../licensing/preempt.ts';
import { movedBy, type Shares, type SubPool, sharesOf, undivided } from '../licensing/sub-pool.ts';
import type { Facts } from './plan.ts';
import { areSeatsTaken } from './pool.ts';
import { type Candidate, type ClaimState, type Counted, countedAs, subPoolOf } from './standing.ts';

type Mode = 'all' | 'reservedOnly' | 'nobody';

/** Reserved pins take their seats also while others wait for the end of a batch. */
export function grantable({ evaluating, isAsking }: Facts, { grants }: Terms, batch: OpenBatch | null): Mode {
  if (!grants || isAsking) return 'nobody';
  return evaluating || batch !== null ? 'reservedOnly' : 'all';
}

/** Everybody's seat afterwards. Who comes back is served first, then who has a seat above the capacity, then the queue. */
export function seatsOf(
  candidates: readonly Candidate[],
  facts: Facts,
  terms: Terms,
  mode: Mode,
): Map<UserId, Seat> {
  const seats = new Map(candidates.map((candidate) => [candidate.userId, ownSeat(candidate)]));
  const roomNow = () => roomIn(terms, usageNow(candidates, seats, facts));
  seatReturning(candidates, seats, facts, terms);
  if (mode === 'nobody') return seats;
  if (mode === 'all') promote(candidates, seats, facts, roomNow());
  serve(candidates, seats, facts, terms, mode);
  return seats;
}

function serve(
  candidates: readonly Candidate[],
  seats: Map<UserId, Seat>,
  facts: Facts,
  terms: Terms,
  mode: Mode,
): void {
  const claims = candidates
    .filter(({ userId, wish }) => seats.get(userId) === 'waiting' && (mode === 'all' || wish.isReserved))
    .map(claimOf);
  const grantsMax = mode === 'all' ? facts.grantsMax : Number.POSITIVE_INFINITY;
  const room = upTo(grantsMax, roomIn(terms, usageNow(candidates, seats, facts)));
  const shares = sharesNow(candidates, seats, facts, terms);
  for (const [userId, grant] of admit(room, facts.rules.order, claims, shares)) seats.set(userId, grant);
}

function upTo(most: number, room: Room): Room {
  const held = Math.min(room.held, most);
  return { held, overage: Math.min(room.overage, most - held) };
}

/**
 * Who comes back to a kept place has a seat, whatever room there is: within the capacity as long as there is any, then above it as far
 * as the policy goes. For the others, whose way people of Blue's own are in, it is one within it.
 */
function seatReturning(
  candidates: readonly Candidate[],
  seats: Map<UserId, Seat>,
  facts: Facts,
  terms: Terms,
): void {
  const usage = usageNow(candidates, seats, facts);
  const [within, above] = [roomIn(terms, usage).held, Math.max(0, terms.allowance - usage.overage)];
  const returning = candidates.filter(({ claim }) => claim.kind === 'returns').map(claimOf);
  for (const [at, { userId }] of returning.sort(compareClaims(facts.rules.order)).entries())
    seats.set(userId, at < within || at >= within + above ? 'held' : 'overage');
}

function ownSeat({ claim }: Candidate): Seat {
  switch (claim.kind) {
    case 'none':
      return 'none';
    case 'seated':
    case 'kept':
      return claim.seat;
    // The place is free for whoever comes back to it: of which kind the seat is, is seen when all of them are known.
    case 'returns':
      return 'none';
    case 'claims':
      return 'waiting';
  }
}

/** Seats above the capacity come within it where there is room. */
function promote(
  candidates: readonly Candidate[],
  seats: Map<UserId, Seat>,
  { rules }: Facts,
  room: Room,
): void {
  const above = candidates.filter(
    ({ userId, claim }) => claim.kind === 'seated' && seats.get(userId) === 'overage',
  );
  const ranked = above.map(claimOf).sort(compareClaims(rules.order));
  for (const { userId } of ranked.slice(0, Math.min(ranked.length, room.held))) seats.set(userId, 'held');
}

/**
 * Sub-pools take back what they lent, and with order `strict` better claims take seats of lower ones; or their holders are
 * given notice. Answers who has notice until when.
 */
export function takeSeats(
  candidates: readonly Candidate[],
  seats: Map<UserId, Seat>,
  facts: Facts,
  terms: Terms,
  mode: Mode,
  now: Date,
): ReadonlyMap<UserId, Date> {
  const { rules } = facts;
  if (!areSeatsTaken(facts)) return new Map();
  // Also who came back just now: with the next decision the seat would go all the same.
  const seated = candidates.filter(
    ({ userId, claim: { kind } }) =>
      (kind === 'seated' || kind === 'returns') && isSeated(seats.get(userId) ?? 'none'),
  );
  // Who was told stays so while no seat may be given, or others are to be given first.
  if (mode !== 'all' || isHeldBack(candidates, seats, facts, terms))
    return new Map(seated.flatMap(({ userId, before }) => toldOf(userId, before)));
  const holders = seated.flatMap((one) => holderOf(one, seats.get(one.userId) ?? 'none', now));
  const goesAt = goingAt(rules.noticeHours * 3_600_000, now);
  const swaps = swapsOf(candidates, holders, seats, facts, terms, goesAt);
  const after = afterNotice(swaps, goesAt, now);
  for (const { loser, winner } of after.swaps) {
    seats.set(winner, seats.get(loser) ?? 'held');
    seats.set(loser, 'waiting');
  }
  const winners = new Set(after.swaps.map(({ winner }) => winner));
  if (winners.size > 0) serveAnew(candidates, seats, facts, terms, mode, winners);
  return after.notices;
}

/** As many seats were given as may be by what was read, and some are left. */
function isHeldBack(
  candidates: readonly Candidate[],
  seats: ReadonlyMap<UserId, Seat>,
  facts: Facts,
  terms: Terms,
): boolean {
  const { held, overage } = roomIn(terms, usageNow(candidates, seats, facts));
  if (held + overage === 0 || !Number.isFinite(facts.grantsMax)) return false;
  return candidates.filter((one) => isGivenNow(one, seats)).length >= facts.grantsMax;
}

/** By this decision. */
function isGivenNow({ userId, claim }: Candidate, seats: ReadonlyMap<UserId, Seat>): boolean {
  return claim.kind === 'claims' && isSeated(seats.get(userId) ?? 'none');
}

/**
 * What could not be had by the one who took the seat may be by the one who lost it, who comes before those that were given a seat
 * just now by a lower claim.
 */
function serveAnew(
  candidates: readonly Candidate[],
  seats: Map<UserId, Seat>,
  facts: Facts,
  terms: Terms,
  mode: Mode,
  winners: ReadonlySet<UserId>,
): void {
  for (const one of candidates)
    if (isGivenNow(one, seats) && !winners.has(one.userId)) seats.set(one.userId, 'waiting');
  serve(candidates, seats, facts, terms, mode);
}

function swapsOf(
  candidates: readonly Candidate[],
  holders: readonly Holder[],
  seats: ReadonlyMap<UserId, Seat>,
  facts: Facts,
  terms: Terms,
  goesAt: (holder: Holder) => Date,
): Swap[] {
  const { rules, subPools, takenMax } = facts;
  // No seat is free for them: whoever needs somebody's word in that case takes none from others before it.
  const waiting = candidates.filter(
    ({ userId, claim }) =>
      seats.get(userId) === 'waiting' && claim.kind === 'claims' && claim.asks === 'nobody',
  );
  const shares = sharesNow(candidates, seats, facts, terms);
  const room = roomIn(terms, usageNow(candidates, seats, facts));
  const withoutRoom = waiting.map(claimOf).filter((claim) => grantOf(claim, room) === undefined);
  const back =
    subPools.length === 0 ? [] : takeBack(withoutRoom, holders, shares, rules.order, goesAt, takenMax);
  if (rules.order !== 'strict') return back;
  const done = new Set(back.flatMap(({ loser, winner }) => [loser.userId, winner.userId]));
  const others = waiting.filter(({ userId, wish }) => wish.mayPreempt && !done.has(userId));
  const left = holders.filter(({ userId }) => !done.has(userId));
  return [...back, ...preempt(others.map(claimOf), left, shares, takenMax)];
}

function holderOf(one: Candidate, seat: Seat, now: Date): Holder[] {
  if (!isSeated(seat)) return [];
  const noticeUntil = one.before?.noticeUntil ?? null;
  const since = one.before?.seat === seat ? one.before.since : now;
  return [{ ...claimOf(one), seat, since, noticeUntil }];
}

function toldOf(userId: UserId, before: Decision | null): [UserId, Date][] {
  return before?.noticeUntil == null ? [] : [[userId, before.noticeUntil]];
}

function claimOf({ userId, tie, wish, claim }: Candidate): Claim {
  return {
    userId,
    tie,
    priority: wish.priority ?? 0,
    subPool: wish.subPool,
    claimedAt: claim.kind === 'none' ? new Date(0) : claim.claimedAt,
    isReserved: wish.isReserved,
    isOverageSpent: claim.kind === 'claims' && claim.isOverageSpent,
    isPending: isAsked(claim),
  };
}

function isAsked(claim: ClaimState): boolean {
  return claim.kind === 'claims' && claim.asks === 'somebody';
}

/** How the seats are used where they are as in `seats`. */
export function usageNow(
  candidates: readonly Candidate[],
  seats: ReadonlyMap<UserId, Seat>,
  { usage }: Pick<Facts, 'usage'>,
): Usage {
  return usageAfter(
    usage,
    candidates.map((one) => [countedAs(one), seats.get(one.userId)]),
  );
}

function sharesNow(
  candidates: readonly Candidate[],
  seats: ReadonlyMap<UserId, Seat>,
  facts: Facts,
  terms: Terms,
): Shares {
  if (facts.subPools.length === 0) return undivided();
  const turns = candidates.map((one): SubPoolTurn => {
    const after = { seat: seats.get(one.userId) ?? 'none', subPool: subPoolOf(one) };
    return [one.before, after];
  });
  return sharesOf(subPoolsAfter(facts.subPools, turns), terms, usageNow(candidates, seats, facts));
}

/** What of a decision counts in a sub-pool, before and after; null: nothing. */
export type SubPoolTurn = readonly [Placed | null, Placed | null];
type Placed = Pick<Decision, 'seat' | 'subPool'>;

export function subPoolsAfter(before: readonly SubPool[], turns: readonly SubPoolTurn[]): readonly SubPool[] {
  if (before.length === 0) return before;
  const moved = new Map<string | null, number>();
  const count = (placed: Placed | null, by: 1 | -1) => {
    if (placed === null || placed.seat === 'none' || placed.seat === 'waiting') return;
    moved.set(placed.subPool, (moved.get(placed.subPool) ?? 0) + by);
  };
  for (const [was, is] of turns) {
    count(was, -1);
    count(is, 1);
  }
  return movedBy(before, moved);
}

/** @param turns The seat of each before and after. */
export function usageAfter(
  before: Usage,
  turns: readonly (readonly [Counted | undefined, Seat | undefined])[],
): Usage {
  const usage = { ...before };
  for (const [was, is] of turns) {
    if (was === is) continue;
    countSeat(usage, was, -1);
    countSeat(usage, is, 1);
  }
  return usage;
}

function countSeat(usage: Usage, seat: Counted | undefined, by: 1 | -1): void {
  if (seat === 'held') usage.held += by;
  else if (seat === 'overage') usage.overage += by;
  else if (seat === 'hold') usage.onHold += by;
  else if (seat === 'unmanaged') usage.unmanagedPaid += by;
}
