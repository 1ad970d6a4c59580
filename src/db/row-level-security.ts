/**
 * Row-level security for tenant tables, used by migrations: every row is seen only by the tenant that
 * `app.tenant_id` names, for every role (FORCE), the owner included.
 */

import { type Kysely, sql } from 'kysely';

/** Forces row-level security on the tables and lets the request role work on its own tenant's rows. */
export async function guardTenantTables(db: Kysely<unknown>, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    const own = `tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid`;
    await sql
      .raw(`
        alter table ${table} enable row level security;
        alter table ${table} force row level security;
        create policy tenant on ${table} to blue_gateway_request using (${own}) with check (${own});
        grant select, insert, update, delete on ${table} to blue_gateway_request;
      `)
      .execute(db);
  }
}
