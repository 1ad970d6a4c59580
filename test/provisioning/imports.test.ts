/** Imports that are carried out beside others, by several processes, and go on where they stopped. */

import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { carryOutImports, importPeople, readImport, rehearseImport } from '../../src/imports/import-flow.ts';
import { readRows } from '../../src/imports/import-result-flow.ts';
import type { PeopleFile } from '../../src/imports/people-file.ts';
import { newId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { refuseRequest } from '../../src/provisioning/edit-gate-flow.ts';
import { insertEditRequest } from '../../src/provisioning/edit-request-store.ts';
import type { Intake } from '../../src/provisioning/intake.ts';
import { previewEdit } from '../../src/provisioning/preview-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { verifySeats } from '../../src/provisioning/verify-flow.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld, testActor } from '../support/tenants.ts';
import { checkState } from './checks.ts';
import { recompute, stored } from './model.ts';
import { whole } from './preview-support.ts';
import { readState } from './state.ts';

let test: TestDatabase;
let listsRead = 0;
beforeAll(async () => {
  const onStatement = (text: string) => {
    if (text.includes(`"customRoles"`)) listsRead += 1;
  };
  test = await testDatabase({ poolSize: 8, onStatement });
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
const many = 12 * limits.importRowsPerPart;

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
  expect([stopped.doneAt, stopped.counts.created]).toEqual([null, 11 * limits.importRowsPerPart]);
  expect((await readState(world)).decisions, 'nobody is decided for before all are written').toEqual([]);
  const verified = await verifySeats(world.database, world.tenantId, world.now, 1);
  expect(verified.differing, 'which is no mistake').toEqual([]);
  await carryOutImports(world.database, () => world.now);
  await check(world, id);
});

it('decides for nobody anew where another process has, and is about to say so', async () => {
  const world = await staffed();
  const id = await importPeople(world.database, world.door, fileOf(world, 3));
  const version = () =>
    inTenant(world.database, world.tenantId, async (tx) => {
      const [row] = await tx.run(sql<{ xmin: string }>`select xmin::text from seat_pools`);
      return row?.xmin;
    });
  const before = await version();
  await inTenant(world.database, world.tenantId, (tx) => tx.run(sql`update imports set done_at = null`));
  await carryOutImports(world.database, () => world.now);
  const one = await inTenant(world.database, world.tenantId, (tx) => readImport(tx, id));
  expect(one.doneAt).not.toBeNull();
  expect(await version(), 'no seat is given while everybody is looked at').toBe(before);
});

