import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Sessions of a connection that end all at once, and answers that come after their person's sessions were ended. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(epochs).execute(db);
  await sql.raw(revocations).execute(db);
  await guardTenantTables(db, ['sso_revocations']);
  await sql.raw(lookups).execute(db);
}

const epochs = `
  -- Sessions of an earlier epoch are over; their rows are deleted bit by bit.
  alter table sso_connections add column session_epoch integer not null default 0;
  alter table sso_sessions add column epoch integer not null default 0;
  drop index sso_sessions_of_connection;
  create index sso_sessions_of_connection on sso_sessions (tenant_id, connection_id, epoch);
`;

const revocations = `
  -- Whose sessions the identity provider ended lately: what it said in answer to a request of before makes none any more.
  create table sso_revocations (
    tenant_id     uuid not null,
    connection_id uuid not null,
    -- SHA-256 of whose, in hex.
    whose_hash    text not null collate "C",
    -- By the clock that identity providers know.
    at            timestamptz not null,
    -- No request of before is left then.
    expires_at    timestamptz not null,
    primary key (tenant_id, connection_id, whose_hash),
    foreign key (tenant_id, connection_id) references sso_connections on delete cascade
  );
  create index sso_revocations_expires on sso_revocations (tenant_id, expires_at);
`;

const lookups = `
  create policy finder on sso_revocations for select to blue_gateway_finder using (true);
  grant select (tenant_id, expires_at) on sso_revocations to blue_gateway_finder;
  create policy finder on sso_connections for select to blue_gateway_finder using (true);
  grant select (tenant_id, id, session_epoch) on sso_connections to blue_gateway_finder;
  grant select (connection_id, epoch) on sso_sessions to blue_gateway_finder;

  -- As before, and tenants with sessions of an earlier epoch, or revocations that concern no request any more.
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
    order by t.tenant_id limit most
  $$;
`;
