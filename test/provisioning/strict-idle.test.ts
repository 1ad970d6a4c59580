/** Order `strict`: of those of the lowest priority the seat of whoever has been idle longest is taken. */

import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { type GroupId, type MappingId, newId, type UserId } from '../../src/kernel/ids.ts';
import type { MappingDraft } from '../../src/provisioning/mapping-draft.ts';
import { setPin } from '../../src/provisioning/pin-flow.ts';
import { previewEdit } from '../../src/provisioning/preview-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { putSubPool } from '../../src/provisioning/sub-pool-flow.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { compare, compareNotices, whole } from './preview-support.ts';
import { readState, seatsOf } from './state.ts';

const dayMs = 86_400_000;
let test: TestDatabase;
let world: TestWorld;
/** Priority 1, may pre-empt; priority 5. */
let chiefs: GroupId;
let staff: GroupId;
/** How often it was asked when everybody was last seen. */
let lookups = 0;

beforeAll(async () => {
  test = await testDatabase({
    poolSize: 4,
    onStatement: (text) => {
      if (text.includes("'enable_nestloop', 'off'")) lookups += 1;
    },
  });
});
afterAll(() => test.close());

const strict = (noticeHours: number) =>
  putSettings(test.database, world.door, { ...defaultSettings, order: 'strict', noticeHours });

beforeEach(async () => {
  world = await newWorld(test.database);
  await strict(0);
  await world.contract({ paidSeats: 3 });
  [chiefs, staff] = [await world.group('Chiefs'), await world.group('Staff')];
  await world.map({ group: { id: chiefs }, priority: 1, mayPreempt: true });
  await world.map({ group: { id: staff }, priority: 5 });
});

async function join(group: GroupId, name: string): Promise<UserId> {
  const id = await world.user(`${name}@example.com`);
  await world.editGroup(group, { add: [id] });
  return id;
}

/** One after the other, a month apart. */
async function joinEach(group: GroupId, ...names: string[]): Promise<UserId[]> {
  const ids = [];
  for (const name of names) {
    ids.push(await join(group, name));
    world.pass(30 * dayMs);
  }
  return ids;
}

const run = (statement: ReturnType<typeof sql>) =>
  inTenant(test.database, world.tenantId, async (tx) => tx.send(statement));

const signOn = (id: UserId, at = world.now) =>
  run(sql`update users set last_sign_in_at = ${at} where tenant_id = ${world.tenantId} and id = ${id}`);

/** As Blue's lists say. */
async function useInBlue(id: UserId, at = world.now): Promise<void> {
  const { tenantId } = world;
  await run(sql`insert into blue_people (tenant_id, user_id, blue_user_id, state, changed_at)
    values (${tenantId}, ${id}, ${`blue ${id}`}, 'active', ${at})`);
  await run(sql`insert into blue_members (tenant_id, blue_user_id, memberships, paid_workspaces, last_active_at)
    values (${tenantId}, ${`blue ${id}`}, '[]', '{}', ${at})`);
}

const pin = { role: 'team_member', workspaces: null, reason: 'board', until: null, reserved: false };

/** I21. */
async function mapAsTold(mapping: MappingDraft): Promise<void> {
  const before = await readState(world);
  const edit = { op: 'create', id: newId<MappingId>(0), mapping } as const;
  const told = await previewEdit(test.database, world.door, edit, whole);
  await world.map(mapping);
  const after = await readState(world);
  compare(told, before, after);
  compareNotices(told, before, after);
}

/** Names without their domain, in the order of the alphabet. */
async function holders(where: 'all' | 'told' = 'all'): Promise<string[]> {
  const state = await readState(world);
  const seated = new Set(
    seatsOf(state, 'held', 'overage').flatMap(({ user_id: id, notice_until: at }) =>
      where === 'all' || at !== null ? [id] : [],
    ),
  );
  const names = state.users.flatMap(({ id, user_name: name }) => (seated.has(id) ? [name] : []));
  return names.map((name) => name.replace('@example.com', '')).sort();
}

it('of three holders of one priority the one longest not seen loses the seat, though another has had it longer', async () => {
  const [first, , third] = await joinEach(staff, 'first', 'second', 'third');
  if (first === undefined || third === undefined) throw new Error('nobody joined');
  world.pass(-dayMs);
  await signOn(first);
  world.pass(dayMs);
  await join(chiefs, 'chief');
  expect(await holders()).toEqual(['chief', 'first', 'third']);
});

