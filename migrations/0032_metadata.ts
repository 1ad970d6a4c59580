import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** The gateway's own keys, several for a connection, so that they roll over. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(keys).execute(db);
  await guardTenantTables(db, ['sso_keys']);
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
