/** Sub-pools through the flows: what a share does not use is lent, and taken back when it is claimed. */

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import { removeMapping, replaceMapping } from '../../src/provisioning/mapping-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { putSubPool, removeSubPool, viewSubPools } from '../../src/provisioning/sub-pool-flow.ts';
import { selectUserView, selectUserViews } from '../../src/provisioning/user-view-store.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { readState, seatsOf } from './state.ts';

let test: TestDatabase;
let world: TestWorld;
let sales: GroupId;
let design: GroupId;
let others: GroupId;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());

const notice = (noticeHours: number) =>
  putSettings(test.database, world.door, { ...defaultSettings, noticeHours });
const share = (name: string, seats: number, borrowLimit: number | null = null) =>
  putSubPool(test.database, world.door, { name, seats, borrowLimit });

/** Four seats: two of sales, one of design, one of the rest. Sales has the best priority. */
beforeEach(async () => {
  world = await newWorld(test.database);
  await world.contract({ paidSeats: 4 });
  await share('sales', 2);
  await share('design', 1);
  [sales, design, others] = [
    await world.group('Sales'),
    await world.group('Design'),
    await world.group('Others'),
  ];
  await world.map({ group: { id: sales }, priority: 1, subPool: 'sales' });
  await world.map({ group: { id: design }, priority: 5, subPool: 'design' });
  await world.map({ group: { id: others }, priority: 9 });
});

async function join(group: GroupId, ...names: string[]): Promise<UserId[]> {
  const ids: UserId[] = [];
  for (const name of names) {
    world.pass(1000);
    const id = await world.user(`${name}@example.com`);
    await world.editGroup(group, { add: [id] });
    ids.push(id);
  }
  return ids;
}

async function told(...ids: (UserId | undefined)[]): Promise<string[]> {
  return await inTenant(test.database, world.tenantId, async (tx) => {
    const views = await Promise.all(ids.map((id) => selectUserView(tx, id as UserId, world.now)));
    return views.map((view) => `${view?.seat.state} ${view?.seat.reason}`);
  });
}

async function used(): Promise<Record<string, number>> {
  const { items, rest } = await viewSubPools(test.database, world.door);
  return Object.fromEntries([...items.map((one) => [one.name, one.used]), ['rest', rest.used]]);
}

async function pass(hours: number): Promise<void> {
  world.pass(hours * 3_600_000);
  await settleDue(test.database, world.now, 100);
}

it('lends what a share does not use, and says so', async () => {
  const [a, b, c, d, e] = await join(sales, 'a', 'b', 'c', 'd', 'e');
  expect(await told(a, b, c, d, e)).toEqual([
    ...['held SEAT_HELD', 'held SEAT_HELD', 'held BORROWED', 'held BORROWED'],
    'queued SEAT_QUEUED',
  ]);
  const view = await viewSubPools(test.database, world.door);
  expect(view).toEqual({
    items: [
      { name: 'design', seats: 1, borrowLimit: null, used: 0, borrowed: 0, lent: 1 },
      { name: 'sales', seats: 2, borrowLimit: null, used: 4, borrowed: 2, lent: 0 },
    ],
    rest: { seats: 1, used: 0, borrowed: 0, lent: 1 },
    overcommitted: 0,
  });
});

it('takes back after the notice, from the lowest ranked who borrows', async () => {
  const [a, , c, d] = await join(sales, 'a', 'b', 'c', 'd');
  const [x, y] = await join(design, 'x', 'y');
  const at = new Date(world.now.getTime() - 1000 + 24 * 3_600_000).toISOString();
  expect(await told(a, c, d, x, y)).toEqual([
    ...['held SEAT_HELD', 'held BORROWED', `held PREEMPTED_AT:${at}`],
    ...['queued SEAT_QUEUED', 'queued SEAT_QUEUED'],
  ]);
  await pass(23);
  expect(await told(x)).toEqual(['queued SEAT_QUEUED']);
  await pass(1);
  expect(await told(c, d, x, y)).toEqual([
    ...['held BORROWED', 'queued SEAT_QUEUED', 'held SEAT_HELD', 'queued SEAT_QUEUED'],
  ]);
  expect(await used()).toEqual({ sales: 3, design: 1, rest: 0 });
  expect(await world.settle()).toBe(0);
});

it('takes the notice back when a seat comes free meanwhile, and gives it by the share', async () => {
  const [a, , , d] = await join(sales, 'a', 'b', 'c', 'd', 'e');
  const [x] = await join(design, 'x');
  await world.revise(a as UserId, { active: false });
  expect(await told(d, x)).toEqual(['held BORROWED', 'held SEAT_HELD']);
});

