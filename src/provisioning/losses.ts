/**
 * Who would lose the seat by an edit not now but at a date to come: where a mapping begins or ceases to count, a pin ends, a line of
 * the contract gives fewer seats, seats above the capacity come to have an end, or an evaluation freezes. Pure.
 */

import type { UserId } from '../kernel/ids.ts';
import type { Usage } from '../licensing/admit.ts';
import { seatsLost } from '../licensing/cliff.ts';
import { type Contract, nextChange, type Terms, termsAt } from '../licensing/contract.ts';
import { desire, named } from '../licensing/desire.ts';
import { isSeated } from '../licensing/effect.ts';
import type { Rules } from '../licensing/mapping.ts';
import { excessUntil, overageUntil, seatLimits } from '../licensing/overage.ts';
import type { Crowd } from './crowd.ts';
import type { Losses } from './edit.ts';
import type { PersonFacts } from './standing.ts';

/** How many of them lose the seat later, to people; nothing where none does. */
export function laterText({ seatsLost, lostLater }: Losses): string {
  if (lostLater === 0) return '';
  return `${lostLater === seatsLost ? 'all' : `${lostLater} of them`} at a date to come`;
}

/** The rules with and without the edit. */
export interface RuleTurn {
  before: Rules;
  after: Rules;
}

/**
 * Holders whom the edit leaves without a paid role at some instant to come, though without it they would have one then. Whoever
 * loses the seat at different instants is there once: a loss that is cut into small ones is no smaller.
 */
export function laterLosers(crowds: readonly Crowd[], rules: RuleTurn, now: Date): UserId[] {
  // People who are alike share their groups; a pin may be another.
  const known = new Map<unknown, boolean>();
  const areDated = instantsOf([...rules.before.mappings, ...rules.after.mappings], null, now).length > 0;
  return crowds
    .filter(({ person }) => {
      if (!isSeated(person.decision?.seat ?? 'none') || !(areDated || person.pin !== null)) return false;
      const alike = person.pin ?? person.groups;
      const isLoser = known.get(alike) ?? losesLater(person, rules, now);
      known.set(alike, isLoser);
      return isLoser;
    })
    .flatMap(({ people }) => people);
}

function losesLater(person: PersonFacts, { before, after }: RuleTurn, now: Date): boolean {
  // Only these can win.
  const was = { ...before, mappings: named(before, person) };
  const is = { ...after, mappings: named(after, person) };
  return instantsOf([...was.mappings, ...is.mappings], person.pin, now).some(
    (at) => !wantsSeat(person, is, at) && wantsSeat(person, was, at),
  );
}

function wantsSeat(person: PersonFacts, rules: Rules, at: Date): boolean {
  return desire(person, rules, at).priority !== null;
}

function instantsOf(mappings: Rules['mappings'], pin: PersonFacts['pin'], now: Date): Date[] {
  const dates = mappings.flatMap(({ validFrom, validUntil }) => [validFrom, validUntil]);
  const times = [...dates, pin?.until ?? null].flatMap((at) =>
    at !== null && now < at ? [at.getTime()] : [],
  );
  return [...new Set(times)].map((time) => new Date(time));
}

/**
 * How many more seats go by the contract after the edit than by that before it, at the instant at which that is most: whose they are is
 * known only then.
 *
 * @param usage Without the seats above the capacity that go by the edit itself. Of an evaluation that it freezes all do.
 * @param excessSince Since when the days of grace of others run, which may come to be fewer; null: none do.
 */
export function lostByContract(
  before: Contract | undefined,
  after: Contract | undefined,
  usage: Usage,
  excessSince: Date | null,
  now: Date,
): number {
  const terms = { before: termsAt(before, now), after: termsAt(after, now) };
  if (terms.after.phase === 'frozen') return 0;
  const times = [now, ...changesOf(before, now), ...changesOf(after, now)].map((at) => at.getTime());
  const instants = [...new Set(times)].sort((a, b) => a - b).map((time) => new Date(time));
  // Whoever has nothing of a seat that is frozen has it again, for as long as there is one.
  const former = terms.before.phase === 'frozen' ? [] : lostAtEach(before, usage, instants);
  const more = lostAtEach(after, usage, instants).map((lost, index) => lost - (former[index] ?? 0));
  const isSooner =
    excessSince !== null && excessUntil(terms.after, excessSince) < excessUntil(terms.before, excessSince);
  return Math.max(0, ...more, isSooner ? seatsLost(seatLimits(terms.after), usage) : 0);
}

function changesOf(contract: Contract | undefined, now: Date): Date[] {
  const instants: Date[] = [];
  for (let at = nextChange(contract, now); at !== undefined; at = nextChange(contract, at)) instants.push(at);
  return instants;
}

/**
 * Of those who have a seat now, how many could not keep it by what holds at each of the instants, in their order. After the end of a
 * signed contract everybody stays who is there still.
 */
function lostAtEach(contract: Contract | undefined, usage: Usage, instants: readonly Date[]): number[] {
  let most = 0;
  return instants.map((at) => {
    const terms = termsAt(contract, at);
    if (terms.phase === 'ended') return most;
    const lost = lostBy(terms, usage, at);
    most = Math.max(most, lost);
    return lost;
  });
}

function lostBy(terms: Terms, usage: Usage, at: Date): number {
  if (terms.phase === 'frozen') return usage.held + usage.overage;
  const { capacity, limit } = seatLimits(terms);
  // Under `grace` seats above the capacity have an end.
  return seatsLost({ capacity, limit: overageUntil(terms, at) === null ? limit : capacity }, usage);
}
