/**
 * Named histories of seats through the flows: who is promoted when seats are given back, what a contract's dates bring
 * about, and what each policy does. The random histories state the same rules in general.
 */

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import type { ContractDraft } from '../../src/licensing/contract.ts';
import { removeMapping, replaceMapping } from '../../src/provisioning/mapping-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { noteUnmanagedPaid } from '../../src/provisioning/unmanaged-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { compareQueue } from './model.ts';
import { readState, seatsOf } from './state.ts';

let test: TestDatabase;
let world: TestWorld;
let staff: GroupId;
let people: UserId[];

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});

afterAll(() => test.close());

/** Three seats; people 0..9, one a second, in a group that asks for a paid role: 0, 1, 2 hold, the rest waits. */
beforeEach(() => populate({ paidSeats: 3 }));

async function populate(contract: Partial<ContractDraft>): Promise<void> {
  world = await newWorld(test.database);
  await world.contract(contract);
  staff = await world.group('Staff');
  await world.map({ group: { id: staff }, priority: 10 });
  people = [];
  for (let n = 0; n < 10; n += 1) {
    world.pass(1000);
    const id = await world.user(`p${n}@example.com`);
    people.push(id);
    await world.editGroup(staff, { add: [id] });
  }
  world.pass(1000);
}

async function numbersOf(seat: 'held' | 'waiting'): Promise<number[]> {
  const rows = seatsOf(await readState(world), seat);
  return rows.map((row) => people.indexOf(row.user_id)).sort((a, b) => a - b);
}

async function queue(): Promise<UserId[]> {
  const state = await readState(world);
  return seatsOf(state, 'waiting')
    .sort(compareQueue(state))
    .map((row) => row.user_id);
}

const nth = (n: number) => people[n] as UserId;

