import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/**
 * What a decision asks for and gives is the same for many people: each set of roles is a row of its own, and decisions name it.
 * Forward only.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(sets).execute(db);
  await guardTenantTables(db, ['role_sets']);
  for (const statement of [filled, decisions, trail]) await sql.raw(statement).execute(db);
}

const sets = `
  -- provisioning/role-set.ts. Never changed and never deleted: the trail names them too.
  create table role_sets (
    tenant_id uuid not null references tenants,
    -- It follows from the roles.
    id        uuid not null,
    roles     jsonb not null,
    -- Where these are asked for: the set that is in effect with a seat.
    seated_id uuid,
    -- What Blue sees of them: alike for sets that differ in nothing else.
    in_blue   uuid not null,
    primary key (tenant_id, id)
  );
`;

/** By names that the gateway would not give them: where it decides anew, the new ones follow. */
const filled = `
  revoke update, delete on role_sets from blue_gateway_request;
  alter table decisions no force row level security;
  alter table role_sets no force row level security;

  create function pg_temp.set_id(roles jsonb) returns uuid language sql return md5(roles::text)::uuid;
  create function pg_temp.seated(roles jsonb) returns jsonb language sql
    return (select coalesce(jsonb_agg(role - 'fallbackRole' order by place), '[]')
            from jsonb_array_elements(roles) with ordinality as r (role, place));
  create function pg_temp.in_blue(roles jsonb) returns uuid language sql
    return (select md5(coalesce(string_agg(name, ',' order by name collate "C"), ''))::uuid from (
              select concat(role ->> 'workspace', ' ', role ->> 'role') as name from jsonb_array_elements(roles) as r (role)
            ) names);

  insert into role_sets (tenant_id, id, roles, seated_id, in_blue)
  select tenant_id, pg_temp.set_id(roles), roles, pg_temp.set_id(pg_temp.seated(roles)), pg_temp.in_blue(roles) from (
    select tenant_id, requested as roles from decisions
    union select tenant_id, effective from decisions
    union select tenant_id, pg_temp.seated(requested) from decisions
  ) standing;
`;

const decisions = `
  alter table decisions add column requested_id uuid, add column effective_id uuid;
  update decisions set requested_id = pg_temp.set_id(requested), effective_id = pg_temp.set_id(effective);
  alter table decisions
    alter column requested_id set not null,
    alter column effective_id set not null,
    drop column requested,
    drop column effective;
  alter table decisions force row level security;
  alter table role_sets force row level security;
`;

const trail = `
  -- A decision as the trail tells it: large edits write the names of its sets.
  create function with_roles(tenant uuid, decision jsonb) returns jsonb language sql stable parallel safe
    return case when decision ? 'requestedId' then decision - array['requestedId', 'effectiveId'] || jsonb_build_object(
      'requested', (select roles from role_sets where tenant_id = tenant and id = (decision ->> 'requestedId')::uuid),
      'effective', (select roles from role_sets where tenant_id = tenant and id = (decision ->> 'effectiveId')::uuid))
      else decision end;
`;
