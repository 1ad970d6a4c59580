import { type Kysely, sql } from 'kysely';

/** Blue's roles as versioned data, and which version each tenant was decided for with. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [versions, pools, finders]) await sql.raw(statement).execute(db);
}

const versions = `
  -- Global: what Blue's roles are is the same for all tenants. Versions are only ever added.
  create table catalogue_versions (
    version     integer primary key check (version >= 1),
    recorded_at timestamptz not null,
    actor       jsonb not null,
    -- key, billing, level and label of each role.
    roles       jsonb not null,
    reason      text not null
  );
  insert into catalogue_versions values (1, now(), '{"kind": "system", "rule": "installation"}', '[
    {"key": "project_administrator", "billing": "paid", "level": "ADMIN", "label": "Project Administrator"},
    {"key": "team_member", "billing": "paid", "level": "MEMBER", "label": "Team Member"},
    {"key": "custom:*", "billing": "paid", "level": "MEMBER", "label": "Custom User Role"},
    {"key": "client", "billing": "free", "level": "CLIENT", "label": "Client"},
    {"key": "comment_only", "billing": "free", "level": "COMMENT_ONLY", "label": "Comment Only"},
    {"key": "view_only", "billing": "free", "level": "VIEW_ONLY", "label": "View Only"}
  ]', 'The table of blue.cc "Enterprise billing".');
  grant select on catalogue_versions to blue_gateway_request, blue_gateway_finder;
`;

const pools = `
  alter table seat_pools
    -- With which the tenant was decided for: a newer version counts for it from the moment that it is adopted.
    add column catalogue_version integer not null default 1;
  create index seat_pools_catalogue_due on seat_pools (catalogue_version);
`;

const finders = `
  create policy finder on mappings for select to blue_gateway_finder using (true);
  -- What alerts may read of contracts is less.
  grant select on contracts, mappings to blue_gateway_finder;

  -- Tenants that were not decided for with this version yet.
  create function find_catalogue_work(newest integer, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select p.tenant_id from seat_pools p
    where p.catalogue_version < newest
    order by p.catalogue_version, p.tenant_id limit most
  $$;

  -- Which contracts (no mapping) and mappings fall back to one of these roles.
  create function find_fallback_uses(roles text[], most integer)
  returns table (slug text, mapping_id uuid, role text)
  language sql stable security definer set search_path = public, pg_temp as $$
    select t.slug, u.mapping_id, u.role from (
      select c.tenant_id, null::uuid as mapping_id, c.fallback_role as role from contracts c
      where c.fallback_role = any(roles)
      union all
      select m.tenant_id, m.id, m.fallback_role from mappings m where m.fallback_role = any(roles)
    ) u join tenants t on t.tenant_id = u.tenant_id
    order by t.slug, u.mapping_id nulls first limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_catalogue_work(integer, integer) owner to blue_gateway_finder;
  alter function find_fallback_uses(text[], integer) owner to blue_gateway_finder;
  revoke execute on function find_catalogue_work(integer, integer), find_fallback_uses(text[], integer) from public;
  grant execute on function find_catalogue_work(integer, integer), find_fallback_uses(text[], integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
