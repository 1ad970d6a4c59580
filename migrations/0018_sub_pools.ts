import { type Kysely, sql } from 'kysely';
import { guardTenantTables } from '../src/db/row-level-security.ts';

/** Named shares of a tenant's seats. Forward only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(subPools).execute(db);
  await guardTenantTables(db, ['sub_pools']);
}

const subPools = `
  create table sub_pools (
    tenant_id    uuid not null references tenants,
    name         text collate "C" not null check (name <> ''),
    -- Its share of the seats.
    seats        integer not null check (seats >= 0),
    -- Seats that it may have above its share; null: as many as are free.
    borrow_limit integer check (borrow_limit >= 0),
    primary key (tenant_id, name)
  );

  -- By their names: seats and kept places of the people whose claims belong to them. With the pool's other counts, which are
  -- those of the row as it was locked.
  alter table seat_pools add column sub_pool_use jsonb not null default '{}';

  create trigger revise_rules after insert or update or delete on sub_pools for each row execute function revise_rules();

  -- Claims by the mapping belong to this sub-pool; null: to the common rest.
  alter table mappings
    add column sub_pool text collate "C",
    add foreign key (tenant_id, sub_pool) references sub_pools (tenant_id, name);
  create index mappings_sub_pool on mappings (tenant_id, sub_pool);

  -- Of the claim, or of the place that is kept. A sub-pool that is named here is not deleted.
  alter table decisions add column sub_pool text collate "C";
  create index decisions_sub_pool_queue on decisions (tenant_id, sub_pool, priority, rank_at, tie, user_id)
    where seat = 'waiting' and sub_pool is not null;
  create index decisions_sub_pool_seats on decisions (tenant_id, sub_pool, priority, rank_at, tie, user_id)
    where seat in ('held', 'overage') and sub_pool is not null;
`;
