import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Large edits tell of many people in one row of the trail, and mark them for Blue in one. Forward only; rows that are there stay. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [order, trail, marks]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['audit_batches', 'blue_sync_batches']);
  for (const statement of [view, work, leftovers]) await sql.raw(statement).execute(db);
}

const order = `
  -- As whoever writes locks them: the pool before the trail, which 0043 keeps longer.
  lock table seat_pools in access exclusive mode;
`;

const trail = `
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

const marks = `
  -- Marks of many people at once, each of them as in blue_sync: the sync makes rows there of them as it comes to them.
  create table blue_sync_batches (
    tenant_id uuid not null,
    id        bigint generated always as identity,
    marked_at timestamptz not null,
    user_ids  uuid[] not null,
    primary key (tenant_id, id)
  );
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

const work = `
  create policy finder on blue_sync_batches for select to blue_gateway_finder using (true);
  grant select on blue_sync_batches to blue_gateway_finder;

  create or replace function find_blue_work(at timestamptz, drift_before timestamptz, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    -- Two index look-ups for each tenant with marks, however many it has.
    with recursive marked (tenant_id) as (
      values ('00000000-0000-0000-0000-000000000000'::uuid)
      union all
      select least(
        (select s.tenant_id from blue_sync s where s.tenant_id > m.tenant_id order by s.tenant_id limit 1),
        (select b.tenant_id from blue_sync_batches b where b.tenant_id > m.tenant_id order by b.tenant_id limit 1))
      from marked m where m.tenant_id is not null
    ), work (tenant_id) as (
      select m.tenant_id from marked m
      where exists (select from blue_sync_batches b where b.tenant_id = m.tenant_id)
        or exists (select from blue_sync s where s.tenant_id = m.tenant_id and (s.not_before is null or s.not_before <= at))
      union
      select c.tenant_id from blue_connections c
      where c.state <> 'stopped' and (c.actual_read_at is null or c.actual_read_at <= drift_before)
    )
    select c.tenant_id from work w join blue_connections c on c.tenant_id = w.tenant_id
    where c.state <> 'stopped' and (c.next_try_at is null or c.next_try_at <= at)
      and (c.leased_until is null or c.leased_until <= now())
    order by c.next_try_at nulls first limit most
  $$;
`;

const leftovers = `
  -- Where no sync comes to them, batches of marks become rows: these are no more than the people.
  create or replace function find_leftovers(at timestamptz, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select t.tenant_id from tenants t left join tenant_settings s on s.tenant_id = t.tenant_id
    cross join lateral (select find_leftovers.at - make_interval(days => coalesce(s.request_retention_days, 30))) as past (kept_from)
    where exists (select from recorded_requests r where r.tenant_id = t.tenant_id and r.at < past.kept_from)
      or exists (select from directory_tokens k where k.tenant_id = t.tenant_id
        and k.client_id is not null and k.expires_at < find_leftovers.at)
      or exists (select from unanswered_creations c where c.tenant_id = t.tenant_id
        and c.created_at < find_leftovers.at - interval '10 minutes')
      or exists (select from sso_requests r where r.tenant_id = t.tenant_id and r.expires_at < find_leftovers.at)
      or exists (select from sso_assertions a where a.tenant_id = t.tenant_id and a.expires_at < find_leftovers.at)
      or exists (select from sso_revocations v where v.tenant_id = t.tenant_id and v.expires_at < find_leftovers.at)
      or exists (select from sso_sessions e where e.tenant_id = t.tenant_id and e.expires_at < find_leftovers.at)
      or exists (select from sso_connections c join sso_sessions e on e.tenant_id = c.tenant_id and e.connection_id = c.id
        and e.epoch < c.session_epoch where c.tenant_id = t.tenant_id)
      or exists (select from sso_logins g where g.tenant_id = t.tenant_id and g.at < past.kept_from)
      or exists (select from sso_tests x where x.tenant_id = t.tenant_id and x.expires_at < find_leftovers.at)
      or exists (select from signal_events v where v.tenant_id = t.tenant_id and v.at < find_leftovers.at - interval '7 days')
      or exists (select from blue_sync_batches b where b.tenant_id = t.tenant_id and b.marked_at < find_leftovers.at - interval '1 day')
    order by t.tenant_id limit most
  $$;
`;
