/** How the seats of a tenant and of its sub-pools are used after a decision. Pure. */

import type { UserId } from '../kernel/ids.ts';
import type { Usage } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import type { Decision, Seat } from '../licensing/effect.ts';
import { movedBy, type Shares, type SubPool, sharesOf, undivided } from '../licensing/sub-pool.ts';
import type { Facts } from './plan.ts';
import { type Candidate, type Counted, countedAs, subPoolOf } from './standing.ts';

/** How the seats are used where they are as in `seats`. */
export function usageNow(
  candidates: readonly Candidate[],
  seats: ReadonlyMap<UserId, Seat>,
  { usage }: Pick<Facts, 'usage'>,
): Usage {
  return usageAfter(
    usage,
    candidates.map((one) => [countedAs(one), seats.get(one.userId)]),
  );
}

export function sharesNow(
  candidates: readonly Candidate[],
  seats: ReadonlyMap<UserId, Seat>,
  facts: Facts,
  terms: Terms,
): Shares {
  if (facts.subPools.length === 0) return undivided();
  const turns = candidates.map((one): SubPoolTurn => {
    const after = { seat: seats.get(one.userId) ?? 'none', subPool: subPoolOf(one) };
    return [one.before, after];
  });
  return sharesOf(subPoolsAfter(facts.subPools, turns), terms, usageNow(candidates, seats, facts));
}

/** What of a decision counts in a sub-pool, before and after; null: nothing. */
export type SubPoolTurn = readonly [Placed | null, Placed | null];
type Placed = Pick<Decision, 'seat' | 'subPool'>;

export function subPoolsAfter(before: readonly SubPool[], turns: readonly SubPoolTurn[]): readonly SubPool[] {
  if (before.length === 0) return before;
  const moved = new Map<string | null, number>();
  const count = (placed: Placed | null, by: 1 | -1) => {
    if (placed === null || placed.seat === 'none' || placed.seat === 'waiting') return;
    moved.set(placed.subPool, (moved.get(placed.subPool) ?? 0) + by);
  };
  for (const [was, is] of turns) {
    count(was, -1);
    count(is, 1);
  }
  return movedBy(before, moved);
}

/** @param turns The seat of each before and after. */
function usageAfter(
  before: Usage,
  turns: readonly (readonly [Counted | undefined, Seat | undefined])[],
): Usage {
  const usage = { ...before };
  for (const [was, is] of turns) {
    if (was === is) continue;
    countSeat(usage, was, -1);
    countSeat(usage, is, 1);
  }
  return usage;
}

function countSeat(usage: Usage, seat: Counted | undefined, by: 1 | -1): void {
  if (seat === 'held') usage.held += by;
  else if (seat === 'overage') usage.overage += by;
  else if (seat === 'hold') usage.onHold += by;
  else if (seat === 'unmanaged') usage.unmanagedPaid += by;
}