it('takes back at once without a notice, also for those of no sub-pool', async () => {
  await notice(0);
  const [, , c, d] = await join(sales, 'a', 'b', 'c', 'd');
  const [x, o, p] = [...(await join(design, 'x')), ...(await join(others, 'o', 'p'))];
  expect(await told(c, d, x, o, p)).toEqual([
    ...['queued SEAT_QUEUED', 'queued SEAT_QUEUED', 'held SEAT_HELD', 'held SEAT_HELD'],
    'queued SEAT_QUEUED',
  ]);
  expect(await used()).toEqual({ sales: 2, design: 1, rest: 1 });
});

it('stops at the limit though seats are free, and gives more when it is raised', async () => {
  await share('sales', 2, 1);
  const [a, b, c, d] = await join(sales, 'a', 'b', 'c', 'd');
  expect(await told(a, b, c, d)).toEqual([
    ...['held SEAT_HELD', 'held SEAT_HELD', 'held BORROWED', 'queued SUBPOOL_FULL:sales'],
  ]);
  const [x, o] = [...(await join(design, 'x')), ...(await join(others, 'o'))];
  expect(await told(x, o)).toEqual(['held SEAT_HELD', 'queued SEAT_QUEUED']);
  await world.contract({ paidSeats: 6 });
  expect(await told(d, o)).toEqual(['queued SUBPOOL_FULL:sales', 'held SEAT_HELD']);
  await share('sales', 3, 1);
  expect(await told(c, d)).toEqual(['held SEAT_HELD', 'held BORROWED']);
});

it('serves a claim within its share before a better one that would borrow', async () => {
  const [a, , , d, e] = await join(sales, 'a', 'b', 'c', 'd', 'e');
  await notice(720);
  const [x] = await join(design, 'x');
  await world.remove(d as UserId);
  expect(await told(e, x, a)).toEqual(['queued SEAT_QUEUED', 'held SEAT_HELD', 'held SEAT_HELD']);
});

it('counts a place that is kept where the seat was, and the seat where its owner comes back', async () => {
  const [a] = await join(sales, 'a');
  await world.editGroup(sales, { remove: [a as UserId] }, undefined, world.directoryDoor);
  expect([await told(a), await used()]).toEqual([['hold SEAT_HOLD_MOVER'], { sales: 1, design: 0, rest: 0 }]);
  await world.editGroup(design, { add: [a as UserId] }, undefined, world.directoryDoor);
  expect([await told(a), await used()]).toEqual([['held SEAT_HELD'], { sales: 0, design: 1, rest: 0 }]);
});

it('moves seats with the mapping, and takes back what they borrow then', async () => {
  await notice(0);
  const mapping = await world.map({ group: { displayName: 'Late' }, priority: 20, subPool: 'design' });
  const late = await world.group('Late');
  const [p, q] = await join(late, 'p', 'q');
  const [a, b, c] = await join(sales, 'a', 'b', 'c');
  expect(await told(p, q, a, b, c)).toEqual([
    ...['held SEAT_HELD', 'held BORROWED', 'held SEAT_HELD', 'held SEAT_HELD', 'queued SEAT_QUEUED'],
  ]);
  const draft = world.mapping({ group: { id: late }, priority: 20, subPool: 'sales' });
  await replaceMapping(test.database, world.door, mapping.id, draft);
  expect(await used()).toEqual({ sales: 4, design: 0, rest: 0 });
  const [x] = await join(design, 'x');
  expect(await told(p, q, x)).toEqual(['held BORROWED', 'queued SEAT_QUEUED', 'held SEAT_HELD']);
});

it('takes borrowed seats first when there are fewer', async () => {
  await share('design', 0);
  const [o] = await join(others, 'o');
  const [a, b, c] = await join(sales, 'a', 'b', 'c');
  await world.contract({ paidSeats: 3, decreaseGraceDays: 0 });
  await settleDue(test.database, world.now, 100);
  expect(await told(o, a, b, c)).toEqual([
    ...['held SEAT_HELD', 'held SEAT_HELD', 'held SEAT_HELD', 'queued SEAT_QUEUED'],
  ]);
});

it('tells whose seat is to go when there are fewer: who borrows is the first of them', async () => {
  await share('design', 0);
  const [o] = await join(others, 'o');
  const [a, b, c] = await join(sales, 'a', 'b', 'c');
  await world.contract({ paidSeats: 3, decreaseGraceDays: 10 });
  const until = new Date(world.now.getTime() + 10 * 86_400_000).toISOString();
  const kept = ['held SEAT_HELD', 'held SEAT_HELD', 'held SEAT_HELD'];
  expect(await told(o, a, b, c)).toEqual([...kept, `held SEAT_EXCESS_UNTIL:${until}`]);
  const page = await inTenant(test.database, world.tenantId, (tx) => {
    const all = { where: sql`true`, directoryId: null, offset: 0, limit: 9, withGroups: false };
    return selectUserViews(tx, all, world.now);
  });
  const reasons = new Map(page.views.map(({ user, seat }) => [user.id, seat.reason]));
  expect(reasons.get(c as UserId), 'on a page too').toBe(`SEAT_EXCESS_UNTIL:${until}`);
  await pass(240);
  expect(await told(o, a, b, c)).toEqual([...kept, 'queued SEAT_QUEUED']);
});

