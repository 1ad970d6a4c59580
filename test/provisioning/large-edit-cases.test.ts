/** What must come out of an edit of more people than are decided for at a time, one scenario for each way in which batches could go wrong. */

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareUnmanagedPaid } from '../../src/blue/unmanaged-store.ts';
import type { Database } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { addLine } from '../../src/provisioning/contract-flow.ts';
import { setPin } from '../../src/provisioning/pin-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { noteUnmanagedPaid } from '../../src/provisioning/unmanaged-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newScene, type Scene } from './scene.ts';
import { readState } from './state.ts';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());

const seven = ['Ada', 'Bo', 'Cy', 'Di', 'Ed', 'Fay', 'Gus'];

/** Two people are decided for at a time. */
async function inTwos(names: readonly string[], contract = {}): Promise<Scene> {
  const scene = await newScene(test.database, names, contract);
  scene.world.peoplePerDecision = 2;
  await scene.world.salt('salt');
  return scene;
}

/** Of those who claimed at the same time, those whom the tie-break favours, in the order in which they came. */
async function firstByTie(scene: Scene, most: number): Promise<string[]> {
  const { decisions } = await readState(scene.world);
  const asking = decisions.filter(({ priority }) => priority !== null);
  const first = asking.toSorted((a, b) => (a.tie < b.tie ? -1 : 1)).slice(0, most);
  return scene.names.filter((name) => first.some((row) => row.user_id === scene.id(name)));
}

it('the order is that of the queue, not that of the batches', async () => {
  const scene = await inTwos([]);
  for (const name of seven) await scene.person(name);
  const crew = await scene.world.group(
    'Crew',
    seven.map((name) => scene.id(name)),
  );
  await scene.world.map({ group: { id: crew }, priority: 20 });
  const expected = await firstByTie(scene, 3);
  expect(await scene.seated()).toEqual(expected);
  expect(expected, 'else this shows nothing').not.toEqual(seven.slice(0, 3));
});

it('seats that come are all given, however many', async () => {
  const scene = await inTwos(seven, { paidSeats: 0 });
  await scene.world.contract({ paidSeats: 5 });
  expect(await scene.seated()).toEqual(seven.slice(0, 5));
  expect((await readState(scene.world)).pool.evaluating).toBe(false);
});

it('also when somebody of the queue is decided for in the same write', async () => {
  const scene = await inTwos(seven, { paidSeats: 0 });
  const until = new Date('2026-03-11T00:00:00.000Z');
  const pin = { role: 'team_member', workspaces: null, reason: 'test', reserved: false };
  await setPin(test.database, scene.world.door, scene.id('Ada'), { ...pin, until });
  await addLine(test.database, scene.world.door, {
    ...{ kind: 'add_on', effectiveOn: '2026-03-11', endsOn: null, setsSeats: false, paidSeats: 5 },
    ...{ tier: null, contractEndsOn: null, reason: 'test', documentReference: null },
  });
  scene.world.now = until;
  await settleDue(test.database, until, 100, scene.world.door);
  expect(await scene.seated()).toEqual(seven.slice(0, 5));
});

it('those above the capacity come within it before anybody of the queue', async () => {
  const scene = await inTwos(seven, { paidSeats: 1, policy: 'allow', allowancePercent: 400 });
  expect(await scene.queue()).toEqual(['Fay', 'Gus']);
  await scene.world.contract({ paidSeats: 6, policy: 'queue' });
  expect((await readState(scene.world)).pool).toMatchObject({ used: 6, overage: 0, evaluating: false });
  expect(await scene.queue()).toEqual(['Gus']);
  await scene.world.contract({ paidSeats: 4, policy: 'queue' });
  expect(await scene.seated(), 'nobody loses a seat').toEqual(seven.slice(0, 6));
});

it('what the policy allows above the capacity is given too, however many are above it', async () => {
  const scene = await inTwos([], { paidSeats: 1, policy: 'allow', allowancePercent: 600 });
  for (const name of seven) await scene.person(name);
  const crew = await scene.world.group(
    'Crew',
    seven.map((name) => scene.id(name)),
  );
  await scene.world.map({ group: { id: crew }, priority: 20 });
  expect((await readState(scene.world)).pool).toMatchObject({ used: 7, overage: 6, evaluating: false });
});

it('those above the capacity that fell lose their seats in order, however many', async () => {
  const scene = await inTwos(seven, { paidSeats: 7, decreaseGraceDays: 0 });
  await scene.world.contract({ paidSeats: 2, decreaseGraceDays: 0 });
  await settleDue(test.database, scene.world.now, 100, scene.world.door);
  expect(await scene.seated()).toEqual(['Ada', 'Bo']);
  expect(await scene.queue()).toEqual(seven.slice(2));
});

