import { type Kysely, sql } from 'kysely';

/** What falls back to a role is also said by what was signed for a time to come, and by terms that followed the first. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(uses).execute(db);
}

const uses = `
  create policy finder on contract_lines for select to blue_gateway_finder using (true);
  grant select on contract_lines to blue_gateway_finder;

  create or replace function find_fallback_uses(roles text[], most integer)
  returns table (slug text, mapping_id uuid, role text)
  language sql stable security definer set search_path = public, pg_temp as $$
    select t.slug, u.mapping_id, u.role from (
      select c.tenant_id, null::uuid as mapping_id, c.fallback_role as role from contracts c
      where c.fallback_role = any(roles)
      union
      select l.tenant_id, null::uuid, l.document ->> 'fallbackRole' from contract_lines l
      where l.kind = 'base' and l.superseded_at is null and l.document ->> 'fallbackRole' = any(roles)
      union all
      select m.tenant_id, m.id, m.fallback_role from mappings m where m.fallback_role = any(roles)
    ) u join tenants t on t.tenant_id = u.tenant_id
    order by t.slug, u.mapping_id nulls first limit most
  $$;
`;
