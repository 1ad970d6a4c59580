/**
 * From facts to what must be written: the three steps of a decision for everyone whose facts may have changed, and
 * the promotion of those who wait when a seat is given back. Pure: it reads no clock and no database.
 */

import type { UserId } from '../kernel/ids.ts';
import type { Claim, Usage } from '../licensing/admit.ts';
import { type Contract, type Terms, termsAt } from '../licensing/contract.ts';
import { type Decision, effect, isEnding, type OpenBatch, type Seat } from '../licensing/effect.ts';
import type { Rules } from '../licensing/mapping.ts';
import { overageUntil } from '../licensing/overage.ts';
import type { SubPool } from '../licensing/sub-pool.ts';
import { grantable, seatsOf, takersAmong, takeSeats } from './allot.ts';
import { batchOf, isToSettle } from './open-batch.ts';
import {
  type Candidate,
  type ClaimState,
  candidateOf,
  countedAs,
  type PersonFacts,
  type Standing,
  standingCandidate,
  subPoolOf,
} from './standing.ts';
import { type SubPoolTurn, subPoolsAfter, usageNow } from './usage.ts';

export interface Facts {
  contract: Contract | undefined;
  rules: Rules;
  /** Before. */
  usage: Usage;
  subPools: readonly SubPool[];
  batch: OpenBatch | null;
  /** Others are still to be decided for: no seat is given, so that the order is kept. */
  evaluating: boolean;
  /** Everyone who must be looked at. */
  persons: readonly PersonFacts[];
  /**
   * The head of the queue in its order, without `persons`: at least as many as seats can become free. With sub-pools the head
   * of each one's.
   */
  queue: readonly Standing[];
  /** Seats that can be given by it: where of a sub-pool more wait than were read, as many as were. */
  grantsMax: number;
  /** Seats that are taken from others by one decision, and whether others than those who were read may take some. */
  takenMax: number;
  isMoreClaimed: boolean;
  /** Of those with a seat above the capacity the first in the order, without `persons`. */
  overage: readonly Standing[];
  /** Who loses the seat now, though it is wanted: the capacity fell, and its grace is over. Without `persons`. */
  displaced: readonly Standing[];
  /** Whose seat comes to be above the capacity for the same reason, within what the policy allows. Without `persons`. */
  lowered: readonly Standing[];
  /** Order `strict`: the first of those who may take a seat; with it and with sub-pools, whose seats may go. Without `persons`. */
  preemptors: readonly Standing[];
  victims: readonly Standing[];
  /** The open batch is settled now. */
  isSettling: boolean;
  /** Everybody whose turn had come was served: no seat is given, and somebody is asked for whoever of the queue has none. */
  isAsking: boolean;
  /** Whose reserved pin is set now: it takes its seat, whoever waits, be it somebody whose reserved pin was set before. */
  reserving: UserId | null;
}

/** Of facts of which all was read. */
export const boundless: Pick<Facts, 'grantsMax' | 'takenMax' | 'isMoreClaimed'> = {
  grantsMax: Number.POSITIVE_INFINITY,
  takenMax: Number.POSITIVE_INFINITY,
  isMoreClaimed: false,
};

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
  subPools: readonly SubPool[];
  batch: OpenBatch | null;
  terms: Terms;
}

/** A plan with what it rests on. */
export interface Planned {
  facts: Facts;
  planned: Plan;
}

export function plan(facts: Facts, now: Date): Plan {
  const batch = batchOf(facts, now);
  const planned = planIn(facts, batch, now);
  if (planned.changes.some(isOfSeats) || isToSettle(facts)) return planned;
  // What concerns no seat opens no batch: what is free for another reason is given as ever.
  return facts.batch === null && batch !== null
    ? planIn(facts, null, now)
    : { ...planned, batch: facts.batch };
}

function planIn(facts: Facts, batch: OpenBatch | null, now: Date): Plan {
  const terms = termsAt(facts.contract, now);
  const candidates = candidatesOf(
    facts,
    terms,
    now,
    batch === null || isEnding(batch) ? now : batch.openedAt,
  );
  const mode = grantable(facts, terms, batch);
  const seats = seatsOf(candidates, facts, terms, mode);
  const notices = takeSeats(candidates, seats, facts, terms, mode, now);
  // Of a queue of which a part was read others may come before.
  const isOpen = facts.evaluating || batch !== null || Number.isFinite(facts.grantsMax);
  const outcome = { seats, notices, terms, mayBeGiven: isOpen && !facts.isAsking, now };
  const changes = candidates.flatMap((candidate) => changeOf(candidate, outcome));
  const usage = usageNow(candidates, seats, facts);
  const turns = changes.map(({ before, after }): SubPoolTurn => [before, after]);
  return { changes, usage, subPools: subPoolsAfter(facts.subPools, turns), terms, batch };
}

/** Order `strict`: whose claims may take the seats of others, whoever of these was read. */
export function takersOf(facts: Facts, now: Date): Claim[] {
  const terms = termsAt(facts.contract, now);
  const batch = facts.batch === null ? null : batchOf(facts, now);
  return takersAmong(candidatesOf(facts, terms, now, now), facts, terms, batch);
}

function candidatesOf(facts: Facts, terms: Terms, now: Date, claimedAt: Date): Candidate[] {
  const own = (person: PersonFacts) => candidateOf(person, facts.rules, terms, now, claimedAt);
  let left = adoptedMax(facts.usage, terms);
  return [
    ...facts.persons
      .map((person) => {
        const candidate = own(person);
        if (countedAs(candidate) !== 'unmanaged') return candidate;
        left -= 1;
        return left >= 0 ? candidate : own({ ...person, isPaidInBlue: false });
      })
      .map((one) =>
        one.userId === facts.reserving ? one : { ...one, wish: { ...one.wish, isReserved: false } },
      ),
    ...unique([...facts.queue, ...facts.overage, ...facts.preemptors, ...facts.victims]).map((one) =>
      standingCandidate(one, terms, now),
    ),
    ...facts.displaced.map((one) => standingCandidate(one, terms, now, 'displaced')),
    ...facts.lowered.map((one) => standingCandidate(one, terms, now, 'lowered')),
  ];
}