it('also where one look finds that the capacity fell, and somebody else to decide for', async () => {
  const scene = await inTwos(seven, { paidSeats: 7, decreaseGraceDays: 0 });
  const until = new Date('2026-03-11T00:00:00.000Z');
  const pin = { role: 'view_only', workspaces: null, reason: 'test', reserved: false };
  for (const name of ['Ed', 'Fay', 'Gus'])
    await setPin(test.database, scene.world.door, scene.id(name), { ...pin, until });
  await addLine(test.database, scene.world.door, {
    ...{ kind: 'amendment', effectiveOn: '2026-03-11', endsOn: null, setsSeats: true, paidSeats: 2 },
    ...{ tier: null, contractEndsOn: null, reason: 'test', documentReference: null },
  });
  scene.world.now = until;
  await settleDue(test.database, until, 100, scene.world.door);
  expect(await scene.seated()).toEqual(['Ada', 'Bo']);
});

it('a batch of claims that ends with a large edit gives its seats, and the people of the edit open no other', async () => {
  const scene = await inTwos([]);
  await scene.settings({ settlement: 'staged' });
  await scene.join(seven);
  expect(await scene.seated()).toEqual([]);
  scene.world.pass(1000);
  await scene.settings({ settlement: 'cycle', defaultRole: 'view_only', exclusions: ['ada@example.com'] });
  expect(await scene.seated()).toEqual(await firstByTie(scene, 3));
  expect((await readState(scene.world)).pool).toMatchObject({ used: 3, batch_opened_at: null });
});

function lookAt({ world }: Scene, instant: Date): Promise<unknown> {
  world.now = instant;
  return settleDue(test.database, instant, 100, world.door);
}

it('whoever has a paid role in Blue without the gateway keeps it, and is counted once', async () => {
  const scene = await inTwos([], { paidSeats: 1 });
  for (const name of seven) await scene.person(name);
  await paidInBlue(scene, 'gus');
  await noteUnmanagedPaid(test.database, scene.world.door, 1);
  const crew = await scene.world.group(
    'Crew',
    seven.map((name) => scene.id(name)),
  );
  await scene.world.map({ group: { id: crew }, priority: 20 });
  expect(await scene.seated()).toEqual(['Gus']);
  expect((await readState(scene.world)).pool).toMatchObject({ used: 1, unmanaged_paid: 0 });
});

it('that is so, too, where Blue was read just before and is told of just after', async () => {
  const scene = await newScene(test.database, [], { paidSeats: 5 });
  await scene.person('Gus');
  const read = () =>
    inTenant(test.database, scene.world.tenantId, (tx) =>
      compareUnmanagedPaid(tx, { ownerUserId: null, managedWorkspaces: ['w1'] }),
    );
  await paidInBlue(scene, 'gus');
  await noteUnmanagedPaid(test.database, scene.world.door, await read());
  await paidInBlue(scene, 'hal');
  const change = await read();
  await scene.join(['Gus']);
  await noteUnmanagedPaid(test.database, scene.world.door, change);
  expect((await readState(scene.world)).pool).toMatchObject({ used: 1, unmanaged_paid: 1 });
  expect(await read()).toBe(0);
});

function paidInBlue({ world }: Scene, name: string): Promise<unknown> {
  return inTenant(test.database, world.tenantId, (tx) =>
    tx.run(sql`insert into blue_members (tenant_id, blue_user_id, address, memberships, paid_workspaces)
      values (${tx.tenantId}, ${name}, ${`${name}@example.com`}, '[]', '{w1}')`),
  );
}

it('that is so as far as the capacity reaches', async () => {
  const scene = await newScene(test.database, ['Ada', 'Bo'], { paidSeats: 2, decreaseGraceDays: 0 });
  await scene.person('Gus');
  await paidInBlue(scene, 'gus');
  await noteUnmanagedPaid(test.database, scene.world.door, 1);
  await scene.join(['Gus']);
  expect([await scene.seated(), await scene.queue()]).toEqual([['Ada', 'Bo'], ['Gus']]);
});

/** The database, in which something happens before the transaction of that number. */
function before(number: number, happen: () => Promise<void>): Database {
  let count = 0;
  const withConnection: Database['withConnection'] = async (work, holder) => {
    count += 1;
    if (count === number) await happen();
    return await test.database.withConnection(work, holder);
  };
  return { ...test.database, withConnection };
}

