import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Single sign-on: connections, the logins under way, whom a subject is, sessions, the trace of logins. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [connections, logins, sessions]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, [
    ...['sso_connections', 'sso_requests', 'sso_assertions', 'sso_links', 'sso_logins', 'sso_sessions'],
  ]);
  await sql.raw(lookups).execute(db);
}

const connections = `
  create table sso_connections (
    tenant_id    uuid not null references tenants,
    id           uuid not null,
    protocol     text not null check (protocol in ('saml')),
    name         text not null,
    enabled      boolean not null,
    -- What the protocol needs of the identity provider, and what is asked of it.
    settings     jsonb not null,
    -- The directory whose externalId a claim names.
    directory_id uuid,
    -- Makes people at their first login.
    jit_create   boolean not null,
    -- The identity provider's attribute for each of ours.
    attributes   jsonb not null,
    -- Of the gateway's own key, PEM; the private one sealed.
    certificate  text not null,
    private_key  bytea not null,
    created_at   timestamptz not null,
    primary key (tenant_id, id),
    constraint sso_connections_directory foreign key (tenant_id, directory_id) references directories
  );
  create index sso_connections_of_directory on sso_connections (tenant_id, directory_id);

  alter table tenant_locators drop constraint tenant_locators_kind;
  alter table tenant_locators add constraint tenant_locators_kind
    check (kind in ('slug', 'directory_token', 'api_key', 'oauth_client', 'sso_connection'));
`;

const logins = `
  -- Requests that a browser took to the identity provider and that are not answered yet.
  create table sso_requests (
    tenant_id     uuid not null,
    -- SHA-256 of the RelayState, in hex.
    state_hash    text not null collate "C",
    connection_id uuid not null,
    -- The AuthnRequest's ID.
    request_id    text not null,
    -- SHA-256 of the cookie of the browser that began, in hex.
    browser_hash  text not null collate "C",
    expires_at    timestamptz not null,
    primary key (tenant_id, state_hash),
    foreign key (tenant_id, connection_id) references sso_connections on delete cascade
  );
  create index sso_requests_of_connection on sso_requests (tenant_id, connection_id);
  create index sso_requests_expires on sso_requests (tenant_id, expires_at);

  -- Assertions that were accepted: none is a second time.
  create table sso_assertions (
    tenant_id     uuid not null,
    connection_id uuid not null,
    -- SHA-256 of the assertion's ID, in hex.
    id_hash       text not null collate "C",
    expires_at    timestamptz not null,
    constraint sso_assertions_once primary key (tenant_id, connection_id, id_hash),
    foreign key (tenant_id, connection_id) references sso_connections on delete cascade
  );
  create index sso_assertions_expires on sso_assertions (tenant_id, expires_at);

  -- Which user a subject of a connection is: a user has one subject on each.
  create table sso_links (
    tenant_id     uuid not null,
    connection_id uuid not null,
    -- Qualified by who named it; told apart by case.
    subject       text not null collate "C",
    user_id       uuid not null,
    linked_at     timestamptz not null,
    constraint sso_links_subject primary key (tenant_id, connection_id, subject),
    constraint sso_links_user unique (tenant_id, connection_id, user_id),
    foreign key (tenant_id, connection_id) references sso_connections on delete cascade,
    foreign key (tenant_id, user_id) references users on delete cascade
  );
  create index sso_links_of_user on sso_links (tenant_id, user_id);

  -- What became of each answer of an identity provider. No assertion is kept.
  create table sso_logins (
    tenant_id     uuid not null references tenants,
    -- The reference that the person is shown.
    id            uuid not null,
    connection_id uuid not null,
    at            timestamptz not null,
    -- The steps that were passed, in their order.
    steps         text[] not null,
    -- null: signed in.
    reason        text collate "C",
    detail        text,
    user_id       uuid,
    subject       text,
    -- Names of the attributes that came.
    attributes    text[] not null,
    -- SHA-256 of the answer as it was posted, in hex.
    response_hash text not null collate "C",
    primary key (tenant_id, id)
  );
  create index sso_logins_at on sso_logins (tenant_id, at);
  create index sso_logins_of_connection on sso_logins (tenant_id, connection_id, id);
`;

const sessions = `
  create table sso_sessions (
    tenant_id     uuid not null,
    -- SHA-256 of the cookie, in hex.
    token_hash    text not null collate "C",
    user_id       uuid not null,
    connection_id uuid not null,
    created_at    timestamptz not null,
    expires_at    timestamptz not null,
    primary key (tenant_id, token_hash),
    foreign key (tenant_id, user_id) references users on delete cascade,
    foreign key (tenant_id, connection_id) references sso_connections on delete cascade
  );
  create index sso_sessions_of_user on sso_sessions (tenant_id, user_id);
  create index sso_sessions_of_connection on sso_sessions (tenant_id, connection_id);
  create index sso_sessions_expires on sso_sessions (tenant_id, expires_at);
`;

const lookups = `
  create policy finder on sso_requests for select to blue_gateway_finder using (true);
  create policy finder on sso_assertions for select to blue_gateway_finder using (true);
  create policy finder on sso_logins for select to blue_gateway_finder using (true);
  create policy finder on sso_sessions for select to blue_gateway_finder using (true);
  grant select (tenant_id, expires_at) on sso_requests, sso_assertions, sso_sessions to blue_gateway_finder;
  grant select (tenant_id, at) on sso_logins to blue_gateway_finder;

  -- The tenant of a connection that a path names.
  create function find_sso_connection(wanted uuid) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select l.tenant_id from tenant_locators l where l.kind = 'sso_connection' and l.key = wanted::text
  $$;

  -- As before, and tenants with logins that came to nothing, sessions that are over, and traces past their retention.
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
    order by t.tenant_id limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_sso_connection(uuid) owner to blue_gateway_finder;
  revoke execute on function find_sso_connection(uuid) from public;
  grant execute on function find_sso_connection(uuid) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
