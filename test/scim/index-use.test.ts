/**
 * What identity providers look up is found through an index under row-level security: the statements that the routes
 * send, planned and run as the request role among 20,000 users in each of two tenants, touch a handful of rows.
 */

import { type RawBuilder, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TenantTransaction } from '../../src/db/tenant-transaction.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { selectGroups } from '../../src/directory/group-view-store.ts';
import { type DirectoryId, newId, type TenantId } from '../../src/kernel/ids.ts';
import { selectUserView, selectUserViews } from '../../src/provisioning/user-view-store.ts';
import { writeCursor } from '../../src/scim/core/paging.ts';
import { groupType, userType } from '../../src/scim/core/schemas.ts';
import { dialectOf } from '../../src/scim/dialect.ts';
import { groupTarget, userTarget } from '../../src/scim/filter-target-sql.ts';
import { readMixedSearch, selectHits } from '../../src/scim/search-all-sql.ts';
import { readSearch } from '../../src/scim/search-sql.ts';
import { captured, planOf } from '../support/captured.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const users = 20_000;
const groups = 2000;
const now = new Date('2026-01-31T08:00:00Z');
const [tenantId, otherId] = [newId<TenantId>(1), newId<TenantId>(2)];
const directoryId = newId<DirectoryId>(3);
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase();
  for (const id of [tenantId, otherId]) {
    await inTenant(test.database, id, async (tx) => {
      for (const statement of directoryOf(id)) tx.send(statement);
    });
  }
  await test.database.run(sql`analyze`);
});

afterAll(() => test.close());

/** The same people, groups and memberships in each tenant: every user in three groups of thirty. */
function directoryOf(tenant: TenantId): RawBuilder<unknown>[] {
  const id = (prefix: string, n: string) =>
    sql.raw(`(lpad(to_hex(${n}), 8, '0') || '-0000-7000-8000-0000000000${prefix}')::uuid`);
  return [
    sql`insert into tenants values (${tenant}, ${tenant}, 'x', ${now}, 'x')`,
    sql`insert into seat_pools (tenant_id) values (${tenant})`,
    sql`insert into directories values (${tenant}, ${directoryId}, 'x', 'entra', ${now})`,
    sql`insert into users (tenant_id, id, attributes, user_name, user_name_key, active, address, tie_key, created_at, last_modified)
        select ${tenant}, ${id('aa', 'n')},
          jsonb_build_object('userName', 'Person' || n || '@example.com', 'active', true, 'emails',
            jsonb_build_array(jsonb_build_object('value', 'Mail' || n || '@example.com', 'type', 'work'))),
          'Person' || n || '@example.com', 'person' || n || '@example.com', true, 'mail' || n || '@example.com', 'x', ${now}, ${now}
        from generate_series(1, ${users}::int) as n`,
    sql`insert into user_emails select ${tenant}, ${id('aa', 'n')}, 1, 'work', 'mail' || n || '@example.com'
        from generate_series(1, ${users}::int) as n`,
    sql`insert into user_sources select ${tenant}, ${id('aa', 'n')}, ${directoryId}, 'External' || n
        from generate_series(1, ${users}::int) as n`,
    sql`insert into groups (tenant_id, id, attributes, display_name, display_name_key, created_at, last_modified)
        select ${tenant}, ${id('bb', 'n')}, jsonb_build_object('displayName', 'Group' || n), 'Group' || n, 'group' || n, ${now}, ${now}
        from generate_series(1, ${groups}::int) as n`,
    sql`insert into group_sources select ${tenant}, ${id('bb', 'n')}, ${directoryId}, 'External' || n
        from generate_series(1, ${groups}::int) as n`,
    sql`insert into memberships select ${tenant}, ${id('bb', '((n + k) % 2000 + 1)')}, ${id('aa', 'n')}
        from generate_series(1, ${users}::int) as n, unnest('{0,7,100}'::int[]) as k`,
    sql`insert into directory_tokens select ${tenant}, ${id('cc', 'n')}, ${directoryId}, 'x', ${tenant} || ' ' || n, ${now}
        from generate_series(1, 3000) as n`,
    sql`insert into tenant_locators select 'directory_token', ${tenant} || ' ' || n, ${tenant}
        from generate_series(1, 3000) as n`,
  ];
}

const userId = '00003039-0000-7000-8000-0000000000aa';
const groupId = '0000007b-0000-7000-8000-0000000000bb';

/** What the routes do with such a query: see scim-user-routes.ts and scim-group-routes.ts. */
function search(type: 'User' | 'Group', filter: string) {
  return (tx: TenantTransaction): Promise<{ total: number }> => {
    if (type === 'Group') {
      const query = readSearch(groupType, groupTarget(tx.tenantId), { filter });
      return selectGroups(tx, { ...query, directoryId });
    }
    const query = readSearch(userType, userTarget(tx.tenantId), { filter });
    return selectUserViews(tx, { ...query, directoryId, withGroups: true }, now);
  };
}