/** What became of the person's seat, in the order in which it is told. */
async function seatsTold(scene: Scene, name: string): Promise<unknown[]> {
  const rows = await inTenant(test.database, scene.world.tenantId, (tx) =>
    tx.run(sql<{ seat: string | null }>`
      select after ->> 'seat' as seat from audit_trail
      where tenant_id = ${tx.tenantId} and action = 'decision.changed' and subject = ${scene.id(name)} order by seq`),
  );
  return rows.map(({ seat }) => seat);
}

describe('where a large edit lets people claim', () => {
  const begins = new Date('2026-03-11T00:00:00.000Z');

  /** Everybody is in `Crew`, the last three in `Leads` too: the mappings of both begin together. */
  async function awaited(contract: object): Promise<Scene> {
    const scene = await inTwos([], contract);
    for (const name of seven) await scene.person(name);
    const mapped = async (group: string, names: readonly string[], priority: number) => {
      const id = await scene.world.group(
        group,
        names.map((name) => scene.id(name)),
      );
      await scene.world.map({ group: { id }, priority, validFrom: begins });
    };
    await mapped('Crew', seven, 30);
    await mapped('Leads', seven.slice(4), 20);
    return scene;
  }

  it('whoever gets a seat in any case has it from the start: nobody is told to wait for it', async () => {
    const scene = await awaited({ paidSeats: 7 });
    await lookAt(scene, begins);
    expect(await scene.seated()).toEqual(seven);
    for (const name of seven) expect(await seatsTold(scene, name), name).toEqual(['held']);
    expect((await readState(scene.world)).pool).toMatchObject({ used: 7, evaluating: false });
  });

  it.each([
    [6, ['waiting']],
    [7, ['held']],
  ])('so it is where a directory names them: of seven with %i seats', async (paidSeats, first) => {
    const scene = await inTwos([], { paidSeats });
    for (const name of seven) await scene.person(name);
    await scene.world.editGroup(scene.staff, { add: seven.map((name) => scene.id(name)) });
    expect(await scene.seated()).toHaveLength(paidSeats);
    for (const name of seven) expect((await seatsTold(scene, name)).slice(0, 1), name).toEqual(first);
    expect((await readState(scene.world)).pool).toMatchObject({ used: paidSeats, evaluating: false });
  });

  it('where not all can have one it is those of the better priority; of the others the queue tells', async () => {
    const scene = await awaited({ paidSeats: 5 });
    await lookAt(scene, begins);
    const seated = await scene.seated();
    expect(seated).toHaveLength(5);
    expect(seated.slice(2)).toEqual(['Ed', 'Fay', 'Gus']);
    for (const name of seven) {
      const rest = seated.includes(name) ? ['waiting', 'held'] : ['waiting'];
      expect(await seatsTold(scene, name), name).toEqual(seven.indexOf(name) < 4 ? rest : ['held']);
    }
  });

  it('where seats go meanwhile, nobody gets one before a better claim', async () => {
    for (let at = 2, wasLate = false; !wasLate; at += 1) {
      const scene = await awaited({ paidSeats: 7 });
      let held: string[] | undefined;
      const database = before(at, async () => {
        await noteUnmanagedPaid(test.database, scene.world.door, 3);
        held = await scene.seated();
      });
      scene.world.now = begins;
      await settleDue(database, begins, 100, scene.world.door);
      const given = (await scene.seated()).filter((name) => !held?.includes(name));
      const isBehind = given.some((name) => seven.indexOf(name) < 4);
      const isLeadWaiting = (await scene.queue()).some((name) => seven.indexOf(name) >= 4);
      expect(isBehind && isLeadWaiting, `before transaction ${at}`).toBe(false);
      expect((await scene.seated()).length).toBe(Math.max(4, held?.length ?? 7));
      wasLate = held === undefined || held.length === 7;
    }
  });

  it('whoever waited before with a better priority is served before', async () => {
    const scene = await awaited({ paidSeats: 0 });
    await scene.join(['Hal', 'Ivy']);
    await addLine(test.database, scene.world.door, {
      ...{ kind: 'add_on', effectiveOn: '2026-03-11', endsOn: null, setsSeats: false, paidSeats: 3 },
      ...{ tier: null, contractEndsOn: null, reason: 'test', documentReference: null },
    });
    await lookAt(scene, begins);
    expect(await scene.seated()).toEqual(expect.arrayContaining(['Hal', 'Ivy']));
    expect(await scene.seated()).toHaveLength(3);
  });
});
