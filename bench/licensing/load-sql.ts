/**
 * The SQL that fills a tenant with people, groups and memberships. It runs as the superuser with triggers off: row-level
 * security and foreign keys would check four million rows that are right by construction. The same numbers and seed make
 * the same rows.
 */

import type pg from 'pg';
import type { DirectoryId, TenantId } from '../../src/kernel/ids.ts';
import { type MappedGroup, membersAt } from './size.ts';

export interface Filling {
  tenantId: TenantId;
  directoryId: DirectoryId;
  seed: number;
  users: number;
  groups: number;
  mapped: readonly MappedGroup[];
  /** Nobody is in any group yet. */
  isEmpty: boolean;
}

/** Of rows of kind 1 (users), 2 (groups), 3 (mappings): a UUID v7 whose time follows the number. */
const functions = `
  create function pg_temp.bench_id(kind integer, n bigint) returns uuid language sql immutable as $$
    select (substr(t, 1, 8) || '-' || substr(t, 9, 4) || '-7' || lpad(to_hex(kind), 3, '0') || '-8000-00000000be1c')::uuid
    from (select lpad(to_hex(1750000000000 + n), 12, '0')) as time (t)
  $$;
  create function pg_temp.bench_draw(seed bigint, n bigint, below bigint) returns bigint language sql immutable as $$
    select mod(abs(hashint8extended(n, seed) / 2), below)
  $$;
`;

const session = `
  set session_replication_role = replica;
  set synchronous_commit = off;
  set work_mem = '256MB';
  set maintenance_work_mem = '512MB';
`;

export async function prepareLoad(client: pg.Client): Promise<void> {
  await client.query(session);
  await client.query(functions);
}

const given = [
  'Ada',
  'Bruno',
  'Chiara',
  'Dmitri',
  'Emeka',
  'Farah',
  'Gustavo',
  'Hana',
  'Ines',
  'Jonas',
  'Kira',
  'Lena',
];
const family = [
  'Abara',
  'Blom',
  'Castillo',
  'Dubois',
  'Eriksen',
  'Fischer',
  'Greco',
  'Haddad',
  'Ivanova',
  'Jansen',
  'Kim',
];
const departments = [
  'Engineering',
  'Sales',
  'Finance',
  'Support',
  'Operations',
  'Legal',
  'Marketing',
  'Research',
];

/** As Entra ID pushes them: about 600 bytes of attributes. */
const users = `
  insert into users (tenant_id, id, attributes, user_name, user_name_key, active, display_name, address, tie_key,
    created_at, last_modified)
  select $1, pg_temp.bench_id(1, n), jsonb_build_object(
      'userName', address, 'active', true, 'displayName', given || ' ' || family,
      'name', jsonb_build_object('givenName', given, 'familyName', family, 'formatted', given || ' ' || family),
      'emails', jsonb_build_array(jsonb_build_object('type', 'work', 'primary', true, 'value', address)),
      'title', 'Specialist ' || n % 40, 'preferredLanguage', 'en-US',
      'addresses', jsonb_build_array(jsonb_build_object('type', 'work', 'locality', 'City ' || n % 200, 'country', 'DE')),
      'phoneNumbers', jsonb_build_array(jsonb_build_object('type', 'work', 'value', '+49 30 ' || 1000000 + n)),
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', jsonb_build_object(
        'employeeNumber', 'E' || lpad(n::text, 7, '0'), 'department', department, 'costCenter', 'CC-' || n % 900)),
    address, address, true, given || ' ' || family, address, address, now(), now()
  from (
    select n, given, family, department, lower(given || '.' || family) || n || '@example.com' as address
    from (
      select n, ($4::text[])[1 + pg_temp.bench_draw($2, n, array_length($4::text[], 1))] as given,
        ($5::text[])[1 + pg_temp.bench_draw($2 + 1, n, array_length($5::text[], 1))] as family,
        ($6::text[])[1 + pg_temp.bench_draw($2 + 2, n, array_length($6::text[], 1))] as department
      from generate_series(0, $3::bigint - 1) as n
    ) as drawn
  ) as person
  order by n
`;

const emails = `
  insert into user_emails (tenant_id, user_id, ordinal, type_key, value_key)
  select tenant_id, id, 1, 'work', address from users where tenant_id = $1
`;

