import { type Kysely, sql } from 'kysely';

/** Where else than in the tenant's own workspaces a person was given roles is known of the person. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(places).execute(db);
}

const places = `
  -- What was given there, by a pin, may be taken away again; of nobody else.
  alter table blue_people add column given_workspaces text[] not null default '{}';
`;
