import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** What SCIM whole needs: settings, extension schemas, parked members, OAuth clients, recorded calls. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [settings, directory, oauth, requests]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, tenantTables);
  await sql.raw(lookups).execute(db);
}

const tenantTables = [
  ...['tenant_settings', 'extension_schemas', 'parked_members', 'unanswered_creations'],
  ...['oauth_clients', 'oauth_client_secrets', 'recorded_requests'],
];

const settings = `
  -- A tenant without a row has the defaults.
  create table tenant_settings (
    tenant_id              uuid primary key references tenants,
    -- Unknown members of groups wait for their people instead of being refused.
    parking                boolean not null default false,
    request_retention_days integer not null default 30 check (request_retention_days between 1 and 365),
    -- Raised by every change of extension_schemas: who has read them under one revision need not read them again.
    schema_revision        integer not null default 0
  );

  create table extension_schemas (
    tenant_id     uuid not null references tenants,
    id            uuid not null,
    urn           text not null,
    -- Lower-cased.
    urn_key       text not null collate "C",
    resource_type text not null check (resource_type in ('User', 'Group')),
    name          text not null,
    description   text not null,
    -- Attributes in the form of RFC 7643 §7.
    attributes    jsonb not null,
    -- The directories that see it; null: all.
    directory_ids uuid[],
    created_at    timestamptz not null,
    primary key (tenant_id, id),
    constraint extension_schemas_urn unique (tenant_id, urn_key)
  );
`;

const directory = `
  -- Members of groups that a directory named before their people arrived.
  create table parked_members (
    tenant_id    uuid not null,
    group_id     uuid not null,
    directory_id uuid not null,
    -- As sent: the person's externalId in that directory, or the userName.
    value        text not null collate "C",
    -- Lower-cased.
    value_key    text not null collate "C",
    since        timestamptz not null,
    primary key (tenant_id, group_id, directory_id, value),
    foreign key (tenant_id, group_id) references groups on delete cascade,
    foreign key (tenant_id, directory_id) references directories
  );
  create index parked_members_value on parked_members (tenant_id, value_key);
  create index parked_members_since on parked_members (tenant_id, since);

  -- Users and groups whose creation has been committed and whose answer has not been written yet: what is left of
  -- a lost answer, for ten minutes.
  create table unanswered_creations (
    tenant_id    uuid not null references tenants,
    resource_id  uuid not null,
    directory_id uuid not null,
    -- SHA-256 of what was asked for, in hex.
    draft_hash   text not null collate "C",
    created_at   timestamptz not null,
    primary key (tenant_id, resource_id)
  );
  create index unanswered_creations_created on unanswered_creations (tenant_id, created_at);
`;

const oauth = `
  -- Machines that get access tokens for a directory at /oauth/token.
  create table oauth_clients (
    tenant_id    uuid not null,
    -- Also the client_id.
    id           uuid not null,
    directory_id uuid not null,
    name         text not null,
    -- Scopes it may ask for, between spaces.
    scope        text not null,
    -- Whose assertions it may show (RFC 7523); null: it has secrets.
    issuer       text,
    audience     text,
    subject      text,
    created_at   timestamptz not null,
    primary key (tenant_id, id),
    constraint oauth_clients_directory foreign key (tenant_id, directory_id) references directories on delete cascade,
    check ((issuer is null) = (audience is null) and (issuer is null) = (subject is null))
  );
  create index oauth_clients_of_directory on oauth_clients (tenant_id, directory_id, id);

  create table oauth_client_secrets (
    tenant_id    uuid not null,
    id           uuid not null,
    client_id    uuid not null,
    secret_hash  text not null collate "C",
    created_at   timestamptz not null,
    expires_at   timestamptz,
    last_used_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, client_id) references oauth_clients on delete cascade
  );
  create index oauth_client_secrets_of_client on oauth_client_secrets (tenant_id, client_id, id);

  alter table directory_tokens
    -- The client whose access token this is; null: a token that an admin issued.
    add column client_id    uuid,
    add column scope        text not null default 'scim',
    add column last_used_at timestamptz,
    add constraint directory_tokens_client foreign key (tenant_id, client_id) references oauth_clients on delete cascade;
  create index directory_tokens_of_client on directory_tokens (tenant_id, client_id);

  alter table tenant_locators drop constraint tenant_locators_kind_check;
  alter table tenant_locators add constraint tenant_locators_kind
    check (kind in ('slug', 'directory_token', 'api_key', 'oauth_client'));
`;

