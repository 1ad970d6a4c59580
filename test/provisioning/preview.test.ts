/**
 * I21: what a preview tells is what the edit then does. Random worlds and random edits on the real database: each edit is
 * previewed, then made, and the people whose roles or seats are others afterwards are those who were named. FUZZ_RUNS sets
 * the number of worlds.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { putBlueConnection } from '../../src/blue/connection-flow.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { importPeople } from '../../src/imports/import-flow.ts';
import { Fault } from '../../src/kernel/fault.ts';
import { type MappingId, newId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { secretBox } from '../../src/kernel/secret-box.ts';
import { addLine, putContract, withdrawLine } from '../../src/provisioning/contract-flow.ts';
import type { Edit } from '../../src/provisioning/edit.ts';
import type { Intake } from '../../src/provisioning/intake.ts';
import {
  createMapping,
  removeMapping,
  reorderMappings,
  replaceMapping,
} from '../../src/provisioning/mapping-flow.ts';
import { rollBack } from '../../src/provisioning/mapping-version-flow.ts';
import { removePin, setPin } from '../../src/provisioning/pin-flow.ts';
import { lockPool } from '../../src/provisioning/pool-store.ts';
import { lossesBy, previewEdit } from '../../src/provisioning/preview-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { settleBatch, settleDue } from '../../src/provisioning/settle-flow.ts';
import { putSubPool, removeSubPool } from '../../src/provisioning/sub-pool-flow.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld, usualContract } from '../support/tenants.ts';
import { history } from './histories.ts';
import { make } from './make-edit.ts';
import { compare, compareNotices, outcome, whole } from './preview-support.ts';
import { readState, type State } from './state.ts';

const runs = Number(process.env.FUZZ_RUNS ?? 12);
let test: TestDatabase;
let statements = 0;

beforeAll(async () => {
  test = await testDatabase({
    poolSize: 2,
    onStatement: () => {
      statements += 1;
    },
  });
});
afterAll(() => test.close());

/** Numbers that an edit is made of once it is known what there is. */
const choice = fc.record({
  op: fc.constantFrom(
    ...([
      'create',
      'create',
      'update',
      'update',
      'delete',
      'delete',
      'reorder',
      'contract',
      'contract',
    ] as const),
    ...(['amendment', 'amendment', 'withdrawal', 'pin', 'pin', 'unpin', 'settings', 'settings'] as const),
    ...(['subPool', 'subPool', 'subPool', 'removeSubPool', 'settle'] as const),
    ...(['defaultWorkspaces', 'rollback', 'import', 'import', 'import'] as const),
  ),
  one: fc.nat({ max: 30 }),
  two: fc.nat({ max: 30 }),
  role: fc.constantFrom('team_member', 'project_administrator', 'view_only', 'client'),
  policy: fc.constantFrom('queue', 'fallback', 'grace', 'allow', 'block'),
  seats: fc.option(fc.nat({ max: 5 }), { freq: 8 }),
  days: fc.integer({ min: -2, max: 2 }),
  flag: fc.boolean(),
});
const secrets = secretBox(Buffer.alloc(32, 7));
type Choice = typeof choice extends fc.Arbitrary<infer T> ? T : never;

