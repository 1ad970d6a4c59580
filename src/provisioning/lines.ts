/** How much must be looked at of the queue of each sub-pool, and of the seats that they borrow. Pure. */

import { roomIn } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import { borrowedBy, type Shares, shareOf, sharesOf } from '../licensing/sub-pool.ts';
import type { Pool } from './pool.ts';
import type { Standing } from './standing.ts';

/** How many are looked at of a sub-pool; null: of the common rest. */
export interface Line {
  name: string | null;
  most: number;
}

export interface Reach {
  shares: Shares;
  lines: Line[];
  /** What would be looked at if there were no limit. */
  needed: ReadonlyMap<string | null, number>;
}

/**
 * Of each queue as many as can be served: by free seats within the limit of the sub-pool, or by borrowed ones within its
 * share. Each of the people who are decided for may change each number by one.
 *
 * @param most People in all.
 */
export function reachOfLines(
  { subPools, usage }: Pick<Pool, 'subPools' | 'usage'>,
  terms: Terms,
  people: number,
  most: number,
): Reach {
  const shares = sharesOf(subPools, terms, usage);
  const { held, overage } = roomIn(terms, usage);
  const free = held + overage + people;
  const borrowed = [...shares.values()].reduce((sum, share) => sum + borrowedBy(share), people);
  const needed = new Map(
    [...shares].map(([name, { seats, limit, used }]): [string | null, number] => {
      const byRoom = Math.min(free, limit - used + people);
      const back = Math.min(borrowed, seats - used + people);
      return [name, Math.max(0, byRoom, back)];
    }),
  );
  const each = Math.max(1, Math.floor(most / shares.size));
  const lines = [...needed].map(([name, number]) => ({ name, most: Math.min(number, each) }));
  return { shares, lines, needed };
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

/** Of each sub-pool that may have more than its share, as many of its seats as claims may take back. */
export function borrowedLines(
  { shares }: Reach,
  queue: readonly Standing[],
  people: number,
  most: number,
): Line[] {
  const claims = [...countsOf(queue)].reduce((sum, [name, count]) => {
    const { seats, used } = shareOf(shares, name);
    return sum + Math.max(0, Math.min(count, seats - used));
  }, people);
  return [...shares].flatMap(([name, { seats, used }]) => {
    const taken = Math.min(claims, used - seats + people, most);
    return taken > 0 ? [{ name, most: taken }] : [];
  });
}

function countsOf(queue: readonly Standing[]): Map<string | null, number> {
  const counts = new Map<string | null, number>();
  for (const { decision } of queue) counts.set(decision.subPool, (counts.get(decision.subPool) ?? 0) + 1);
  return counts;
}
