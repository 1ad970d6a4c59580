import { type Kysely, sql } from 'kysely';

/** Seats that a better claim takes after a notice (order strict). Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(notice).execute(db);
}

const notice = `
  alter table tenant_settings
    -- How long somebody who is to lose the seat to a better claim is told before.
    add column notice_hours integer not null default 24 check (notice_hours between 0 and 720);

  alter table decisions
    -- Whether the claim may take the seat of one of lower priority.
    add column may_preempt  boolean not null default false,
    -- When the seat goes to a better claim that waits; null: no notice was given.
    add column notice_until timestamptz;
  create index decisions_preempting on decisions (tenant_id, priority, rank_at, tie, user_id)
    where seat = 'waiting' and may_preempt;
  create index decisions_noticed on decisions (tenant_id, user_id) where notice_until is not null;
`;
