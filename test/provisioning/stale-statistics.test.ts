/** Large edits of a tenant of which the database's statistics know nothing, beside one of which they do. */

import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { limits } from '../../src/kernel/limits.ts';
import { takeMarks } from '../../src/provisioning/affected-sql.ts';
import { createMapping } from '../../src/provisioning/mapping-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld } from '../support/tenants.ts';

const people = 12_000;
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());

/** Imports a group and maps it then. Answers how long the edit took. */
async function importAndMapMs(): Promise<number> {
  const world = await newWorld(test.database);
  await world.contract({ paidSeats: 100 });
  const group = await world.group('Staff');
  await inTenant(test.database, world.tenantId, async (tx) => {
    tx.send(sql`
      insert into users (tenant_id, id, attributes, user_name, user_name_key, active, address, tie_key, created_at, last_modified)
      select ${tx.tenantId}, gen_random_uuid(), jsonb_build_object('userName', name, 'active', true), name, name, true,
        name || '@example.com', name, now(), now() from (select 'p' || n from generate_series(1, ${people}::integer) n) as p (name)`);
    tx.send(sql`
      insert into memberships (tenant_id, group_id, user_id) select tenant_id, ${group}, id from users where tenant_id = ${tx.tenantId}`);
  });
  await test.database.run(sql`analyze`);
  const started = performance.now();
  await createMapping(test.database, world.door, world.mapping({ group: { id: group }, priority: 1 }));
  const ms = performance.now() - started;
  const [row] = await inTenant(test.database, world.tenantId, (tx) =>
    tx.run(
      sql<{ decided: number }>`select count(*) as decided from decisions where tenant_id = ${tx.tenantId}`,
    ),
  );
  expect(row?.decided).toBe(people);
  return ms;
}

/** The statistics tell of an empty table, of which all was somebody else's before: as after a large edit of others. */
async function emptyMarks(): Promise<void> {
  const other = await newWorld(test.database);
  await other.fill(await other.group('Staff'), people);
  const owner = new pg.Client({ connectionString: test.url });
  await owner.connect();
  await inTenant(test.database, other.tenantId, async (tx) => {
    tx.send(sql`
      insert into evaluation_marks (tenant_id, user_id) select tenant_id, id from users where tenant_id = ${tx.tenantId}`);
  });
  await owner.query('analyze evaluation_marks');
  await inTenant(test.database, other.tenantId, async (tx) => {
    tx.send(sql`delete from evaluation_marks where tenant_id = ${tx.tenantId}`);
  });
  await owner.query('vacuum analyze evaluation_marks');
  await owner.end();
}

/** Marks everybody of a tenant and takes the marks, as a large edit does. Answers how long the taking took. */
async function takeAllMarksMs(): Promise<number> {
  const world = await newWorld(test.database);
  await world.fill(await world.group('Staff'), people);
  return await inTenant(test.database, world.tenantId, async (tx) => {
    await tx.count(sql`
      insert into evaluation_marks (tenant_id, user_id) select tenant_id, id from users where tenant_id = ${tx.tenantId}`);
    const started = performance.now();
    let taken = 0;
    for (let some = 1; some > 0; taken += some) some = (await takeMarks(tx, limits.peoplePerDecision)).length;
    expect(taken).toBe(people);
    return performance.now() - started;
  });
}

it('find those who are marked as fast where the statistics tell of no marks', async () => {
  await emptyMarks();
  // A tenth of it. It was the square of the people.
  expect(await takeAllMarksMs()).toBeLessThan(3500);
}, 120_000);

it('take as long as others', async () => {
  const times = [await importAndMapMs(), await importAndMapMs()];
  // A tenth of it. It was the square of the people, by another statement for the first than for the second.
  expect(Math.max(...times)).toBeLessThan(3500);
}, 120_000);
