import { type Kysely, sql } from 'kysely';

/** How far the gateway's clock was moved (TEST_CLOCK): one row for all processes. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(clock).execute(db);
}

const clock = `
  -- Global. Requests have no right to it: only the owner reads and moves the clock.
  create table test_clock (
    id        boolean primary key default true constraint test_clock_one_row check (id),
    -- Milliseconds between real time and the gateway's; 0: it was not moved.
    offset_ms bigint not null default 0,
    -- Rises with every move, so that a process never goes back to one that it read before.
    revision  bigint not null default 0
  );
  insert into test_clock default values;
`;
