import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Batches of a large edit are written before the pool is locked: nobody else decides for their people meanwhile. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [batches, decided, decisions]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['evaluation_batches']);
}

const batches = `
  -- People, by a range of their ids, whose decisions a transaction under way writes. Written and cleared while the pool is locked.
  create table evaluation_batches (
    tenant_id  uuid not null references tenants,
    first_id   uuid not null,
    last_id    uuid not null,
    -- Whose claim it is: another may have claimed the same people after it was over.
    token      uuid not null default gen_random_uuid(),
    -- By the database's clock: of a process that died nothing is left after a while.
    claimed_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, first_id)
  );
`;

const decided = `
  -- By which transaction: what was compared before it no longer counts for the person, what is compared after it does.
  alter table evaluation_decided add column decided_by xid8 not null default pg_current_xact_id();
`;

const decisions = `
  -- To check it locked, and so wrote, the user's row for each decision: a tenth of the time of deciding for everybody. Users are
  -- deleted, with their decisions, under the same lock of the pool under which decisions are written.
  alter table decisions drop constraint decisions_tenant_id_user_id_fkey;
`;
