/** A tenant's seats as a write finds them under the pool's lock. */

import type { Usage } from '../licensing/admit.ts';
import type { Losses } from '../licensing/breaker.ts';
import type { Contract } from '../licensing/contract.ts';
import type { OpenBatch } from '../licensing/effect.ts';
import type { Mapping, Rules } from '../licensing/mapping.ts';
import type { SubPool, SubPoolUse } from '../licensing/sub-pool.ts';

/** The pool row, locked, without the rules: a write that turns out to decide nothing never reads them. */
export interface LockedPool {
  usage: Usage;
  batch: OpenBatch | null;
  /** Others are still to be decided for. */
  evaluating: boolean;
  /** Seats that there were at the last write, with and without those above the capacity; null: unlimited. */
  limit: number | null;
  capacity: number | null;
  /** Since when more is used than there is, or more is held than the capacity. */
  excessSince: Date | null;
  /** Until when dates have been looked at. */
  settledAt: Date;
  dueAt: Date | null;
  /** Whether paid roles stand as their fallback. */
  frozen: boolean;
  /** Since when people wait for an administrator to let their decisions happen; null: nobody does. */
  stagedSince: Date | null;
  /** Seats that directories' changes took away lately. */
  losses: Losses | null;
  /** Another one after every change of contract, rules and sub-pools. */
  revision: string;
  /** What sub-pools use. */
  subPoolUse: SubPoolUse;
}

/** The tenant's seats, locked, with the rules that hold now. */
export interface Pool extends Omit<LockedPool, 'subPoolUse'> {
  contract: Contract | undefined;
  rules: Rules;
  /** In the order of their names. */
  subPools: readonly SubPool[];
}

/** Whether one person's seat may be taken for another's claim: by a sub-pool that lent it, or by a better one. */
export function areSeatsTaken({ rules, subPools }: Pick<Pool, 'rules' | 'subPools'>): boolean {
  return rules.order === 'strict' || subPools.length > 0;
}

/** Mappings in place of those that were loaded. */
export function withMappings(pool: Pool, edit: (mapping: Mapping) => Mapping): Pool {
  return { ...pool, rules: { ...pool.rules, mappings: pool.rules.mappings.map(edit) } };
}