const userSources = `
  insert into user_sources (tenant_id, user_id, directory_id, external_id)
  select tenant_id, id, $2, md5(user_name_key)::uuid::text from users where tenant_id = $1
`;

const groups = `
  insert into groups (tenant_id, id, attributes, display_name, display_name_key, mapped, created_at, last_modified)
  select $1, pg_temp.bench_id(2, rank), jsonb_build_object('displayName', name), name, lower(name),
    rank = any($3::bigint[]), now(), now()
  from (
    select rank, case when rank = 1 then 'All employees' else 'Team ' || rank end as name
    from generate_series(1, $2::bigint) as rank
  ) as named
`;

const groupSources = `
  insert into group_sources (tenant_id, group_id, directory_id, external_id)
  select tenant_id, id, $2, md5(display_name_key)::uuid::text from groups where tenant_id = $1
`;

/**
 * The members of a group lie a stride apart, from a drawn start on: a stride that has no factor in common with the
 * number of users meets nobody twice.
 */
const memberships = `
  with one as materialized (
    select rank, size, pg_temp.bench_id(2, rank) as group_id, pg_temp.bench_draw($3, rank, $2) as start,
      ($6::bigint[])[1 + rank % array_length($6::bigint[], 1)] as stride
    from unnest($4::bigint[], $5::bigint[]) as sized (rank, size)
  ), person as materialized (
    select n, pg_temp.bench_id(1, n) as user_id from generate_series(0, $2::bigint - 1) as n
  )
  insert into memberships (tenant_id, group_id, user_id)
  select $1, one.group_id, person.user_id
  from one cross join lateral generate_series(0, one.size - 1) as at
  join person on person.n = (one.start + at * one.stride) % $2
`;

/** Primes far above every number of users: their remainders lie anywhere. */
const strides = [
  1_976_787_301, 1_230_530_419, 1_126_478_449, 1_331_229_839, 1_876_309_003, 1_991_537_633, 1_486_603_021,
  1_852_958_473, 1_653_864_767, 1_615_281_917, 1_855_656_247, 1_952_452_259,
];

const mappings = `
  insert into mappings (tenant_id, id, priority, group_id, role, workspaces, created_at)
  select $1, pg_temp.bench_id(3, rank), priority, pg_temp.bench_id(2, rank), role, array[workspace], now()
  from jsonb_to_recordset($2::jsonb) as m (rank bigint, priority integer, role text, workspace text)
`;

export async function fill(client: pg.Client, filling: Filling): Promise<void> {
  const { tenantId, directoryId, seed, mapped } = filling;
  // It is drawn when a tenant is made, and decides who is first among equal claims.
  await client.query('update tenants set tie_salt = $2 where tenant_id = $1', [tenantId, `bench ${seed}`]);
  await client.query(users, [tenantId, seed, filling.users, given, family, departments]);
  await client.query(emails, [tenantId]);
  await client.query(userSources, [tenantId, directoryId]);
  await client.query(groups, [tenantId, filling.groups, mapped.map(({ rank }) => rank)]);
  await client.query(groupSources, [tenantId, directoryId]);
  await client.query(mappings, [tenantId, JSON.stringify(mapped)]);
  // The triggers that would say so are off.
  await client.query('update seat_pools set rules_revision = gen_random_uuid() where tenant_id = $1', [
    tenantId,
  ]);
  if (!filling.isEmpty) await fillMemberships(client, filling);
}

/** The index by person is made anew when all rows are there: four million keys in no order take longer one by one. */
async function fillMemberships(client: pg.Client, { tenantId, seed, users, groups }: Filling): Promise<void> {
  const index = 'memberships_user_groups';
  const { rows } = await client.query('select indexdef from pg_indexes where indexname = $1', [index]);
  await client.query(`drop index ${index}`);
  const ranks = Array.from({ length: groups }, (_, at) => at + 1);
  const sizes = ranks.map((rank) => membersAt(rank, users));
  await client.query(memberships, [tenantId, users, seed, ranks, sizes, strides]);
  await client.query(rows[0].indexdef);
}

/** As autovacuum would have done by the time anybody measures; then nothing of the load is left to be written. */
export async function finishLoad(client: pg.Client): Promise<void> {
  await client.query('vacuum analyze');
  await client.query('checkpoint');
}
