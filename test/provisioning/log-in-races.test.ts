/** Logins that claim groups, and whoever else writes at the same time: in the end everybody has what holds then. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { UserId } from '../../src/kernel/ids.ts';
import { removeMapping } from '../../src/provisioning/mapping-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { checkState } from './checks.ts';
import { answer, userNameOf } from './log-in.ts';
import { recompute, stored } from './model.ts';
import { readState } from './state.ts';
import { whileLocked } from './while-locked.ts';

const rounds = Number(process.env.RACE_ROUNDS ?? 8);
const people = [0, 3, 4, 7];
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 8 });
});
afterAll(() => test.close());

async function crowded(): Promise<TestWorld> {
  const world = await newWorld(test.database);
  await world.contract({ paidSeats: 2 });
  await world.map({ group: { claim: 'a' }, priority: 1 });
  for (const subject of people) await answer(world, subject, ['a']);
  return world;
}

it.each(Array.from({ length: rounds }, (_, n) => n))(
  'round %i: three logins of each person that say different things, mappings that come and go, deactivations',
  async (round) => {
    const world = await crowded();
    const { id } = await world.map({ group: { claim: 'b' }, priority: 2, role: 'view_only' });
    const says = [['a', 'b'], ['c'], [], ['a', 'c']];
    const sleeper = await idOf(world, people[round % people.length] ?? 0);
    const logins = people.flatMap((subject) =>
      [0, 1, 2].map((n) => () => answer(world, subject, says[(subject + n + round) % says.length] ?? [])),
    );
    const others = [
      () => world.map({ group: { claim: 'c' }, priority: 3, role: 'project_administrator' }),
      () => removeMapping(world.database, world.door, id),
      () => world.revise(sleeper, { active: false }),
    ];
    const calls = [...logins, ...others];
    world.pass(1000);
    const ends = await Promise.all(calls.map((_, at) => calls[(at * 4 + round) % calls.length]?.()));
    expect(ends).toHaveLength(15);
    await check(world);
  },
  60_000,
);

async function idOf(world: TestWorld, subject: number): Promise<UserId> {
  const { users } = await readState(world);
  const found = users.find((user) => user.user_name === userNameOf(subject));
  if (found === undefined) throw new Error(`nobody is ${subject}`);
  return found.id;
}

async function check(world: TestWorld): Promise<void> {
  const state = await readState(world);
  checkState(state);
  expect(stored(state)).toEqual(recompute(state));
}

it('a login that claims a group, and a mapping of it that is made at the same time', async () => {
  const world = await newWorld(test.database);
  await world.contract();
  await answer(world, 0, []);
  await whileLocked(world, 'users', await idOf(world, 0), () => [
    answer(world, 0, ['a']),
    world.map({ group: { claim: 'a' }, priority: 1 }),
  ]);
  await check(world);
  expect((await readState(world)).decisions).toMatchObject([{ seat: 'held' }]);
});

it('two logins of one person, the second of which takes what the first gave', async () => {
  const world = await newWorld(test.database);
  await world.contract();
  await world.map({ group: { claim: 'a' }, priority: 1 });
  await answer(world, 0, ['b']);
  await whileLocked(world, 'users', await idOf(world, 0), () => [
    answer(world, 0, ['a', 'b']),
    // Once the first waits for the row, which it comes to later: it takes the pool before.
    sleep(50).then(() => answer(world, 0, [])),
  ]);
  await check(world);
  expect((await readState(world)).users).toMatchObject([{ claim_values: [] }]);
});

it('the first logins of one person at once make one', async () => {
  const world = await newWorld(test.database);
  await world.map({ group: { claim: 'a' }, priority: 1, role: 'view_only' });
  // The connection is there before.
  await answer(world, 3, []);
  const ends = await Promise.all(Array.from({ length: 6 }, () => answer(world, 0, ['a'])));
  expect(ends.some(({ kind }) => kind === 'signed_in')).toBe(true);
  const { users, decisions } = await readState(world);
  expect(users.filter((user) => user.user_name === userNameOf(0))).toHaveLength(1);
  expect(decisions).toHaveLength(1);
});
