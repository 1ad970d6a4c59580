import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/**
 * What a decision asks for and gives is the same for many people: each set of roles is a row of its own, and decisions name it.
 * Forward only.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [functions, sets]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['role_sets']);
  for (const statement of [fill, decisions, trail]) await sql.raw(statement).execute(db);
}

const functions = `
  -- The name of a set of roles: it follows from what is in it.
  create function role_set_id(roles jsonb) returns uuid language sql immutable parallel safe
    return md5(roles::text)::uuid;

  -- What is in effect of the roles that are asked for where there is a seat (licensing/effect.ts).
  create function seated_roles(roles jsonb) returns jsonb language sql immutable parallel safe
    return (select coalesce(jsonb_agg(role - 'fallbackRole' order by place), '[]')
            from jsonb_array_elements(roles) with ordinality as r (role, place));

  -- What Blue sees of roles: alike for sets that differ in nothing else.
  create function roles_in_blue(roles jsonb) returns uuid language sql immutable parallel safe
    return (select md5(coalesce(string_agg(concat(role ->> 'workspace', ' ', role ->> 'role'), ','
              order by concat(role ->> 'workspace', ' ', role ->> 'role') collate "C"), ''))::uuid
            from jsonb_array_elements(roles) as r (role));
`;

const sets = `
  -- Never changed and never deleted: the trail names them too.
  create table role_sets (
    tenant_id uuid not null references tenants,
    id        uuid not null generated always as (role_set_id(roles)) stored,
    roles     jsonb not null,
    -- The set that is in effect with a seat where this one is asked for.
    seated_id uuid not null generated always as (role_set_id(seated_roles(roles))) stored,
    in_blue   uuid not null generated always as (roles_in_blue(roles)) stored,
    primary key (tenant_id, id)
  );
`;

const fill = `
  revoke update, delete on role_sets from blue_gateway_request;

  insert into role_sets (tenant_id, roles)
  select tenant_id, requested from decisions
  union select tenant_id, effective from decisions
  union select tenant_id, seated_roles(requested) from decisions;
`;

const decisions = `
  alter table decisions add column requested_id uuid, add column effective_id uuid;
  update decisions set requested_id = role_set_id(requested), effective_id = role_set_id(effective);
  alter table decisions
    alter column requested_id set not null,
    alter column effective_id set not null,
    drop column requested,
    drop column effective;
`;

const trail = `
  -- A decision as the trail tells it: large edits write the names of its sets.
  create function with_roles(tenant uuid, decision jsonb) returns jsonb language sql stable parallel safe
    return case when decision ? 'requestedId' then decision - array['requestedId', 'effectiveId'] || jsonb_build_object(
      'requested', (select roles from role_sets where tenant_id = tenant and id = (decision ->> 'requestedId')::uuid),
      'effective', (select roles from role_sets where tenant_id = tenant and id = (decision ->> 'effectiveId')::uuid))
      else decision end;
`;
