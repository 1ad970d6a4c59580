/** The mass-change breaker: what a directory takes away at once waits for an administrator, and nothing else does. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import { removeGroup } from '../../src/provisioning/group-flow.ts';
import { joinGroup } from '../../src/provisioning/join-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { letThrough } from '../../src/provisioning/staged-flow.ts';
import { verifySeats } from '../../src/provisioning/verify-flow.ts';
import { defaultSettings, type Settings } from '../../src/tenants/settings.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { readState, seatsOf } from './state.ts';

let test: TestDatabase;
let world: TestWorld;
let staff: GroupId;
let people: UserId[];

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());

/** Ten people with a seat, one who waits; three losses of ten are too many. */
beforeEach(async () => {
  world = await newWorld(test.database);
  await settings({});
  await world.contract({ paidSeats: 10 });
  people = [];
  for (let n = 0; n < 11; n += 1) people.push(await world.user(`p${n}@example.com`));
  staff = await world.group('Staff');
  await world.map({ group: { id: staff }, priority: 2 });
  for (const id of people) {
    world.pass(1000);
    await world.editGroup(staff, { add: [id] });
  }
});

const settings = (change: Partial<Settings>) =>
  putSettings(test.database, world.door, {
    ...defaultSettings,
    holdMinutes: 0,
    breaker: { percent: 25, people: 3 },
    ...change,
  });
const take = (ids: readonly UserId[]) =>
  world.editGroup(staff, { remove: ids }, undefined, world.directoryDoor);
const held = async () => seatsOf(await readState(world), 'held').length;
const has = async (id: UserId) => seatsOf(await readState(world), 'held').some((row) => row.user_id === id);

it('stops a directory that takes too many seats at once, until an administrator lets it', async () => {
  await take(people.slice(0, 3));
  const { memberships, pool } = await readState(world);
  expect([memberships.length, await held()], 'the membership is the directory’s truth').toEqual([8, 10]);
  expect(pool).toMatchObject({ used: 10, staged_since: world.now });
  const verified = await verifySeats(test.database, world.tenantId, world.now, 10);
  expect([verified.people, verified.differing], 'who waits for that is no difference').toEqual([8, []]);
  await letThrough(test.database, world.door);
  const state = await readState(world);
  expect([seatsOf(state, 'held').length, seatsOf(state, 'waiting').length]).toEqual([8, 0]);
  expect(state.pool.staged_since).toBeNull();
  expect(await world.settle()).toBe(0);
});

it('adds up what is taken one by one within the hour', async () => {
  for (const id of people.slice(0, 2)) await take([id]);
  // The first place went to the one who waited.
  expect(await held()).toBe(9);
  await take([people[2] as UserId]);
  expect([await held(), await has(people[2] as UserId)]).toEqual([9, true]);
  world.pass(61 * 60_000);
  await take([people[3] as UserId]);
  expect(await has(people[3] as UserId), 'another hour').toBe(false);
});

it('holds back nobody who joins a group together with those who lose a seat by it', async () => {
  const newcomer = await world.user('newcomer@example.com');
  const guests = await world.group('Guests');
  await world.map({ group: { id: guests }, role: 'view_only', priority: 1 });
  const { directoryDoor: door } = world;
  await Promise.all(
    [...people.slice(0, 4), newcomer].map((userId) =>
      joinGroup(test.database, door, { groupId: guests, directoryId: world.directory.id, userId }),
    ),
  );
  const { decisions, memberships } = await readState(world);
  expect(memberships.filter(({ group_id }) => group_id === guests)).toHaveLength(5);
  expect(decisions.find(({ user_id }) => user_id === newcomer)?.effective).toMatchObject([
    { role: 'view_only' },
  ]);
  expect(await held(), 'two of them went, one of the queue came').toBe(9);
});

it('lets one person go, and many who are deactivated', async () => {
  await take([people[0] as UserId]);
  expect(await has(people[0] as UserId)).toBe(false);
  for (const id of people.slice(1, 9)) await world.revise(id, { active: false });
  expect(await held()).toBe(2);
});

it('takes nothing from them by what the directory writes of them meanwhile, whenever that is', async () => {
  await take(people.slice(0, 3));
  world.pass(2 * 60 * 60_000);
  for (const id of people.slice(0, 3)) {
    const emails = [{ value: `${id}@elsewhere.example` }];
    await world.revise(id, { emails }, world.directoryDoor);
  }
  expect([await held(), (await readState(world)).pool.staged_since]).toEqual([10, expect.any(Date)]);
  // With others at once, too many to be decided for in one go.
  world.peoplePerDecision = 2;
  await world.editGroup(
    staff,
    { add: people.slice(3, 6), remove: people.slice(0, 3) },
    undefined,
    world.directoryDoor,
  );
  expect(await held()).toBe(10);
  await letThrough(test.database, world.door);
  expect(await held()).toBe(8);
});

it('stops a directory that takes roles away', async () => {
  await world.map({ group: { roleValue: 'Editor' }, priority: 1 });
  const editors: UserId[] = [];
  await world.contract({ paidSeats: 15 });
  for (let n = 0; n < 4; n += 1)
    editors.push(await world.user(`e${n}@example.com`, { roles: [{ value: 'Editor' }] }));
  expect(await held()).toBe(15);
  for (const id of editors) await world.revise(id, { roles: [] }, world.directoryDoor);
  expect([await held(), await has(editors[3] as UserId)], 'three are a fifth').toEqual([12, true]);
  await letThrough(test.database, world.door);
  expect(await held()).toBe(11);
});

it('forgets who is put back before it is let happen', async () => {
  await take(people.slice(0, 3));
  await world.editGroup(staff, { add: people.slice(0, 3) }, undefined, world.directoryDoor);
  expect((await readState(world)).pool.staged_since).toBeNull();
  await letThrough(test.database, world.door);
  expect(await held()).toBe(10);
});

it('deactivates also who is stopped', async () => {
  await take(people.slice(0, 3));
  await world.revise(people[0] as UserId, { active: false });
  expect(await has(people[0] as UserId)).toBe(false);
  expect(await held(), 'the one who waited came after').toBe(10);
});

it('stops nobody where it is off, nor an administrator’s edit of the group', async () => {
  await world.editGroup(staff, { remove: people.slice(0, 3) });
  expect(await held()).toBe(8);
  await settings({ breaker: null });
  await take(people.slice(3, 8));
  expect(await held()).toBe(3);
});

it('forgets whom a large edit decides for meanwhile', async () => {
  await take(people.slice(0, 3));
  world.peoplePerDecision = 2;
  await settings({ defaultRole: 'view_only' });
  expect((await readState(world)).pool.staged_since).toBeNull();
  expect(await held(), 'they are no longer in the group').toBe(8);
});

it('stops the deletion of a group too', async () => {
  await removeGroup(test.database, world.directoryDoor, staff);
  expect(await held()).toBe(10);
  await letThrough(test.database, world.door);
  expect(await held(), 'their time had not passed').toBe(0);
});
