import { type Kysely, sql } from 'kysely';

/** Alerts that are over. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // When nothing of what it warned of was the case any more.
  await sql`alter table alerts add column over_at timestamptz`.execute(db);
}