it('follows the capacity: promises above it are shown', async () => {
  await world.contract({ paidSeats: 2 });
  expect((await viewSubPools(test.database, world.door)).overcommitted).toBe(1);
  const [o] = await join(others, 'o');
  expect(await told(o)).toEqual(['held BORROWED']);
});

it('is not deleted while a mapping names it or a place is kept in it', async () => {
  const [a] = await join(sales, 'a');
  const remove = (name: string) => removeSubPool(test.database, world.door, name);
  await expect(remove('sales')).rejects.toMatchObject({ code: 'conflict' });
  await world.editGroup(sales, { remove: [a as UserId] }, undefined, world.directoryDoor);
  for (const { id, sub_pool: subPool } of (await readState(world)).mappings)
    if (subPool === 'sales') await removeMapping(test.database, world.door, id);
  await expect(remove('sales')).rejects.toMatchObject({ code: 'conflict' });
  await pass(2);
  await remove('sales');
  await expect(remove('sales')).rejects.toMatchObject({ code: 'not_found' });
  expect(await used()).toEqual({ design: 0, rest: 0 });
  await expect(world.map({ group: { id: sales }, priority: 2, subPool: 'sales' })).rejects.toMatchObject({
    code: 'invalid',
    field: 'subPool',
  });
});

it('gives in order and exactly, however few people are decided for at a time', async () => {
  world.peoplePerDecision = 3;
  await notice(0);
  await join(sales, 'a', 'b', 'c', 'd', 'e', 'f');
  await join(design, 'x', 'y', 'z');
  await join(others, 'o', 'p');
  expect(await used()).toEqual({ sales: 2, design: 1, rest: 1 });
  await world.contract({ paidSeats: 9 });
  expect(await used()).toEqual({ sales: 6, design: 1, rest: 2 });
  expect(seatsOf(await readState(world), 'held').length).toBe(9);
});

/** When the seat goes, of each who has notice. */
async function notices(): Promise<Map<UserId, number>> {
  const { decisions } = await readState(world);
  return new Map(
    decisions.flatMap(({ user_id: id, notice_until: at }) =>
      at === null ? [] : [[id, at.getTime()] as const],
    ),
  );
}

/** At once. */
async function joinTogether(group: GroupId, names: string): Promise<UserId[]> {
  const ids = await Promise.all([...names].map((name) => world.user(`${name}@example.com`)));
  await world.editGroup(group, { add: ids });
  return ids;
}

describe('many notices, of which few are looked at at a time', () => {
  beforeEach(async () => {
    world.peoplePerDecision = 2;
    await share('design', 8);
    await world.contract({ paidSeats: 12 });
    await join(sales, ...'abcdefghijkl');
  });

  it('are as many as the share has of those who wait, and stay', async () => {
    expect(await used()).toEqual({ sales: 12, design: 0, rest: 0 });
    const ids = await joinTogether(design, 'mnopqrstu');
    const told = await notices();
    expect(told.size, 'the share has eight of the nine').toBe(8);
    expect(new Set(told.values()).size).toBe(1);
    world.pass(3_600_000);
    await world.settle();
    expect(await notices(), 'whoever has one keeps it').toEqual(told);
    for (const id of ids.slice(0, 6)) await world.revise(id, { active: false });
    expect((await notices()).size, 'three want seats still').toBe(3);
    for (const id of ids.slice(0, 6)) await world.revise(id, { active: true });
    expect((await notices()).size).toBe(8);
    await pass(25);
    expect(await used()).toEqual({ sales: 4, design: 8, rest: 0 });
    expect((await notices()).size).toBe(0);
  });

  it('stay while free seats are given, as far as they are needed then', async () => {
    await joinTogether(design, 'mnopqrstuvwxyz');
    const told = await notices();
    world.pass(3_600_000);
    await world.contract({ paidSeats: 14 });
    expect(await used()).toEqual({ sales: 12, design: 2, rest: 0 });
    const left = await notices();
    expect(left.size).toBe(6);
    for (const [id, at] of left) expect(told.get(id), 'of the same time').toBe(at);
  });

  it('are taken back when there are seats enough', async () => {
    await joinTogether(design, 'mnopqrs');
    await world.contract({ paidSeats: 20 });
    expect((await notices()).size).toBe(0);
    expect(await used()).toEqual({ sales: 12, design: 7, rest: 0 });
  });

  it('are given to others where those who had them lose the seat for another reason', async () => {
    await joinTogether(design, 'mnopqrs');
    await world.contract({ paidSeats: 11, decreaseGraceDays: 0 });
    await pass(0);
    expect((await notices()).size).toBe(7);
    expect(await world.settle()).toBe(0);
  });
});
