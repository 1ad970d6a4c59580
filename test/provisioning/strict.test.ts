/** Order `strict`: priority alone counts, and a claim that may do so takes the seat of a lower one, after a notice. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { setPin } from '../../src/provisioning/pin-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { selectUserView } from '../../src/provisioning/user-view-store.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { readState, seatsOf } from './state.ts';

let test: TestDatabase;
let world: TestWorld;
/** Priority 1, may pre-empt; priority 5; priority 9. */
let chiefs: GroupId;
let staff: GroupId;
let guests: GroupId;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());

const order = (noticeHours: number, kind: 'strict' | 'sticky' = 'strict') =>
  putSettings(test.database, world.door, { ...defaultSettings, order: kind, noticeHours });

beforeEach(async () => {
  world = await newWorld(test.database);
  await order(24);
  await world.contract({ paidSeats: 2 });
  [chiefs, staff, guests] = [
    await world.group('Chiefs'),
    await world.group('Staff'),
    await world.group('Guests'),
  ];
  await world.map({ group: { id: chiefs }, priority: 1, mayPreempt: true });
  await world.map({ group: { id: staff }, priority: 5 });
  await world.map({ group: { id: guests }, priority: 9 });
});

async function join(group: GroupId, name: string): Promise<UserId> {
  world.pass(1000);
  const id = await world.user(`${name}@example.com`);
  await world.editGroup(group, { add: [id] });
  return id;
}

async function told(id: UserId): Promise<string> {
  const view = await inTenant(test.database, world.tenantId, (tx) => selectUserView(tx, id, world.now));
  return `${view?.seat.state} ${view?.seat.reason}`;
}

async function pass(hours: number): Promise<void> {
  world.pass(hours * 3_600_000);
  await settleDue(test.database, world.now, 100);
}

it('gives notice to the lowest, and the seat when the notice is over', async () => {
  const [one, low] = [await join(staff, 'one'), await join(guests, 'low')];
  const chief = await join(chiefs, 'chief');
  const at = new Date(world.now.getTime() + 24 * 3_600_000).toISOString();
  expect([await told(chief), await told(low), await told(one)]).toEqual([
    'queued SEAT_QUEUED',
    `held PREEMPTED_AT:${at}`,
    'held SEAT_HELD',
  ]);
  await pass(23);
  expect(await told(chief)).toBe('queued SEAT_QUEUED');
  await pass(1);
  expect([await told(chief), await told(low), await told(one)]).toEqual([
    'held SEAT_HELD',
    'queued SEAT_QUEUED',
    'held SEAT_HELD',
  ]);
  expect((await readState(world)).pool.used).toBe(2);
  expect(await world.settle()).toBe(0);
});

it('takes the notice back when a seat comes free meanwhile', async () => {
  const [one, low] = [await join(staff, 'one'), await join(guests, 'low')];
  const chief = await join(chiefs, 'chief');
  await world.revise(one, { active: false });
  expect([await told(chief), await told(low)]).toEqual(['held SEAT_HELD', 'held SEAT_HELD']);
});

it('takes the notices back with the order that they rest on', async () => {
  const [low, other] = [await join(guests, 'low'), await join(guests, 'other')];
  await join(chiefs, 'chief');
  await join(chiefs, 'second');
  expect(await told(low)).toContain('PREEMPTED_AT:');
  await order(24, 'sticky');
  expect([await told(low), await told(other)]).toEqual(['held SEAT_HELD', 'held SEAT_HELD']);
  expect(await world.settle()).toBe(0);
});

it('without a notice takes the seat at once', async () => {
  await order(0);
  const low = await join(guests, 'low');
  await join(guests, 'other');
  const chief = await join(chiefs, 'chief');
  expect([await told(chief), await told(low)]).toEqual(['held SEAT_HELD', 'queued SEAT_QUEUED']);
});

it.each([
  [24, 'PREEMPTED_AT:'],
  [0, 'SEAT_QUEUED'],
])(
  'whoever comes back to a kept place is told of a better claim at once (notice %i h)',
  async (hours, reason) => {
    await order(hours);
    await world.contract({ paidSeats: 1 });
    const low = await join(guests, 'low');
    await world.editGroup(guests, { remove: [low] }, undefined, world.directoryDoor);
    expect(await told(low)).toContain('hold');
    const chief = await join(chiefs, 'chief');
    expect(await told(chief), 'a kept place is not taken').toBe('queued SEAT_QUEUED');
    await world.editGroup(guests, { add: [low] });
    expect(await told(low)).toContain(reason);
    expect(await world.settle(), 'I6').toBe(0);
  },
);

it('whoever comes back has the seat since now: who was told before them stays so', async () => {
  const low = await join(guests, 'low');
  await world.editGroup(guests, { remove: [low] }, undefined, world.directoryDoor);
  const mid = await join(guests, 'mid');
  await join(chiefs, 'chief');
  const before = await told(mid);
  expect(before).toContain('PREEMPTED_AT:');
  world.pass(60_000);
  await world.editGroup(guests, { add: [low] });
  expect([await told(low), await told(mid)]).toEqual(['held SEAT_HELD', before]);
  expect(await world.settle(), 'I6').toBe(0);
  expect([await told(low), await told(mid)]).toEqual(['held SEAT_HELD', before]);
});

