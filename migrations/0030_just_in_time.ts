import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** What a connection makes of people just in time: who waits for an administrator's word, and which groups were claimed. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [policies, claimedGroups, defaultRoles, accessRequests])
    await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['access_requests']);
}

const policies = `
  -- false: a login makes nobody and claims no groups.
  alter table sso_connections add column jit_enabled boolean not null default true;
  alter table sso_connections alter column jit_enabled drop default;
  -- Who would be made waits for an administrator's word.
  alter table sso_connections add column jit_approval boolean not null default false;
  alter table sso_connections alter column jit_approval drop default;
  -- The attribute that holds the groups; null: none does.
  alter table sso_connections add column groups_claim text;
  -- Of the people it makes, instead of the tenant's; null: the tenant's.
  alter table sso_connections add column jit_default_role text;
`;

const claimedGroups = `
  -- Values of the groups claim at the last login that told them all, folded; null: none did. users.claim_values has those of all links.
  alter table sso_links add column claimed_groups text[];
`;

const defaultRoles = `
  -- The connection made the person.
  alter table sso_links add column is_maker boolean not null default false;
  -- As the connection that made the person has it, instead of the tenant's; null: the tenant's.
  alter table users add column default_role text collate "C";
  create index users_default_role on users (tenant_id, default_role) where default_role is not null;
`;

const accessRequests = `
  -- People whom an identity provider vouched for and who wait to be made, or were refused. Who is approved is a user, and no longer here.
  create table access_requests (
    tenant_id     uuid not null,
    id            uuid not null,
    connection_id uuid not null,
    -- As in sso_links.
    subject       text not null collate "C",
    -- What the claims said at the last login: sso/core/identity.ts.
    identity      jsonb not null,
    claimed_groups text[] not null,
    requested_at  timestamptz not null,
    last_login_at timestamptz not null,
    -- null: waits.
    refused_at    timestamptz,
    refused_by    jsonb,
    reason        text,
    primary key (tenant_id, id),
    constraint access_requests_subject unique (tenant_id, connection_id, subject),
    constraint access_requests_refused check ((refused_at is null) = (refused_by is null)),
    foreign key (tenant_id, connection_id) references sso_connections on delete cascade
  );
`;
