/** Marks that large edits made of many people at once are as good as a mark of each. */

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findBlueWork } from '../../src/blue/connection-store.ts';
import { countPending, selectDueMarks } from '../../src/blue/people-store.ts';
import { syncNow } from '../../src/blue/sync-flow.ts';
import { inTenant, type TenantTransaction } from '../../src/db/tenant-transaction.ts';
import { newId, type UserId } from '../../src/kernel/ids.ts';
import { createMapping } from '../../src/provisioning/mapping-flow.ts';
import { marking, markingTogether } from '../../src/provisioning/mark-sql.ts';
import { clearLeftovers } from '../../src/tenants/leftovers-flow.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { type Stage, stage } from './sync-support.ts';

let s: Stage;
beforeAll(async () => {
  s = await stage();
});
afterAll(() => s.close());

it('a large edit marks its people so, and the sync comes to each of them', async () => {
  const t = await s.tenant();
  const { database } = s.test;
  const { group } = await t.role('view_only');
  const people = ['ann', 'bob', 'cid', 'dan', 'eve'];
  for (const name of people) await t.user(name, [group]);
  await t.sync();
  const read = <T>(work: (tx: TenantTransaction) => Promise<T>) => inTenant(database, t.tenantId, work);
  expect(await read(countPending)).toBe(0);
  const work = () => findBlueWork(database, t.clock.now(), new Date(0), 1000);
  expect(await work()).not.toContain(t.tenantId);
  const draft = { group: { id: group }, role: 'client', workspaces: ['w2'], priority: 9, fallbackRole: null };
  const open = { validFrom: null, validUntil: null, mayPreempt: false, approval: null, subPool: null };
  await createMapping(database, { ...t.door(), peoplePerDecision: 2 }, { ...draft, ...open });
  expect(await read((tx) => tx.run(sql`select from blue_sync where tenant_id = ${tx.tenantId}`))).toEqual([]);
  expect(await read(countPending)).toBe(people.length);
  expect(await work()).toContain(t.tenantId);
  await t.sync();
  expect(t.invited().filter((one) => one.endsWith('w2'))).toEqual(people.map((name) => `${name} CLIENT w2`));
  expect(await work()).not.toContain(t.tenantId);
});

it('what a large edit decided of people whom the sync has not come to is no drift', async () => {
  const t = await s.tenant({ connection: { drift: 'report' } });
  const { database } = s.test;
  const { group } = await t.role('view_only');
  for (const name of ['ann', 'bob', 'cid']) {
    await t.user(name, [group]);
    await t.sync();
    t.double.state.accept(`${name}@acme.example`);
  }
  await syncNow(t.services, t.door(), { drift: true });
  const draft = { group: { id: group }, role: 'client', workspaces: ['w2'], priority: 9, fallbackRole: null };
  const open = { validFrom: null, validUntil: null, mayPreempt: false, approval: null, subPool: null };
  await createMapping(database, { ...t.door(), peoplePerDecision: 2 }, { ...draft, ...open });
  await syncNow(t.services, t.door(), { drift: true });
  const drift = await inTenant(database, t.tenantId, (tx) =>
    tx.run(sql`select from audit_trail where tenant_id = ${tx.tenantId} and action = 'blue.drift_found'`),
  );
  expect(drift).toEqual([]);
  expect(t.held('w2')).toEqual(['ann CLIENT', 'bob CLIENT', 'cid CLIENT']);
});

describe('batches of marks', () => {
  let world: TestWorld;
  let at: number;

  beforeEach(async () => {
    world = await newWorld(s.test.database);
    at = 0;
  });

  const read = <T>(work: (tx: TenantTransaction) => Promise<T>) =>
    inTenant(world.database, world.tenantId, work);
  const peopleOf = (count: number) => Array.from({ length: count }, () => newId<UserId>(Date.now()));
  const instant = (hour: number) => new Date(world.now.getTime() + hour * 3_600_000);
  const selecting = (ids: UserId[]) => sql`select unnest(${ids}::uuid[]) as user_id`;
  /** Each an hour after the one before. */
  async function mark(how: typeof marking | typeof markingTogether, ids: UserId[]): Promise<UserId[]> {
    await read(async (tx) => tx.send(how(tx, selecting(ids), instant(at))));
    at += 1;
    return ids;
  }
  const due = (most: number) => read((tx) => selectDueMarks(tx, instant(at), most));
  const batches = async () =>
    (await read((tx) => tx.run(sql`select from blue_sync_batches where tenant_id = ${tx.tenantId}`))).length;
  const marks = () =>
    read((tx) =>
      tx.run(sql<{ user_id: UserId; desired_version: number; marked_at: Date; not_before: Date | null }>`
        select user_id, desired_version, marked_at, not_before from blue_sync where tenant_id = ${tx.tenantId} order by marked_at, user_id`),
    );

  it('come in their turn, as far as they are needed', async () => {
    const one = await mark(marking, peopleOf(2));
    const two = await mark(markingTogether, peopleOf(3));
    const three = await mark(markingTogether, peopleOf(2));
    const four = await mark(marking, peopleOf(1));
    expect(await due(2)).toEqual(one.toSorted());
    expect(await batches()).toBe(2);
    expect((await due(5)).slice(0, 5)).toEqual([...one.toSorted(), ...two.toSorted()]);
    expect(await batches()).toBe(1);
    expect(await due(8)).toEqual([one, two, three, four].flatMap((ids) => ids.toSorted()));
    expect(await batches()).toBe(0);
    expect((await marks()).map(({ marked_at: since }) => since.getTime())).toEqual(
      [0, 0, 1, 1, 1, 2, 2, 3].map((hour) => instant(hour).getTime()),
    );
  });

  it('let whoever waits for another try wait no longer, in the old place', async () => {
    const [ann] = await mark(marking, peopleOf(1));
    await read(async (tx) =>
      tx.send(sql`update blue_sync set not_before = ${instant(99)} where tenant_id = ${tx.tenantId}`),
    );
    expect(await due(9)).toEqual([]);
    await mark(markingTogether, [ann as UserId]);
    expect(await due(9)).toEqual([ann]);
    expect(await marks()).toEqual([
      { user_id: ann, desired_version: 2, marked_at: instant(0), not_before: null },
    ]);
  });

  it('are unfolded once by two who look at the same time', async () => {
    await mark(markingTogether, peopleOf(40));
    const looks = await Promise.all([due(100), due(100)]);
    expect(looks.map((ids) => ids.length)).toEqual([40, 40]);
    expect(new Set((await marks()).map((row) => row.desired_version))).toEqual(new Set([1]));
  });

  it('count each person once', async () => {
    const some = await mark(marking, peopleOf(2));
    await mark(markingTogether, [...some, ...peopleOf(3)]);
    await mark(markingTogether, some);
    expect(await read(countPending)).toBe(5);
  });

  it('that no sync comes to become marks within a day or so', async () => {
    const [old, young] = [await mark(markingTogether, peopleOf(2)), await mark(markingTogether, peopleOf(2))];
    await clearLeftovers(world.database, new Date(instant(24).getTime() + 60_000));
    expect((await marks()).map((row) => row.user_id)).toEqual(old.toSorted());
    await clearLeftovers(world.database, instant(26));
    expect((await marks()).map((row) => row.user_id)).toEqual([...old.toSorted(), ...young.toSorted()]);
  });
});
