/** Who of the candidates has a seat afterwards, and who is told that it goes to a better claim. Pure. */

import type { UserId } from '../kernel/ids.ts';
import { admit, type Claim, compareClaims, type Room, roomIn, type Usage } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import { type Decision, isSeated, type OpenBatch, type Seat } from '../licensing/effect.ts';
import { preempt } from '../licensing/preempt.ts';
import type { Facts } from './plan.ts';
import type { Candidate, ClaimState } from './standing.ts';

export type Mode = 'all' | 'reservedOnly' | 'nobody';

/** Reserved pins take their seats also while others wait for the end of a batch. */
export function grantable({ evaluating }: Facts, { grants }: Terms, batch: OpenBatch | null): Mode {
  if (!grants) return 'nobody';
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
  const roomNow = () =>
    roomIn(
      terms,
      usageAfter(
        facts.usage,
        candidates.map(({ userId, before }) => [before?.seat, seats.get(userId)]),
      ),
    );
  takeBack(candidates, seats, facts, terms, roomNow());
  if (mode === 'nobody') return seats;
  if (mode === 'all') promote(candidates, seats, facts, roomNow());
  const claims = candidates
    .filter(({ claim, wish }) => claim.kind === 'claims' && (mode === 'all' || wish.isReserved))
    .map(claimOf);
  for (const [userId, grant] of admit(roomNow(), facts.rules.order, claims)) seats.set(userId, grant);
  return seats;
}

/** Who comes back to a kept place has a seat, whatever room there is: within the capacity as long as there is any. */
function takeBack(
  candidates: readonly Candidate[],
  seats: Map<UserId, Seat>,
  { rules }: Facts,
  terms: Terms,
  room: Room,
): void {
  const returning = candidates.filter(({ claim }) => claim.kind === 'returns').map(claimOf);
  for (const [at, { userId }] of returning.sort(compareClaims(rules.order)).entries())
    seats.set(userId, at < room.held || terms.allowance === 0 ? 'held' : 'overage');
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

/** Order `strict`: better claims take seats of lower ones, or give them notice. Answers who has notice until when. */
export function takeSeats(
  candidates: readonly Candidate[],
  seats: Map<UserId, Seat>,
  { rules }: Facts,
  mode: Mode,
  now: Date,
): ReadonlyMap<UserId, Date> {
  if (rules.order !== 'strict') return new Map();
  const waiting = candidates.filter(
    ({ userId, wish, claim }) => seats.get(userId) === 'waiting' && wish.mayPreempt && !isAsked(claim),
  );
  const holders = candidates.filter(
    ({ userId, claim }) => claim.kind === 'seated' && isSeated(seats.get(userId) ?? 'none'),
  );
  // Who was told stays so while no seat may be given.
  if (mode !== 'all') return new Map(holders.flatMap(({ userId, before }) => toldOf(userId, before)));
  const { swaps, notices } = preempt(
    waiting.map(claimOf),
    holders.map((one) => ({
      ...claimOf(one),
      since: one.before?.since ?? now,
      noticeUntil: one.before?.noticeUntil ?? null,
    })),
    rules.noticeHours * 3_600_000,
    now,
  );
  for (const { loser, winner } of swaps) {
    seats.set(winner, seats.get(loser) ?? 'held');
    seats.set(loser, 'waiting');
  }
  return notices;
}

function toldOf(userId: UserId, before: Decision | null): [UserId, Date][] {
  return before?.noticeUntil == null ? [] : [[userId, before.noticeUntil]];
}

function claimOf({ userId, tie, wish, claim, before }: Candidate): Claim {
  const claimedAt = 'claimedAt' in claim ? claim.claimedAt : before?.claim?.claimedAt;
  return {
    userId,
    tie,
    priority: wish.priority ?? 0,
    claimedAt: claimedAt ?? new Date(0),
    isReserved: wish.isReserved,
    isOverageSpent: claim.kind === 'claims' && claim.isOverageSpent,
    isPending: isAsked(claim),
  };
}

function isAsked(claim: ClaimState): boolean {
  return claim.kind === 'claims' && claim.asks === 'somebody';
}

/** @param turns The seat of each before and after. */
export function usageAfter(
  before: Usage,
  turns: readonly (readonly [Seat | undefined, Seat | undefined])[],
): Usage {
  const usage = { ...before };
  for (const [was, is] of turns) {
    if (was === is) continue;
    countSeat(usage, was, -1);
    countSeat(usage, is, 1);
  }
  return usage;
}

function countSeat(usage: Usage, seat: Seat | undefined, by: 1 | -1): void {
  if (seat === 'held') usage.held += by;
  else if (seat === 'overage') usage.overage += by;
  else if (seat === 'hold') usage.onHold += by;
}
