import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Tenants and their credentials, the directory (users, groups, memberships), audit. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [tenants, directories, users, groups, audit]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, tenantTables);
  await sql.raw(lookups).execute(db);
}

const tenantTables = [
  ...['tenants', 'api_keys', 'directories', 'directory_tokens', 'users', 'user_emails', 'user_sources'],
  ...['groups', 'group_sources', 'memberships', 'audit_events'],
];

const tenants = `
  -- Also where an administrator took it from everybody.
  grant usage on schema public to blue_gateway_request, blue_gateway_finder;

  create table tenants (
    tenant_id  uuid primary key,
    slug       text not null collate "C",
    name       text not null,
    created_at timestamptz not null,
    -- Makes the tie-break among equal claims this tenant's own (licensing: order of claims).
    tie_salt   text not null
  );

  -- Global: leads from an outside key to a tenant. Keys that are secrets stand here as SHA-256 in hex.
  create table tenant_locators (
    kind      text not null collate "C" check (kind in ('slug', 'directory_token', 'api_key')),
    key       text not null collate "C",
    tenant_id uuid not null references tenants,
    constraint tenant_locators_key primary key (kind, key)
  );

  -- Global: the people who run the gateway.
  create table operators (
    id         uuid primary key,
    name       text not null,
    key_hash   text not null collate "C" constraint operators_key_hash unique,
    created_at timestamptz not null
  );

  create table api_keys (
    tenant_id  uuid not null references tenants,
    id         uuid not null,
    name       text not null,
    role       text not null check (role in ('owner', 'admin', 'auditor')),
    key_hash   text not null collate "C",
    created_at timestamptz not null,
    expires_at timestamptz,
    primary key (tenant_id, id)
  );
  create index api_keys_hash on api_keys (tenant_id, key_hash);
`;

const directories = `
  create table directories (
    tenant_id  uuid not null references tenants,
    id         uuid not null,
    name       text not null,
    kind       text not null check (kind in ('entra', 'okta', 'generic', 'strict')),
    created_at timestamptz not null,
    primary key (tenant_id, id)
  );

  create table directory_tokens (
    tenant_id    uuid not null,
    id           uuid not null,
    directory_id uuid not null,
    name         text not null,
    token_hash   text not null collate "C",
    created_at   timestamptz not null,
    expires_at   timestamptz,
    primary key (tenant_id, id),
    constraint directory_tokens_directory foreign key (tenant_id, directory_id) references directories on delete cascade
  );
  create index directory_tokens_of_directory on directory_tokens (tenant_id, directory_id);
  create index directory_tokens_hash on directory_tokens (tenant_id, token_hash);
`;

const users = `
  -- Says which of two people with one address had it first: in the order of arrival, not by anybody's clock.
  create sequence address_order;
  grant usage on sequence address_order to blue_gateway_request;

  create table users (
    tenant_id     uuid not null references tenants,
    id            uuid not null,
    -- SCIM attributes as sent (RFC 7643 §4.1), without id, externalId, meta and groups.
    attributes    jsonb not null,
    user_name     text not null,
    user_name_key text not null collate "C",
    active        boolean not null,
    display_name  text,
    -- The person's address in Blue, lower-cased; null when no attribute holds one.
    address       text collate "C",
    -- Drawn anew whenever active or address changes.
    address_order bigint not null default nextval('address_order'),
    -- Breaks ties among equal claims; stored once, at creation.
    tie_key       text not null,
    version       integer not null default 1,
    created_at    timestamptz not null,
    last_modified timestamptz not null,
    primary key (tenant_id, id),
    constraint users_user_name unique (tenant_id, user_name_key)
  );
  create index users_address on users (tenant_id, address) where address is not null;

  -- The values of emails, for look-ups by address.
  create table user_emails (
    tenant_id uuid not null,
    user_id   uuid not null,
    ordinal   integer not null,
    type_key  text collate "C",
    value_key text not null collate "C",
    primary key (tenant_id, user_id, ordinal),
    foreign key (tenant_id, user_id) references users on delete cascade
  );
  create index user_emails_value on user_emails (tenant_id, value_key, user_id);

  -- Which directories know a user, and by which externalId: each sees its own.
  create table user_sources (
    tenant_id    uuid not null,
    user_id      uuid not null,
    directory_id uuid not null,
    external_id  text collate "C",
    primary key (tenant_id, user_id, directory_id),
    foreign key (tenant_id, user_id) references users on delete cascade,
    foreign key (tenant_id, directory_id) references directories,
    constraint user_sources_external_id unique (tenant_id, directory_id, external_id)
  );
`;

