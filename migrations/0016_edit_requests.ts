import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Edits that wait for a second person. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(requests).execute(db);
  await guardTenantTables(db, ['edit_requests']);
}

const requests = `
  create table edit_requests (
    tenant_id  uuid not null references tenants,
    id         uuid not null,
    -- The call as it was made: it is made again when a second person approves.
    method     text not null,
    path       text not null,
    body       jsonb,
    -- Why one person does not suffice: capacity, block, pin, rule, breaker.
    because    text[] not null,
    actor      jsonb not null,
    created_at timestamptz not null,
    -- applying: somebody approved, and the call is under way.
    state      text not null check (state in ('pending', 'applying', 'approved', 'refused')),
    decided_by jsonb,
    decided_at timestamptz,
    primary key (tenant_id, id)
  );
`;
