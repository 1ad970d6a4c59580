/** Who of the candidates has a seat afterwards, and who is told that it goes to a better claim. Pure. */

import type { UserId } from '../kernel/ids.ts';
import {
  admit,
  type Claim,
  compareClaims,
  type Grant,
  type Room,
  roomIn,
  type Usage,
} from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import { type Decision, isSeated, type OpenBatch, type Seat } from '../licensing/effect.ts';
import { preempt } from '../licensing/preempt.ts';
import type { Facts } from './plan.ts';
import type { Candidate } from './standing.ts';

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
  const usageNow = () =>
    candidates.reduce(
      (sum, { userId, before }) => countSeat(countSeat(sum, before?.seat, -1), seats.get(userId), 1),
      facts.usage,
    );
  let room = roomIn(terms, usageNow());
  for (const { userId, claim } of candidates) {
    if (claim.kind !== 'returns') continue;
    const grant: Grant = room.held > 0 || terms.allowance === 0 ? 'held' : 'overage';
    room = { ...room, [grant]: room[grant] - 1 };
    seats.set(userId, grant);
  }
  if (mode === 'nobody') return seats;
  if (mode === 'all') room = promote(candidates, seats, facts, room);
  const claims = candidates
    .filter(({ claim, wish }) => claim.kind === 'claims' && (mode === 'all' || wish.isReserved))
    .map(claimOf);
  for (const [userId, grant] of admit(room, facts.rules.order, claims)) seats.set(userId, grant);
  return seats;
}

function ownSeat({ claim }: Candidate): Seat {
  switch (claim.kind) {
    case 'none':
      return 'none';
    case 'seated':
    case 'kept':
      return claim.seat;
    // Until it is known of which kind the seat is.
    case 'returns':
      return 'hold';
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
): Room {
  const above = candidates.filter(
    ({ userId, claim }) => claim.kind === 'seated' && seats.get(userId) === 'overage',
  );
  const ranked = above.map(claimOf).sort(compareClaims(rules.order));
  const promoted = ranked.slice(0, Math.min(ranked.length, room.held));
  for (const { userId } of promoted) seats.set(userId, 'held');
  return { held: room.held - promoted.length, overage: room.overage + promoted.length };
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
    ({ userId, wish, claim }) =>
      seats.get(userId) === 'waiting' && wish.mayPreempt && !(claim.kind === 'claims' && claim.isPending),
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
    isPending: claim.kind === 'claims' && claim.isPending,
  };
}

export function countSeat(usage: Usage, seat: Seat | undefined, by: 1 | -1): Usage {
  switch (seat) {
    case 'held':
      return { ...usage, held: usage.held + by };
    case 'overage':
      return { ...usage, overage: usage.overage + by };
    case 'hold':
      return { ...usage, onHold: usage.onHold + by };
    default:
      return usage;
  }
}
