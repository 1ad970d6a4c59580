import { type Kysely, sql } from 'kysely';

/** Decisions that are made again stay on their page, so that no index learns of those whose place in the order is the same. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table decisions set (fillfactor = 85)').execute(db);
}
