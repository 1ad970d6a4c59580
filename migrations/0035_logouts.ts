import { type Kysely, sql } from 'kysely';

/** When a login was asked for, by the clock that identity providers know. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw('alter table sso_requests add column asked_at timestamptz not null default now()')
    .execute(db);
  await sql.raw('alter table sso_requests alter column asked_at drop default').execute(db);
}