it('free seats go to the first in the queue, however far behind those wait who may take one', async () => {
  world.peoplePerDecision = 3;
  await world.contract({ paidSeats: 0 });
  const firsts = await world.group('Firsts');
  await world.map({ group: { id: firsts }, priority: 2 });
  const seconds = await world.group('Seconds');
  await world.map({ group: { id: seconds }, priority: 3, mayPreempt: true });
  const ones = await Promise.all([...'abcdef'].map((name) => world.user(`1${name}@example.com`)));
  const twos = await Promise.all([...'abcdef'].map((name) => world.user(`2${name}@example.com`)));
  await world.editGroup(seconds, { add: twos });
  await world.editGroup(firsts, { add: ones });
  await world.contract({ paidSeats: 6 });
  const states = await Promise.all([...ones, ...twos].map(told));
  expect(states).toEqual([...ones.map(() => 'held SEAT_HELD'), ...twos.map(() => 'queued SEAT_QUEUED')]);
});

it('takes nothing from equals, from pins, or for a claim that may not (I13)', async () => {
  await order(0);
  const [first, pinned] = [await join(chiefs, 'first'), await join(guests, 'pinned')];
  const pin = { role: 'team_member', workspaces: null, reason: 'board', until: null, reserved: false };
  await setPin(test.database, world.door, pinned, pin);
  const [second, one] = [await join(chiefs, 'second'), await join(staff, 'one')];
  expect(await Promise.all([first, pinned, second, one].map(told))).toEqual([
    'held SEAT_HELD',
    'held SEAT_HELD',
    'queued SEAT_QUEUED',
    'queued SEAT_QUEUED',
  ]);
});

it('takes no seat above the capacity for whom that time is over: the lowest within it goes', async () => {
  await world.contract({ paidSeats: 2, policy: 'grace', allowancePercent: 100, graceDays: 3 });
  const [one, two] = [await join(staff, 'one'), await join(staff, 'two')];
  const chief = await join(chiefs, 'chief');
  await pass(24);
  const guest = await join(guests, 'guest');
  await pass(48);
  expect([await told(chief), await told(two)]).toEqual(['queued SEAT_QUEUED', 'held SEAT_HELD']);
  expect(await told(one)).toMatch(/^held PREEMPTED_AT:/);
  expect(await told(guest)).toMatch(/^overage SEAT_OVERAGE_UNTIL:/);
  await pass(24);
  expect(await told(chief)).toBe('held SEAT_HELD');
  expect(await told(one), 'who lost it can have one above the capacity').toMatch(/^overage /);
  expect(await world.settle()).toBe(0);
});

it('counts priority alone among those who wait, until the order is sticky again', async () => {
  await join(staff, 'a');
  await join(staff, 'b');
  const waiting = [];
  for (const name of ['c', 'd', 'e', 'f']) waiting.push(await join(staff, name));
  const positions = async () => {
    const rows = seatsOf(await readState(world), 'waiting');
    return rows
      .toSorted((a, b) => Number(a.rank_at) - Number(b.rank_at) || (a.tie < b.tie ? -1 : 1))
      .map((row) => row.user_id);
  };
  const byTie = seatsOf(await readState(world), 'waiting').toSorted((a, b) => (a.tie < b.tie ? -1 : 1));
  expect(await positions()).toEqual(byTie.map((row) => row.user_id));
  await order(24, 'sticky');
  expect(await positions()).toEqual(waiting);
});

it('goes on with those whose turn had not come when seats for 200 were taken', async () => {
  const many = limits.seatsTakenAtOnce + 5;
  await world.contract({ paidSeats: many });
  const [low, high] = [await world.group('Low'), await world.group('High')];
  await world.fill(low, many);
  await world.map({ group: { id: low }, priority: 7 });
  await world.fill(high, many);
  await world.map({ group: { id: high }, priority: 2, mayPreempt: true });
  const taken = async () =>
    seatsOf(await readState(world), 'held').filter(({ priority }) => priority === 2).length;
  expect(await taken()).toBe(0);
  await pass(24);
  expect(await taken()).toBe(limits.seatsTakenAtOnce);
  await pass(24);
  expect(await taken()).toBe(many);
});

it('I9: equal final states agree, in whatever order people came', async () => {
  const ends = new Set<string>();
  for (const names of [
    ['chief', 'one', 'low', 'guest'],
    ['guest', 'low', 'one', 'chief'],
    ['low', 'chief', 'guest', 'one'],
  ]) {
    world = await newWorld(test.database);
    await order(0);
    await world.contract({ paidSeats: 2 });
    const priorities: Record<string, number> = { chief: 1, one: 2, low: 3, guest: 4 };
    for (const [name, priority] of Object.entries(priorities)) {
      const group = await world.group(name);
      await world.map({ group: { id: group }, priority, mayPreempt: true });
    }
    for (const name of names) {
      const { groups } = await readState(world);
      const group = groups.find((one) => one.display_name === name);
      if (group !== undefined) await join(group.id, name);
    }
    const state = await readState(world);
    const held = seatsOf(state, 'held').map(
      ({ user_id: id }) => state.users.find((user) => user.id === id)?.user_name,
    );
    ends.add(held.sort().join());
  }
  expect([...ends]).toEqual(['chief@example.com,one@example.com']);
});
