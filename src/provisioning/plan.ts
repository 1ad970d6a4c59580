/**
 * From facts to what must be written: the three steps of a decision for everyone whose facts may have changed, and
 * the promotion of those who wait when a seat is given back. Pure: it reads no clock and no database.
 */

import type { UserId } from '../kernel/ids.ts';
import { admit, type Claim } from '../licensing/admit.ts';
import { type Contract, freeSeats, type Terms, termsAt } from '../licensing/contract.ts';
import { type Desire, desire, type Person } from '../licensing/desire.ts';
import { type Decision, effect, type Seat } from '../licensing/effect.ts';
import type { Rules } from '../licensing/mapping.ts';

export interface PersonFacts extends Person {
  tie: string;
  /** What is stored; null: nothing asked, nothing granted. */
  decision: Decision | null;
}

/** Somebody who waits, and whose own facts did not change. */
export interface Waiting {
  id: UserId;
  tie: string;
  decision: Decision;
}

export interface Facts {
  contract: Contract | undefined;
  rules: Rules;
  /** Seats in use before. */
  used: number;
  /** People with a paid role in Blue whom the gateway did not put there: no seat is granted in their place. */
  unmanagedPaid: number;
  /** Everyone who must be looked at. */
  persons: readonly PersonFacts[];
  /** The head of the queue in its order, without `persons`: at least as many as seats can become free. */
  queue: readonly Waiting[];
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
  used: number;
  terms: Terms;
}

interface Candidate {
  userId: UserId;
  tie: string;
  before: Decision | null;
  wish: Desire;
}

export function plan(facts: Facts, now: Date): Plan {
  const terms = termsAt(facts.contract, now);
  const affected = facts.persons.map(
    (person): Candidate => ({
      userId: person.id,
      tie: person.tie,
      before: person.decision,
      wish: desire(person, facts.rules),
    }),
  );
  const waiting = facts.queue.map(
    ({ id, tie, decision }): Candidate => ({ userId: id, tie, before: decision, wish: wishOf(decision) }),
  );
  const released = affected.filter(
    (candidate) => isHolder(candidate) && candidate.wish.priority === null,
  ).length;
  const claims = [...affected, ...waiting].flatMap((candidate) => claimOf(candidate, now));
  const granted = admit(freeSeats(terms, facts.used - released + facts.unmanagedPaid), claims);

  const seatOf = (candidate: Candidate): Seat => {
    if (candidate.wish.priority === null) return 'none';
    return isHolder(candidate) || granted.has(candidate.userId) ? 'held' : 'waiting';
  };
  const changes = [...affected, ...waiting].flatMap((candidate) =>
    change(candidate, seatOf(candidate), terms, now),
  );
  return { changes, used: facts.used - released + granted.size, terms };
}

function isHolder({ before }: Candidate): boolean {
  return before?.seat === 'held';
}

/** What a stored decision asked for: the same wish again. */
function wishOf({ requested, claim, refusal }: Decision): Desire {
  return { requested, priority: claim?.priority ?? null, refusal };
}

/** A claim keeps the time it was first made at, for as long as a seat is wanted. */
function claimOf(candidate: Candidate, now: Date): Claim[] {
  const { userId, tie, before, wish } = candidate;
  if (wish.priority === null || isHolder(candidate)) return [];
  return [{ userId, tie, priority: wish.priority, claimedAt: before?.claim?.claimedAt ?? now }];
}

function change(candidate: Candidate, seat: Seat, terms: Terms, now: Date): DecisionChange[] {
  const { userId, tie, before, wish } = candidate;
  const { priority, requested, refusal } = wish;
  const after: Decision | null =
    requested.length === 0
      ? null
      : {
          requested,
          effective: effect(wish, seat, terms),
          claim: priority === null ? null : { priority, claimedAt: before?.claim?.claimedAt ?? now },
          seat,
          since: before !== null && before.seat === seat ? before.since : now,
          refusal,
        };
  return sameDecision(before, after) ? [] : [{ userId, tie, before, after }];
}

/** Decisions are built by one function, so that equal ones print alike. */
function sameDecision(a: Decision | null, b: Decision | null): boolean {
  return canonical(a) === canonical(b);
}

function canonical(decision: Decision | null): string {
  if (decision === null) return 'null';
  const { requested, effective, claim, seat, refusal, since } = decision;
  return JSON.stringify([
    requested.map(({ role, workspace, mapping, fallbackRole }) => [role, workspace, mapping, fallbackRole]),
    effective.map(({ role, billing, workspace, via }) => [role, billing, workspace, via]),
    claim === null ? null : [claim.priority, claim.claimedAt],
    ...[seat, refusal, since],
  ]);
}
