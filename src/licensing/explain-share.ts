/**
 * What would give a seat to somebody who waits where seats are shared: counted as seats are given (admit.ts) and taken back
 * (preempt.ts), from how many there are of each share.
 */

import type { ExplainFacts, ShareNote } from './explain-facts.ts';
import { capacityFor, isOverageSpent } from './overage.ts';
import { borrowedBy, isWithin } from './sub-pool.ts';

/** How many seats there must be more, of what. */
interface Wanting {
  /** That the sub-pool may have, of its own or borrowed. */
  ofShare: number;
  /** In all, beside them. */
  inAll: number;
}

export function shareWanting(facts: ExplainFacts, share: ShareNote): string | null {
  const { capacity, allowancePercent } = facts.terms;
  const wanting = wantingOf(facts, share, capacity, allowancePercent);
  const { ofShare, inAll } = wanting;
  if (ofShare === 0 && inAll === 0) return null;
  const more = `${moreOf(wanting, share)}.`;
  if (inAll === 0) return more;
  if (takesBack(facts, share, capacity)) {
    return `A seat that the share lends: it is taken back after the notice. Or ${lowered(more)}`;
  }
  const seats = share.used + (share.place ?? 1);
  const isEnough = share.name !== null && takesBack(facts, { ...share, seats }, capacity);
  return isEnough
    ? `A share of ${seats} for the sub-pool "${share.name}": what others borrow then is taken back after the notice. Or ${lowered(more)}`
    : more;
}

/** Where no contract gives any. */
export function contractWanting(facts: ExplainFacts, share: ShareNote): string {
  const { ofShare, inAll } = wantingOf(facts, share, 0, 0);
  const least = inAll === 1 ? '' : `, for ${inAll} seats or more`;
  const own = ofShare === 0 ? '' : `, and ${lowered(moreOf({ ofShare, inAll: 0 }, share))}`;
  return `A contract that is in force today${least}${own}.`;
}

export function seatsMore(count: number): string {
  return count === 1 ? 'One more seat' : `${count} more seats`;
}

function moreOf({ ofShare, inAll }: Wanting, { name }: ShareNote): string {
  const own = `${seatsMore(ofShare)} for the sub-pool "${name}", of its own or to borrow`;
  if (inAll === 0) return own;
  return ofShare === 0 ? seatsMore(inAll) : `Both ${lowered(own)}, and ${lowered(seatsMore(inAll))} in all`;
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** @param capacity To which seats are added; null: unlimited. */
function wantingOf(
  { terms, used, decision, now }: ExplainFacts,
  share: ShareNote,
  capacity: number | null,
  allowancePercent: number,
): Wanting {
  const place = share.place ?? 1;
  const ofShare = Math.max(0, share.used + place - share.limit);
  if (capacity === null) return { ofShare, inAll: 0 };
  // Whose days above the capacity are over gets a seat within it alone.
  const isSpent = isOverageSpent(terms, decision?.overageSince ?? null, now);
  const least = (served: number) => capacityFor(used + served, isSpent ? 0 : allowancePercent) - capacity;
  const all = share.others.reduce((sum, { waiting }) => sum + waiting, place);
  let [inAll, most] = [0, Math.max(0, least(all))];
  // With each seat the rest has a larger share: then more of its people come first, but never more than there are seats.
  while (inAll < most) {
    const middle = Math.floor((inAll + most) / 2);
    if (least(servedUpTo(sharesAt(share, capacity + middle))) <= middle) most = middle;
    else inAll = middle + 1;
  }
  return { ofShare, inAll };
}

/** As they would be with another capacity: the rest is what the sub-pools leave of it. */
function sharesAt(share: ShareNote, capacity: number | null): ShareNote {
  const named = [share, ...share.others].filter(({ name }) => name !== null);
  const left = (capacity ?? Number.POSITIVE_INFINITY) - named.reduce((sum, { seats }) => sum + seats, 0);
  const at = <One extends { name: string | null; seats: number }>(one: One): One =>
    one.name === null ? { ...one, seats: Math.max(0, left) } : one;
  return { ...at(share), others: share.others.map(at) };
}

/** Who is served with the person or before: claims within their shares come first, also of those who stand behind. */
function servedUpTo(share: ShareNote): number {
  const place = share.place ?? 1;
  const isOwn = isWithin({ ...share, used: share.used + place - 1 });
  return share.others.reduce((sum, { seats, limit, used, ahead, waiting }) => {
    const own = Math.max(0, seats - used);
    if (isOwn) return sum + Math.min(ahead, own);
    return sum + Math.max(Math.min(ahead, Math.max(0, limit - used)), Math.min(waiting, own));
  }, place);
}

/** Others borrow as many seats as are claimed back by those who come first, and one. */
function takesBack({ decision }: ExplainFacts, note: ShareNote, capacity: number | null): boolean {
  const share = sharesAt(note, capacity);
  const isOwn = isWithin({ ...share, used: share.used + (share.place ?? 1) - 1 });
  if (!isOwn || decision?.isUnasked === true) return false;
  const borrowed = share.others.reduce((sum, one) => sum + Math.min(one.takeable, borrowedBy(one)), 0);
  return servedUpTo(share) <= borrowed;
}