const groups = `
  create table groups (
    tenant_id        uuid not null references tenants,
    id               uuid not null,
    attributes       jsonb not null,
    display_name     text not null,
    display_name_key text not null collate "C",
    -- true while a mapping names the group: a write to it can change decisions.
    mapped           boolean not null default false,
    version          integer not null default 1,
    created_at       timestamptz not null,
    last_modified    timestamptz not null,
    primary key (tenant_id, id)
  );
  create index groups_display_name on groups (tenant_id, display_name_key, id);

  create table group_sources (
    tenant_id    uuid not null,
    group_id     uuid not null,
    directory_id uuid not null,
    external_id  text collate "C",
    primary key (tenant_id, group_id, directory_id),
    foreign key (tenant_id, group_id) references groups on delete cascade,
    foreign key (tenant_id, directory_id) references directories,
    constraint group_sources_external_id unique (tenant_id, directory_id, external_id)
  );

  create table memberships (
    tenant_id uuid not null,
    group_id  uuid not null,
    user_id   uuid not null,
    primary key (tenant_id, group_id, user_id),
    foreign key (tenant_id, group_id) references groups on delete cascade,
    constraint memberships_user foreign key (tenant_id, user_id) references users on delete cascade
  );
  create index memberships_user_groups on memberships (tenant_id, user_id, group_id);
`;

const audit = `
  -- Append-only. seq is drawn at INSERT, after the locks are held.
  create table audit_events (
    tenant_id  uuid not null references tenants,
    seq        bigint generated always as identity,
    at         timestamptz not null,
    actor      jsonb not null,
    action     text not null collate "C",
    subject    text collate "C",
    before     jsonb,
    after      jsonb,
    inputs     jsonb,
    request_id text,
    primary key (tenant_id, seq)
  );
  create index audit_events_subject on audit_events (tenant_id, subject, seq);
`;

/** Reads across tenants exist as these named functions alone; they run as the finder role. */
const lookups = `
  create policy finder on tenant_locators for select to blue_gateway_finder using (true);
  create policy finder on tenants for select to blue_gateway_finder using (true);
  create policy finder on api_keys for select to blue_gateway_finder using (true);
  create policy finder on directories for select to blue_gateway_finder using (true);
  create policy finder on directory_tokens for select to blue_gateway_finder using (true);
  grant select on tenant_locators, tenants, api_keys, directories, directory_tokens, operators to blue_gateway_finder;

  alter table tenant_locators enable row level security;
  alter table tenant_locators force row level security;
  create policy tenant on tenant_locators to blue_gateway_request
    using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
  grant select, insert, delete on tenant_locators to blue_gateway_request;
  revoke update, delete on audit_events from blue_gateway_request;

  create function find_directory_token(hash text)
  returns table (tenant_id uuid, token_id uuid, directory_id uuid, directory_name text, directory_kind text,
                 expires_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp as $$
    select t.tenant_id, t.id, d.id, d.name, d.kind, t.expires_at
    from tenant_locators l
    join directory_tokens t on t.tenant_id = l.tenant_id and t.token_hash = l.key
    join directories d on d.tenant_id = t.tenant_id and d.id = t.directory_id
    where l.kind = 'directory_token' and l.key = hash
  $$;

  create function find_api_key(hash text)
  returns table (tenant_id uuid, key_id uuid, name text, role text, expires_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp as $$
    select null::uuid, o.id, o.name, 'operator', null::timestamptz from operators o where o.key_hash = hash
    union all
    select k.tenant_id, k.id, k.name, k.role, k.expires_at
    from tenant_locators l join api_keys k on k.tenant_id = l.tenant_id and k.key_hash = l.key
    where l.kind = 'api_key' and l.key = hash
  $$;

  -- by_id is null when the caller gave a slug.
  create function find_tenant(by_id uuid, by_slug text)
  returns table (tenant_id uuid, slug text, name text, created_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp as $$
    select t.tenant_id, t.slug, t.name, t.created_at from tenants t where t.tenant_id = by_id
    union all
    select t.tenant_id, t.slug, t.name, t.created_at
    from tenant_locators l join tenants t on t.tenant_id = l.tenant_id
    where by_id is null and l.kind = 'slug' and l.key = by_slug
  $$;

  create function list_tenants(after_slug text, most integer)
  returns table (tenant_id uuid, slug text, name text, created_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp as $$
    select t.tenant_id, t.slug, t.name, t.created_at
    from tenants t where t.slug > after_slug collate "C" order by t.slug limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_directory_token(text) owner to blue_gateway_finder;
  alter function find_api_key(text) owner to blue_gateway_finder;
  alter function find_tenant(uuid, text) owner to blue_gateway_finder;
  alter function list_tenants(text, integer) owner to blue_gateway_finder;
  revoke execute on function
    find_directory_token(text), find_api_key(text), find_tenant(uuid, text), list_tenants(text, integer) from public;
  grant execute on function
    find_directory_token(text), find_api_key(text), find_tenant(uuid, text), list_tenants(text, integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