it(
  'I21 tells what the edit then does',
  async () => {
    let [made, moved] = [0, 0];
    await fc.assert(
      fc.asyncProperty(history, fc.array(choice, { minLength: 4, maxLength: 10 }), async (steps, choices) => {
        const world = await newWorld(test.database);
        for (const [step, edit] of steps.entries()) {
          world.pass(1000);
          await make(world, await readState(world), edit, step);
        }
        for (const chosen of choices) {
          world.pass(1000);
          await settleDue(world.database, world.now, 1000);
          const before = await readState(world);
          const edit = editOf(world, before, chosen);
          if (edit === undefined) continue;
          const told = await outcome(previewEdit(world.database, world.door, edit, whole));
          expect(
            await outcome(lossesBy(world.database, world.door, edit)),
            'the breaker hears the same',
          ).toEqual(told instanceof Fault ? told : { seatsLost: told.seatsLost, lostLater: told.lostLater });
          const untouched = await readState(world);
          expect(untouched.fingerprint, 'a preview writes nothing').toEqual(before.fingerprint);
          const done = await outcome(apply(world, edit));
          expect(told instanceof Fault ? [told.code, told.message, told.field] : 'told').toEqual(
            done instanceof Fault ? [done.code, done.message, done.field] : 'told',
          );
          if (told instanceof Fault) continue;
          made += 1;
          moved += told.people.length;
          const after = await readState(world);
          compare(told, before, after, edit.op === 'settle');
          if (edit.op === 'subPool') compareNotices(told, before, after);
        }
      }),
      { numRuns: runs, endOnFailure: process.env.FUZZ_SHRINK === undefined },
    );
    expect(made).toBeGreaterThan(runs * 2);
    expect(moved).toBeGreaterThan(runs);
  },
  runs * 3000 + 60_000,
);

function editOf({ now }: TestWorld, state: State, chosen: Choice): Edit | undefined {
  const { op, one, two, role, policy, seats, days, flag } = chosen;
  const dayOf = (more: number) => new Date(now.getTime() + more * 86_400_000).toISOString().slice(0, 10);
  const mapping = () => {
    const group = pick(state.groups, two);
    const workspaces = two % 4 === 0 ? ['*'] : flag ? ['w1'] : ['w1', 'w2'];
    const rest = {
      fallbackRole: null,
      validFrom: null,
      validUntil: null,
      mayPreempt: false,
      approval: null,
      subPool: two % 2 === 0 ? (pick(state.sub_pools, one)?.name ?? null) : null,
    };
    const by = group === undefined ? { displayName: 'later' } : { id: group.id };
    return { group: by, role, workspaces, priority: (one % 9) + 1, ...rest };
  };
  switch (op) {
    case 'create':
      return { op, id: newId<MappingId>(now.getTime()), mapping: mapping() };
    case 'update':
      return withOne(state.mappings, one, ({ id }) => ({ op, id, mapping: mapping() }));
    case 'delete':
      return withOne(state.mappings, one, ({ id }) => ({ op, id }));
    case 'reorder':
      return { op, ids: state.mappings.map(({ id }) => id).reverse() };
    case 'contract': {
      const isAbove = policy === 'grace' || policy === 'allow';
      const allowancePercent = isAbove ? 50 : null;
      const grace = { graceDays: policy === 'grace' ? 1 : null, decreaseGraceDays: flag ? 0 : 2 };
      const dates = { startsOn: dayOf(days), endsOn: dayOf(days + 3) };
      const fallbackRole = flag ? 'client' : 'view_only';
      const terms = { paidSeats: seats, policy, allowancePercent, fallbackRole } as const;
      return { op, contract: { ...usualContract, ...terms, ...grace, ...dates } };
    }
    case 'amendment': {
      const kept = { tier: null, contractEndsOn: null, reason: 'test', documentReference: null };
      const line = { kind: 'amendment', effectiveOn: dayOf(days), endsOn: null } as const;
      return { op, line: { ...line, setsSeats: true, paidSeats: seats, ...kept } };
    }
    case 'withdrawal':
      return { op, lineId: pick(state.lines, one)?.id ?? newId(now.getTime()) };
    case 'pin': {
      const until = flag ? new Date(now.getTime() + days * 3_600_000) : null;
      const pin = { role, workspaces: null, reason: 'test', until, reserved: two % 2 === 0 };
      return withOne(state.users, one, ({ id: userId }) => ({ op, userId, pin }));
    }
    case 'unpin':
      return withOne(state.users, one, ({ id: userId }) => ({ op, userId }));
    case 'settings': {
      const exclusions = flag ? [pick(state.users, one)?.user_name ?? 'nobody'] : [];
      const defaultRole = two % 3 === 0 ? role : 'none';
      const order = two % 2 === 0 ? 'strict' : 'sticky';
      const settlement = (['immediate', 'cycle', 'staged'] as const)[one % 3] ?? 'immediate';
      const noticeHours = flag ? 0 : 24;
      return {
        op,
        settings: { ...defaultSettings, exclusions, defaultRole, order, settlement, noticeHours },
      };
    }
    case 'subPool':
      return { op, subPool: { name: flag ? 'a' : 'b', seats: two % 4, borrowLimit: seats } };
    case 'removeSubPool':
      return { op, name: pick(state.sub_pools, one)?.name ?? 'none' };
    case 'defaultWorkspaces':
      return { op, workspaces: [['w1'], ['w1', 'w2'], []][one % 3] ?? [] };
    case 'rollback':
      return { op, version: 1 + (one % 6) };
    case 'settle':
      return { op };
    case 'import': {
      const people = [one, two, 31].map((n, at): Intake => {
        const known = n === 31 ? undefined : pick(state.users, n);
        const userName = known?.user_name ?? `import${now.getTime()}-${at}`;
        const pin = flag ? null : { role, workspaces: null, until: null };
        const email = two % 2 === 0 ? {} : { email: `address${(one + at) % 12}@example.com` };
        const active = days < 0 ? {} : { active: (days + at) % 2 === 0 };
        return {
          id: newId(now.getTime()),
          userName,
          pin,
          said: { ...email, ...active, roles: [`role${at}`] },
        };
      });
      return { op, people: [...new Map(people.map((person) => [person.userName, person])).values()] };
    }
  }
}

