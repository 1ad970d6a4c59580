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
  /** As many as can take seats back: so many are counted, however many are looked at. */
  claiming: Line[];
}

/** Of a line, as stored. */
export interface LineCount {
  /** Of those who may take a seat back, so many wait that more make no difference; and without those whose time is over. */
  waiting: number;
  unspent: number;
  /** Who has notice, and of these whose notice is over. */
  told: number;
  over: number;
}

/** By the name of the sub-pool; null: the common rest. */
export type LineCounts = ReadonlyMap<string | null, LineCount>;

export const noneCounted: LineCounts = new Map();

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
  const borrowed = borrowedIn(shares) + people;
  const claims = [...shares].map(([name, { seats, used }]) => {
    return { name, most: Math.max(0, Math.min(borrowed, seats - used + people)) };
  });
  const needed = new Map(
    claims.map(({ name, most: back }): [string | null, number] => {
      const { limit, used } = shareOf(shares, name);
      return [name, Math.max(back, Math.min(free, limit - used + people))];
    }),
  );
  const each = Math.max(1, Math.floor(most / shares.size));
  const lines = [...needed].map(([name, number]) => ({ name, most: Math.min(number, each) }));
  return { shares, lines, needed, claiming: claims.filter((line) => line.most > 0) };
}

function borrowedIn(shares: Shares): number {
  return [...shares.values()].reduce((sum, share) => sum + borrowedBy(share), 0);
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

function countsOf(queue: readonly Standing[]): Map<string | null, number> {
  const counts = new Map<string | null, number>();
  for (const { decision } of queue) counts.set(decision.subPool, (counts.get(decision.subPool) ?? 0) + 1);
  return counts;
}

export interface Outstanding {
  /** Seats for which nobody has notice yet. */
  untold: number;
  /** Who has notice though no seat is claimed for it. */
  surplus: number;
  /** Who has had notice long enough. */
  over: number;
}

/** What is still to be done so that as many have notice as seats are claimed back. */
export function outstandingOf({ shares }: Pick<Reach, 'shares'>, counts: LineCounts): Outstanding {
  const sum = (of: (count: LineCount, name: string | null) => number) =>
    [...counts].reduce((all, [name, count]) => all + of(count, name), 0);
  const claimed = sum(({ waiting }, name) => {
    const { seats, used } = shareOf(shares, name);
    return Math.max(0, Math.min(waiting, seats - used));
  });
  const wanted = Math.min(claimed, borrowedIn(shares));
  const told = sum((count) => count.told);
  const rightly = sum((count, name) => Math.min(count.told, borrowedBy(shareOf(shares, name))));
  return {
    untold: Math.max(0, wanted - rightly),
    surplus: told - Math.min(wanted, rightly),
    over: sum(({ over }) => over),
  };
}

/** Of each sub-pool that may have more than its share, as many of its seats as may have to be told of. */
export function borrowedLines(
  { shares }: Pick<Reach, 'shares'>,
  { untold }: Pick<Outstanding, 'untold'>,
  people: number,
  most: number,
): Line[] {
  return [...shares].flatMap(([name, { seats, used }]) => {
    const taken = Math.min(untold + people, used - seats + people, most);
    return taken > 0 ? [{ name, most: taken }] : [];
  });
}
