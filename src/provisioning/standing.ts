/**
 * What a person's claim to a seat is before anybody else is looked at: kept, come back to, made anew, remembered or gone.
 * Pure.
 */

import type { UserId } from '../kernel/ids.ts';
import type { Terms } from '../licensing/contract.ts';
import { type Desire, desire, hasPaidMatch, nothing, type Person } from '../licensing/desire.ts';
import { type Decision, isSeated, type Seat } from '../licensing/effect.ts';
import type { Rules } from '../licensing/mapping.ts';
import { isOverageSpent } from '../licensing/overage.ts';
import { rankKeptUntil } from '../licensing/reclaim.ts';

export interface PersonFacts extends Person {
  tie: string;
  /** What is stored; null: nothing asked, nothing granted. */
  decision: Decision | null;
  /** What the stored decision is known to rest on, as basis.ts prints it. */
  prints?: { basis: string | null; terms: string | null };
  /** When last; null: never, or nothing rests on it, since order is not `strict`. */
  seenAt: Date | null;
  /** Nothing was decided so far, and Blue lists a paid role that counts as unmanaged. */
  isPaidInBlue: boolean;
  /** If the person loses the last paid role by what was written: until when the place is kept; null: not at all. */
  keepUntil: Date | null;
}

/** Somebody whose own facts did not change. */
export interface Standing {
  id: UserId;
  tie: string;
  decision: Decision;
  /** When the person's pin ends, or ended. */
  until: Date | null;
  /** When the person was last seen; null: never, or it was not asked, since there is no seat. */
  seenAt: Date | null;
}

export interface Candidate {
  userId: UserId;
  tie: string;
  seenAt: Date | null;
  before: Decision | null;
  wish: Desire;
  claim: ClaimState;
}

export type ClaimState = { kind: 'none' } | (Known & KnownState);

/** Of a claim, as long as it lasts or is remembered. */
interface Known {
  claimedAt: Date;
  overageSince: Date | null;
}

type KnownState =
  /** Has a seat, and keeps it. */
  | { kind: 'seated'; seat: 'held' | 'overage' }
  /** Comes to a place that is there already: it was kept, or the person has had a paid role in Blue without the gateway. */
  | { kind: 'returns' }
  /** Wants a seat. */
  | { kind: 'claims'; isOverageSpent: boolean; asks: Asking }
  /** Wants none any more, and is remembered; `hold`: with the place. */
  | { kind: 'kept'; seat: 'hold' | 'none'; until: Date };

/** Whether somebody is asked for the seat: not, or not any more; each time; or where none is free. */
export type Asking = 'nobody' | 'somebody' | 'whenFull';

/** @param claimedAt Of a claim that is made now. */
export function candidateOf(
  person: PersonFacts,
  rules: Rules,
  terms: Terms,
  now: Date,
  claimedAt: Date,
): Candidate {
  const wish = desire(person, rules, now);
  const { id: userId, tie, seenAt, decision: before } = person;
  const claim =
    wish.priority === null
      ? withoutWish(person, rules, now)
      : withWish(before, terms, now, { claimedAt, asks: asksOf(before, wish) });
  return { userId, tie, seenAt, before, wish, claim: person.isPaidInBlue ? adopted(claim) : claim };
}

/** What is in Blue stays there: the seat was used before. Where somebody must give it first, that is asked all the same. */
function adopted(claim: ClaimState): ClaimState {
  if (claim.kind !== 'claims' || claim.asks === 'somebody') return claim;
  const { claimedAt, overageSince } = claim;
  return { kind: 'returns', claimedAt, overageSince };
}

/** As what the person's seat was counted before. */
export function countedAs({ before, claim }: Candidate): Counted | undefined {
  return before === null && claim.kind === 'returns' ? 'unmanaged' : before?.seat;
}

/** `unmanaged`: of somebody who has a paid role in Blue without the gateway. */
export type Counted = Seat | 'unmanaged';

/** What a capacity that fell makes of a seat: it is lost, and the claim stands; or it is above the capacity. */
type Fall = 'displaced' | 'lowered';

