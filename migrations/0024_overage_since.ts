import { type Kysely, sql } from 'kysely';

/** A claim's time above the capacity counts from its first such seat, also when that was left. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(since).execute(db);
}

const since = `
  -- In place of overage_spent, which nothing reads any more: a later release drops it.
  alter table decisions add column overage_since timestamptz;
  alter table decisions no force row level security;
  -- When they began is not known; they are over.
  update decisions set overage_since = case when seat = 'overage' then since else claimed_at end
  where seat = 'overage' or overage_spent;
  alter table decisions force row level security;
`;
