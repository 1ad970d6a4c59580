/** The mass-change breaker: a change that takes many seats away at once is asked about, since it may be a mistake. */

import type { Usage } from './admit.ts';

export interface Breaker {
  /** Of the seats that are used. */
  percent: number;
  people: number;
}

/** Seats that directories' changes took away within the hour. */
export interface Losses {
  since: Date;
  seats: number;
}

const windowMs = 60 * 60_000;

/** The losses that count now. */
export function lossesAt(known: Losses | null, now: Date): Losses {
  return known !== null && now.getTime() - known.since.getTime() < windowMs
    ? known
    : { since: now, seats: 0 };
}

/** Whether so many more losses are too many: more than the percentage of what was used before them, and as many people. */
export function isTripped(
  { percent, people }: Breaker,
  { held, overage, onHold }: Usage,
  before: Losses,
  losses: number,
): boolean {
  const total = before.seats + losses;
  const used = held + overage + onHold + before.seats;
  return losses > 0 && total >= people && total * 100 > used * percent;
}
