/**
 * Whom claims lead to, and who was removed, is found through an index under row-level security: planned and run as the request role
 * among 20,000 users and as many who were removed in each of two tenants.
 */

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant, type TenantTransaction } from '../../src/db/tenant-transaction.ts';
import { type ConnectionId, type DirectoryId, newId, type TenantId } from '../../src/kernel/ids.ts';
import { selectMatches } from '../../src/sso/login-store.ts';
import { liftTombstonesOf } from '../../src/sso/tombstone-store.ts';
import { captured, planOf } from '../support/captured.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const people = 20_000;
const now = new Date('2026-01-31T08:00:00Z');
const [tenantId, otherId] = [newId<TenantId>(1), newId<TenantId>(2)];
const directoryId = newId<DirectoryId>(3);
const connection = { id: newId<ConnectionId>(4), directoryId };
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase();
  for (const tenant of [tenantId, otherId]) {
    await inTenant(test.database, tenant, async (tx) => {
      const [n, id] = [sql`generate_series(1, ${people}::int) as n`, sql`lpad(to_hex(n), 32, '0')::uuid`];
      const zero = sql`'00000000-0000-0000-0000-000000000000'`;
      tx.send(sql`insert into tenants values (${tenant}, ${tenant}, 'x', ${now}, 'x')`);
      tx.send(sql`
        insert into users (tenant_id, id, attributes, user_name, user_name_key, active, address, tie_key, created_at, last_modified)
        select ${tenant}, ${id}, '{}', n || '@a.example', n || '@a.example', true, n || '@a.example', 'x', ${now}, ${now} from ${n}`);
      tx.send(sql`insert into sso_tombstones select ${tenant}, ${id}, 'x', ${now} from ${n}`);
      tx.send(
        sql`insert into sso_tombstone_keys select ${tenant}, ${id}, 'name', ${zero}, 'gone' || n from ${n}`,
      );
      tx.send(sql`
        insert into sso_tombstone_keys select ${tenant}, ${id}, 'subject', ${connection.id}, 's' || n from ${n}`);
    });
  }
  await test.database.run(sql`analyze`);
});
afterAll(() => test.close());

const rowsMax = 20;

async function rowsTouched(work: (tx: TenantTransaction) => Promise<unknown>): Promise<number> {
  const statements = await captured(tenantId, async (tx) => work(tx).catch(() => {}));
  expect(statements).toHaveLength(1);
  const plans = await Promise.all(statements.map((one) => planOf(test.database, tenantId, one)));
  return Math.max(
    ...plans.flat().map((node) => {
      const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
      return node['Actual Loops'] * (node['Actual Rows'] + removed);
    }),
  );
}

const identity = {
  ...{ subject: 's12345', externalId: 'x', userName: '12345@a.example', email: 'gone12345' },
  ...{
    emailVerified: true,
    userNameVerified: true,
    givenName: undefined,
    familyName: undefined,
    displayName: undefined,
  },
};

it('of a login', async () => {
  const found = await inTenant(test.database, tenantId, (tx) => selectMatches(tx, connection, identity));
  expect(found).toMatchObject({ linked: null, byUserName: expect.any(String), removed: expect.any(String) });
  expect(await rowsTouched((tx) => selectMatches(tx, connection, identity))).toBeLessThan(rowsMax);
});

it('of a login, by the plan that is kept for whatever is looked up', async () => {
  const [read] = await inTenant(test.database, tenantId, async (tx) => {
    await tx.run(sql`select set_config('plan_cache_mode', 'force_generic_plan', true)`);
    await selectMatches(tx, connection, identity);
    return await tx.run(sql<{ rows: number }>`
      select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows from pg_stat_xact_user_tables`);
  });
  expect(read?.rows).toBeGreaterThan(0);
  expect(read?.rows).toBeLessThan(rowsMax);
});

it('of whom a directory makes again', async () => {
  const of = { names: ['gone12345', 'nobody'], externalId: 'x' };
  expect(await rowsTouched(async (tx) => liftTombstonesOf(tx, directoryId, of))).toBeLessThan(rowsMax);
});
