/** What the terms of a contract say of seats above its capacity: how many there may be, and how long they are kept. Pure. */

import type { Terms } from './contract.ts';

const dayMs = 86_400_000;

/** How many seats there are; null: unlimited. */
export interface SeatLimits {
  capacity: number | null;
  /** With what the policy allows above the capacity. */
  limit: number | null;
}

export function seatLimits(terms: Pick<Terms, 'capacity' | 'allowance'>): SeatLimits {
  return { capacity: terms.capacity, limit: limitOf(terms) };
}

/** Whether there are fewer, within the capacity or with those above it. */
export function isFall(before: SeatLimits, after: SeatLimits): boolean {
  return isLess(after.limit, before.limit) || isLess(after.capacity, before.capacity);
}

/** Seats within and above the capacity; null: unlimited. */
export function limitOf({ capacity, allowance }: Pick<Terms, 'capacity' | 'allowance'>): number | null {
  return capacity === null ? null : capacity + allowance;
}

/** Until when a seat above the capacity is kept, of a claim that first had one at `since`; null: as long as the policy stands. */
export function overageUntil(
  { policy, graceDays }: Pick<Terms, 'policy' | 'graceDays'>,
  since: Date,
): Date | null {
  return policy === 'grace' ? new Date(since.getTime() + graceDays * dayMs) : null;
}

/** Whether a claim's time above the capacity is used up. @param since As above; null: it had no such seat. */
export function isOverageSpent(
  terms: Pick<Terms, 'policy' | 'graceDays'>,
  since: Date | null,
  now: Date,
): boolean {
  const until = since === null ? null : overageUntil(terms, since);
  return until !== null && until <= now;
}

/** When those above a capacity that fell lose their seats. */
export function excessUntil({ decreaseGraceDays }: Pick<Terms, 'decreaseGraceDays'>, since: Date): Date {
  return new Date(since.getTime() + decreaseGraceDays * dayMs);
}

/** The least capacity with which so many have seats within and above it. */
export function capacityFor(seats: number, allowancePercent: number): number {
  return Math.ceil((seats * 100) / (100 + allowancePercent));
}

/** @param capacity null: unlimited. */
export function isLess(a: number | null, capacity: number | null): boolean {
  return a !== null && (capacity === null || a < capacity);
}