/** Of somebody whose wish is what it was. */
export function standingCandidate(
  { id, tie, decision, until, seenAt }: Standing,
  terms: Terms,
  now: Date,
  fall?: Fall,
): Candidate {
  const { requested, claim, refusal, subPool } = decision;
  // A pin whose time is over may still be there: it ends nothing of a wish that rests on mappings again.
  const isPinned = requested.some(({ via }) => via === 'PIN');
  const { priority = null, mayPreempt = false } = claim ?? {};
  const wish: Desire = {
    ...nothing,
    requested,
    priority,
    refusal,
    mayPreempt,
    subPool: claim === null ? null : subPool,
    until: isPinned ? until : null,
  };
  const state = withWish(decision, terms, now, {
    ...{ fall, claimedAt: now },
    asks: decision.isUnasked ? 'whenFull' : 'nobody',
  });
  return { userId: id, tie, seenAt, before: decision, wish, claim: state };
}

function withWish(
  before: Decision | null,
  terms: Terms,
  now: Date,
  { fall, claimedAt, asks }: { fall?: Fall | undefined; claimedAt: Date; asks: Asking },
): ClaimState {
  const remembered = before?.claim ?? keptAt(before, now);
  const known =
    before === null || remembered === undefined
      ? { claimedAt, overageSince: null }
      : knownOf(before, remembered);
  const isSpent = isOverageSpent(terms, known.overageSince, now);
  if (before?.seat === 'hold' && keptAt(before, now) !== undefined && !isSpent)
    return { kind: 'returns', ...known };
  if (before === null || !isSeated(before.seat) || fall === 'displaced')
    return { kind: 'claims', ...known, isOverageSpent: isSpent, asks };
  return before.seat === 'overage' && isSpent
    ? { kind: 'claims', ...known, isOverageSpent: true, asks: 'nobody' }
    : { kind: 'seated', ...known, seat: fall === 'lowered' ? 'overage' : before.seat };
}

function knownOf({ overageSince }: Decision, { claimedAt }: { claimedAt: Date }): Known {
  return { claimedAt, overageSince };
}

/** A claim by a rule that was let into the queue, or had a seat, is not asked about again. */
function asksOf(before: Decision | null, { approval, requested }: Desire): Asking {
  const isLetIn = before?.claim != null && before.approval === null && !before.isUnasked;
  if (approval === 'automatic' || (isLetIn && paidRule(before) === paidRule({ requested }))) return 'nobody';
  return approval === 'manual' || before?.approval === 'pending' ? 'somebody' : 'whenFull';
}

function paidRule({ requested }: Pick<Decision, 'requested'>): string | undefined {
  return requested.find(({ billing }) => billing === 'paid')?.via;
}

/** A directory moves a person by taking out of one group and putting into another: the place is kept between the two. */
function withoutWish(person: PersonFacts, rules: Rules, now: Date): ClaimState {
  const { decision: before, keepUntil } = person;
  if (before === null || !person.active || person.isExcluded || person.isDuplicate) return { kind: 'none' };
  if (before.claim === null) {
    const kept = keptAt(before, now);
    if (kept === undefined) return { kind: 'none' };
    return { kind: 'kept', ...knownOf(before, kept), seat: placeOf(before), until: kept.until };
  }
  const known = knownOf(before, before.claim);
  if (person.reclaimedAt !== null) {
    const until = rankKeptUntil(person.reclaimedAt);
    return until <= now ? { kind: 'none' } : { kind: 'kept', ...known, seat: 'none', until };
  }
  // A free role that wins over the paid one is no move.
  const isMove = keepUntil !== null && now < keepUntil && !hasPaidMatch(person, rules, now);
  if (!isMove) return { kind: 'none' };
  const seat = isSeated(before.seat) ? 'hold' : 'none';
  return { kind: 'kept', ...known, seat, until: keepUntil };
}

function placeOf({ seat }: Decision): 'hold' | 'none' {
  return seat === 'hold' ? 'hold' : 'none';
}

/** What is remembered, while it is. */
function keptAt(before: Decision | null, now: Date): NonNullable<Decision['kept']> | undefined {
  const kept = before?.kept ?? null;
  return kept !== null && now < kept.until ? kept : undefined;
}

/** Of the claim afterwards, or of the place that is kept: that stays with the sub-pool in which the seat was. */
export function subPoolOf({ before, wish, claim }: Candidate): string | null {
  if (wish.priority !== null) return wish.subPool;
  return claim.kind === 'kept' && claim.seat === 'hold' ? (before?.subPool ?? null) : null;
}
