/** What the trail tells of decisions. Pure. */

import type { AuditEvent } from '../audit/audit-event.ts';
import type { Terms } from '../licensing/contract.ts';
import { limitOf } from '../licensing/overage.ts';
import type { Plan } from './plan.ts';
import type { Pool } from './pool.ts';

/** What the decisions were made from. */
export function inputsOf({ usage, subPools }: Pick<Pool, 'usage' | 'subPools'>, terms: Terms) {
  const shares = subPools.length === 0 ? {} : { subPools };
  return { usage, ...termsInputs(terms), ...shares };
}

/** What decisions were made from that neither give a seat nor take one. */
export function termsInputs(terms: Terms) {
  const { policy, capacity } = terms;
  return { capacity, limit: limitOf(terms), policy };
}

export function auditOf(pool: Pick<Pool, 'usage' | 'subPools'>, { changes, terms }: Plan): AuditEvent[] {
  const inputs = inputsOf(pool, terms);
  return changes.map(({ userId, before, after }) => ({
    action: 'decision.changed',
    subject: userId,
    before,
    after,
    inputs,
  }));
}
