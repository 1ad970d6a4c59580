/**
 * Order `strict`: a claim that may do so takes the seat of one of strictly lower priority, after a notice. Pins are never taken.
 */

import type { UserId } from '../kernel/ids.ts';
import { type Claim, compareClaims } from './admit.ts';
import { pinPriority } from './pin.ts';

export interface Holder extends Claim {
  /** Since when the seat is held: who has it longest without being seen goes first. */
  since: Date;
  /** When the seat goes to a better claim; null: no notice was given. */
  noticeUntil: Date | null;
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

/**
 * @param waiting Claims that may take a seat, in any order.
 * @param noticeMs How long the notice is; 0: the seat goes at once.
 */
export function preempt(
  waiting: readonly Claim[],
  holders: readonly Holder[],
  noticeMs: number,
  now: Date,
): Preemption {
  const preemptors = waiting.toSorted(compareClaims('strict'));
  const victims = holders.filter(({ priority }) => priority > pinPriority).sort(compareVictims);
  const result: Preemption = { swaps: [], notices: new Map() };
  for (const [index, winner] of preemptors.entries()) {
    const victim = victims[index];
    if (victim === undefined || victim.priority <= winner.priority) break;
    const until = victim.noticeUntil ?? new Date(now.getTime() + noticeMs);
    if (until <= now) result.swaps.push({ loser: victim.userId, winner: winner.userId });
    else result.notices.set(victim.userId, until);
  }
  return result;
}
