import { type Kysely, sql } from 'kysely';

/**
 * What large edits write costs less: the trail keeps their decisions as rows, and is read as documents; who is marked again stays in
 * place; sets of roles are not held against their tenant. Forward only.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [sets, marks, rows, view]) await sql.raw(statement).execute(db);
}

/** As 0017 did for the trail. */
const sets = `
  alter table role_sets drop constraint role_sets_tenant_id_fkey;
`;

const marks = `
  -- Room on the page for a mark that is made again, so that no index learns of it.
  alter table blue_sync set (fillfactor = 60);
`;

const rows = `
  -- A decision without a kept place, a notice, or anybody's word (licensing/effect.ts), its sets of roles by their names.
  create type told_decision as (
    requested_id  uuid,
    effective_id  uuid,
    priority      integer,
    claimed_at    timestamptz,
    may_preempt   boolean,
    seat          text,
    since         timestamptz,
    refusal       text,
    overage_since timestamptz,
    unasked       boolean,
    sub_pool      text,
    ends_at       timestamptz
  );
  -- In the place of before and after.
  alter table audit_events add column decision_before told_decision, add column decision_after told_decision;
`;

const view = `
  create function told_instant(at timestamptz) returns text language sql stable parallel safe
    return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

  create function decision_document(tenant uuid, told told_decision) returns jsonb language sql stable parallel safe
    return case when (told).requested_id is not null then jsonb_build_object(
      'requested', (select roles from role_sets where tenant_id = tenant and id = (told).requested_id),
      'effective', (select roles from role_sets where tenant_id = tenant and id = (told).effective_id),
      'claim', case when (told).priority is not null then jsonb_build_object('priority', (told).priority,
        'claimedAt', told_instant((told).claimed_at), 'mayPreempt', (told).may_preempt) end,
      'seat', (told).seat, 'since', told_instant((told).since), 'refusal', (told).refusal, 'kept', null,
      'overageSince', told_instant((told).overage_since), 'approval', null, 'isUnasked', (told).unasked, 'subPool', (told).sub_pool, 'noticeUntil', null,
      'endsAt', told_instant((told).ends_at)) end;

  -- The trail as it is read: of large edits of before 0038, documents with the names of the sets.
  create view audit_trail with (security_invoker = true) as
    select tenant_id, seq, at, actor, action, subject, request_id, inputs,
      coalesce(with_roles(tenant_id, before), decision_document(tenant_id, decision_before)) as before,
      coalesce(with_roles(tenant_id, after), decision_document(tenant_id, decision_after)) as after
    from audit_events;
  grant select on audit_trail to blue_gateway_request;
`;
