import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Logins that show an admin what would come of them. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(tests).execute(db);
  await guardTenantTables(db, ['sso_tests']);
  for (const statement of [requests, lookups]) await sql.raw(statement).execute(db);
}

const tests = `
  create table sso_tests (
    tenant_id     uuid not null,
    id            uuid not null,
    connection_id uuid not null,
    -- SHA-256 of what stands in the address, in hex.
    token_hash    text not null collate "C",
    created_at    timestamptz not null,
    -- Until when it may be begun.
    begin_until   timestamptz not null,
    -- It is forgotten then, with the claims that it shows.
    expires_at    timestamptz not null,
    -- null: nobody came back yet.
    report        jsonb,
    primary key (tenant_id, id),
    constraint sso_tests_token unique (tenant_id, token_hash),
    foreign key (tenant_id, connection_id) references sso_connections on delete cascade
  );
  create index sso_tests_of_connection on sso_tests (tenant_id, connection_id);
  create index sso_tests_expires on sso_tests (tenant_id, expires_at);
`;

const requests = `
  -- The test that the login is; null: it is none.
  alter table sso_requests add column test_id uuid;
  alter table sso_requests add constraint sso_requests_test
    foreign key (tenant_id, test_id) references sso_tests on delete cascade;
  create index sso_requests_of_test on sso_requests (tenant_id, test_id);
`;

const lookups = `
  create policy finder on sso_tests for select to blue_gateway_finder using (true);
  grant select (tenant_id, expires_at) on sso_tests to blue_gateway_finder;

  -- As before, and tenants with tests that are over.
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
      or exists (select from sso_sessions e where e.tenant_id = t.tenant_id and e.expires_at < find_leftovers.at)
      or exists (select from sso_logins g where g.tenant_id = t.tenant_id and g.at < past.kept_from)
      or exists (select from sso_tests x where x.tenant_id = t.tenant_id and x.expires_at < find_leftovers.at)
      or exists (select from signal_events v where v.tenant_id = t.tenant_id and v.at < find_leftovers.at - interval '7 days')
    order by t.tenant_id limit most
  $$;
`;
