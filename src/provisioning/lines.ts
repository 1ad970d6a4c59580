/** How much must be looked at of the queue of each sub-pool, and of the seats that they borrow. Pure. */

import { roomIn } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import { borrowedBy, type Share, type Shares, sharesOf } from '../licensing/sub-pool.ts';
import type { Pool } from './pool.ts';
import type { Standing } from './standing.ts';

/** How many are looked at of a sub-pool; null: of the common rest. */
export interface Line {
  name: string | null;
  most: number;
}

export interface Reach {
  shares: Shares;
  /** For the seats that are free. */
  lines: Line[];
  /** What would be looked at for them if there were no limit. */
  needed: ReadonlyMap<string | null, number>;
  /** For the seats that others borrow, behind those who are given a free one. */
  claiming: Line[];
}

/**
 * Of each queue as many as can be served: by free seats within the limit of the sub-pool, or by free and borrowed ones within its
 * share. Each of the people who are decided for may change each number by one.
 *
 * @param most People in all, to whom free seats may go.
 * @param claims Of those who may take a seat back.
 */
export function reachOfLines(
  { subPools, usage }: Pick<Pool, 'subPools' | 'usage'>,
  terms: Terms,
  { people, most, claims }: { people: number; most: number; claims: number },
): Reach {
  const shares = sharesOf(subPools, terms, usage);
  const { held, overage } = roomIn(terms, usage);
  const free = held + overage + people;
  const borrowed = [...shares.values()].reduce((sum, share) => sum + borrowedBy(share), people);
  const reach = (of: (share: Share) => number) =>
    [...shares].map(([name, share]) => ({ name, most: Math.max(0, of(share)) }));
  const byRoom = reach(({ limit, used }) => Math.min(free, limit - used + people));
  const each = Math.max(1, Math.floor(most / shares.size));
  return {
    shares,
    lines: byRoom.map((line) => ({ ...line, most: Math.min(line.most, each) })),
    needed: new Map(byRoom.map((line) => [line.name, line.most])),
    claiming: reach(({ seats, used }) => Math.min(free + borrowed, seats - used + people, claims)),
  };
}

/**
 * Where of a queue more wait than were read, no more seats may be given than were read of it: the next of it could be
 * before others.
 */
export function grantsMaxOf({ lines, needed }: Reach, queue: readonly Standing[]): number {
  const read = countsOf(queue);
  const cut = lines.filter(
    ({ name, most }) => most < (needed.get(name) ?? 0) && (read.get(name) ?? 0) >= most,
  );
  return Math.min(...cut.map(({ most }) => most), Number.POSITIVE_INFINITY);
}

/** Of each sub-pool that may have more than its share, as many of its seats as so many may take back. */
export function borrowedLines({ shares }: Reach, takers: number, people: number): Line[] {
  return [...shares].flatMap(([name, { seats, used }]) => {
    const taken = Math.min(takers, used - seats + people);
    return taken > 0 ? [{ name, most: taken }] : [];
  });
}

function countsOf(queue: readonly Standing[]): Map<string | null, number> {
  const counts = new Map<string | null, number>();
  for (const { decision } of queue) counts.set(decision.subPool, (counts.get(decision.subPool) ?? 0) + 1);
  return counts;
}
