import { type Kysely, sql } from 'kysely';

/** What a scheduled draft may take away. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(losses).execute(db);
}

const losses = `
  -- Seats that it would have taken away when it was scheduled: whoever scheduled it knew of them.
  alter table mapping_drafts add column agreed_losses integer not null default 0 check (agreed_losses >= 0);
`;
