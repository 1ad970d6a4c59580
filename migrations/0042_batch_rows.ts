import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Large edits tell of many people in one row of the trail. Forward only; single events stay as they are. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(batches).execute(db);
  await guardTenantTables(db, ['audit_batches']);
  await sql.raw(view).execute(db);
}

const batches = `
  -- Each event draws a thousand numbers, of which one that stands alone uses the first: a batch has its own for each person.
  alter table audit_events alter column seq set increment by 1000;
  grant usage on sequence audit_events_seq_seq to blue_gateway_request;

  create type told_change as (before told_decision, after told_decision);
  -- Append-only: of many people what was decided at one time, each of them an event of the trail, numbered from first_seq on.
  create table audit_batches (
    tenant_id     uuid not null,
    first_seq     bigint not null default nextval('audit_events_seq_seq'),
    at            timestamptz not null,
    actor         jsonb not null,
    inputs        jsonb,
    request_id    text,
    -- The least and the greatest of the subjects.
    first_subject uuid not null,
    last_subject  uuid not null,
    subjects      uuid[] not null,
    changes       told_change[] not null,
    primary key (tenant_id, first_seq),
    constraint audit_batches_numbers check (cardinality(subjects) between 1 and 1000 and cardinality(changes) = cardinality(subjects))
  );
  create index audit_batches_subject on audit_batches (tenant_id, last_subject, first_subject, first_seq);
`;

const view = `
  revoke update, delete on audit_batches from blue_gateway_request;

  create or replace view audit_trail with (security_invoker = true) as
    select tenant_id, seq, at, actor, action, subject, request_id, inputs,
      coalesce(with_roles(tenant_id, before), decision_document(tenant_id, decision_before)) as before,
      coalesce(with_roles(tenant_id, after), decision_document(tenant_id, decision_after)) as after
    from audit_events
    union all
    select b.tenant_id, b.first_seq + c.place - 1, b.at, b.actor, 'decision.changed', c.subject::text collate "C", b.request_id, b.inputs,
      decision_document(b.tenant_id, c.before), decision_document(b.tenant_id, c.after)
    from audit_batches b cross join lateral unnest(b.subjects, b.changes) with ordinality as c (subject, before, after, place);
`;
