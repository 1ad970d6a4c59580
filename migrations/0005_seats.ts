import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/**
 * Seats above the capacity, kept places, pins, mappings with a time, what a tenant has chosen about seats, and the people
 * who are still to be decided for. Forward only; decisions that stand are carried over as they are.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [contracts, people, mappings, pools, decisions, marks, settings])
    await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['pins', 'evaluation_marks']);
}

const contracts = `
  alter table contracts
    drop constraint contracts_overage_policy_check,
    add constraint contracts_overage_policy_check check (overage_policy in ('queue', 'fallback', 'grace', 'allow', 'block')),
    -- grace, allow: seats above the capacity, in percent of it.
    add column allowance_percent integer check (allowance_percent between 0 and 1000),
    -- grace: days that a person keeps such a seat.
    add column grace_days integer check (grace_days between 0 and 365),
    -- Days after the capacity fell in which those above it keep their seats.
    add column decrease_grace_days integer not null default 30 check (decrease_grace_days between 0 and 365);
`;

const people = `
  alter table users
    -- Values of the SCIM attribute roles and of the groups claim of single sign-on, folded: mappings may name them.
    add column role_values text[] not null default '{}',
    add column claim_values text[] not null default '{}';

  -- A role that an administrator gave to a person by hand, in place of what mappings say.
  create table pins (
    tenant_id  uuid not null,
    user_id    uuid not null,
    role       text not null,
    -- null: wherever the person's mappings lead, else the default workspaces.
    workspaces text[],
    reason     text not null,
    until      timestamptz,
    reserved   boolean not null,
    actor      jsonb not null,
    created_at timestamptz not null,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references users on delete cascade
  );
`;

const mappings = `
  alter table mappings
    -- In place of a group: a value that the identity provider pushes in roles, or names in the groups claim; folded.
    add column role_value  text collate "C",
    add column claim_value text collate "C",
    add column valid_from  timestamptz,
    add column valid_until timestamptz,
    -- Order strict: whoever claims by it may take the seat of a claim of lower priority.
    add column may_preempt boolean not null default false,
    add constraint mappings_validity check (valid_from < valid_until),
    add constraint mappings_source check (num_nonnulls(role_value, claim_value) = 0 or
      (num_nonnulls(role_value, claim_value) = 1 and num_nonnulls(group_id, group_display_name, group_external_id) = 0));
`;

const pools = `
  alter table seat_pools
    -- Of used: seats above the capacity, and places kept for people who move.
    add column overage    integer not null default 0 check (overage >= 0),
    add column on_hold    integer not null default 0 check (on_hold >= 0),
    add constraint seat_pools_parts check (overage + on_hold <= used),
    -- true: people wait to be decided for again, or more wait for seats than one write serves. No seat is given meanwhile,
    -- so that the order is kept.
    add column evaluating boolean not null default false,
    -- An open batch of claims (settings: settlement): since when, and when it is settled; null: when somebody says so.
    add column batch_opened_at timestamptz,
    add column settles_at      timestamptz,
    -- What the contract gave at the last write, with the policy's allowance; null: unlimited.
    add column seat_limit      integer default 0,
    -- Since when more is used than that.
    add column excess_since    timestamptz,
    -- Until when dates of the contract and of mappings have been looked at.
    add column settled_at      timestamptz not null default '1970-01-01',
    -- Whether paid roles stand as their fallback because an evaluation is over.
    add column frozen     boolean not null default false;
`;

const decisions = `
  alter table decisions
    drop constraint decisions_seat_check,
    drop constraint decisions_claim,
    add constraint decisions_seat_check check (seat in ('none', 'held', 'overage', 'hold', 'waiting')),
    -- A seat, or the wait for one, rests on a claim; a kept place does not.
    add constraint decisions_claim check ((seat in ('none', 'hold')) = (priority is null)
      and (seat in ('none', 'hold')) = (claimed_at is null)),
    -- What the claim's time counts for in the order: the time itself (sticky), or nothing (strict).
    add column rank_at timestamptz,
    -- The time of a claim that is remembered for a while, so that whoever comes back has the same rank; with seat 'hold'
    -- the place is kept too.
    add column kept_claimed_at timestamptz,
    add column kept_until      timestamptz,
    add constraint decisions_kept check ((kept_claimed_at is null) = (kept_until is null)),
    add constraint decisions_hold check (seat <> 'hold' or kept_until is not null),
    -- The time above the capacity (policy grace) was used up.
    add column overage_spent boolean not null default false,
    -- When something of it ends by itself.
    add column due_at timestamptz;
  alter table decisions no force row level security;
  update decisions set rank_at = claimed_at,
    requested = (select coalesce(jsonb_agg((r - 'mapping') || jsonb_build_object('via', 'MAPPING:' || (r ->> 'mapping'),
      'billing', case when r ->> 'role' in ('client', 'comment_only', 'view_only') then 'free' else 'paid' end)
      order by n), '[]') from jsonb_array_elements(requested) with ordinality as e (r, n));
  alter table decisions force row level security;
  drop index decisions_queue;
  create index decisions_queue on decisions (tenant_id, priority, rank_at, tie, user_id) where seat = 'waiting';
  create index decisions_overage on decisions (tenant_id, priority, rank_at, tie, user_id) where seat = 'overage';
  create index decisions_due on decisions (tenant_id, due_at) where due_at is not null;
`;

const marks = `
  -- Who is still to be decided for: large edits write them down, and settle them in batches.
  create table evaluation_marks (
    tenant_id  uuid not null,
    user_id    uuid not null,
    -- If the person loses the last paid role by it: until when the place is kept.
    keep_until timestamptz,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references users on delete cascade
  );
`;

const settings = `
  alter table tenant_settings
    add column default_role    text not null default 'none',
    add column seat_order      text not null default 'sticky' check (seat_order in ('sticky', 'strict')),
    add column settlement      text not null default 'immediate' check (settlement in ('immediate', 'cycle', 'staged')),
    add column hold_minutes    integer not null default 60 check (hold_minutes between 0 and 10080),
    add column tombstone_hours integer not null default 72 check (tombstone_hours between 0 and 720),
    add column breaker_percent integer default 10 check (breaker_percent between 1 and 100),
    add column breaker_people  integer default 20 check (breaker_people >= 1),
    add column reclaim_days    integer check (reclaim_days between 1 and 3650),
    add column two_person_rule boolean not null default false,
    -- userNames and addresses, folded.
    add column exclusions      text[] not null default '{}',
    add constraint tenant_settings_breaker check ((breaker_percent is null) = (breaker_people is null));
`;
