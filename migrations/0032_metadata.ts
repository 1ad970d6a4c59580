import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** The gateway's own keys, several for a connection, so that they roll over; metadata that is fetched. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [keys, metadata]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['sso_keys', 'sso_metadata']);
  await sql.raw(lookup).execute(db);
}

const keys = `
  create table sso_keys (
    tenant_id     uuid not null,
    connection_id uuid not null,
    id            uuid not null,
    use           text not null collate "C" check (use in ('signing', 'encryption')),
    -- One of each: next is told to the identity provider, current is used, previous has been.
    state         text not null collate "C" check (state in ('next', 'current', 'previous')),
    -- PEM; the private one sealed.
    certificate   text not null,
    private_key   bytea not null,
    created_at    timestamptz not null,
    expires_at    timestamptz not null,
    primary key (tenant_id, id),
    constraint sso_keys_state unique (tenant_id, connection_id, use, state) deferrable,
    foreign key (tenant_id, connection_id) references sso_connections on delete cascade
  );

  alter table sso_connections no force row level security;
  insert into sso_keys
    select tenant_id, id, gen_random_uuid(), 'signing', 'current', certificate, private_key, created_at, created_at + interval '20 years'
    from sso_connections where certificate is not null;
  alter table sso_connections force row level security;
  alter table sso_connections drop column certificate, drop column private_key;
`;

const metadata = `
  -- Where a connection's metadata is fetched from.
  create table sso_metadata (
    tenant_id     uuid not null,
    connection_id uuid not null,
    url           text not null,
    -- When it was last read without a problem.
    fetched_at    timestamptz not null,
    -- Whoever fetches moves it on first.
    next_fetch_at timestamptz not null,
    tried_at      timestamptz not null,
    failing_since timestamptz,
    error         text,
    -- What it says and an admin has not confirmed: {seenAt, entityId, ssoUrl, certificates}.
    pending       jsonb,
    primary key (tenant_id, connection_id),
    foreign key (tenant_id, connection_id) references sso_connections on delete cascade,
    constraint sso_metadata_failing check ((failing_since is null) = (error is null))
  );
  create index sso_metadata_due on sso_metadata (next_fetch_at);
`;

const lookup = `
  create policy finder on sso_metadata for select to blue_gateway_finder using (true);
  grant select (tenant_id, connection_id, next_fetch_at) on sso_metadata to blue_gateway_finder;

  create function find_due_metadata(at timestamptz, most integer) returns table (tenant_id uuid, connection_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select m.tenant_id, m.connection_id from sso_metadata m where m.next_fetch_at <= at order by m.next_fetch_at limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_due_metadata(timestamptz, integer) owner to blue_gateway_finder;
  revoke execute on function find_due_metadata(timestamptz, integer) from public;
  grant execute on function find_due_metadata(timestamptz, integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
