import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Seats that a person gives. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(approvals).execute(db);
  await guardTenantTables(db, ['seat_approvals']);
}

const approvals = `
  -- automatic; manual: somebody approves each claim; when_full: only those for whom no seat is free.
  alter table mappings add column approval text check (approval in ('automatic', 'manual', 'when_full'));
  -- The same by role, for mappings that say nothing of it: {role: approval}.
  alter table tenant_settings add column approvals jsonb not null default '{}';

  alter table decisions
    -- pending: the claim waits for somebody's approval, and has no place in the queue; refused: there is no claim.
    add column approval text check (approval in ('pending', 'refused')),
    add constraint decisions_approval check (approval is null or (approval = 'pending') = (seat = 'waiting'));

  -- What somebody said to the claim of a person by a mapping.
  create table seat_approvals (
    tenant_id  uuid not null,
    user_id    uuid not null,
    via        text not null,
    is_granted boolean not null,
    reason     text,
    actor      jsonb not null,
    created_at timestamptz not null,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references users on delete cascade
  );
`;
