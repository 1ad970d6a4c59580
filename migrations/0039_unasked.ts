import { type Kysely, sql } from 'kysely';

/** Claims of which it is not known yet whether a seat is free for them. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(unasked).execute(db);
}

const unasked = `
  -- While no seat may be given: in the queue, and where none is given in the end, somebody is asked (\`when_full\`).
  alter table decisions
    add column unasked boolean not null default false,
    add constraint decisions_unasked_waits check (not unasked or (seat = 'waiting' and approval is null));
  create index decisions_unasked on decisions (tenant_id, user_id) where unasked;
`;
