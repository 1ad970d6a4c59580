/** Until when claims are collected where a tenant settles them together (settlement `cycle` and `staged`). Pure. */

import { isEnding, type OpenBatch } from '../licensing/effect.ts';
import type { Facts } from './plan.ts';

const quietMs = 3 * 60_000;
/** A directory that never is quiet would keep everybody waiting. */
const cycleMsMax = 60 * 60_000;

/** A batch is open from its first change until three quiet minutes or an hour (`cycle`), or until somebody settles it (`staged`). */
export function batchOf(facts: Facts, now: Date): OpenBatch | null {
  const { batch, rules, persons } = facts;
  if (rules.settlement === 'immediate') return null;
  // While no seat may be given it only ends: whoever is still to be decided for must not open another one for all.
  if (isToSettle(facts)) return facts.evaluating && batch !== null ? ending(batch) : null;
  if (persons.length === 0) return batch;
  const openedAt = batch?.openedAt ?? now;
  const endMs = Math.min(now.getTime() + quietMs, openedAt.getTime() + cycleMsMax);
  return { openedAt, settlesAt: rules.settlement === 'staged' ? null : new Date(endMs) };
}

export function isToSettle({ isSettling, batch }: Pick<Facts, 'isSettling' | 'batch'>): boolean {
  return isSettling || (batch !== null && isEnding(batch));
}

/** It is to be settled as soon as everybody has been decided for, and served: others wait for no other end. */
export function ending({ openedAt }: OpenBatch): OpenBatch {
  return { openedAt, settlesAt: openedAt };
}
