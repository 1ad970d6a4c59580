/** Imports that are carried out beside others, by several processes, and go on where they stopped. */

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { carryOutImports, importPeople, readImport } from '../../src/imports/import-flow.ts';
import type { PeopleFile } from '../../src/imports/people-file.ts';
import { newId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import type { Intake } from '../../src/provisioning/intake.ts';
import { previewEdit } from '../../src/provisioning/preview-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { checkState } from './checks.ts';
import { recompute, stored } from './model.ts';
import { whole } from './preview-support.ts';
import { readState } from './state.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase({ poolSize: 8 });
});
afterAll(() => test.close());

const nameOf = (n: number) => `file${n}@example.com`;

function fileOf({ now }: TestWorld, people: number): PeopleFile {
  const rows = Array.from({ length: people }, (_, n) => ({
    line: n + 2,
    cells: [nameOf(n)],
    intake: {
      id: newId<never>(now.getTime()),
      userName: nameOf(n),
      said: { roles: ['staff'] },
      pin: null,
    },
  }));
  return { columns: ['userName'], rows };
}

async function staffed(paidSeats = 5): Promise<TestWorld> {
  const world = await newWorld(test.database);
  await world.contract({ paidSeats });
  await world.map({ group: { roleValue: 'staff' }, priority: 1 });
  return world;
}

/** More than the call itself carries out. */
const many = 7 * limits.importRowsPerPart;

async function check(world: TestWorld, id: string): Promise<void> {
  const one = await inTenant(world.database, world.tenantId, (tx) => readImport(tx, id));
  expect([one.doneAt === null, one.rows]).toEqual([false, many]);
  expect(one.counts).toMatchObject({ created: many, refused: 0 });
  const state = await readState(world);
  checkState(state);
  expect(stored(state)).toEqual(recompute(state));
  expect(state.decisions.filter(({ seat }) => seat === 'held')).toHaveLength(5);
  const trail = state.users.filter(({ user_name: name }) => name.startsWith('file'));
  expect(trail).toHaveLength(many);
}

it('is carried out once by several processes', async () => {
  const world = await staffed();
  const id = await importPeople(world.database, world.door, fileOf(world, many));
  await Promise.all([1, 2, 3].map(() => carryOutImports(world.database, () => world.now)));
  await check(world, id);
});

it('goes on where it stopped', async () => {
  const world = await staffed();
  const id = await importPeople(world.database, world.door, fileOf(world, many));
  let looks = 0;
  const isOver = () => {
    looks += 1;
    return looks > 1;
  };
  await carryOutImports(world.database, () => world.now, isOver);
  const stopped = await inTenant(world.database, world.tenantId, (tx) => readImport(tx, id));
  expect([stopped.doneAt, stopped.counts.created]).toEqual([null, 6 * limits.importRowsPerPart]);
  expect((await readState(world)).decisions, 'nobody is decided for before all are written').toEqual([]);
  await carryOutImports(world.database, () => world.now);
  await check(world, id);
});

it('is not kept waiting by the many files of somebody else', async () => {
  const [first, second] = [await staffed(), await staffed()];
  const files = [];
  for (let n = 0; n < 10; n += 1)
    files.push(await importPeople(first.database, first.door, fileOf(first, many)));
  const id = await importPeople(second.database, second.door, fileOf(second, many));
  let looks = 0;
  const now = () => new Date(first.now.getTime() + ++looks);
  expect(await carryOutImports(test.database, now)).toBe(2);
  const endOf = async (world: TestWorld, one: string) =>
    (await inTenant(world.database, world.tenantId, (tx) => readImport(tx, one))).doneAt?.getTime() ?? 0;
  const ends = await Promise.all(files.map((one) => endOf(first, one)));
  expect(await endOf(second, id)).toBeLessThan(Math.max(...ends));
  await check(second, id);
});

it('refuses alone the row that no index can hold, and carries out those behind it', async () => {
  const world = await staffed();
  const file = fileOf(world, 12);
  const userName = randomBytes(4000).toString('hex');
  const rows = file.rows.map((row, at) => {
    return at === 4 ? { ...row, intake: { ...(row.intake as Intake), userName } } : row;
  });
  const id = await importPeople(world.database, world.door, { ...file, rows });
  await carryOutImports(world.database, () => world.now);
  const { counts, doneAt } = await inTenant(world.database, world.tenantId, (tx) => readImport(tx, id));
  expect([doneAt === null, counts]).toMatchObject([false, { created: 11, refused: 1 }]);
  expect((await readState(world)).users).toHaveLength(11);
});

it('finds whom a directory makes at the same moment', async () => {
  const world = await staffed();
  const [id] = await Promise.all([
    importPeople(world.database, world.door, fileOf(world, 40)),
    ...[0, 10, 20, 30, 39].map((n) => world.user(nameOf(n)).catch((error: unknown) => error)),
  ]);
  const one = await inTenant(world.database, world.tenantId, (tx) => readImport(tx, id));
  const { created, unchanged, updated, refused } = one.counts;
  expect(created + unchanged + updated + refused).toBe(40);
  const state = await readState(world);
  expect(state.users).toHaveLength(40);
  expect(stored(state)).toEqual(recompute(state));
});

it('waits under staged settlement, with the plan that is then carried out', async () => {
  const world = await staffed(2);
  await putSettings(world.database, world.door, { ...defaultSettings, settlement: 'staged' });
  await importPeople(world.database, world.door, fileOf(world, 5));
  const held = async () => (await readState(world)).decisions.filter(({ seat }) => seat === 'held').length;
  expect(await held()).toBe(0);
  const plan = await previewEdit(world.database, world.door, { op: 'settle' }, whole);
  expect(plan).toMatchObject({ gained: 2, queued: 3 });
});
