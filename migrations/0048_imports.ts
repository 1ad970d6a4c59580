import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Files of people that administrators import, with what has become of each row. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(imports).execute(db);
  await guardTenantTables(db, ['imports', 'import_rows']);
  await sql.raw(workFinding).execute(db);
}

const imports = `
  create table imports (
    tenant_id  uuid not null references tenants,
    id         uuid not null,
    created_at timestamptz not null,
    actor      jsonb not null,
    request_id text,
    -- Nothing is carried out: the rows say what would be.
    dry_run    boolean not null,
    -- The header, as it was written.
    columns    text[] not null,
    -- What it was to do when it was sent: {gained, lost, changed, queued, needed, available, seats}.
    plan       jsonb not null,
    -- Rows up to this line are carried out.
    line_done  integer not null default 0,
    -- All are, and everybody in it is marked to be decided for.
    marked     boolean not null default false,
    -- null: some are still to be.
    done_at    timestamptz,
    primary key (tenant_id, id)
  );
  create index imports_open on imports (tenant_id, id) where done_at is null;

  create table import_rows (
    tenant_id uuid not null,
    import_id uuid not null,
    -- Of the file, the header being the first.
    line      integer not null,
    cells     text[] not null,
    -- What is to be done for the person: provisioning/intake.ts; null: the row can't be read.
    intake    jsonb,
    -- null: not yet known.
    outcome   text collate "C" check (outcome in ('created', 'updated', 'unchanged', 'refused')),
    code      text,
    detail    text,
    user_id   uuid,
    -- Of a dry run: the seat that the person would have.
    seat      text,
    primary key (tenant_id, import_id, line),
    foreign key (tenant_id, import_id) references imports on delete cascade
  );
`;

const workFinding = `
  create policy finder on imports for select to blue_gateway_finder using (true);
  grant select on imports to blue_gateway_finder;

  create function find_open_imports(most integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = public, pg_temp as $$
    select distinct i.tenant_id from imports i where i.done_at is null limit most
  $$;

  grant create on schema public to blue_gateway_finder;
  alter function find_open_imports(integer) owner to blue_gateway_finder;
  revoke execute on function find_open_imports(integer) from public;
  grant execute on function find_open_imports(integer) to current_user;
  revoke create on schema public from blue_gateway_finder;
`;