function pick<T>(from: readonly T[], at: number): T | undefined {
  return from[at % Math.max(1, from.length)];
}

function withOne<T>(from: readonly T[], at: number, edit: (one: T) => Edit): Edit | undefined {
  const one = pick(from, at);
  return one === undefined ? undefined : edit(one);
}

async function apply({ database, door }: TestWorld, edit: Edit): Promise<void> {
  switch (edit.op) {
    case 'import': {
      const rows = edit.people.map((intake, at) => ({ line: at + 2, cells: [], intake }));
      await importPeople(database, door, { columns: [], rows });
      return;
    }
    case 'create':
      await createMapping(database, door, edit.mapping);
      return;
    case 'update':
      await replaceMapping(database, door, edit.id, edit.mapping);
      return;
    case 'delete':
      return await removeMapping(database, door, edit.id);
    case 'reorder':
      await reorderMappings(database, door, edit.ids);
      return;
    case 'contract':
      await putContract(database, door, edit.contract);
      return;
    case 'amendment':
      await addLine(database, door, edit.line);
      return;
    case 'withdrawal':
      return await withdrawLine(database, door, edit.lineId);
    case 'pin':
      await setPin(database, door, edit.userId, edit.pin);
      return;
    case 'unpin':
      return await removePin(database, door, edit.userId);
    case 'settings':
      await putSettings(database, door, edit.settings);
      return;
    case 'subPool':
      return await putSubPool(database, door, edit.subPool);
    case 'removeSubPool':
      return await removeSubPool(database, door, edit.name);
    case 'defaultWorkspaces': {
      const connection = { organizationId: 'o', tokenId: 't', tokenSecret: 's' };
      await putBlueConnection(database, secrets, door, {
        ...connection,
        defaultWorkspaces: [...edit.workspaces],
      });
      return;
    }
    case 'rollback':
      await rollBack(database, door, edit.version);
      return;
    case 'settle':
      await settleBatch(database, door);
      return;
  }
}

it('tells of an open batch who gets a seat when it is settled, and who waits on', async () => {
  const world = await newWorld(test.database);
  await world.contract({ paidSeats: 2 });
  await putSettings(world.database, world.door, { ...defaultSettings, settlement: 'staged' });
  const people = [];
  for (const name of ['a', 'b', 'c']) people.push(await world.user(`${name}@example.com`));
  const group = await world.group('Eng', people);
  await world.map({ group: { id: group }, priority: 1 });
  const before = await readState(world);
  const told = await previewEdit(world.database, world.door, { op: 'settle' }, whole);
  expect(told).toMatchObject({ gained: 2, lost: 0, changed: 0, queued: 1, seats: { before: 0, after: 2 } });
  await settleBatch(world.database, world.door);
  compare(told, before, await readState(world), true);
});

