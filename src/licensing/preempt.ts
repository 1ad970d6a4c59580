/**
 * Who loses the seat to a claim that waits, after a notice. A sub-pool takes back what it lent; and with order `strict` a
 * claim that may do so takes the seat of one of strictly lower priority. Pins are never taken.
 */

import type { UserId } from '../kernel/ids.ts';
import { type Claim, compareClaims, type Grant } from './admit.ts';
import type { SeatOrder } from './mapping.ts';
import { pinPriority } from './pin.ts';
import { borrowedBy, hasPlace, isWithin, type Shares, shareOf } from './sub-pool.ts';

export interface Holder extends Claim {
  seat: Grant;
  /** Since when the person was not seen; of whoever was not seen since the seat was given, since then. */
  idleSince: Date;
  /** When the seat goes to a better claim; null: no notice was given. */
  noticeUntil: Date | null;
}

/** Somebody who is to lose the seat, and to whom it goes. */
export interface Swap {
  loser: Holder;
  winner: Claim;
}

export interface Preemption {
  /** Who loses the seat now, and to whom it goes. */
  swaps: { loser: UserId; winner: UserId }[];
  /** Who has notice from now on, or still has it; the others have none. */
  notices: Map<UserId, Date>;
}

/** Who goes first: of the lowest priority, then who has notice already, then who has been idle longest. */
export function compareVictims(a: Holder, b: Holder): number {
  const told = ({ noticeUntil }: Holder) => noticeUntil?.getTime() ?? Number.MAX_SAFE_INTEGER;
  const byTime = told(a) - told(b) || a.idleSince.getTime() - b.idleSince.getTime();
  return b.priority - a.priority || byTime || -compareClaims('strict')(a, b);
}

/**
 * Claims within their share take borrowed seats, whatever the priorities: first that of whose notice ends first, then that of the
 * lowest ranked.
 *
 * @param waiting In any order, for whom no seat is free.
 * @param shares As used; each swap is counted in them.
 * @param goesAt When the seat can go.
 * @param most Swaps.
 */
export function takeBack(
  waiting: readonly Claim[],
  holders: readonly Holder[],
  shares: Shares,
  order: SeatOrder,
  goesAt: (holder: Holder) => Date,
  most: number,
): Swap[] {
  const compare = compareClaims(order);
  const byTime = (a: Holder, b: Holder) => goesAt(a).getTime() - goesAt(b).getTime();
  const borrowers = removable(holders).sort((a, b) => byTime(a, b) || compare(b, a));
  const swaps: Swap[] = [];
  for (const winner of waiting.toSorted(compare)) {
    if (swaps.length >= most) break;
    if (!isWithin(shareOf(shares, winner.subPool))) continue;
    const at = borrowers.findIndex(
      (borrower) => borrowedBy(shareOf(shares, borrower.subPool)) > 0 && canHave(winner, borrower),
    );
    const [loser] = at < 0 ? [] : borrowers.splice(at, 1);
    if (loser !== undefined) swaps.push(swapped(shares, { loser, winner }));
  }
  return swaps;
}

/**
 * Claims take seats of strictly lower priority: in their own sub-pool, or of what others borrow.
 *
 * @param waiting Claims that may take a seat, in any order.
 * @param shares As used; each swap is counted in them.
 * @param most Swaps.
 */
export function preempt(
  waiting: readonly Claim[],
  holders: readonly Holder[],
  shares: Shares,
  most = Number.POSITIVE_INFINITY,
): Swap[] {
  const victims = removable(holders).sort(compareVictims);
  const swaps: Swap[] = [];
  for (const winner of waiting.toSorted(compareClaims('strict'))) {
    if (swaps.length >= most) break;
    if ((victims[0]?.priority ?? 0) <= winner.priority) break;
    const at = victims.findIndex((victim) => isOpenTo(winner, victim, shares));
    const [loser] = at < 0 ? [] : victims.splice(at, 1);
    if (loser !== undefined) swaps.push(swapped(shares, { loser, winner }));
  }
  return swaps;
}

function isOpenTo(winner: Claim, victim: Holder, shares: Shares): boolean {
  if (victim.priority <= winner.priority || !canHave(winner, victim)) return false;
  const [from, to] = [shareOf(shares, victim.subPool), shareOf(shares, winner.subPool)];
  return from === to || (borrowedBy(from) > 0 && hasPlace(to));
}

/** The seat that is taken stays what it is: one above the capacity is none for whoever has used up that time. */
function canHave({ isOverageSpent }: Claim, { seat }: Holder): boolean {
  return !(isOverageSpent && seat === 'overage');
}

function removable(holders: readonly Holder[]): Holder[] {
  return holders.filter(({ priority }) => priority > pinPriority);
}

function swapped(shares: Shares, swap: Swap): Swap {
  shareOf(shares, swap.loser.subPool).used -= 1;
  shareOf(shares, swap.winner.subPool).used += 1;
  return swap;
}

/** When the seat can go. @param noticeMs How long the notice is; 0: at once. */
export function goingAt(noticeMs: number, now: Date): (holder: Holder) => Date {
  return ({ noticeUntil }) => noticeUntil ?? new Date(now.getTime() + noticeMs);
}

/** @param goesAt When the seat can go. */
export function afterNotice(swaps: readonly Swap[], goesAt: (holder: Holder) => Date, now: Date): Preemption {
  const result: Preemption = { swaps: [], notices: new Map() };
  for (const { loser, winner } of swaps) {
    const until = goesAt(loser);
    if (until <= now) result.swaps.push({ loser: loser.userId, winner: winner.userId });
    else result.notices.set(loser.userId, until);
  }
  return result;
}