/** Of people who have a paid role in Blue without the gateway: what the contract gives must reach for all who are ours then (I1). */
export function adoptedMax({ held, overage, onHold, unmanagedPaid }: Usage, { capacity }: Terms): number {
  const left = capacity === null ? Number.POSITIVE_INFINITY : capacity - held - overage - onHold;
  return Math.min(unmanagedPaid, left);
}

/** Also a claim that comes to another share without a seat: that share may take one back for it. */
function isOfSeats({ before, after }: DecisionChange): boolean {
  return before?.seat !== after?.seat || before?.subPool !== after?.subPool;
}

/** Each person once. */
export function unique(standing: readonly Standing[]): Standing[] {
  return [...new Map(standing.map((one) => [one.id, one])).values()];
}

interface Outcome {
  seats: ReadonlyMap<UserId, Seat>;
  notices: ReadonlyMap<UserId, Date>;
  terms: Terms;
  /** To whoever waits a seat may be given still. */
  mayBeGiven: boolean;
  now: Date;
}

function changeOf(candidate: Candidate, outcome: Outcome): DecisionChange[] {
  const { userId, tie, before } = candidate;
  const after = decisionOf(candidate, outcome);
  return sameDecision(before, after) ? [] : [{ userId, tie, before, after }];
}

function decisionOf(
  candidate: Candidate,
  { seats, notices, terms, mayBeGiven, now }: Outcome,
): Decision | null {
  const { userId, before, wish, claim } = candidate;
  const seat = seats.get(userId) ?? 'none';
  const { priority, requested, refusal, mayPreempt } = wish;
  if (requested.length === 0 && claim.kind !== 'kept') return null;
  const { claimedAt, overageSince: known } =
    claim.kind === 'none' ? { claimedAt: now, overageSince: null } : claim;
  const since = before !== null && before.seat === seat ? before.since : now;
  const overageSince = seat === 'held' ? null : seat === 'overage' ? (known ?? since) : known;
  const asking = askingOf(seat, claim, mayBeGiven);
  const noticeUntil = notices.get(userId) ?? null;
  const kept = claim.kind === 'kept' ? { claimedAt, until: claim.until } : null;
  return {
    requested,
    effective: effect(wish, seat, terms),
    claim: priority === null ? null : { priority, claimedAt, mayPreempt },
    seat,
    since,
    refusal,
    kept,
    // It is remembered as long as the claim is, and forgotten with a seat within the capacity.
    overageSince,
    approval: wish.isRejected ? 'refused' : asking === 'asked' ? 'pending' : null,
    isUnasked: asking === 'later',
    subPool: subPoolOf(candidate),
    noticeUntil,
    endsAt: earliest(
      wish.until,
      kept?.until,
      later(noticeUntil, now),
      seat === 'overage' && overageSince !== null ? overageUntil(terms, overageSince) : null,
    ),
  };
}

/** Who claims where somebody is asked when no seat is free waits for that, once none was. */
function askingOf(seat: Seat, claim: ClaimState, mayBeGiven: boolean): 'no' | 'later' | 'asked' {
  if (seat !== 'waiting' || claim.kind !== 'claims' || claim.asks === 'nobody') return 'no';
  return claim.asks === 'whenFull' && mayBeGiven ? 'later' : 'asked';
}

/** What is past already waits for something else than time. */
function later(at: Date | null, now: Date): Date | null {
  return at !== null && now < at ? at : null;
}

function earliest(...instants: (Date | null | undefined)[]): Date | null {
  const times = instants.flatMap((at) => (at == null ? [] : [at.getTime()]));
  return times.length === 0 ? null : new Date(Math.min(...times));
}

/** Decisions are built by one function, so that equal ones print alike. */
function sameDecision(a: Decision | null, b: Decision | null): boolean {
  if (a === null || b === null) return a === b;
  // Most that differ do so here, and of large groups each is compared.
  if (a.seat !== b.seat || a.requested.length !== b.requested.length) return false;
  return canonical(a) === canonical(b);
}

function canonical(decision: Decision): string {
  const {
    requested,
    effective,
    claim,
    seat,
    refusal,
    since,
    kept,
    overageSince,
    approval,
    isUnasked,
    subPool,
    noticeUntil,
    endsAt,
  } = decision;
  return JSON.stringify([
    requested.map(({ role, billing, workspace, via, fallbackRole }) => [
      role,
      billing,
      workspace,
      via,
      fallbackRole,
    ]),
    effective.map(({ role, billing, workspace, via }) => [role, billing, workspace, via]),
    claim === null ? null : [claim.priority, claim.claimedAt, claim.mayPreempt],
    kept === null ? null : [kept.claimedAt, kept.until],
    ...[seat, refusal, since, overageSince, approval, isUnasked, subPool, noticeUntil, endsAt],
  ]);
}

/** Seats alone mean nothing to Blue: only a change of roles does. */
export function whoseRolesChange({ changes }: Pick<Plan, 'changes'>): UserId[] {
  return changes
    .filter(({ before, after }) => JSON.stringify(rolesOf(before)) !== JSON.stringify(rolesOf(after)))
    .map(({ userId }) => userId);
}

function rolesOf(decision: DecisionChange['after']): string[] {
  return (decision?.effective ?? []).map(({ workspace, role }) => `${workspace} ${role}`).sort();
}
