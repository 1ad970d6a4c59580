/** What large edits tell in the trail: of many people in one row (`audit_batches`), which is read as an event of each (`audit_trail`). */

import { type RawBuilder, sql } from 'kysely';
import type { Door } from '../audit/door.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';

/** Of whom one row tells at most: so many numbers each of the trail's rows draws (migrations/0042). */
const peoplePerRow = 1000;

/**
 * An insert of what was decided of these people.
 *
 * @param changes Selects of each `subject`, the `place` among them, from 0 on, and what was decided: `before`, `after`.
 * @param inputs What the decisions were made from.
 */
export function telling(
  tx: TenantTransaction,
  { actor, now, requestId }: Door,
  changes: RawBuilder<unknown>,
  inputs: unknown,
): RawBuilder<unknown> {
  const edge = (of: 'min' | 'max') => sql`${sql.raw(of)}(c.subject::text collate "C")::uuid`;
  return sql`
    insert into audit_batches (tenant_id, at, actor, request_id, inputs, first_subject, last_subject, subjects, changes)
    select ${tx.tenantId}, ${now}, ${JSON.stringify(actor)}::jsonb, ${requestId}, ${JSON.stringify(inputs)}::jsonb, ${edge('min')}, ${edge('max')},
      array_agg(c.subject order by c.place), array_agg(row(c.before, c.after)::told_change order by c.place)
    from (${changes}) c group by c.place / ${sql.lit(peoplePerRow)} order by c.place / ${sql.lit(peoplePerRow)}`;
}

/** What the trail tells of a decision (`told_decision` of migrations/0038). */
export interface ToldDecision {
  requestedId: RawBuilder<unknown>;
  effectiveId: RawBuilder<unknown>;
  priority: RawBuilder<unknown>;
  claimedAt: RawBuilder<unknown>;
  mayPreempt: RawBuilder<unknown>;
  seat: RawBuilder<unknown>;
  since: RawBuilder<unknown>;
  refusal: RawBuilder<unknown>;
  overageSince: RawBuilder<unknown>;
  isUnasked: RawBuilder<unknown>;
  subPool: RawBuilder<unknown>;
  endsAt: RawBuilder<unknown>;
}

/** A decision without a kept place, a notice, or anybody's word, as a row. */
export function told(decision: ToldDecision): RawBuilder<unknown> {
  const { requestedId, effectiveId, priority, claimedAt, mayPreempt, seat, since } = decision;
  const { refusal, overageSince, isUnasked, subPool, endsAt } = decision;
  return sql`row(${requestedId}, ${effectiveId}, ${priority}, ${claimedAt}, ${mayPreempt}, ${seat}, ${since}, ${refusal}, ${overageSince}, ${isUnasked},
    ${subPool}, ${endsAt})::told_decision`;
}
