import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Contract, mappings, the seat pool, decisions; the connection to Blue and what is known of it. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [licensing, blue]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, [
    ...['contracts', 'mappings', 'seat_pools', 'decisions'],
    ...['blue_connections', 'blue_members', 'blue_invitations', 'blue_people', 'blue_sync'],
  ]);
  await sql.raw(workFinding).execute(db);
}

const licensing = `
  create table contracts (
    tenant_id          uuid primary key references tenants,
    kind               text not null check (kind in ('evaluation', 'annual', 'multi_year')),
    tier               text not null,
    -- null: unlimited.
    paid_seats         integer check (paid_seats >= 0),
    starts_on          date not null,
    ends_on            date not null,
    payment_schedule   text not null check (payment_schedule in ('annual', 'quarterly', 'custom')),
    overage_policy     text not null check (overage_policy in ('queue', 'fallback', 'block')),
    fallback_role      text not null,
    terms              text,
    document_reference text,
    account_manager    text,
    billing_portal_url text,
    constraint contracts_dates check (starts_on <= ends_on)
  );

  create table mappings (
    tenant_id     uuid not null references tenants,
    id            uuid not null,
    priority      integer not null check (priority >= 1),
    -- Bound to the group's id as soon as the group exists; until then one of the two names is waited for.
    group_id      uuid,
    group_display_name     text,
    group_display_name_key text collate "C",
    group_external_id  text collate "C",
    role          text not null,
    workspaces    text[] not null,
    fallback_role text,
    created_at    timestamptz not null,
    primary key (tenant_id, id),
    constraint mappings_priority unique (tenant_id, priority) deferrable initially immediate,
    constraint mappings_group foreign key (tenant_id, group_id) references groups on delete set null (group_id)
  );
  create index mappings_group_id on mappings (tenant_id, group_id);

  -- One row a tenant: the lock and the count of everything that takes a seat.
  create table seat_pools (
    tenant_id uuid primary key references tenants,
    used      integer not null default 0 check (used >= 0),
    -- null: unlimited. After a decrease it only falls, with the seats that are given back.
    ceiling   integer default 0,
    -- People with a paid role in Blue whom this gateway did not put there: they keep seats from being granted.
    unmanaged_paid integer not null default 0 check (unmanaged_paid >= 0),
    -- When the contract's next date comes, which can free or close seats.
    due_at    timestamptz,
    constraint seat_pools_within_ceiling check (used <= ceiling)
  );
  create index seat_pools_due on seat_pools (due_at) where due_at is not null;

  -- What was decided for a person; no row: nothing asked, nothing granted.
  create table decisions (
    tenant_id  uuid not null,
    user_id    uuid not null,
    requested  jsonb not null,
    effective  jsonb not null,
    -- The claim: best priority among the person's paid roles, when it was made, and the tie-break. Null: no claim.
    priority   integer,
    claimed_at timestamptz,
    tie        text not null collate "C",
    seat       text not null check (seat in ('none', 'held', 'waiting')),
    since      timestamptz not null,
    -- Why what is asked for is not even considered: a code of licensing/desire.ts.
    refusal    text,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references users on delete cascade,
    constraint decisions_claim check ((seat = 'none') = (priority is null) and (seat = 'none') = (claimed_at is null))
  );
  create index decisions_queue on decisions (tenant_id, priority, claimed_at, tie, user_id) where seat = 'waiting';
`;

