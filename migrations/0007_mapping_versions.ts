import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Sets of mappings as numbered versions, and drafts of sets. Forward only; the sets that stand become the first versions. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(versions).execute(db);
  await sql.raw(drafts).execute(db);
  await guardTenantTables(db, ['mapping_versions', 'mapping_drafts']);
}

const versions = `
  -- One row an edit: the whole set as it then was. Nothing is changed here.
  create table mapping_versions (
    tenant_id uuid not null references tenants,
    number    integer not null check (number > 0),
    at        timestamptz not null,
    actor     jsonb not null,
    -- The action in the audit trail that made it.
    cause     text not null,
    size      integer not null,
    mappings  jsonb not null,
    primary key (tenant_id, number)
  );
  alter table mappings no force row level security;
  insert into mapping_versions (tenant_id, number, at, actor, cause, size, mappings)
  select tenant_id, 1, now(), '{"kind": "system", "rule": "migration"}', 'mapping.created', count(*),
    jsonb_agg(jsonb_build_object('id', id, 'priority', priority, 'groupId', group_id,
      'groupDisplayName', group_display_name, 'groupExternalId', group_external_id, 'roleValue', role_value,
      'claimValue', claim_value, 'role', role, 'workspaces', workspaces, 'fallbackRole', fallback_role,
      'validFrom', valid_from, 'validUntil', valid_until, 'mayPreempt', may_preempt) order by priority)
  from mappings group by tenant_id;
  alter table mappings force row level security;
`;

const drafts = `
  create table mapping_drafts (
    tenant_id    uuid not null references tenants,
    id           uuid not null,
    name         text not null,
    -- The version that it was written on; 0: before there was any.
    based_on     integer not null check (based_on >= 0),
    -- The whole set, in the form of a version; groups named by names are not looked for before it is activated.
    mappings     jsonb not null,
    -- Of a department that is brought in.
    department   text,
    go_live_on   date,
    created_at   timestamptz not null,
    -- When it is activated by itself, and whether over what was activated since its base.
    activate_at  timestamptz,
    rebase       boolean not null default false,
    -- The version that it became, and the mappings that it made or changed.
    activated_as integer,
    activated_at timestamptz,
    touched      uuid[] not null default '{}',
    -- Why it could not be activated at its time.
    failure      text,
    primary key (tenant_id, id),
    constraint mapping_drafts_activated check ((activated_as is null) = (activated_at is null)),
    constraint mapping_drafts_scheduled check (activate_at is null or (activated_as is null and failure is null))
  );
  create index mapping_drafts_activate on mapping_drafts (tenant_id, activate_at) where activate_at is not null;
`;
