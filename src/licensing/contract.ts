/**
 * What a contract means at an instant: how many paid seats there are, whether one may be granted, and whether paid roles
 * count at all. A contract is dated lines; days are UTC, a line holds from the beginning of its first day.
 */

import type { FallbackRole } from './catalogue.ts';
import { dayBefore, endOf, startOf } from './contract-day.ts';
import { isFall, limitOf, type SeatLimits } from './overage.ts';

/** What happens to a person who wants a paid role when no seat is free. */
export const overagePolicies = ['queue', 'fallback', 'grace', 'allow', 'block'] as const;
export type OveragePolicy = (typeof overagePolicies)[number];

/** The base line: what was signed first. Days are `YYYY-MM-DD`. */
export interface BaseLine {
  kind: 'evaluation' | 'annual' | 'multi_year';
  tier: string;
  /** null: unlimited. */
  paidSeats: number | null;
  startsOn: string;
  /** Last day. */
  endsOn: string;
  policy: OveragePolicy;
  fallbackRole: FallbackRole;
  /** Policies `grace` and `allow`: seats above the capacity, in percent of it, rounded down; null: none. */
  allowancePercent: number | null;
  /** Policy `grace`: days that a person keeps a seat above the capacity; null, 0: there is no such seat. */
  graceDays: number | null;
  /** After an evaluation's last day holders keep their roles for so many days. */
  evaluationGraceDays: number;
  /** After the capacity fell, those above it keep their seats for so many days. */
  decreaseGraceDays: number;
}

/** What changes the base line from a day on. */
export interface ContractLine {
  kind: 'amendment' | 'add_on' | 'ramp';
  effectiveOn: string;
  /** Last day of an add-on; null: as long as the contract. */
  endsOn: string | null;
  /** Whether an amendment says anything of the seats. */
  setsSeats: boolean;
  /** amendment: the new total, null is unlimited. add_on, ramp: on top of the total. */
  paidSeats: number | null;
  /** The tier from then on; null: as before. */
  tier: string | null;
  /** The contract's last day from then on; null: as before. */
  contractEndsOn: string | null;
}

export interface Contract extends BaseLine {
  /** In the order of their days; of one day in the order in which they were recorded. */
  lines: readonly ContractLine[];
  /** What was signed for the time after it, in the order of their first days: from that on each holds in place of the one before. */
  later?: readonly BaseLine[];
}

/** A base line with what is noted of it and no rule reads. */
export interface ContractDraft extends BaseLine {
  paymentSchedule: 'annual' | 'quarterly' | 'custom';
  terms: string | null;
  documentReference: string | null;
  accountManager: string | null;
  billingPortalUrl: string | null;
}

export type Phase =
  /** No contract. */
  | 'none'
  /** Before the first day. */
  | 'upcoming'
  | 'running'
  /** An evaluation is over, and holders still keep their roles. */
  | 'grace'
  /** An evaluation is over for good: every paid role is its fallback until a contract is signed. */
  | 'frozen'
  /** A signed contract is over: holders stay, nobody gets a new seat. */
  | 'ended';

export interface Terms {
  phase: Phase;
  tier: string | null;
  /** Seats; null: unlimited. */
  capacity: number | null;
  /** Seats that policy `grace` or `allow` gives above the capacity. */
  allowance: number;
  /** In percent of the capacity, rounded down. */
  allowancePercent: number;
  /** Policy `grace`: days that a person keeps such a seat. */
  graceDays: number;
  decreaseGraceDays: number;
  /** A line that is known and not yet in force gives fewer seats than there are now. */
  isReducedLater: boolean;
  /** false: holders stay, nobody gets a new seat. */
  grants: boolean;
  policy: OveragePolicy;
  fallbackRole: FallbackRole;
  /** Last day as it is known then: where the next term begins before it, the day before that. */
  endsOn: string | null;
  /** In phase `grace`: the instant at which it is over. */
  graceUntil: Date | null;
}

const withoutContract: Terms = {
  phase: 'none',
  tier: null,
  capacity: 0,
  allowance: 0,
  allowancePercent: 0,
  graceDays: 0,
  decreaseGraceDays: 0,
  isReducedLater: false,
  grants: false,
  policy: 'queue',
  fallbackRole: 'view_only',
  endsOn: null,
  graceUntil: null,
};

