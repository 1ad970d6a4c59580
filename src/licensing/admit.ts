/** Step B of a decision: which claims get the seats that are free. Holders are not asked again: nobody loses a seat
 * to an arrival (order `sticky`). */

import type { UserId } from '../kernel/ids.ts';
import type { Terms } from './contract.ts';
import type { SeatOrder } from './mapping.ts';
import { hasPlace, isWithin, type Shares, shareOf, undivided } from './sub-pool.ts';

export interface Claim {
  userId: UserId;
  /** Best priority among the person's paid roles; 1 beats 2. */
  priority: number;
  claimedAt: Date;
  /** Whose share it is served from; null: the common rest. */
  subPool: string | null;
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

/** The claims of one sub-pool in their order, and how many of them are done with. */
interface Line {
  claims: readonly Claim[];
  done: number;
}

/**
 * Who of the claimants gets one of the seats: reserved pins first, then claims within their own share, then those that
 * borrow; each in order, and those within the capacity first. What is granted is counted in `shares`.
 */
export function admit(
  room: Room,
  order: SeatOrder,
  claims: readonly Claim[],
  shares = undivided(),
): Map<UserId, Grant> {
  const left = { ...room };
  const granted = new Map<UserId, Grant>();
  const compare = (a: Claim, b: Claim) =>
    Number(b.isReserved) - Number(a.isReserved) || compareClaims(order)(a, b);
  const lines = linesOf(claims, compare);
  while (left.held > 0 || left.overage > 0) {
    const next = nextOf(lines, left, shares, compare);
    const grant = next && grantOf(next, left);
    if (next === undefined || grant === undefined) break;
    left[grant] -= 1;
    shareOf(shares, next.subPool).used += 1;
    granted.set(next.userId, grant);
  }
  return granted;
}

function linesOf(claims: readonly Claim[], compare: (a: Claim, b: Claim) => number): Line[] {
  const lines = Map.groupBy(claims.toSorted(compare), ({ subPool }) => subPool);
  return [...lines.values()].map((line) => ({ claims: line, done: 0 }));
}

/** Takes the next claim out of its line; undefined: none of them can have a seat. */
function nextOf(
  lines: readonly Line[],
  left: Room,
  shares: Shares,
  compare: (a: Claim, b: Claim) => number,
): Claim | undefined {
  const isBehind = ({ isReserved, subPool }: Claim) =>
    Number(!isReserved && !isWithin(shareOf(shares, subPool)));
  let best: { line: Line; head: Claim } | undefined;
  for (const line of lines) {
    const head = headOf(line, left, shares);
    if (head === undefined) continue;
    const isBetter =
      best === undefined || (isBehind(head) - isBehind(best.head) || compare(head, best.head)) < 0;
    if (isBetter) best = { line, head };
  }
  if (best !== undefined) best.line.done += 1;
  return best?.head;
}

/** Who cannot have one of the seats that are left never can: they only become fewer. */
function headOf(line: Line, left: Room, shares: Shares): Claim | undefined {
  for (; line.done < line.claims.length; line.done += 1) {
    const head = line.claims[line.done] as Claim;
    if (grantOf(head, left) === undefined) continue;
    return head.isReserved || hasPlace(shareOf(shares, head.subPool)) ? head : undefined;
  }
  return undefined;
}

/** The seat that a claim can have; undefined: none of these. */
export function grantOf({ isOverageSpent, isPending }: Claim, left: Room): Grant | undefined {
  if (isPending) return undefined;
  if (left.held > 0) return 'held';
  return left.overage > 0 && !isOverageSpent ? 'overage' : undefined;
}
