/** When fewer seats are known to come, and how many of those who have one would lose it then. Pure. */

import type { Usage } from './admit.ts';
import { type Contract, capacityChanges, termOf, termsAt } from './contract.ts';
import { endOf, startOf } from './contract-day.ts';
import { excessUntil, isFall, type SeatLimits, seatLimits } from './overage.ts';

/** A number of seats at an instant, against which those who have one now are counted. */
export interface Cliff extends SeatLimits {
  at: Date;
  /** When those above it lose their seats. */
  seatsGoAt: Date;
}

/** The next instant at which a line that is known now gives fewer seats than there are just before, or fewer above them. */
export function nextCliff(contract: Contract | undefined, now: Date): Cliff | undefined {
  return cliffsAhead(contract, now)[0];
}

/** All such instants, in their order. */
export function cliffsAhead(contract: Contract | undefined, now: Date): Cliff[] {
  if (contract === undefined) return [];
  const first = startOf(contract.startsOn);
  let before = seatLimits(termsAt(contract, now < first ? first : now));
  return capacityChanges(contract, now).flatMap(({ at, ...after }) => {
    const isCliff = isFall(before, after);
    before = after;
    return isCliff ? [cliffAt(contract, at)] : [];
  });
}

/**
 * The one that began already, where those above the capacity are still in their days of grace.
 *
 * @param since When it began; null: nobody is above the capacity.
 * @returns undefined where there is none, or where another one comes before they are over: their days are counted anew from that.
 */
export function standingCliff(
  contract: Contract | undefined,
  { since, used }: { since: Date | null; used: Usage },
  now: Date,
): Cliff | undefined {
  if (since === null) return undefined;
  const terms = termsAt(contract, now);
  const seats = seatLimits(terms);
  const seatsGoAt = excessUntil(terms, since);
  const next = nextCliff(contract, now);
  if (seatsLost(seats, used) === 0 || (next !== undefined && next.at <= seatsGoAt)) return undefined;
  return { at: since, ...seats, seatsGoAt };
}

/** What is told of: the one that stands, else the first at which somebody loses a seat, else the next. */
export function foremostCliff(
  contract: Contract | undefined,
  known: { since: Date | null; used: Usage },
  now: Date,
): Cliff | undefined {
  const ahead = cliffsAhead(contract, now);
  return (
    standingCliff(contract, known, now) ?? ahead.find((one) => seatsLost(one, known.used) > 0) ?? ahead[0]
  );
}

export function cliffAt(contract: Contract | undefined, at: Date): Cliff {
  const terms = termsAt(contract, at);
  return { at, ...seatLimits(terms), seatsGoAt: excessEnd(contract, at, at) };
}

/**
 * When those above a capacity that fell lose their seats: their days are counted anew from each further reduction that begins before
 * they are over.
 *
 * @param since When it fell.
 */
export function excessEnd(contract: Contract | undefined, since: Date, now: Date): Date {
  const terms = termsAt(contract, now);
  let before = seatLimits(terms);
  let end = excessUntil(terms, since);
  for (const { at, ...after } of capacityChanges(contract, now)) {
    if (end < at) break;
    if (isFall(before, after)) end = excessUntil(termsAt(contract, at), at);
    before = after;
  }
  return end;
}

/** As if the next term, with everything else as it is now, had so many seats. */
export function renewalCliff(
  contract: Contract | undefined,
  paidSeats: number,
  now: Date,
  at: Date = termEnd(contract, now),
): Cliff {
  if (contract === undefined) return { at, capacity: paidSeats, limit: paidSeats, seatsGoAt: at };
  return cliffAt({ ...termOf(contract, now), paidSeats, lines: [] }, at);
}

/** The first instant after the term as it is known now; now, where there is none or it is over. */
function termEnd(contract: Contract | undefined, now: Date): Date {
  const { endsOn } = termsAt(contract, now);
  return endsOn === null || endOf(endsOn) < now ? now : endOf(endsOn);
}

/**
 * How many lose their seats when there are no more than these: places that are kept go last, by themselves. Those above the capacity
 * come within it where Blue's own people leave room, and stay above it as far as the limit goes.
 */
export function seatsLost({ capacity, limit }: SeatLimits, usage: Usage): number {
  if (capacity === null || limit === null) return 0;
  const { held, overage, onHold, unmanagedPaid } = usage;
  const room = Math.max(0, capacity - held - onHold - unmanagedPaid);
  const lost = Math.max(held + overage + onHold - limit, overage - room - (limit - capacity));
  return Math.max(0, Math.min(held + overage, lost));
}
