/**
 * Named shares of a tenant's seats, as of departments. What a share does not use is lent to the others; what is lent is
 * taken back when it is claimed. Claims of no sub-pool belong to the common rest, a share like the others.
 */

import type { Usage } from './admit.ts';
import type { Terms } from './contract.ts';

/** As an administrator writes it. */
export interface SubPoolDraft {
  name: string;
  /** Its share. */
  seats: number;
  /** Seats that it may have above its share; null: as many as are free. */
  borrowLimit: number | null;
}

export interface SubPool extends SubPoolDraft {
  /** Seats and kept places of the people whose claims belong to it. */
  used: number;
}

/** By the names of the sub-pools. */
export type SubPoolUse = Readonly<Record<string, number>>;

export function withUse(drafts: readonly SubPoolDraft[], use: SubPoolUse): SubPool[] {
  const used = new Map(Object.entries(use));
  return drafts.map((draft) => ({ ...draft, used: used.get(draft.name) ?? 0 }));
}

export function useOf(subPools: readonly SubPool[]): SubPoolUse {
  return Object.fromEntries(subPools.map(({ name, used }) => [name, used]));
}

/** @param moved By how much more each of them uses. */
export function movedBy(
  subPools: readonly SubPool[],
  moved: ReadonlyMap<string | null, number>,
): readonly SubPool[] {
  return subPools.map((one) => ({ ...one, used: one.used + (moved.get(one.name) ?? 0) }));
}

export interface Share {
  seats: number;
  /** Nobody is let in above it. */
  limit: number;
  used: number;
}

/** By the name of the sub-pool; null: the common rest, always there. */
export type Shares = Map<string | null, Share>;

/** One share without an end: nobody in it ever borrows. */
export function undivided(): Shares {
  const limit = Number.POSITIVE_INFINITY;
  return new Map([[null, { seats: limit, limit, used: 0 }]]);
}

/**
 * Pins, and people whom Blue has by itself, are of the rest: they must not use up a department's share. Where the shares
 * exceed the capacity nothing is left for it.
 */
export function sharesOf(
  subPools: readonly SubPool[],
  { capacity }: Pick<Terms, 'capacity'>,
  usage: Usage,
): Shares {
  if (subPools.length === 0) return undivided();
  const named = subPools.map(({ name, seats, borrowLimit, used }): [string | null, Share] => [
    name,
    { seats, limit: borrowLimit === null ? Number.POSITIVE_INFINITY : seats + borrowLimit, used },
  ]);
  const used = usage.held + usage.overage + usage.onHold + usage.unmanagedPaid;
  const rest = {
    seats: Math.max(0, (capacity ?? Number.POSITIVE_INFINITY) - nominal(subPools)),
    limit: Number.POSITIVE_INFINITY,
    used: used - subPools.reduce((sum, one) => sum + one.used, 0),
  };
  return new Map([...named, [null, rest]]);
}

function nominal(subPools: readonly SubPool[]): number {
  return subPools.reduce((sum, { seats }) => sum + seats, 0);
}

/** Seats that the shares promise above the capacity. */
export function overcommitted(subPools: readonly SubPool[], { capacity }: Pick<Terms, 'capacity'>): number {
  return capacity === null ? 0 : Math.max(0, nominal(subPools) - capacity);
}

export function shareOf(shares: Shares, subPool: string | null): Share {
  return (shares.get(subPool) ?? shares.get(null)) as Share;
}

/** Whether a claim of it is one to its own share. */
export function isWithin({ used, seats }: Share): boolean {
  return used < seats;
}

export function hasPlace({ used, limit }: Share): boolean {
  return used < limit;
}

/** Seats above its share. */
export function borrowedBy({ used, seats }: Share): number {
  return Math.max(0, used - seats);
}

/**
 * Seats of its share that others have: it would have to take them back. Of shares that promise more than there is, what nobody has
 * is lent to nobody.
 *
 * @param free Seats that nobody has. @param all Seats that are used, by whichever share.
 */
export function lentBy({ used, seats }: Share, free: number, all: number): number {
  return Number.isFinite(seats) ? Math.max(0, Math.min(seats - used - free, all - used)) : 0;
}