const dayMs = 86_400_000;

/** What holds at an instant, with the lines of its own: those that begin with it, or while it holds. */
export function termOf(contract: Contract, at: Date): Contract {
  const { later = [], lines, ...first } = contract;
  if (later.length === 0) return contract;
  const held = later.findLast(({ startsOn }) => startOf(startsOn) <= at);
  const next = termAfter(contract, at);
  const isOwn = ({ effectiveOn }: ContractLine) =>
    (held === undefined || held.startsOn <= effectiveOn) &&
    (next === undefined || effectiveOn < next.startsOn);
  return { ...(held ?? first), lines: lines.filter(isOwn) };
}

function termAfter({ later = [] }: Contract, at: Date): BaseLine | undefined {
  return later.find(({ startsOn }) => at < startOf(startsOn));
}

/** An evaluation after which the next term begins before paid roles cease to count. */
export function isFollowed(contract: Contract, now: Date): boolean {
  const next = termAfter(contract, now);
  const term = termOf(contract, now);
  return next !== undefined && startOf(next.startsOn) <= graceEnd(term, lastDayAt(contract, now));
}

/** Of the term that holds then, as it was signed: also where the next one begins before it. */
export function lastDayAt(contract: Contract, at: Date): string {
  const term = termOf(contract, at);
  return lastDayOf(term, linesAt(term, at));
}

/** What happened at `at`, where that was in the term that holds now; null: it holds no more. */
export function ofTerm(contract: Contract | undefined, at: Date | null, now: Date): Date | null {
  if (contract === undefined || at === null) return null;
  return startOf(termOf(contract, now).startsOn) <= at ? at : null;
}

/** All that was signed, in the order of their first days. */
export function termsSigned({ later = [], ...first }: Contract): readonly BaseLine[] {
  return [first, ...later];
}

/** Of base lines in the order of their days the one that holds at an instant; before all of them the first. */
export function baseAt<Base extends { effectiveOn: string }>(
  bases: readonly Base[],
  at: Date,
): Base | undefined {
  return bases.findLast(({ effectiveOn }) => startOf(effectiveOn) <= at) ?? bases[0];
}

export function termsAt(signed: Contract | undefined, now: Date): Terms {
  if (signed === undefined) return withoutContract;
  const contract = termOf(signed, now);
  const next = termAfter(signed, now);
  const untilNext = (day: string) =>
    next === undefined || day < next.startsOn ? day : dayBefore(next.startsOn);
  if (now < startOf(contract.startsOn))
    return {
      ...withoutContract,
      phase: 'upcoming',
      endsOn: untilNext(contract.endsOn),
      decreaseGraceDays: contract.decreaseGraceDays,
    };
  const lines = linesAt(contract, now);
  const endsOn = lastDayOf(contract, lines);
  const phase = phaseAt(contract, endsOn, now);
  const { allowance, ...seats } = seatsBy(contract, lines);
  return {
    phase,
    tier: lines.findLast(({ tier }) => tier !== null)?.tier ?? contract.tier,
    capacity: seats.capacity,
    allowance,
    allowancePercent: percentAbove(contract),
    graceDays: contract.graceDays ?? 0,
    decreaseGraceDays: contract.decreaseGraceDays,
    isReducedLater: capacityChanges(signed, now).some((later) => isFall(seats, later)),
    grants: phase === 'running',
    policy: contract.policy,
    fallbackRole: contract.fallbackRole,
    endsOn: untilNext(endsOn),
    graceUntil: phase === 'grace' ? graceEnd(contract, endsOn) : null,
  };
}

function isInForce({ effectiveOn, endsOn }: ContractLine, now: Date): boolean {
  return startOf(effectiveOn) <= now && (endsOn === null || now < endOf(endsOn));
}

