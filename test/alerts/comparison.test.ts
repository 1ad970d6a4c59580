/** Once a night each tenant's decisions are compared with what deciding again gives, and an alert tells of a difference. */

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { lastId } from '../../src/admin/paging.ts';
import { raiseAlerts } from '../../src/alerts/alert-flow.ts';
import { selectAlerts } from '../../src/alerts/alert-store.ts';
import { compareDue } from '../../src/alerts/comparison-flow.ts';
import { claimComparison, findDueComparisons } from '../../src/alerts/comparison-store.ts';
import { inTenant, type TenantTransaction } from '../../src/db/tenant-transaction.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { nextComparison } from '../../src/licensing/alert.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';

let test: TestDatabase;
let world: TestWorld;
let people: UserId[];
const [hourMs, dayMs] = [3_600_000, 86_400_000];

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());
beforeEach(async () => {
  world = await newWorld(test.database, new Date('2026-03-10T12:00:00Z'));
  await world.contract({ paidSeats: 9 });
  people = [await world.user('ada@example.com'), await world.user('bo@example.com')];
  await world.map({ group: { id: await world.group('Staff', people) }, priority: 1 });
  await look();
  await night();
});

const own = <T>(work: (tx: TenantTransaction) => Promise<T>) => inTenant(test.database, world.tenantId, work);
const look = () => raiseAlerts(test.database, world.now, 1000);
const compare = () => compareDue(test.database, { now: () => world.now }, 1000);
/** Compares, and a day later it is time again. */
async function night(): Promise<void> {
  await compare();
  await look();
  world.pass(dayMs + 4 * hourMs);
}
const open = async () => {
  const alerts = await own((tx) => selectAlerts(tx, { isOpen: true, before: lastId, limit: 100 }));
  return alerts.flatMap(({ items }) => items);
};
const isDue = async () => (await findDueComparisons(test.database, world.now, 1000)).includes(world.tenantId);
/** Of somebody something stands otherwise than the mapping says it. */
const disturb = () =>
  own(async (tx) => {
    tx.send(sql`
      update decisions set may_preempt = true where tenant_id = ${tx.tenantId} and user_id = (
        select min(user_id::text)::uuid from decisions where tenant_id = ${tx.tenantId})`);
  });

it('finds nothing where all is as it should be, and waits for the next night', async () => {
  expect(await isDue()).toBe(true);
  await compare();
  expect(await isDue()).toBe(false);
  world.now = nextComparison(world.tenantId, world.now);
  expect(world.now.getUTCHours()).toBeLessThan(4);
  expect(await isDue()).toBe(true);
  expect(await open()).toEqual([]);
});

it('raises an alert once, which is over when nothing differs any more', async () => {
  await disturb();
  await own(async (tx) => {
    tx.send(sql`update seat_pools set used = 3 where tenant_id = ${tx.tenantId}`);
  });
  await night();
  const alert = { kind: 'decisions_differ', detail: { differing: 1, miscounted: 1 } };
  expect(await open()).toMatchObject([alert]);
  await night();
  expect(await open()).toHaveLength(1);
  await own(async (tx) => {
    tx.send(sql`update seat_pools set used = 2 where tenant_id = ${tx.tenantId}`);
  });
  // What is written for a person decides for them again.
  for (const id of people) await world.revise(id, { active: false });
  await night();
  expect(await open()).toEqual([]);
});

it('is done by one gateway of several, and again in an hour where that died', async () => {
  const retryAt = new Date(world.now.getTime() + hourMs);
  const claim = () => own((tx) => claimComparison(tx, world.now, retryAt));
  expect((await Promise.all([claim(), claim(), claim()])).filter(Boolean)).toEqual([true]);
  await disturb();
  await night();
  expect(await open(), 'the turn of another').toEqual([]);
  await night();
  expect(await open()).toHaveLength(1);
});

it('leaves out a tenant of which a large edit is under way', async () => {
  await disturb();
  const evaluate = (evaluating: boolean) =>
    own(async (tx) => {
      tx.send(sql`update seat_pools set evaluating = ${evaluating} where tenant_id = ${tx.tenantId}`);
    });
  await evaluate(true);
  await night();
  expect(await open()).toEqual([]);
  await evaluate(false);
  await night();
  expect(await open()).toHaveLength(1);
});

it('leaves out a tenant of which a date has come that is not looked at yet', async () => {
  const validUntil = new Date(world.now.getTime() + hourMs);
  const group = { id: await world.group('Guests', [await world.user('cy@example.com')]) };
  await world.map({ group, priority: 2, validUntil });
  world.now = validUntil;
  await compare();
  await look();
  expect(await open()).toEqual([]);
  await world.settle();
  world.pass(hourMs);
  expect(await isDue(), 'another turn').toBe(true);
  await night();
  expect(await open()).toEqual([]);
  expect(await isDue()).toBe(true);
});

it('ends at once when the process ends', async () => {
  await disturb();
  const over = AbortSignal.abort();
  await compareDue(test.database, { now: () => world.now }, 1000, over);
  expect(await isDue()).toBe(true);
});
