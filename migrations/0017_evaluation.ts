import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/**
 * What lets many people be decided for at once: a revision of everything decisions are made by, what each decision rested on as
 * a number that is quickly compared, and the large edits that are still to be carried out. Forward only.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [revision, decisions, requests, bulk]) await sql.raw(statement).execute(db);
  await guardTenantTables(db, ['evaluation_requests', 'evaluation_decided']);
}

/** Each is one row of a tenant, or few: a trigger for each row that is written. */
const revisedByRow = [
  ['contracts', 'insert or update or delete'],
  ['contract_lines', 'insert or update or delete'],
  ['tenant_settings', 'insert or delete'],
  // The worker writes the others of its columns every few seconds.
  ['blue_connections', 'insert or delete or update of default_workspaces'],
] as const;

const revision = `
  -- Another one after every change of what pool-store.ts reads as contract and rules, so that a process that has them need not
  -- read them again. Random, since one of a transaction that was rolled back must never come again.
  alter table seat_pools add column rules_revision uuid not null default gen_random_uuid();

  create function revise_rules() returns trigger language plpgsql set search_path = public, pg_temp as $$
  begin
    update seat_pools set rules_revision = gen_random_uuid()
    where tenant_id = case when tg_op = 'DELETE' then old.tenant_id else new.tenant_id end;
    return null;
  end $$;
  ${revisedByRow
    .map(
      ([table, events]) =>
        `create trigger revise_rules after ${events} on ${table} for each row execute function revise_rules();`,
    )
    .join('\n')}

  -- When idle seats are looked at next is no rule, and written often.
  create trigger revise_rules_update after update on tenant_settings for each row
    when (to_jsonb(old) - 'reclaim_due_at' <> to_jsonb(new) - 'reclaim_due_at') execute function revise_rules();

  -- The catalogue's version stands in the pool itself; versions never change.
  create function revise_rules_of_catalogue() returns trigger language plpgsql set search_path = public, pg_temp as $$
  begin
    new.rules_revision := gen_random_uuid();
    return new;
  end $$;
  create trigger revise_rules before update of catalogue_version on seat_pools for each row
    when (old.catalogue_version <> new.catalogue_version) execute function revise_rules_of_catalogue();

  -- Mappings are numbered anew by hundreds.
  create function revise_rules_of_all() returns trigger language plpgsql set search_path = public, pg_temp as $$
  begin
    update seat_pools set rules_revision = gen_random_uuid() where tenant_id in (select tenant_id from written);
    return null;
  end $$;
  ${['insert', 'update', 'delete']
    .map(
      (event) => `
  create trigger revise_rules_${event} after ${event} on mappings
    referencing ${event === 'delete' ? 'old' : 'new'} table as written
    for each statement execute function revise_rules_of_all();`,
    )
    .join('')}
`;

const decisions = `
  alter table decisions
    -- provisioning/basis.ts: prints of what was asked by, and of what of the contract the roles follow from. Null: not known, so
    -- that the next full evaluation decides again.
    add column basis       bigint,
    add column terms_basis bigint;
  -- Few: who must not have a decision.
  create index users_inactive on users (tenant_id, id) where not active;
`;

const requests = `
  -- Edits that concern more people than one transaction decides for: whom they may concern (provisioning/affected.ts). A row
  -- goes when everybody has been decided for.
  create table evaluation_requests (
    tenant_id  uuid not null references tenants,
    id         bigint generated always as identity,
    affected   jsonb not null,
    -- Of whoever loses the last paid role by it: until when the place is kept.
    keep_until timestamptz,
    primary key (tenant_id, id)
  );

  -- Who was decided for by somebody else while a large edit is carried out: what it found of them before no longer counts.
  create table evaluation_decided (
    tenant_id uuid not null references tenants,
    user_id   uuid not null,
    primary key (tenant_id, user_id)
  );
`;

const bulk = `
  -- Their policies hold the tenant to the one of the transaction, which exists: checking each of a million rows against it once
  -- more took 0.1 of the time of deciding for everybody.
  alter table audit_events drop constraint audit_events_tenant_id_fkey;
  alter table blue_sync drop constraint blue_sync_tenant_id_fkey;
`;
