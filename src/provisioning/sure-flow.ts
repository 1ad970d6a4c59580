/**
 * Whose claims a large edit may serve at once: where there are seats for everybody who may come to claim at a priority or a better
 * one, each of them gets one whoever is decided for first. They need not wait until all have been decided for.
 */

import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { roomIn } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import { isEnding } from '../licensing/effect.ts';
import { defaultPriority } from '../licensing/pin.ts';
import { claimsOf } from './differing.ts';
import type { Pool } from './pool.ts';
import { readPool } from './pool-store.ts';
import { type EvaluationRequest, isAlone } from './request-sql.ts';
import type { Grounds } from './ruling-store.ts';
import { countQueue } from './standing-store.ts';

export interface Sure {
  /** The worst of the priorities. */
  to: number;
  /** As which seats were free. */
  pool: Pool;
}

interface Compared {
  request: EvaluationRequest;
  grounds: Grounds;
  /** Packed as differing.ts reads them. */
  people: readonly Buffer[];
}

/** Seats for the head of the queue where nothing is weighed but its order; 0 where anything else is. */
export function roomForHead({ rules, usage, subPools, batch }: Pool, terms: Terms): number {
  const isOpen = batch !== null && !isEnding(batch);
  const isPlain = terms.grants && terms.allowance === 0 && usage.overage === 0 && !isOpen;
  return isPlain && subPools.length === 0 && rules.order === 'sticky' ? roomIn(terms, usage).held : 0;
}

/** null: nobody is known to get one in any case. While the edit is carried out no others are given seats. */
export async function findSure(
  database: Database,
  { tenantId }: Door,
  { request, grounds, people }: Compared,
): Promise<Sure | null> {
  const claims = claimsOf(people);
  if (claims.size === 0) return null;
  return await inTenant(database, tenantId, async (tx) => {
    const pool = await readPool(tx);
    const room = roomForHead(pool, grounds.terms);
    if (room === 0 || !(await isAlone(tx, request.id))) return null;
    for (const [priority, count] of await countQueue(tx))
      claims.set(priority, (claims.get(priority) ?? 0) + count);
    const to = servedTo(room, claims);
    return to === undefined ? null : { to, pool };
  });
}

/** The worst priority at which everybody gets a seat; undefined: not even at the best does everybody. */
function servedTo(room: number, claims: ReadonlyMap<number, number>): number | undefined {
  let left = room;
  let to: number | undefined;
  for (const [priority, count] of [...claims].sort(([a], [b]) => a - b)) {
    left -= count;
    if (left < 0) return to;
    to = priority;
  }
  return defaultPriority;
}
