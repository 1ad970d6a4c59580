/** Comparing what is stored with what deciding again gives: nothing on a sound tenant, and each thing that is off on another. */

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { effectiveId, nameRoles } from '../../src/provisioning/role-set.ts';
import { keepRoleSets } from '../../src/provisioning/role-set-sql.ts';
import { putSubPool } from '../../src/provisioning/sub-pool-flow.ts';
import { verifySeats } from '../../src/provisioning/verify-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase({ poolSize: 2 });
});
afterAll(() => test.close());

async function fivePeople(): Promise<TestWorld> {
  const world = await newWorld(test.database);
  await world.contract({ paidSeats: 3 });
  const people = [];
  for (let n = 0; n < 5; n += 1) people.push(await world.user(`p${n}@example.com`));
  await world.map({ group: { id: await world.group('Staff', people) }, priority: 1 });
  return world;
}

const verify = ({ tenantId, now }: TestWorld) => verifySeats(test.database, tenantId, now, 10);

it('finds nothing where all is as it should be', async () => {
  const seats = { held: 3, overage: 0, onHold: 0 };
  const world = await fivePeople();
  expect(await verify(world)).toEqual({
    ...{ people: 5, differing: [], counted: seats, found: seats, subPools: [] },
  });
});

it('finds a decision that is not what the facts give, and a count that is off', async () => {
  const world = await fivePeople();
  const [row] = await inTenant(test.database, world.tenantId, async (tx) => {
    tx.send(sql`update seat_pools set used = 2 where tenant_id = ${tx.tenantId}`);
    tx.send(keepRoleSets(tx, nameRoles([]).sets));
    return tx.run<{ user_id: string }>(sql`
      update decisions set effective_id = ${effectiveId([])} where tenant_id = ${tx.tenantId} and user_id = (
        select user_id from decisions where tenant_id = ${tx.tenantId} and seat = 'held' limit 1)
      returning user_id`);
  });
  expect(await verify(world)).toMatchObject({
    differing: [row?.user_id],
    counted: { held: 2 },
    found: { held: 3 },
  });
});

it('finds a sub-pool whose count is off, and one that is not counted', async () => {
  const world = await newWorld(test.database);
  await world.contract({ paidSeats: 3 });
  for (const [priority, name] of ['sales', 'design'].entries()) {
    await putSubPool(test.database, world.door, { name, seats: 1, borrowLimit: null });
    const group = await world.group(name, [await world.user(`${name}@example.com`)]);
    await world.map({ group: { id: group }, priority: priority + 1, subPool: name });
  }
  expect(await verify(world)).toMatchObject({ differing: [], subPools: [] });
  await inTenant(test.database, world.tenantId, async (tx) => {
    tx.send(sql`update seat_pools set sub_pool_use = '{"sales": 2}' where tenant_id = ${tx.tenantId}`);
  });
  expect((await verify(world)).subPools).toEqual([
    { name: 'design', counted: 0, found: 1 },
    { name: 'sales', counted: 2, found: 1 },
  ]);
});
