import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** A contract as dated lines, each with the time it speaks of and the time it was recorded at. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(lines).execute(db);
  await guardTenantTables(db, ['contract_lines']);
}

const lines = `
  alter table contracts
    -- Days after the last one of an evaluation in which holders keep their roles.
    add column evaluation_grace_days integer not null default 14 check (evaluation_grace_days between 0 and 365);

  -- Nothing is changed here but superseded_at, so that what was known at any instant can be told.
  create table contract_lines (
    tenant_id          uuid not null references tenants,
    id                 uuid not null,
    kind               text not null check (kind in ('base', 'amendment', 'add_on', 'ramp')),
    -- First day it speaks of; last day, for an add-on that ends before the contract.
    effective_on       date not null,
    ends_on            date,
    -- An amendment says nothing of the seats unless this is true.
    sets_seats         boolean not null,
    -- base, amendment: the total, null is unlimited. add_on, ramp: on top of it.
    paid_seats         integer check (paid_seats >= 0),
    tier               text,
    -- The contract's last day from then on.
    contract_ends_on   date,
    reason             text,
    document_reference text,
    -- Of a base line the contract as it was written.
    document           jsonb,
    recorded_at        timestamptz not null,
    -- When it was corrected or withdrawn; null: it holds.
    superseded_at      timestamptz,
    primary key (tenant_id, id),
    constraint contract_lines_dates check (ends_on is null or ends_on >= effective_on),
    constraint contract_lines_document check ((kind = 'base') = (document is not null))
  );
  create index contract_lines_effective on contract_lines (tenant_id, effective_on, recorded_at);
`;
