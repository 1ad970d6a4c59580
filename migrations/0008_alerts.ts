import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Alerts, the days that forecasts are made from, and the guard that turns policy `block` into `queue`. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [guard, alerts]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['seat_refusals', 'seat_days', 'alert_states', 'alerts']);
  await sql.raw(workFinding).execute(db);
}

const guard = `
  -- Since when policy block stands as queue, so that an identity provider goes on; null: it stands as written.
  alter table contracts add column block_lifted_at timestamptz;

  -- How often a directory was refused for want of a seat, by the minute; what is older than the guard looks back goes with the
  -- next refusal.
  create table seat_refusals (
    tenant_id    uuid not null,
    directory_id uuid not null,
    minute       timestamptz not null,
    refusals     integer not null check (refusals > 0),
    primary key (tenant_id, directory_id, minute),
    foreign key (tenant_id, directory_id) references directories on delete cascade
  );
`;

const alerts = `
  -- Seats in use: the most of a day, and at its end. A day without a row was like the one before.
  create table seat_days (
    tenant_id uuid not null references tenants,
    day       date not null,
    used_max  integer not null check (used_max >= used_last),
    used_last integer not null check (used_last >= 0),
    primary key (tenant_id, day)
  );

  -- How the seats were when alerts were last looked for, when to look next whatever happens, and what has been raised. Who
  -- raises an alert has locked it.
  create table alert_states (
    tenant_id       uuid primary key references tenants,
    seen_used       integer not null default 0,
    seen_unmanaged  integer not null default 0,
    seen_settled_at timestamptz,
    seen_lifted_at  timestamptz,
    look_at         timestamptz not null default '1970-01-01',
    -- The term that the marks belong to: licensing/alert.ts.
    period          text not null default '',
    marks           text[] not null default '{}'
  );

  -- One record for what comes up within a few minutes.
  create table alerts (
    tenant_id       uuid not null references tenants,
    id              uuid not null,
    raised_at       timestamptz not null,
    -- When the last item came.
    changed_at      timestamptz not null,
    items           jsonb not null,
    acknowledged_at timestamptz,
    acknowledged_by jsonb,
    primary key (tenant_id, id),
    constraint alerts_acknowledged check ((acknowledged_at is null) = (acknowledged_by is null))
  );
  create index alerts_open on alerts (tenant_id, id) where acknowledged_at is null;
`;

const workFinding = `
  create policy finder on alert_states for select to blue_gateway_finder using (true);
  create policy finder on seat_refusals for select to blue_gateway_finder using (true);
  create policy finder on contracts for select to blue_gateway_finder using (true);
  grant select on alert_states, seat_refusals to blue_gateway_finder;
  grant select (tenant_id, block_lifted_at) on contracts to blue_gateway_finder;

  -- Tenants whose seats or contract are not as they were, or whose time to look has come.
  create function find_alert_work(at timestamptz, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select p.tenant_id from seat_pools p left join alert_states s on s.tenant_id = p.tenant_id
      left join contracts c on c.tenant_id = p.tenant_id
    where s.tenant_id is null or s.look_at <= at or (s.seen_used, s.seen_unmanaged, s.seen_settled_at, s.seen_lifted_at)
      is distinct from (p.used, p.unmanaged_paid, p.settled_at, c.block_lifted_at)
    order by s.look_at nulls first limit most
  $$;

  create function find_refused_tenants(since timestamptz, fewest bigint) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select distinct r.tenant_id from seat_refusals r where r.minute >= since
    group by r.tenant_id, r.directory_id having sum(r.refusals) >= fewest
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_alert_work(timestamptz, integer) owner to blue_gateway_finder;
  alter function find_refused_tenants(timestamptz, bigint) owner to blue_gateway_finder;
  revoke execute on function find_alert_work(timestamptz, integer), find_refused_tenants(timestamptz, bigint) from public;
  grant execute on function find_alert_work(timestamptz, integer), find_refused_tenants(timestamptz, bigint) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