it('counts from the grant for whoever was never seen, or only before it', async () => {
  const early = await world.user('early@example.com');
  await signOn(early);
  world.pass(dayMs);
  const old = await join(staff, 'old');
  world.pass(dayMs);
  await signOn(old);
  world.pass(30 * dayMs);
  await world.editGroup(staff, { add: [early] });
  world.pass(30 * dayMs);
  await join(staff, 'never');
  await join(chiefs, 'chief');
  expect(await holders()).toEqual(['chief', 'early', 'never']);
  await join(chiefs, 'deputy');
  expect(await holders()).toEqual(['chief', 'deputy', 'never']);
});

it('sees who is active in Blue', async () => {
  const [first] = await joinEach(staff, 'first', 'second', 'third');
  if (first === undefined) throw new Error('nobody joined');
  await useInBlue(first);
  await join(chiefs, 'chief');
  expect(await holders()).toEqual(['chief', 'first', 'third']);
});

it('never takes that of a pin, however long its holder was not seen', async () => {
  const [pinned] = await joinEach(staff, 'pinned', 'second', 'third');
  if (pinned === undefined) throw new Error('nobody joined');
  await setPin(test.database, world.door, pinned, pin);
  await join(chiefs, 'chief');
  await join(chiefs, 'deputy');
  await join(chiefs, 'another');
  expect(await holders()).toEqual(['chief', 'deputy', 'pinned']);
});

it('asks the lowest priority first, whoever was seen', async () => {
  const guests = await world.group('Guests');
  await world.map({ group: { id: guests }, priority: 9 });
  await joinEach(staff, 'first', 'second');
  const guest = await join(guests, 'guest');
  await signOn(guest);
  await join(chiefs, 'chief');
  expect(await holders()).toEqual(['chief', 'first', 'second']);
});

describe('a notice', () => {
  it('goes to whoever is idle longest then, and stays, whoever is seen meanwhile', async () => {
    await strict(24);
    const [first, second] = await joinEach(staff, 'first', 'second', 'third');
    if (first === undefined || second === undefined) throw new Error('nobody joined');
    await signOn(first);
    await join(chiefs, 'chief');
    expect(await holders('told')).toEqual(['second']);
    await signOn(second);
    await world.revise(first, { displayName: 'First' });
    await world.editGroup(staff, { remove: [first] });
    await world.editGroup(staff, { add: [first] });
    expect(await holders('told'), 'the seat that came free is the better claim’s').toEqual([]);
    await join(chiefs, 'deputy');
    expect(await holders('told')).toEqual(['third']);
    await signOn(second);
    world.pass(dayMs);
    await settleDue(test.database, world.now, 10);
    expect(await holders()).toEqual(['chief', 'deputy', 'second']);
    expect(await world.settle(), 'I6').toBe(0);
  });

  it('once given, is not looked for anew by every write', async () => {
    await strict(24);
    const [first] = await joinEach(staff, 'first', 'second', 'third');
    if (first === undefined) throw new Error('nobody joined');
    await join(chiefs, 'chief');
    expect(await holders('told')).toEqual(['first']);
    lookups = 0;
    await join(staff, 'fourth');
    await world.revise(first, { active: false });
    expect(lookups, 'and none where nobody may take a seat').toBe(0);
    await join(chiefs, 'deputy');
    expect(lookups).toBe(1);
    expect(await holders('told')).toEqual(['second']);
  });
});

it.each([0, 24])('a preview names whom the write then takes the seat from (notice %i h)', async (hours) => {
  await strict(hours);
  const [first] = await joinEach(staff, 'first', 'second', 'third');
  if (first === undefined) throw new Error('nobody joined');
  await signOn(first);
  const boards = await world.group('Board', [await world.user('chair@example.com')]);
  await mapAsTold(world.mapping({ group: { id: boards }, priority: 2, mayPreempt: true }));
  expect(await holders(hours === 0 ? 'all' : 'told')).toEqual(
    hours === 0 ? ['chair', 'first', 'third'] : ['second'],
  );
});

