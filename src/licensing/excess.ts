/** Seats above a capacity that fell: since when there are some, from which follows when they go, and how many do. Pure. */

import type { Usage } from './admit.ts';
import { seatsLost } from './cliff.ts';
import { type Contract, nextChange, type Terms, termsAt } from './contract.ts';
import { isFall, limitOf, type SeatLimits, seatLimits } from './overage.ts';

/** As the last write left it. */
export interface KnownExcess extends SeatLimits {
  contract: Contract | undefined;
  excessSince: Date | null;
  /** Until when dates have been looked at. */
  settledAt: Date;
}

/** What becomes of seats when the days of grace after a decrease are over. */
export interface Excess {
  /** Above what the policy allows too: they go. */
  lost: number;
  /** Within it: they count as above the capacity from then on. Only once nobody is left to lose theirs. */
  lowered: number;
}

export const noExcess: Excess = { lost: 0, lowered: 0 };

export function excessOf(terms: Terms, usage: Usage): Excess {
  const lost = seatsLost(seatLimits(terms), usage);
  return lost > 0 ? { lost, lowered: 0 } : { lost, lowered: lowerable(terms, usage) };
}

/** Without the places that are kept: also those of people who had a seat above the capacity are among them. */
function lowerable({ capacity }: Terms, { held }: Usage): number {
  return capacity === null ? 0 : Math.max(0, held - capacity);
}

/**
 * Since when more is used than there is, or more is held than the capacity; null: it is not. Those above a capacity that fell have their
 * time from the last time that it fell. After the end of a contract everybody stays, and of an evaluation that is frozen seats and order
 * are kept: what is above the next one has its time from then on.
 */
export function excessSinceOf(known: KnownExcess, terms: Terms, usage: Usage, now: Date): Date | null {
  const limit = limitOf(terms);
  if (limit === null || terms.phase === 'ended' || terms.phase === 'frozen') return null;
  const { lost, lowered } = excessOf(terms, usage);
  if (lost + lowered === 0 && usage.held + usage.overage + usage.onHold <= limit) return null;
  return isFall(known, seatLimits(terms)) ? fellAt(known, now) : (known.excessSince ?? now);
}

/** By a line: at the beginning of its day, however late that is noticed. By an edit: now, also where it speaks of an earlier day. */
function fellAt({ contract, settledAt, ...known }: KnownExcess, now: Date): Date {
  let before = seatLimits(termsAt(contract, settledAt));
  if (before.limit !== known.limit || before.capacity !== known.capacity) return now;
  let fell = now;
  for (
    let at = nextChange(contract, settledAt);
    at !== undefined && at <= now;
    at = nextChange(contract, at)
  ) {
    const after = seatLimits(termsAt(contract, at));
    if (isFall(before, after)) fell = at;
    before = after;
  }
  return fell;
}
