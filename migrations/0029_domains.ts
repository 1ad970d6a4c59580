import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Domains that a tenant showed to be its own, the connections that serve them, and people who were removed. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [domains, tombstones]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, [
    ...['domains', 'sso_connection_domains', 'sso_tombstones', 'sso_tombstone_keys'],
  ]);
  await sql.raw(lookups).execute(db);
}

const domains = `
  create table domains (
    tenant_id     uuid not null references tenants,
    -- In ASCII, lower case.
    domain        text not null collate "C",
    -- What the TXT record must say: public once it is there.
    challenge     text not null collate "C",
    created_at    timestamptz not null,
    -- null: pending. Verified it is one tenant's alone: it stands in tenant_locators then.
    verified_at   timestamptz,
    checked_at    timestamptz,
    -- Since when the record of a domain that is or was verified is not there.
    missing_since timestamptz,
    -- When to look again; null: nobody does by themselves.
    check_at      timestamptz,
    primary key (tenant_id, domain)
  );
  create index domains_due on domains (check_at) where check_at is not null;

  -- Whose people sign in through a connection.
  create table sso_connection_domains (
    tenant_id     uuid not null,
    connection_id uuid not null,
    domain        text not null collate "C",
    primary key (tenant_id, connection_id, domain),
    foreign key (tenant_id, connection_id) references sso_connections on delete cascade,
    foreign key (tenant_id, domain) references domains on delete cascade
  );
  create index sso_connection_domains_of_domain on sso_connection_domains (tenant_id, domain);

  alter table tenant_locators drop constraint tenant_locators_kind;
  alter table tenant_locators add constraint tenant_locators_kind
    check (kind in ('slug', 'directory_token', 'api_key', 'oauth_client', 'sso_connection', 'openid_client', 'domain'));
`;

const tombstones = `
  -- Users who were deleted: no login makes them anew.
  create table sso_tombstones (
    tenant_id  uuid not null references tenants,
    user_id    uuid not null,
    user_name  text not null,
    removed_at timestamptz not null,
    primary key (tenant_id, user_id)
  );

  -- By what they are known again.
  create table sso_tombstone_keys (
    tenant_id uuid not null,
    user_id   uuid not null,
    kind      text not null collate "C" check (kind in ('subject', 'external_id', 'name')),
    -- The connection of a subject, the directory of an externalId; zero of a userName or an address.
    scope     uuid not null,
    key       text not null collate "C",
    primary key (tenant_id, user_id, kind, scope, key),
    foreign key (tenant_id, user_id) references sso_tombstones on delete cascade
  );
  create index sso_tombstone_keys_key on sso_tombstone_keys (tenant_id, key);
`;

const lookups = `
  create policy finder on domains for select to blue_gateway_finder using (true);
  grant select (tenant_id, domain, check_at) on domains to blue_gateway_finder;

  -- Whose these domains are.
  create function find_domains(wanted text[]) returns table (domain text, tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select l.key, l.tenant_id from tenant_locators l where l.kind = 'domain' and l.key = any (wanted)
  $$;

  create function find_due_domains(at timestamptz, most integer) returns table (tenant_id uuid, domain text)
  language sql stable security definer set search_path = public, pg_temp as $$
    select d.tenant_id, d.domain from domains d where d.check_at <= at order by d.check_at limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_domains(text[]) owner to blue_gateway_finder;
  alter function find_due_domains(timestamptz, integer) owner to blue_gateway_finder;
  revoke execute on function find_domains(text[]), find_due_domains(timestamptz, integer) from public;
  grant execute on function find_domains(text[]), find_due_domains(timestamptz, integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
