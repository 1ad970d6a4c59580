/** Step B of a decision: which claims get the seats that are free. Holders are not asked again: nobody loses a seat
 * to an arrival (order `sticky`). */

import type { UserId } from '../kernel/ids.ts';
import type { Terms } from './contract.ts';
import type { SeatOrder } from './mapping.ts';

export interface Claim {
  userId: UserId;
  /** Best priority among the person's paid roles; 1 beats 2. */
  priority: number;
  claimedAt: Date;
  /** Hash of the tenant's salt and the person's tie key: ids follow arrival, and the alphabet is a bias. */
  tie: string;
  /** By a pin that takes its seat when it is set. */
  isReserved: boolean;
  /** The person's time above the capacity is used up (policy `grace`). */
  isOverageSpent: boolean;
  /** Somebody must give the seat first. */
  isPending: boolean;
}

/** What a claim's time counts for in the order. */
export function rankOf(claimedAt: Date, order: SeatOrder): Date {
  switch (order) {
    case 'sticky':
      return claimedAt;
    case 'strict':
      return new Date(0);
  }
}

/** The order in which claims are served: priority, time of claim (`sticky` only), tie-break. */
export function compareClaims(order: SeatOrder) {
  return (a: Claim, b: Claim): number =>
    a.priority - b.priority ||
    rankOf(a.claimedAt, order).getTime() - rankOf(b.claimedAt, order).getTime() ||
    compareText(a.tie, b.tie) ||
    compareText(a.userId, b.userId);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How the seats of a pool are used. */
export interface Usage {
  held: number;
  overage: number;
  onHold: number;
  /** People with a paid role in Blue whom the gateway did not put there: they keep seats from being given. */
  unmanagedPaid: number;
}

/** Seats that can be given: within the capacity, and above it. */
export interface Room {
  held: number;
  overage: number;
}

/** Infinity where seats are unlimited. Whether they may be given at all is not asked here. */
export function roomIn({ capacity, allowance }: Pick<Terms, 'capacity' | 'allowance'>, usage: Usage): Room {
  if (capacity === null) return { held: Number.POSITIVE_INFINITY, overage: 0 };
  const { held, overage, onHold, unmanagedPaid } = usage;
  const within = Math.max(0, capacity - held - onHold - unmanagedPaid);
  const all = capacity + allowance - held - overage - onHold - unmanagedPaid;
  return { held: within, overage: Math.max(0, all - within) };
}

export type Grant = 'held' | 'overage';

/** Who of the claimants gets one of the seats: reserved pins first, then in order; those within the capacity first. */
export function admit(room: Room, order: SeatOrder, claims: readonly Claim[]): Map<UserId, Grant> {
  const left = { ...room };
  const granted = new Map<UserId, Grant>();
  if (left.held <= 0 && left.overage <= 0) return granted;
  const compare = compareClaims(order);
  const ranked = claims.toSorted((a, b) => Number(b.isReserved) - Number(a.isReserved) || compare(a, b));
  for (const claim of ranked) {
    const grant = grantOf(claim, left);
    if (grant === undefined) continue;
    left[grant] -= 1;
    granted.set(claim.userId, grant);
  }
  return granted;
}

function grantOf({ isOverageSpent, isPending }: Claim, left: Room): Grant | undefined {
  if (isPending) return undefined;
  if (left.held > 0) return 'held';
  return left.overage > 0 && !isOverageSpent ? 'overage' : undefined;
}