it('it is the same where everybody is decided for in the same write', async () => {
  const settings = { ...defaultSettings, noticeHours: 0 };
  await putSettings(test.database, world.door, settings);
  const [first] = await joinEach(staff, 'first', 'second', 'third');
  if (first === undefined) throw new Error('nobody joined');
  await join(chiefs, 'chief');
  await signOn(first);
  const before = await readState(world);
  const after = { ...settings, order: 'strict', defaultRole: 'view_only' } as const;
  const told = await previewEdit(test.database, world.door, { op: 'settings', settings: after }, whole);
  await putSettings(test.database, world.door, after);
  compare(told, before, await readState(world));
  expect(await holders()).toEqual(['chief', 'first', 'third']);
});

it('with sub-pools it is whoever of the own one is idle longest, however many others are for longer', async () => {
  await world.contract({ paidSeats: 11 });
  await putSubPool(test.database, world.door, { name: 'lab', seats: 3, borrowLimit: 0 });
  const others = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  for (const name of others) await join(staff, name);
  world.pass(30 * dayMs);
  const [lab, heads] = [await world.group('Lab'), await world.group('Heads')];
  await world.map({ group: { id: lab }, priority: 4, subPool: 'lab' });
  await world.map({ group: { id: heads }, priority: 2, subPool: 'lab', mayPreempt: true });
  const ids = await joinEach(lab, 'x', 'y', 'z');
  for (const id of ids.slice(0, 2)) await signOn(id);
  await join(heads, 'head');
  expect(await holders()).toEqual([...others, 'head', 'x', 'y']);
});

const people = fc.array(
  fc.record({
    isGuest: fc.boolean(),
    // Days after the first came, each an hour of its own.
    seen: fc.option(fc.nat({ max: 60 })),
    inBlue: fc.option(fc.nat({ max: 60 })),
    isPinned: fc.constantFrom(false, false, false, true),
  }),
  { minLength: 2, maxLength: 6 },
);

it('whoever comes when, and was seen when: those idle longest go, at once or one by one, as a preview tells', async () => {
  const chiefsAndNotice = { few: fc.integer({ min: 1, max: 3 }), hours: fc.constantFrom(0, 24) };
  await fc.assert(
    fc.asyncProperty(people, fc.record({ ...chiefsAndNotice, isAtOnce: fc.boolean() }), async (all, how) => {
      world = await newWorld(test.database);
      await strict(how.hours);
      await world.contract({ paidSeats: all.length });
      const [guests, usual] = [await world.group('Guests'), await world.group('Usual')];
      await world.map({ group: { id: usual }, priority: 5 });
      await world.map({ group: { id: guests }, priority: 9 });
      const start = world.now.getTime();
      const going: { name: string; priority: number; idleSince: number }[] = [];
      for (const [n, { isGuest, seen, inBlue, isPinned }] of all.entries()) {
        world.now = new Date(start + n * 10 * dayMs);
        const id = await join(isGuest ? guests : usual, `p${n}`);
        const at = (days: number | null) =>
          days === null ? null : new Date(start + days * dayMs + n * 60_000);
        const [seenAt, usedAt] = [at(seen), at(inBlue)];
        if (seenAt !== null) await signOn(id, seenAt);
        if (usedAt !== null) await useInBlue(id, usedAt);
        if (isPinned) await setPin(test.database, world.door, id, pin);
        const idleSince = Math.max(...[world.now, seenAt, usedAt].map((time) => time?.getTime() ?? 0));
        if (!isPinned) going.push({ name: `p${n}`, priority: isGuest ? 9 : 5, idleSince });
      }
      world.now = new Date(start + 70 * dayMs);
      const names = Array.from({ length: how.few }, (_, n) => `chief${n}`);
      if (how.isAtOnce) {
        const ids = [];
        for (const name of names) ids.push(await world.user(`${name}@example.com`));
        const boards = await world.group('Board', ids);
        await mapAsTold(world.mapping({ group: { id: boards }, priority: 2, mayPreempt: true }));
      } else {
        const boards = await world.group('Board');
        await world.map({ group: { id: boards }, priority: 2, mayPreempt: true });
        for (const name of names) await join(boards, name);
      }
      going.sort((a, b) => b.priority - a.priority || a.idleSince - b.idleSince);
      const lost = going.slice(0, how.few).map(({ name }) => name);
      if (how.hours > 0) expect(await holders('told')).toEqual(lost.toSorted());
      else expect((await holders()).filter((name) => lost.includes(name))).toEqual([]);
      expect((await holders()).length).toBe(all.length);
      expect(await world.settle(), 'I6').toBe(0);
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 30) },
  );
}, 120_000);
