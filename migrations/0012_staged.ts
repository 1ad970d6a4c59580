import { type Kysely, sql } from 'kysely';

/** The breaker: a directory's change that takes many seats away waits for an administrator. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(staged).execute(db);
}

const staged = `
  -- true: an administrator must let it happen.
  alter table evaluation_marks add column staged boolean not null default false;

  alter table seat_pools
    -- Since when marks are staged; null: none is.
    add column staged_since timestamptz,
    -- Seats that directories' changes took away since then, within the hour that the breaker looks at.
    add column losses_since timestamptz,
    add column losses       integer not null default 0;
`;
