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
  /** Since when the seat is held: who has it longest without being seen goes first. */
  since: Date;
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

/** Who goes first: of the lowest priority, then who has the seat longest. */
export function compareVictims(a: Holder, b: Holder): number {
  return b.priority - a.priority || a.since.getTime() - b.since.getTime() || -compareClaims('strict')(a, b);
}

/** Those of a sub-pool who are only counted: who waits for whom no seat is free, and who has notice. */
export interface Unread {
  waiting: number;
  told: number;
}

export interface Taking {
  /** For whom no seat is free, in any order. */
  waiting: readonly Claim[];
  holders: readonly Holder[];
  unread: ReadonlyMap<string | null, Unread>;
}

export interface TakenBack {
  /** Those whose notice is over, and those who have it, or are to have it. */
  swaps: Swap[];
  /** Who is to have notice for the sake of somebody who was only counted. */
  told: Holder[];
  /** For whom somebody who was only counted has notice. */
  provided: Claim[];
}

/**
 * Claims within their share take borrowed seats, whatever the priorities: of those who have notice in the order of its end, then
 * of the lowest ranked.
 *
 * @param shares As used; each swap is counted in them.
 * @param isOver Whether the seat may go now.
 * @param most Seats that go now.
 */
export function takeBack(
  { waiting, holders, unread }: Taking,
  shares: Shares,
  order: SeatOrder,
  isOver: (holder: Holder) => boolean,
  most: number,
): TakenBack {
  const compare = compareClaims(order);
  const borrowers = new Borrowers(
    removable(holders).sort((a, b) => compareNotices(a, b) || compare(b, a)),
    unread,
    shares,
    isOver,
  );
  const taken: TakenBack = { swaps: [], told: [], provided: [] };
  let going = 0;
  for (const winner of waiting.toSorted(compare)) {
    const to = shareOf(shares, winner.subPool);
    const loser = isWithin(to) ? borrowers.next((holder) => canHave(winner, holder)) : undefined;
    if (loser === undefined) continue;
    to.used += 1;
    if (loser === 'unread') {
      taken.provided.push(winner);
      continue;
    }
    const isGoing = isOver(loser);
    if (isGoing) going += 1;
    if (isGoing && going > most) taken.told.push(loser);
    else taken.swaps.push({ loser, winner });
  }
  for (const [name, { waiting: others }] of unread) {
    const to = shareOf(shares, name);
    for (let left = others; left > 0 && isWithin(to); left -= 1) {
      const loser = borrowers.next(() => true);
      if (loser === undefined) break;
      to.used += 1;
      if (loser !== 'unread') taken.told.push(loser);
    }
  }
  return taken;
}

/** Who has borrowed seats, in the order in which they go. */
class Borrowers {
  readonly #holders: Holder[];
  readonly #told: Map<string | null, number>;
  readonly #shares: Shares;
  readonly #isOver: (holder: Holder) => boolean;

  constructor(
    holders: Holder[],
    unread: Taking['unread'],
    shares: Shares,
    isOver: (holder: Holder) => boolean,
  ) {
    this.#holders = holders;
    this.#isOver = isOver;
    this.#told = new Map([...unread].map(([name, { told }]) => [name, told]));
    this.#shares = shares;
  }

  /** The next whose seat is borrowed still; it is counted as given back. */
  next(suits: (holder: Holder) => boolean): Holder | 'unread' | undefined {
    const at = this.#holders.findIndex((holder) => this.#isBorrowing(holder.subPool) && suits(holder));
    const holder = this.#holders[at];
    // Those who were not read come behind those whose notice is over, and before the last who have one.
    if (holder?.noticeUntil == null || !this.#isOver(holder)) {
      const known = [...this.#told].find(([name, told]) => told > 0 && this.#isBorrowing(name));
      if (known !== undefined) {
        this.#told.set(known[0], known[1] - 1);
        shareOf(this.#shares, known[0]).used -= 1;
        return 'unread';
      }
    }
    if (holder === undefined) return undefined;
    this.#holders.splice(at, 1);
    shareOf(this.#shares, holder.subPool).used -= 1;
    return holder;
  }

  #isBorrowing(subPool: string | null): boolean {
    return borrowedBy(shareOf(this.#shares, subPool)) > 0;
  }
}

/** Who has notice first; the others after them. */
function compareNotices(a: Holder, b: Holder): number {
  const [left, right] = [a, b].map(({ noticeUntil }) => noticeUntil?.getTime() ?? Number.MAX_SAFE_INTEGER);
  return (left as number) - (right as number);
}

/**
 * Claims take seats of strictly lower priority: in their own sub-pool, or of what others borrow.
 *
 * @param waiting Claims that may take a seat, in any order.
 * @param shares As used; each swap is counted in them.
 */
export function preempt(waiting: readonly Claim[], holders: readonly Holder[], shares: Shares): Swap[] {
  const victims = removable(holders).sort(compareVictims);
  const swaps: Swap[] = [];
  for (const winner of waiting.toSorted(compareClaims('strict'))) {
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

/** When the seat goes. @param noticeMs How long the notice is; 0: it goes at once. */
export function goesAt({ noticeUntil }: Holder, noticeMs: number, now: Date): Date {
  return noticeUntil ?? new Date(now.getTime() + noticeMs);
}

/** @param told Who has, or is to have, notice without its being known yet to whom the seat goes. */
export function afterNotice(
  swaps: readonly Swap[],
  told: readonly Holder[],
  noticeMs: number,
  now: Date,
): Preemption {
  const result: Preemption = { swaps: [], notices: new Map() };
  for (const { loser, winner } of swaps) {
    const until = goesAt(loser, noticeMs, now);
    if (until <= now) result.swaps.push({ loser: loser.userId, winner: winner.userId });
    else result.notices.set(loser.userId, until);
  }
  for (const loser of told) {
    const until = goesAt(loser, noticeMs, now);
    if (loser.noticeUntil !== null || until > now) result.notices.set(loser.userId, until);
  }
  return result;
}
