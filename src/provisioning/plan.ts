/**
 * From facts to what must be written: the three steps of a decision for everyone whose facts may have changed, and
 * the promotion of those who wait when a seat is given back. Pure: it reads no clock and no database.
 */

import type { UserId } from '../kernel/ids.ts';
import { admit, type Claim, compareClaims, type Room, roomIn, type Usage } from '../licensing/admit.ts';
import { type Contract, overageUntil, type Terms, termsAt } from '../licensing/contract.ts';
import { type Decision, effect, isSeated, type OpenBatch, type Seat } from '../licensing/effect.ts';
import type { Rules } from '../licensing/mapping.ts';
import {
  type Candidate,
  type ClaimState,
  candidateOf,
  type PersonFacts,
  type Standing,
  standingCandidate,
} from './standing.ts';

export interface Facts {
  contract: Contract | undefined;
  rules: Rules;
  /** Before. */
  usage: Usage;
  batch: OpenBatch | null;
  /** Others are still to be decided for: no seat is given, so that the order is kept. */
  evaluating: boolean;
  /** Everyone who must be looked at. */
  persons: readonly PersonFacts[];
  /** The head of the queue in its order, without `persons`: at least as many as seats can become free. */
  queue: readonly Standing[];
  /** Of those with a seat above the capacity the first in the order, without `persons`. */
  overage: readonly Standing[];
  /** Who loses the seat now, though it is wanted: the capacity fell, and its grace is over. Without `persons`. */
  displaced: readonly Standing[];
  /** The open batch is settled now. */
  isSettling: boolean;
  /** Reserved pins of `persons` are set now, and take their seats. */
  isReserving: boolean;
}

export interface DecisionChange {
  userId: UserId;
  tie: string;
  before: Decision | null;
  /** null: nothing is asked any more, the row goes. */
  after: Decision | null;
}

export interface Plan {
  /** Only what differs from what is stored. */
  changes: DecisionChange[];
  usage: Usage;
  batch: OpenBatch | null;
  terms: Terms;
}

export function plan(facts: Facts, now: Date): Plan {
  const batch = batchOf(facts, now);
  const planned = planIn(facts, batch, now);
  const isTouched = planned.changes.some(({ before, after }) => before?.seat !== after?.seat);
  if (isTouched || facts.isSettling) return planned;
  // What touches no seat opens no batch: what is free for another reason is given as ever.
  return facts.batch === null && batch !== null
    ? planIn(facts, null, now)
    : { ...planned, batch: facts.batch };
}

function planIn(facts: Facts, batch: OpenBatch | null, now: Date): Plan {
  const terms = termsAt(facts.contract, now);
  const candidates = candidatesOf(facts, terms, now, batch?.openedAt ?? now);
  const room = grantable(facts, terms, batch);
  const seats = seatsOf(candidates, facts, terms, room);
  const changes = candidates.flatMap((candidate) => changeOf(candidate, seats, terms, now));
  const usage = changes.reduce(
    (sum, { before, after }) => countSeat(countSeat(sum, before?.seat, -1), after?.seat, 1),
    facts.usage,
  );
  return { changes, usage, terms, batch };
}

const quietMs = 3 * 60_000;

/** A batch is open from its first change until three quiet minutes (`cycle`), or until somebody settles it (`staged`). */
function batchOf({ batch, rules, isSettling, persons }: Facts, now: Date): OpenBatch | null {
  if (isSettling) return null;
  if (rules.settlement === 'immediate') return null;
  if (batch === null && persons.length === 0) return null;
  if (batch !== null && persons.length === 0) return batch;
  const settlesAt = rules.settlement === 'staged' ? null : new Date(now.getTime() + quietMs);
  return { openedAt: batch?.openedAt ?? now, settlesAt };
}

function candidatesOf(facts: Facts, terms: Terms, now: Date, claimedAt: Date): Candidate[] {
  return [
    ...facts.persons
      .map((person) => candidateOf(person, facts.rules, terms, now, claimedAt))
      .map((one) => (facts.isReserving ? one : { ...one, wish: { ...one.wish, isReserved: false } })),
    ...[...facts.queue, ...facts.overage].map((one) => standingCandidate(one, terms, now)),
    ...facts.displaced.map((one) => standingCandidate(one, terms, now, true)),
  ];
}