const blue = `
  create table blue_connections (
    tenant_id            uuid primary key references tenants,
    organization_id      text not null,
    token_id             text not null,
    token_secret         bytea not null,
    api_url              text,
    mode                 text not null check (mode in ('observe', 'apply')),
    deactivation         text not null check (deactivation in ('leave_workspaces', 'view_only', 'leave_organization')),
    default_workspaces   text[] not null,
    drift                text not null check (drift in ('report', 'repair')),
    invitations_per_hour integer check (invitations_per_hour > 0),
    -- What the worker last met: ok, waiting (tries again by itself) or stopped (a person must act).
    state                text not null default 'ok' check (state in ('ok', 'waiting', 'stopped')),
    cause                text,
    failures             integer not null default 0,
    last_contact_at      timestamptz,
    -- Not before: back-off, pacing.
    next_try_at          timestamptz,
    -- Every workspace that people were ever put into: what was given there may be taken away again.
    managed_workspaces   text[] not null default '{}',
    -- The organization, its workspaces and custom roles as last read; its people stand in blue_members.
    actual               jsonb,
    -- Null: Blue's lists must be read before anything is sent.
    actual_read_at       timestamptz,
    -- How often somebody asked for that.
    reads_asked          integer not null default 0,
    -- true while a change is under way: where it stays so, nobody knows whether it happened, and the lists are read.
    sending              boolean not null default false,
    -- How many invitation mails were sent since then, for invitations_per_hour.
    invitations_since    timestamptz,
    invitations_sent     integer not null default 0,
    -- The worker that has the tenant, and until when by the database's clock.
    leased_by            uuid,
    leased_until         timestamptz
  );
  create index blue_connections_read_due on blue_connections (actual_read_at) where state <> 'stopped';

  -- Blue's people as last read, with our own changes applied since.
  create table blue_members (
    tenant_id       uuid not null references tenants,
    blue_user_id    text not null collate "C",
    -- Lower-cased; null where Blue hides it.
    address         text collate "C",
    memberships     jsonb not null,
    -- Workspaces in which the role is a paid one.
    paid_workspaces text[] not null,
    primary key (tenant_id, blue_user_id)
  );
  create index blue_members_address on blue_members (tenant_id, address);
  create index blue_members_paid on blue_members (tenant_id) where paid_workspaces <> '{}';

  -- Blue's open invitations, likewise. A fresh one has no id yet: Blue answers none.
  create table blue_invitations (
    tenant_id     uuid not null references tenants,
    seq           bigint generated always as identity,
    invitation_id text,
    address       text not null collate "C",
    workspace     text not null,
    level         text not null,
    expires_at    timestamptz not null,
    is_paid       boolean not null,
    primary key (tenant_id, seq)
  );
  create index blue_invitations_address on blue_invitations (tenant_id, address);

  -- What is known of a person of ours in Blue. Outlives the user, so that a deleted one can be taken out of Blue.
  create table blue_people (
    tenant_id    uuid not null references tenants,
    user_id      uuid not null,
    -- Under which the person was last looked for in Blue.
    address      text collate "C",
    -- Kept once the person was matched: it outlives a change of address.
    blue_user_id text collate "C",
    state        text not null check (state in ('none', 'waiting', 'invited', 'active', 'refused', 'removed')),
    code         text,
    detail       text,
    changed_at   timestamptz not null,
    primary key (tenant_id, user_id)
  );
  create index blue_people_address on blue_people (tenant_id, address);
  create index blue_people_blue_user on blue_people (tenant_id, blue_user_id);
  create index blue_people_waiting on blue_people (tenant_id, user_id) where state = 'waiting';

  -- A mark: this person's roles in Blue may differ from what was decided.
  create table blue_sync (
    tenant_id       uuid not null references tenants,
    user_id         uuid not null,
    desired_version bigint not null default 1,
    marked_at       timestamptz not null,
    -- After a failure: when it is tried again, and how often it was in vain. Null, as every new mark makes it: now.
    not_before      timestamptz,
    tries           integer not null default 0,
    primary key (tenant_id, user_id)
  );
  create index blue_sync_not_before on blue_sync (tenant_id, not_before nulls first, marked_at, user_id);
`;

const workFinding = `
  create policy finder on seat_pools for select to blue_gateway_finder using (true);
  create policy finder on blue_connections for select to blue_gateway_finder using (true);
  create policy finder on blue_sync for select to blue_gateway_finder using (true);
  grant select on seat_pools, blue_connections, blue_sync to blue_gateway_finder;

  create function find_due_pools(at timestamptz, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select p.tenant_id from seat_pools p where p.due_at <= at order by p.due_at limit most
  $$;

  -- Tenants with marked people, or whose lists must be read, that may be worked on now and that no worker has.
  create function find_blue_work(at timestamptz, drift_before timestamptz, most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    -- One index look-up for each tenant with marks, however many it has.
    with recursive marked (tenant_id) as (
      (select s.tenant_id from blue_sync s order by s.tenant_id limit 1)
      union all
      select (select s.tenant_id from blue_sync s where s.tenant_id > m.tenant_id order by s.tenant_id limit 1)
      from marked m where m.tenant_id is not null
    ), work (tenant_id) as (
      select m.tenant_id from marked m
      where exists (select from blue_sync s where s.tenant_id = m.tenant_id and (s.not_before is null or s.not_before <= at))
      union
      select c.tenant_id from blue_connections c
      where c.state <> 'stopped' and (c.actual_read_at is null or c.actual_read_at <= drift_before)
    )
    select c.tenant_id from work w join blue_connections c on c.tenant_id = w.tenant_id
    where c.state <> 'stopped' and (c.next_try_at is null or c.next_try_at <= at)
      and (c.leased_until is null or c.leased_until <= now())
    order by c.next_try_at nulls first limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_due_pools(timestamptz, integer) owner to blue_gateway_finder;
  alter function find_blue_work(timestamptz, timestamptz, integer) owner to blue_gateway_finder;
  revoke execute on function find_due_pools(timestamptz, integer), find_blue_work(timestamptz, timestamptz, integer) from public;
  grant execute on function find_due_pools(timestamptz, integer), find_blue_work(timestamptz, timestamptz, integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
