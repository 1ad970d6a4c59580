/** Who of the candidates has a seat afterwards, and who is told that it goes to a better claim. Pure. */

import type { UserId } from '../kernel/ids.ts';
import { admit, type Claim, compareClaims, grantOf, type Room, roomIn } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import { type Decision, isSeated, type OpenBatch, type Seat } from '../licensing/effect.ts';
import { afterNotice, goingAt, type Holder, preempt, type Swap, takeBack } from '../licensing/preempt.ts';
import type { Facts } from './plan.ts';
import { areSeatsTaken } from './pool.ts';
import type { Candidate, ClaimState } from './standing.ts';
import { sharesNow, usageNow } from './usage.ts';

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
  const waiting = waitingNow(candidates, seats);
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

/** No seat is free for them: whoever needs somebody's word in that case takes none from others before it. */
function waitingNow(candidates: readonly Candidate[], seats: ReadonlyMap<UserId, Seat>): Candidate[] {
  return candidates.filter(
    ({ userId, claim }) =>
      seats.get(userId) === 'waiting' && claim.kind === 'claims' && claim.asks === 'nobody',
  );
}

/** With order `strict`: who is given no seat, and may take one of a lower priority. */
export function takersAmong(
  candidates: readonly Candidate[],
  facts: Facts,
  terms: Terms,
  batch: OpenBatch | null,
): Claim[] {
  const mode = grantable(facts, terms, batch);
  if (mode !== 'all' || facts.rules.order !== 'strict') return [];
  const seats = seatsOf(candidates, facts, terms, mode);
  return waitingNow(candidates, seats).flatMap((one) => (one.wish.mayPreempt ? [claimOf(one)] : []));
}

function holderOf(one: Candidate, seat: Seat, now: Date): Holder[] {
  if (!isSeated(seat)) return [];
  const noticeUntil = one.before?.noticeUntil ?? null;
  const since = one.before?.seat === seat ? one.before.since : now;
  const idleSince = one.seenAt !== null && since < one.seenAt ? one.seenAt : since;
  return [{ ...claimOf(one), seat, idleSince, noticeUntil }];
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
