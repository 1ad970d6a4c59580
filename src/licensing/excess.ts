/** Seats above a capacity that fell: since when there are some, from which follows when they go. Pure. */

import { type Contract, isLess, limitOf, nextChange, type Terms, termsAt } from './contract.ts';

/** As the last write left it. */
export interface KnownExcess {
  contract: Contract | undefined;
  /** Seats that there were; null: unlimited. */
  limit: number | null;
  excessSince: Date | null;
  /** Until when dates have been looked at. */
  settledAt: Date;
}

/**
 * Since when more is used than there is; null: it is not. Those above a capacity that fell have their time from the last time that
 * it fell. After the end of a signed contract everybody stays: what is above the next one has its time from then on.
 */
export function excessSinceOf(known: KnownExcess, terms: Terms, used: number, now: Date): Date | null {
  const limit = limitOf(terms);
  if (limit === null || used <= limit || terms.phase === 'ended') return null;
  return isLess(limit, known.limit) ? fellAt(known, now) : (known.excessSince ?? now);
}

/** By a line: at the beginning of its day, however late that is noticed. By an edit: now, also where it speaks of an earlier day. */
function fellAt({ contract, limit, settledAt }: KnownExcess, now: Date): Date {
  let before = limitOf(termsAt(contract, settledAt));
  if (before !== limit) return now;
  let fell = now;
  for (
    let at = nextChange(contract, settledAt);
    at !== undefined && at <= now;
    at = nextChange(contract, at)
  ) {
    const after = limitOf(termsAt(contract, at));
    if (isLess(after, before)) fell = at;
    before = after;
  }
  return fell;
}