/** The total of the latest amendment that says one, else of the base line, and what stands on top of it. */
function capacityOf(contract: Contract, inForce: readonly ContractLine[]): number | null {
  const total = inForce.findLast(({ kind, setsSeats }) => kind === 'amendment' && setsSeats);
  const seats = total === undefined ? contract.paidSeats : total.paidSeats;
  if (seats === null) return null;
  const added = inForce.filter(({ kind }) => kind !== 'amendment');
  return added.reduce((sum, { paidSeats }) => sum + (paidSeats ?? 0), seats);
}

function seatsBy(contract: Contract, inForce: readonly ContractLine[]): SeatLimits & { allowance: number } {
  const capacity = capacityOf(contract, inForce);
  const allowance = allowanceOf(contract, capacity);
  return { capacity, limit: limitOf({ capacity, allowance }), allowance };
}

function allowanceOf(base: BaseLine, capacity: number | null): number {
  return capacity === null ? 0 : Math.floor((capacity * percentAbove(base)) / 100);
}

/** A grace of no days gives nothing: the seat would be taken back in the moment in which it is given. */
function percentAbove({ policy, graceDays, allowancePercent }: BaseLine): number {
  const givesAbove = policy === 'allow' || (policy === 'grace' && (graceDays ?? 0) > 0);
  return givesAbove ? (allowancePercent ?? 0) : 0;
}

/**
 * What the lines known now make of the capacity later, at each of their instants, in order. What they say of the time after the
 * end of a signed contract takes nobody's seat.
 */
export function capacityChanges(contract: Contract | undefined, now: Date): (SeatLimits & { at: Date })[] {
  if (contract === undefined) return [];
  const ofLines = contract.lines.flatMap(({ effectiveOn, endsOn }) => [
    startOf(effectiveOn),
    ...(endsOn === null ? [] : [endOf(endsOn)]),
  ]);
  const instants = [...ofLines, ...(contract.later ?? []).map(({ startsOn }) => startOf(startsOn))]
    .filter((at) => now < at)
    .map((at) => at.getTime());
  return [...new Set(instants)]
    .sort((a, b) => a - b)
    .map((time) => ({ at: new Date(time), term: termOf(contract, new Date(time)) }))
    .map(({ at, term }) => ({ at, term, inForce: linesAt(term, at) }))
    .filter(({ at, term, inForce }) => phaseAt(term, lastDayOf(term, inForce), at) !== 'ended')
    .map(({ at, term, inForce }) => {
      const { capacity, limit } = seatsBy(term, inForce);
      return { at, capacity, limit };
    });
}

function linesAt({ lines }: Contract, at: Date): ContractLine[] {
  return lines.filter((line) => isInForce(line, at));
}

function lastDayOf(contract: Contract, inForce: readonly ContractLine[]): string {
  return inForce.findLast(({ contractEndsOn }) => contractEndsOn !== null)?.contractEndsOn ?? contract.endsOn;
}

function phaseAt(contract: Contract, endsOn: string, now: Date): Phase {
  if (now < endOf(endsOn)) return 'running';
  if (contract.kind !== 'evaluation') return 'ended';
  return now < graceEnd(contract, endsOn) ? 'grace' : 'frozen';
}

function graceEnd({ evaluationGraceDays }: BaseLine, endsOn: string): Date {
  return new Date(endOf(endsOn).getTime() + evaluationGraceDays * dayMs);
}

/** The next instant at which `termsAt` may change by itself, if there is one. */
export function nextChange(contract: Contract | undefined, now: Date): Date | undefined {
  if (contract === undefined) return undefined;
  const moved = contract.lines.flatMap(({ contractEndsOn }) => contractEndsOn ?? []);
  const instants = [
    ...termsSigned(contract).flatMap((term) => [
      startOf(term.startsOn),
      ...[term.endsOn, ...moved].flatMap((day) => [
        endOf(day),
        ...(term.kind === 'evaluation' ? [graceEnd(term, day)] : []),
      ]),
    ]),
    ...contract.lines.flatMap(({ effectiveOn, endsOn }) => [
      startOf(effectiveOn),
      ...(endsOn === null ? [] : [endOf(endsOn)]),
    ]),
  ];
  const later = instants.filter((instant) => now < instant).map((instant) => instant.getTime());
  return later.length === 0 ? undefined : new Date(Math.min(...later));
}
