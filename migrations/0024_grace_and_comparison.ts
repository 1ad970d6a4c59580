import { type Kysely, sql } from 'kysely';

/** Since when a claim's grace counts, and the nightly comparison of what was decided. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(grace).execute(db);
  await sql.raw(comparison).execute(db);
}

const grace = `
  -- When the claim first had a seat above the capacity. In place of overage_spent, which nothing reads any more: a later release
  -- drops it.
  alter table decisions add column overage_since timestamptz;
  alter table decisions no force row level security;
  -- When the time of those began for whom it is over is not known.
  update decisions set overage_since = case when seat = 'overage' then since else claimed_at end
  where seat = 'overage' or overage_spent;
  alter table decisions force row level security;
`;

const comparison = `
  alter table alert_states
    -- When the tenant's decisions are compared next with what deciding again gives.
    add column compare_at timestamptz not null default '1970-01-01',
    -- What the last comparison found: people decided for otherwise, and counts of seats that are off.
    add column differing  integer not null default 0 check (differing >= 0),
    add column miscounted integer not null default 0 check (miscounted >= 0);
  -- Not all at once, and not now.
  alter table alert_states no force row level security;
  update alert_states set compare_at = date_trunc('day', now(), 'UTC') + interval '1 day' + random() * interval '4 hours';
  alter table alert_states force row level security;

  create function find_due_comparisons(at timestamptz, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select s.tenant_id from alert_states s where s.compare_at <= at order by s.compare_at limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_due_comparisons(timestamptz, integer) owner to blue_gateway_finder;
  revoke execute on function find_due_comparisons(timestamptz, integer) from public;
  grant execute on function find_due_comparisons(timestamptz, integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