it('waits for no lock', async () => {
  const world = await newWorld(test.database);
  await world.contract();
  const group = await world.group('Eng', [await world.user('a@example.com')]);
  const { id } = await world.map({ group: { id: group }, priority: 1 });
  await inTenant(world.database, world.tenantId, async (tx) => {
    await lockPool(tx);
    const told = await previewEdit(world.database, world.door, { op: 'delete', id }, whole);
    expect(told).toMatchObject({ lost: 1, gained: 0, changed: 0, queued: 0, seats: { before: 1, after: 0 } });
  });
});

it.each([0, 24])(
  'of more seats than are taken back at a time tells what is then done (notice %i h)',
  async (noticeHours) => {
    const world = await newWorld(test.database);
    const many = limits.seatsTakenAtOnce + 20;
    await putSettings(world.database, world.door, { ...defaultSettings, breaker: null, noticeHours });
    await putSubPool(world.database, world.door, { name: 'a', seats: many, borrowLimit: null });
    await world.contract({ paidSeats: many });
    const [lent, own] = [await world.group('Lent'), await world.group('Own')];
    await world.fill(lent, many);
    await world.fill(own, many);
    await world.map({ group: { id: lent }, priority: 1 });
    world.peoplePerDecision = 100;
    const before = await readState(world);
    const mapping = world.mapping({ group: { id: own }, priority: 5, subPool: 'a' });
    const edit: Edit = { op: 'create', id: newId<MappingId>(0), mapping };
    const told = await previewEdit(world.database, world.door, edit, whole);
    const { seatsLost } = await lossesBy(world.database, world.door, edit);
    expect(seatsLost, 'what the breaker counts').toBe(many);
    await apply(world, edit);
    const after = await readState(world);
    compare(told, before, after);
    const notices = ({ decisions }: State) =>
      new Map(
        decisions.flatMap(({ user_id: id, notice_until: at }) => (at === null ? [] : [[id, at.getTime()]])),
      );
    const taken = async () =>
      (await readState(world)).decisions.filter((row) => row.sub_pool === 'a' && row.seat === 'held').length;
    if (noticeHours === 0) {
      expect(await taken()).toBe(many);
      return;
    }
    expect(told.lostLater, 'all who are to lose the seat, whenever they are told').toBe(many);
    const first = notices(after);
    expect(first.size).toBe(limits.seatsTakenAtOnce);
    // Free seats go to the first of those who claim: the others need the same notices.
    world.pass(3_600_000);
    await world.contract({ paidSeats: many + 30 });
    expect(await taken()).toBe(30);
    const left = notices(await readState(world));
    expect(left.size).toBe(many - 30);
    for (const [id, at] of left) expect(first.get(id), 'none begins anew').toBe(at);
    world.pass(noticeHours * 3_600_000);
    await settleDue(world.database, world.now, 10);
    expect(await taken()).toBe(many);
  },
  120_000,
);

it('of a large group tells what its batches then do, in as many statements as of a small one', async () => {
  const world = await newWorld(test.database);
  const group = await world.group('Big');
  await world.fill(group, 2 * limits.peoplePerDecision + 100);
  await world.contract({ paidSeats: 700 });
  const mapping = world.mapping({ group: { id: group }, priority: 1 });
  const check = async (edit: Edit) => {
    const before = await readState(world);
    statements = 0;
    const told = await previewEdit(world.database, world.door, edit, whole);
    expect(statements).toBeLessThan(16);
    await apply(world, edit);
    const after = await readState(world);
    compare(told, before, after);
    return after.mappings;
  };
  const [made] = await check({ op: 'create', id: newId<MappingId>(0), mapping });
  if (made === undefined) throw new Error('no mapping was made');
  await check({ op: 'contract', contract: { ...usualContract, paidSeats: 1000 } });
  await check({ op: 'delete', id: made.id });
}, 120_000);
