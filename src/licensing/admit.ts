/** Step B of a decision: which claims get the seats that are free. Holders are not asked again: nobody loses a seat
 * to an arrival (*sticky* order). */

import type { UserId } from '../kernel/ids.ts';

export interface Claim {
  userId: UserId;
  /** Best priority among the person's paid roles; 1 beats 2. */
  priority: number;
  claimedAt: Date;
  /** Hash of the tenant's salt and the person's tie key: ids follow arrival, and the alphabet is a bias. */
  tie: string;
}

/** The order in which waiting claims are served: priority, time of claim, tie-break. */
export function compareClaims(a: Claim, b: Claim): number {
  return (
    a.priority - b.priority ||
    a.claimedAt.getTime() - b.claimedAt.getTime() ||
    compareText(a.tie, b.tie) ||
    compareText(a.userId, b.userId)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Who of the claimants gets one of `free` seats. */
export function admit(free: number, claims: readonly Claim[]): Set<UserId> {
  if (free <= 0) return new Set();
  const ranked = claims.length <= free ? claims : claims.toSorted(compareClaims).slice(0, free);
  return new Set(ranked.map((claim) => claim.userId));
}
