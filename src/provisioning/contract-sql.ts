/** The contract as the rules read it, as one JSON value: null where there is none. */

import { type RawBuilder, sql } from 'kysely';
import type { TenantId } from '../kernel/ids.ts';

/** Of a base line that holds: what the rules don't read. */
const noted = ['paymentSchedule', 'terms', 'documentReference', 'accountManager', 'billingPortalUrl'];

/** A `Contract` of licensing/contract.ts, with the lines that hold now. */
export function contractJson(tenantId: TenantId): RawBuilder<unknown> {
  return sql`(
    select jsonb_build_object('kind', c.kind, 'tier', c.tier, 'paidSeats', c.paid_seats, 'startsOn', c.starts_on,
      'endsOn', c.ends_on, 'policy', case
        -- Lifted before refusals stop an identity provider: block-guard-flow.ts.
        when c.overage_policy = 'block' and c.block_lifted_at is not null then 'queue' else c.overage_policy end, 'fallbackRole', c.fallback_role,
      'evaluationGraceDays', c.evaluation_grace_days, 'decreaseGraceDays', c.decrease_grace_days,
      'allowancePercent', c.allowance_percent, 'graceDays', c.grace_days, 'lines', coalesce((
        select jsonb_agg(jsonb_build_object('kind', l.kind, 'effectiveOn', l.effective_on, 'endsOn', l.ends_on,
          'setsSeats', l.sets_seats, 'paidSeats', l.paid_seats, 'tier', l.tier, 'contractEndsOn', l.contract_ends_on)
          order by l.effective_on, l.recorded_at, l.id)
        from contract_lines l
        where l.tenant_id = c.tenant_id and l.kind <> 'base' and l.superseded_at is null), '[]'),
      'later', coalesce((
        select jsonb_agg(case
          when l.document ->> 'policy' = 'block' and c.block_lifted_at >= l.effective_on::timestamp at time zone 'UTC'
            then jsonb_set(l.document, '{policy}', '"queue"') else l.document end - ${noted}::text[] order by l.effective_on)
        from contract_lines l
        where l.tenant_id = c.tenant_id and l.kind = 'base' and l.superseded_at is null and l.effective_on > c.starts_on), '[]'))
    from contracts c where c.tenant_id = ${tenantId})`;
}