const requests = `
  -- The calls of identity providers as they arrived and were answered, without secrets.
  create table recorded_requests (
    tenant_id     uuid not null references tenants,
    id            uuid not null,
    at            timestamptz not null,
    directory_id  uuid not null,
    token_id      uuid not null,
    -- Answered as x-request-id.
    request_id    text not null collate "C",
    method        text not null,
    path          text not null,
    query         text not null,
    user_agent    text,
    request_body  text,
    status        integer not null,
    response_body text,
    duration_ms   real not null,
    -- Id of the user or group that was touched.
    subject       uuid,
    -- A body was longer than is kept.
    truncated     boolean not null,
    primary key (tenant_id, id)
  );
  create index recorded_requests_at on recorded_requests (tenant_id, at);
  create index recorded_requests_subject on recorded_requests (tenant_id, subject, id) where subject is not null;
  create index recorded_requests_request on recorded_requests (tenant_id, request_id);
`;

const lookups = `
  create policy finder on tenant_settings for select to blue_gateway_finder using (true);
  create policy finder on oauth_clients for select to blue_gateway_finder using (true);
  create policy finder on oauth_client_secrets for select to blue_gateway_finder using (true);
  create policy finder on recorded_requests for select to blue_gateway_finder using (true);
  create policy finder on unanswered_creations for select to blue_gateway_finder using (true);
  create policy finder on parked_members for select to blue_gateway_finder using (true);
  grant select on tenant_settings, oauth_clients, oauth_client_secrets to blue_gateway_finder;
  grant select (tenant_id, at) on recorded_requests to blue_gateway_finder;
  grant select (tenant_id, created_at) on unanswered_creations to blue_gateway_finder;
  grant select (tenant_id) on parked_members to blue_gateway_finder;

  drop function find_directory_token(text);
  create function find_directory_token(hash text)
  returns table (tenant_id uuid, token_id uuid, directory_id uuid, directory_name text, directory_kind text,
                 expires_at timestamptz, scope text, client_id uuid, parking boolean, schema_revision integer)
  language sql stable security definer set search_path = public, pg_temp as $$
    select t.tenant_id, t.id, d.id, d.name, d.kind, t.expires_at, t.scope, t.client_id,
      coalesce(s.parking, false), coalesce(s.schema_revision, 0)
    from tenant_locators l
    join directory_tokens t on t.tenant_id = l.tenant_id and t.token_hash = l.key
    join directories d on d.tenant_id = t.tenant_id and d.id = t.directory_id
    left join tenant_settings s on s.tenant_id = t.tenant_id
    where l.kind = 'directory_token' and l.key = hash
  $$;

  -- A row for each live secret, or one without any.
  create function find_oauth_client(wanted uuid, at timestamptz)
  returns table (tenant_id uuid, directory_id uuid, scope text, issuer text, audience text, subject text,
                 secret_id uuid, secret_hash text)
  language sql stable security definer set search_path = public, pg_temp as $$
    select c.tenant_id, c.directory_id, c.scope, c.issuer, c.audience, c.subject, s.id, s.secret_hash
    from tenant_locators l
    join oauth_clients c on c.tenant_id = l.tenant_id and c.id = wanted
    left join oauth_client_secrets s on s.tenant_id = c.tenant_id and s.client_id = c.id
      and (s.expires_at is null or s.expires_at > at)
    where l.kind = 'oauth_client' and l.key = wanted::text
  $$;

  -- Tenants that keep what has served its time: recorded calls past their retention, expired access tokens,
  -- creations whose answer nobody asks for again.
  create function find_leftovers(at timestamptz, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select t.tenant_id from tenants t left join tenant_settings s on s.tenant_id = t.tenant_id
    where exists (select from recorded_requests r where r.tenant_id = t.tenant_id
        and r.at < find_leftovers.at - make_interval(days => coalesce(s.request_retention_days, 30)))
      or exists (select from directory_tokens k where k.tenant_id = t.tenant_id
        and k.client_id is not null and k.expires_at < at)
      or exists (select from unanswered_creations c where c.tenant_id = t.tenant_id
        and c.created_at < at - interval '10 minutes')
    order by t.tenant_id limit most
  $$;

  -- Tenants with members that wait for their people.
  create function find_parking_tenants(after uuid, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select s.tenant_id from tenant_settings s
    where s.parking and s.tenant_id > after
      and exists (select from parked_members p where p.tenant_id = s.tenant_id)
    order by s.tenant_id limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_directory_token(text) owner to blue_gateway_finder;
  alter function find_oauth_client(uuid, timestamptz) owner to blue_gateway_finder;
  alter function find_leftovers(timestamptz, integer) owner to blue_gateway_finder;
  alter function find_parking_tenants(uuid, integer) owner to blue_gateway_finder;
  revoke execute on function
    find_directory_token(text), find_oauth_client(uuid, timestamptz), find_leftovers(timestamptz, integer),
    find_parking_tenants(uuid, integer) from public;
  grant execute on function
    find_directory_token(text), find_oauth_client(uuid, timestamptz), find_leftovers(timestamptz, integer),
    find_parking_tenants(uuid, integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
