/**
 * Whose claims a large edit serves as it decides for them: where there are seats for everybody who may come to claim at a priority or
 * a better one, each of them gets one whoever is decided for first, and need not wait until all have been.
 */

import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { roomIn } from '../licensing/admit.ts';
import type { Terms } from '../licensing/contract.ts';
import { isEnding } from '../licensing/effect.ts';
import type { Rules } from '../licensing/mapping.ts';
import { defaultPriority } from '../licensing/pin.ts';
import { countMarks } from './affected-sql.ts';
import { claimsOf, unknownPriority } from './differing.ts';
import type { Pool } from './pool.ts';
import { readPool } from './pool-store.ts';
import { type EvaluationRequest, isAlone } from './request-sql.ts';
import type { Grounds } from './ruling-store.ts';
import { loadQueue } from './standing-store.ts';

/** Counts as long as there is room for all who are left: others may take seats meanwhile by a pin, or in Blue. */
export interface Sure {
  /** The worst of the priorities. */
  to: number;
  /** How many of those who may claim have no seat yet. */
  left: number;
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

/** null: nobody is known to get one, or others wait, who are served with those of the edit at its end. */
export async function findSure(
  database: Database,
  { tenantId }: Door,
  { request, grounds, people }: Compared,
): Promise<Sure | null> {
  const claims = claimsOf(people);
  if (claims.size === 0 || claims.has(unknownPriority)) return null;
  return await inTenant(database, tenantId, async (tx) => {
    const pool = await readPool(tx);
    const room = roomForHead(pool, grounds.terms);
    if (room === 0) return null;
    const [alone, waiting] = await Promise.all([isAlone(tx, request.id), loadQueue(tx, 1)]);
    const served = servedOf(claims, room, firstAsked(grounds.rules));
    return alone && waiting.length === 0 && served !== null ? { ...served, pool } : null;
  });
}

/** Whether there is a seat for each of the `taken`, and for everybody who is marked still, and none of them waits for a batch. */
export async function isRoomForAll(
  tx: TenantTransaction,
  pool: Pool,
  terms: Terms,
  taken: number,
): Promise<boolean> {
  const room = roomForHead(pool, terms);
  if (room < taken || pool.batch !== null) return false;
  const [left, waiting] = await Promise.all([
    Number.isFinite(room) ? countMarks(tx, room + 1) : 0,
    loadQueue(tx, 1),
  ]);
  return waiting.length === 0 && taken + left <= room;
}

/** The best priority at which somebody may be asked for the seat: from there on claims wait for the end. */
function firstAsked({ mappings, approvals, catalogue }: Rules): number {
  const isAsked = (mapping: Rules['mappings'][number]) =>
    (mapping.approval ?? approvals[mapping.role] ?? 'automatic') !== 'automatic';
  const asked = mappings.find((one) => catalogue.roleOf(one.role).billing === 'paid' && isAsked(one));
  return asked?.priority ?? Number.POSITIVE_INFINITY;
}

/** As far as everybody gets a seat; null: not even at the best priority does everybody. */
function servedOf(
  claims: ReadonlyMap<number, number>,
  room: number,
  end: number,
): Pick<Sure, 'to' | 'left'> | null {
  let served: Pick<Sure, 'to' | 'left'> | null = null;
  for (const [priority, count] of [...claims].sort(([a], [b]) => a - b)) {
    const left: number = (served?.left ?? 0) + count;
    if (priority >= end || left > room) return served;
    served = { to: priority, left };
  }
  // Nobody is behind them.
  return served && { ...served, to: Math.min(defaultPriority, end - 1) };
}
