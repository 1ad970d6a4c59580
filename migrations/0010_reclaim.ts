import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Seats that lie idle: when people were last seen, and the course of asking them and taking the seat. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [activity, reclaims, settings]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['seat_reclaims']);
  await sql.raw(workFinding).execute(db);
}

const activity = `
  -- The last single sign-on; null: none yet.
  alter table users add column last_sign_in_at timestamptz;
  -- Blue's lastActiveAt as last read; null: Blue knows none.
  alter table blue_members add column last_active_at timestamptz;
`;

const reclaims = `
  -- The last case of a person whose seat lay idle; licensing/reclaim.ts has its course. What went before is in the trail.
  create table seat_reclaims (
    tenant_id  uuid not null,
    user_id    uuid not null,
    state      text not null collate "C" check (state in ('noticed', 'taken', 'kept', 'undone', 'returned', 'withdrawn')),
    -- null: the seat was kept before anybody was asked.
    noticed_at timestamptz,
    reminders  integer not null check (reminders between 0 and 2),
    -- When the next step is.
    due_at     timestamptz,
    taken_at   timestamptz,
    -- The last activity that was known when the case came into its state.
    seen_at    timestamptz,
    changed_at timestamptz not null,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references users on delete cascade,
    constraint seat_reclaims_due_at check ((state = 'noticed') = (due_at is not null)),
    constraint seat_reclaims_noticed_at check (noticed_at is not null or state in ('kept', 'withdrawn')),
    constraint seat_reclaims_taken_at check (taken_at is not null or state not in ('taken', 'undone', 'returned'))
  );
  create index seat_reclaims_state on seat_reclaims (tenant_id, state, user_id);
`;

const settings = `
  -- When the tenant's seats are looked at next; null: nobody is asked, and no seat is taken.
  alter table tenant_settings add column reclaim_due_at timestamptz;
  alter table tenant_settings no force row level security;
  update tenant_settings set reclaim_due_at = date_trunc('milliseconds', now()) where reclaim_days is not null;
  alter table tenant_settings force row level security;
  create index tenant_settings_reclaim_due on tenant_settings (reclaim_due_at) where reclaim_due_at is not null;
`;

const workFinding = `
  -- Tenants whose seats are to be looked at. Where Blue tells who is active its lists must be fresh: after a downtime, or
  -- while Blue is silent, active people would seem idle. Where nobody is asked any more that does not matter.
  create function find_due_reclaims(at timestamptz, read_since timestamptz, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select s.tenant_id from tenant_settings s
    where s.reclaim_due_at <= at and (s.reclaim_days is null or not exists (
      select from blue_connections c
      where c.tenant_id = s.tenant_id and (c.actual_read_at is null or c.actual_read_at < read_since)))
    order by s.reclaim_due_at limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_due_reclaims(timestamptz, timestamptz, integer) owner to blue_gateway_finder;
  revoke execute on function find_due_reclaims(timestamptz, timestamptz, integer) from public;
  grant execute on function find_due_reclaims(timestamptz, timestamptz, integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