type Mode = 'all' | 'reservedOnly' | 'nobody';

/** Reserved pins take their seats when they are set, also while others wait for the end of a batch. */
function grantable({ evaluating }: Facts, { grants }: Terms, batch: OpenBatch | null): Mode {
  if (!grants) return 'nobody';
  return evaluating || batch !== null ? 'reservedOnly' : 'all';
}

/** Everybody's seat afterwards. Who comes back is served first, then who has a seat above the capacity, then the queue. */
function seatsOf(
  candidates: readonly Candidate[],
  facts: Facts,
  terms: Terms,
  mode: Mode,
): Map<UserId, Seat> {
  const seats = new Map(candidates.map((candidate) => [candidate.userId, ownSeat(candidate)]));
  const roomNow = () =>
    roomIn(
      terms,
      candidates.reduce(
        (sum, { userId, before }) => countSeat(countSeat(sum, before?.seat, -1), seats.get(userId), 1),
        facts.usage,
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

function claimOf({ userId, tie, wish, claim, before }: Candidate): Claim {
  const claimedAt = 'claimedAt' in claim ? claim.claimedAt : before?.claim?.claimedAt;
  return {
    userId,
    tie,
    priority: wish.priority ?? 0,
    claimedAt: claimedAt ?? new Date(0),
    isReserved: wish.isReserved,
    isOverageSpent: claim.kind === 'claims' && claim.isOverageSpent,
  };
}

function countSeat(usage: Usage, seat: Seat | undefined, by: 1 | -1): Usage {
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

function changeOf(
  candidate: Candidate,
  seats: ReadonlyMap<UserId, Seat>,
  terms: Terms,
  now: Date,
): DecisionChange[] {
  const { userId, tie, before } = candidate;
  const after = decisionOf(candidate, seats.get(userId) ?? 'none', terms, now);
  return sameDecision(before, after) ? [] : [{ userId, tie, before, after }];
}

function decisionOf(
  { before, wish, claim }: Candidate,
  seat: Seat,
  terms: Terms,
  now: Date,
): Decision | null {
  const { priority, requested, refusal } = wish;
  if (requested.length === 0 && claim.kind !== 'kept') return null;
  const claimedAt = 'claimedAt' in claim ? claim.claimedAt : (before?.claim?.claimedAt ?? now);
  const since = before !== null && before.seat === seat ? before.since : now;
  const kept = claim.kind === 'kept' ? { claimedAt, until: claim.until } : null;
  return {
    requested,
    effective: effect(wish, seat, terms),
    claim: priority === null ? null : { priority, claimedAt },
    seat,
    since,
    refusal,
    kept,
    isOverageSpent: isSpent(seat, claim, before),
    endsAt: earliest(wish.until, kept?.until, seat === 'overage' ? overageUntil(terms, since) : null),
  };
}

/** It is remembered as long as the claim is, and forgotten with a seat. */
function isSpent(seat: Seat, claim: ClaimState, before: Decision | null): boolean {
  if (isSeated(seat)) return false;
  return claim.kind === 'claims'
    ? claim.isOverageSpent
    : claim.kind === 'kept' && (before?.isOverageSpent ?? false);
}

function earliest(...instants: (Date | null | undefined)[]): Date | null {
  const times = instants.flatMap((at) => (at == null ? [] : [at.getTime()]));
  return times.length === 0 ? null : new Date(Math.min(...times));
}

/** Decisions are built by one function, so that equal ones print alike. */
function sameDecision(a: Decision | null, b: Decision | null): boolean {
  return canonical(a) === canonical(b);
}

function canonical(decision: Decision | null): string {
  if (decision === null) return 'null';
  const { requested, effective, claim, seat, refusal, since, kept, isOverageSpent, endsAt } = decision;
  return JSON.stringify([
    requested.map(({ role, billing, workspace, via, fallbackRole }) => [
      role,
      billing,
      workspace,
      via,
      fallbackRole,
    ]),
    effective.map(({ role, billing, workspace, via }) => [role, billing, workspace, via]),
    claim === null ? null : [claim.priority, claim.claimedAt],
    kept === null ? null : [kept.claimedAt, kept.until],
    ...[seat, refusal, since, isOverageSpent, endsAt],
  ]);
}
