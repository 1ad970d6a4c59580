import { type Kysely, sql } from 'kysely';

/** The capacity at the last write is known beside the limit: where only the former fell, seats have their days of grace too. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(capacity).execute(db);
}

const capacity = `
  -- null: unlimited. Until the next write it is not known, and nothing counts as having fallen.
  alter table seat_pools add column seat_capacity integer default 0;
  alter table seat_pools no force row level security;
  -- Seats that stayed held above a capacity which fell come to be known.
  update seat_pools set due_at = least(due_at, now()) where used - overage - on_hold > 0;
  alter table seat_pools force row level security;
`;