/** Rows that a look-up may touch in one node of its plan: enough for what is found, far from a tenant's users. */
const rowsMax = 200;

async function problemsOf(work: (tx: TenantTransaction) => Promise<unknown>): Promise<string[]> {
  const statements = await captured(tenantId, work);
  expect(statements).toHaveLength(1);
  const problems: string[] = [];
  for (const statement of statements) {
    for (const node of await planOf(test.database, tenantId, statement)) {
      const name = `${node['Node Type']} on ${node['Relation Name'] ?? node['Index Name'] ?? ''}`;
      const loops = node['Actual Loops'];
      const touched = loops * (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0));
      if (touched > rowsMax) problems.push(`${name} touches ${touched} rows`);
      const isBig = ['users', 'user_emails', 'user_sources', 'memberships'].includes(
        node['Relation Name'] ?? '',
      );
      if (node['Node Type'] === 'Seq Scan' && isBig && loops > 0) problems.push(name);
    }
  }
  return problems;
}

describe('a look-up of users', () => {
  it.each([
    ['userName eq "pErson12345@example.com"', 1],
    ['userName eq "nobody@example.com"', 0],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName eq "person12345@example.com"', 1],
    ['userName sw "Person1234"', 11],
    ['externalId eq "External12345"', 1],
    ['externalId sw "External1234"', 11],
    [`id eq "${userId}"`, 1],
    ['emails[type eq "work"].value eq "MAIL12345@example.com"', 1],
    ['emails[type eq "work" and value eq "mail12345@example.com"]', 1],
    ['emails.value eq "mail12345@example.com"', 1],
    ['emails eq "mail12345@example.com"', 1],
    ['userName eq "person12345@example.com" and active eq true', 1],
    [`groups.value eq "${groupId}"`, 30],
    [`groups[value eq "${groupId}"]`, 30],
    [`groups.value eq "${groupId}" and userName sw "person1"`, 17],
  ])('%s goes through an index', async (filter, found) => {
    const page = await inTenant(test.database, tenantId, (tx) => search('User', filter)(tx));
    expect(page.total).toBe(found);
    expect(await problemsOf(search('User', filter))).toEqual([]);
  });

  it('by the id in the path goes through an index', async () => {
    const options = { directoryId, withGroups: true };
    expect(await problemsOf((tx) => selectUserView(tx, userId as never, now, options))).toEqual([]);
  });
});

describe('a look-up of groups', () => {
  it.each([
    ['displayName eq "gROUP123"', 1],
    ['displayName sw "Group123"', 11],
    ['externalId eq "External123"', 1],
    [`id eq "${groupId}"`, 1],
    [`members.value eq "${userId}"`, 3],
    [`members eq "${userId}"`, 3],
    [`members[value eq "${userId}"]`, 3],
    [`id eq "${groupId}" and members.value eq "${userId}"`, 0],
  ])('%s goes through an index', async (filter, found) => {
    const page = await inTenant(test.database, tenantId, (tx) => search('Group', filter)(tx));
    expect(page.total).toBe(found);
    expect(await problemsOf(search('Group', filter))).toEqual([]);
  });
});

describe('a page by cursor', () => {
  const after = writeCursor(
    { type: 'User', id: userId, key: null },
    JSON.stringify([['User', 'Group'], '', '', 'ascending']),
  );
  const dialect = dialectOf('generic');
  const page = (query: object) => (tx: TenantTransaction) =>
    selectHits(tx, readMixedSearch(dialect, tenantId, { count: 20, ...query }), directoryId);

  it.each([
    [{ cursor: '' }, 21],
    [{ cursor: after }, 21],
    [{ cursor: '', sortBy: 'id', sortOrder: 'descending' }, 21],
  ])('of users and groups reads no more than it shows: %#', async (query, found) => {
    expect((await inTenant(test.database, tenantId, page(query))).resources).toHaveLength(found);
    expect(await problemsOf(page(query))).toEqual([]);
  });
});

it('the look-up of a token goes through an index', async () => {
  const plan = await test.database.withConnection(async (connection) => {
    const source = "select prosrc from pg_proc where proname = 'find_directory_token'";
    const [{ prosrc }] = (await connection.send(source)).rows;
    await connection.send('begin');
    await connection.send('set local role blue_gateway_finder');
    const text = `explain (format json) ${prosrc.replaceAll(/\bhash\b/g, '$1')}`;
    const { rows } = await connection.send(text, [`${tenantId} 1234`]);
    await connection.send('rollback');
    return JSON.stringify(rows);
  });
  expect(plan).toContain('tenant_locators_key');
  expect(plan).toContain('directory_tokens_hash');
});

it('tells a scan from a look-up', async () => {
  expect(await problemsOf(search('User', 'userName co "12345"'))).not.toEqual([]);
  expect(await problemsOf(search('User', 'title eq "x"'))).not.toEqual([]);
});