describe('I15: k seats given back promote exactly the first min(k, waiting)', () => {
  it.each([1, 2, 3, 7, 9])('+%i seats of the contract', async (k) => {
    const waiting = await queue();
    await world.contract({ paidSeats: 3 + k });
    expect(await queue()).toEqual(waiting.slice(k));
    expect(await numbersOf('held')).toEqual(Array.from({ length: Math.min(10, 3 + k) }, (_, n) => n));
  });

  it.each([
    ['removal from the group', 2, () => world.editGroup(staff, { remove: people.slice(0, 2) })],
    ['deactivation', 1, () => world.revise(nth(1), { active: false })],
    ['deletion', 1, () => world.remove(nth(2))],
  ])('%s', async (_, k, release) => {
    const waiting = await queue();
    await release();
    expect(await queue()).toEqual(waiting.slice(k));
  });

  it('in the order of priority before that of time', async () => {
    const better = await world.group('Better', [nth(7)]);
    await world.map({ group: { id: better }, priority: 1 });
    expect(await numbersOf('held'), 'I12 nobody loses a seat to a better priority').toEqual([0, 1, 2]);
    await world.contract({ paidSeats: 5 });
    expect(await numbersOf('held')).toEqual([0, 1, 2, 3, 7]);
  });

  it('when fewer people are unmanaged in Blue', async () => {
    await noteUnmanagedPaid(world.database, world.door, 2);
    await world.contract({ paidSeats: 6 });
    expect(await numbersOf('held')).toEqual([0, 1, 2, 3]);
    await noteUnmanagedPaid(world.database, world.door, -2);
    expect(await numbersOf('held')).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('I1: fewer seats take nobody’s away', () => {
  it('and are given again only once the excess is gone', async () => {
    await world.contract({ paidSeats: 1 });
    expect(await numbersOf('held')).toEqual([0, 1, 2]);
    await world.revise(nth(0), { active: false });
    expect(await numbersOf('held')).toEqual([1, 2]);
    await world.editGroup(staff, { remove: [nth(1)] });
    expect(await numbersOf('held')).toEqual([2]);
    await world.revise(nth(2), { active: false });
    expect(await numbersOf('held')).toEqual([3]);
  });
});

describe('I2: the inactive', () => {
  it('give back in the same write, keep groups and data, and come back at the end of the queue', async () => {
    const before = await readState(world);
    await world.revise(nth(0), { active: false });
    const after = await readState(world);
    expect(after.memberships).toEqual(before.memberships);
    expect(after.users).toHaveLength(before.users.length);
    expect(await numbersOf('held')).toEqual([1, 2, 3]);
    world.pass(1000);
    await world.revise(nth(0), { active: true });
    expect((await queue()).at(-1)).toBe(nth(0));
  });
});

describe('I3, I4: one seat a person, none for free roles', () => {
  it('however many groups and workspaces', async () => {
    const second = await world.group('Second', people);
    await world.map({ group: { id: second }, priority: 11, workspaces: ['w2', 'w3'] });
    expect((await readState(world)).pool.used).toBe(3);
  });

  it('a downgrade gives the seat back at once', async () => {
    const guests = await world.group('Guests', [nth(0)]);
    const mapping = await world.map({ group: { id: guests }, priority: 1, role: 'client' });
    expect(await numbersOf('held')).toEqual([1, 2, 3]);
    await removeMapping(world.database, world.door, mapping.id);
    expect(await numbersOf('held')).toEqual([1, 2, 3]);
  });

  it('a mapping that becomes free gives all of them back', async () => {
    const [mapping] = (await readState(world)).mappings;
    if (mapping === undefined) throw new Error('no mapping');
    const draft = world.mapping({ group: { id: staff }, priority: 10, role: 'view_only' });
    await replaceMapping(world.database, world.door, mapping.id, draft);
    const state = await readState(world);
    expect(state.pool.used).toBe(0);
    expect(seatsOf(state, 'none')).toHaveLength(10);
  });
});

describe('the dates of a contract', () => {
  const day = (inDays: number) =>
    new Date(world.now.getTime() + inDays * 86_400_000).toISOString().slice(0, 10);

  it('give seats at its first instant, and none after its last day', async () => {
    await populate({ paidSeats: 3, startsOn: day(1), endsOn: day(2), fallbackRole: 'client' });
    expect(await numbersOf('held')).toEqual([]);
    world.now = new Date(`${day(1)}T00:00:00Z`);
    await settleDue(world.database, world.now, 100);
    expect(await numbersOf('held')).toHaveLength(3);
    world.now = new Date(`${day(2)}T00:00:00Z`);
    await settleDue(world.database, world.now, 100);
    const held = await numbersOf('held');
    await world.revise(nth(held[0] ?? 0), { active: false });
    expect(await numbersOf('held'), 'holders stay, nobody is promoted').toEqual(held.slice(1));
  });

  it('reach everybody, also when another write comes first (I10)', async () => {
    await world.editGroup(staff, { clear: true });
    await world.contract({ paidSeats: 3, startsOn: day(1), endsOn: day(9), fallbackRole: 'client' });
    await world.editGroup(staff, { add: people.slice(1) });
    world.now = new Date(`${day(1)}T00:00:00Z`);
    world.pass(300);
    await world.editGroup(staff, { add: [nth(0)] });
    await settleDue(world.database, world.now, 100);
    const roles = seatsOf(await readState(world), 'waiting').map((row) => row.effective[0]?.role);
    expect(roles, 'the contract’s fallback, not the one from before it').toEqual(Array(7).fill('client'));
    expect(await world.settle()).toBe(0);
  });

  it('come for other tenants also when one can’t be settled', async () => {
    const broken = await newWorld(test.database);
    const group = await broken.group('Staff', [await broken.user('ann@example.com')]);
    await broken.map({ group: { id: group }, priority: 1 });
    await broken.contract({ startsOn: day(1), endsOn: day(9) });
    await inTenant(broken.database, broken.tenantId, async (tx) => {
      const from = new Date(`${day(1)}T00:00:00Z`);
      tx.send(
        sql`update mappings set role = 'no such role', valid_from = ${from} where tenant_id = ${broken.tenantId}`,
      );
    });
    await world.editGroup(staff, { clear: true });
    await world.contract({ startsOn: day(1), endsOn: day(9) });
    await world.editGroup(staff, { add: people });
    world.now = new Date(`${day(1)}T00:00:00Z`);
    await expect(settleDue(world.database, world.now, 100)).rejects.toThrow(AggregateError);
    expect(await numbersOf('held')).toHaveLength(3);
    await inTenant(broken.database, broken.tenantId, async (tx) => {
      tx.send(sql`update mappings set role = 'team_member' where tenant_id = ${broken.tenantId}`);
    });
    expect(await settleDue(world.database, world.now, 100)).toBeGreaterThanOrEqual(1);
    expect((await readState(broken)).pool.used).toBe(1);
  });
});

describe('an address belongs to whoever had it first', () => {
  const same = { emails: [{ value: 'p0@example.com', primary: true }] };
  const refusalOf = async (id: UserId) =>
    (await readState(world)).decisions.find((row) => row.user_id === id)?.refusal ?? null;

  it('also when a newcomer was made by a clock that is behind (I12)', async () => {
    world.pass(-3_600_000);
    const newcomer = await world.user('zoe', same);
    expect(newcomer < nth(0), 'the newcomer sorts first').toBe(true);
    world.pass(3_600_000);
    await world.settle();
    await world.editGroup(staff, { add: [newcomer] });
    expect(await numbersOf('held')).toEqual([0, 1, 2]);
    expect([await refusalOf(nth(0)), await refusalOf(newcomer)]).toEqual([null, 'DUPLICATE_EMAIL']);
  });

  it('also when an older account comes back (I12)', async () => {
    const older = await world.user('old', { ...same, active: false });
    await world.editGroup(staff, { add: [older] });
    world.pass(-7_200_000);
    const oldest = await world.user('oldest', { ...same, active: false });
    await world.editGroup(staff, { add: [oldest] });
    world.pass(7_200_000);
    for (const id of [older, oldest]) await world.revise(id, { active: true });
    expect(await numbersOf('held')).toEqual([0, 1, 2]);
    await world.revise(nth(0), { active: false });
    const refusals = [await refusalOf(older), await refusalOf(oldest)];
    expect(refusals, 'the first to come back has it now').toEqual([null, 'DUPLICATE_EMAIL']);
  });
});