it('reads Blue’s lists once for many pins in as many workspaces', async () => {
  const world = await staffed();
  const { rows, ...file } = fileOf(world, 12);
  const pinned = rows.map((row, at) => {
    const pin = { role: 'view_only', workspaces: [`w${at}`], until: null };
    return { ...row, intake: { ...(row.intake as Intake), pin } };
  });
  const people = pinned.map(({ intake }) => intake);
  listsRead = 0;
  await previewEdit(world.database, world.door, { op: 'import', people }, whole);
  expect(listsRead).toBe(1);
  await importPeople(world.database, world.door, { ...file, rows: pinned });
  expect(listsRead, 'for its preview, and while the pool is locked').toBe(3);
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

it('leaves whom it deactivates no seat, long before its last row is written (I2)', async () => {
  const world = await staffed(1);
  await importPeople(world.database, world.door, fileOf(world, 1));
  const { rows, ...file } = fileOf(world, many);
  const leaving = rows.map((row, at) => {
    const said = { roles: ['staff'], ...(at === 0 ? { active: false } : {}) };
    return { ...row, intake: { ...(row.intake as Intake), said } };
  });
  const id = await importPeople(world.database, world.door, { ...file, rows: leaving });
  const open = await inTenant(world.database, world.tenantId, (tx) => readImport(tx, id));
  expect(open.doneAt).toBeNull();
  const state = await readState(world);
  expect(state.decisions, 'nobody else is decided for').toEqual([]);
  expect(state.pool.used).toBe(0);
  await carryOutImports(world.database, () => world.now);
  const end = await readState(world);
  checkState(end);
  expect(end.decisions.filter(({ seat }) => seat === 'held')).toHaveLength(1);
  expect(stored(end)).toEqual(recompute(end));
});

it('lets twenty files wait, and refuses another', async () => {
  const world = await staffed();
  const file = fileOf(world, 1);
  await inTenant(world.database, world.tenantId, async (tx) =>
    tx.send(sql`
      insert into imports (tenant_id, id, created_at, actor, dry_run, columns, plan)
      select ${tx.tenantId}, gen_random_uuid(), ${world.now}, '{}', false, '{}', '{}'
      from generate_series(1, ${limits.importsOpenMax}::int)`),
  );
  await expect(importPeople(world.database, world.door, file)).rejects.toMatchObject({ code: 'conflict' });
  await rehearseImport(world.database, world.door, file);
  await carryOutImports(world.database, () => world.now);
  await importPeople(world.database, world.door, file);
});

it('keeps a file that it fails to carry out, and names whose it is, after everybody else’s', async () => {
  const [first, second] = [await staffed(), await staffed()];
  const [row] = fileOf(first, 1).rows;
  const broken = JSON.stringify({ ...(row?.intake as Intake), said: null });
  await inTenant(first.database, first.tenantId, async (tx) => {
    tx.send(sql`
      insert into imports (tenant_id, id, created_at, actor, dry_run, columns, plan)
      values (${tx.tenantId}, '00000000-0000-7000-8000-000000000000', ${first.now}, '{}', false, '{}', '{}')`);
    tx.send(sql`
      insert into import_rows (tenant_id, import_id, line, cells, intake)
      values (${tx.tenantId}, '00000000-0000-7000-8000-000000000000', 2, '{}', ${broken})`);
  });
  const behind = await importPeople(first.database, first.door, fileOf(first, 1));
  const id = await importPeople(second.database, second.door, fileOf(second, many));
  const message = `imports of 1 of 2 tenants failed: ${first.tenantId}`;
  await expect(carryOutImports(test.database, () => first.now)).rejects.toMatchObject({ message });
  await check(second, id);
  await inTenant(first.database, first.tenantId, (tx) => tx.run(sql`delete from imports where actor = '{}'`));
  await carryOutImports(test.database, () => first.now);
  const one = await inTenant(first.database, first.tenantId, (tx) => readImport(tx, behind));
  expect(one.doneAt).not.toBeNull();
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

it('is decided for when all of it is written, also where many are decided for before', async () => {
  const world = await staffed();
  const crew = await world.group('Crew');
  await world.fill(crew, 40);
  const id = await importPeople(world.database, world.door, fileOf(world, many));
  world.peoplePerDecision = 10;
  await world.map({ group: { id: crew }, priority: 9, role: 'view_only' });
  const { decisions } = await readState(world);
  expect(decisions, 'of the crew alone').toHaveLength(40);
  await carryOutImports(world.database, () => world.now);
  const one = await inTenant(world.database, world.tenantId, (tx) => readImport(tx, id));
  expect(one.doneAt).not.toBeNull();
  const state = await readState(world);
  expect(state.decisions).toHaveLength(40 + many);
  expect(stored(state)).toEqual(recompute(state));
});

it('gives no seat to whom it deactivated while its other rows are written', async () => {
  const world = await staffed(1);
  await importPeople(world.database, world.door, fileOf(world, 2));
  const { users, decisions } = await readState(world);
  const whose = (seat: string) => {
    const id = decisions.find((one) => one.seat === seat)?.user_id;
    return users.filter((user) => user.id === id);
  };
  const [[holder], [waiter]] = [whose('held'), whose('waiting')];
  if (holder === undefined || waiter === undefined) throw new Error('one has the seat, the other waits');
  const { rows, ...file } = fileOf(world, many);
  const leaving = rows.map((row) => {
    const intake = row.intake as Intake;
    const isLeaver = intake.userName === waiter.user_name;
    return isLeaver ? { ...row, intake: { ...intake, said: { active: false } } } : row;
  });
  const id = await importPeople(world.database, world.door, { ...file, rows: leaving });
  await world.remove(holder.id);
  const meanwhile = (await readState(world)).decisions;
  expect(meanwhile.find((one) => one.user_id === waiter.id)?.seat).not.toBe('held');
  await carryOutImports(world.database, () => world.now);
  const one = await inTenant(world.database, world.tenantId, (tx) => readImport(tx, id));
  expect(one.doneAt).not.toBeNull();
  const state = await readState(world);
  expect(stored(state)).toEqual(recompute(state));
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

it('is not carried out where the approval that makes it was decided otherwise meanwhile', async () => {
  const world = await staffed();
  const { now } = world;
  const requestId = newId<string>(now.getTime());
  const call = { method: 'POST', path: '/imports', body: 'userName' } as const;
  const asked = { ...call, id: requestId, because: [], replaces: null, actor: testActor, askedBy: [] };
  await inTenant(world.database, world.tenantId, async (tx) => {
    insertEditRequest(tx, {
      ...asked,
      ...{ createdAt: now, state: 'pending', decidedBy: null, decidedAt: null },
    });
  });
  await refuseRequest(world.database, world.door, requestId);
  const door = { ...world.door, approval: { requestId, begunAt: now } };
  await expect(importPeople(world.database, door, fileOf(world, 3))).rejects.toMatchObject({
    code: 'conflict',
  });
  expect((await readState(world)).users).toEqual([]);
});

it('tells beforehand of whom somebody else has the address', async () => {
  const world = await staffed();
  await world.user('ann', { emails: [{ value: nameOf(0), primary: true }] });
  const id = await rehearseImport(world.database, world.door, fileOf(world, 2));
  const page = { after: 0, most: 10 };
  const rows = await inTenant(world.database, world.tenantId, (tx) => readRows(tx, id, page, world.now));
  expect(rows.map(({ outcome, seat, detail }) => [outcome, seat?.state, detail])).toEqual([
    ['created', 'none', expect.stringContaining('DUPLICATE_EMAIL')],
    ['created', 'held', null],
  ]);
});
