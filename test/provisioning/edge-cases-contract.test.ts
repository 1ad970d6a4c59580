/**
 * The edge cases of policies and of a contract that grows and shrinks, one scenario for each sentence of docs/licensing.md. How an
 * evaluation ends and is restored, and what a back-dated amendment leaves alone, is in contract-life.test.ts.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectExplainFacts } from '../../src/admin/explain-store.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { explain } from '../../src/licensing/explain.ts';
import { addLine } from '../../src/provisioning/contract-flow.ts';
import { setPin } from '../../src/provisioning/pin-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { dayMs, hourMs, minuteMs, newScene, type Scene } from './scene.ts';
import { readState } from './state.ts';

let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());

const amend = (scene: Scene, effectiveOn: string, paidSeats: number) =>
  addLine(test.database, scene.world.door, {
    ...{ kind: 'amendment', effectiveOn, endsOn: null, setsSeats: true, paidSeats },
    ...{ tier: null, contractEndsOn: null, reason: 'agreed', documentReference: null },
  });

describe('a smaller tier', () => {
  /** Tom, of the lowest priority, came first; Bo is pinned; all four have seats, and Dee waits. */
  async function shrinking(): Promise<Scene> {
    const scene = await newScene(test.database, [], { paidSeats: 4, decreaseGraceDays: 10 });
    const temps = await scene.world.group('Temps');
    await scene.world.map({ group: { id: temps }, priority: 20 });
    await scene.join(['Tom'], temps);
    await scene.join(['Ada', 'Bo', 'Cy', 'Dee']);
    const pin = { role: 'team_member', workspaces: null, reason: 'test', until: null, reserved: false };
    await setPin(test.database, scene.world.door, scene.id('Bo'), pin);
    return scene;
  }

  it('takes nobody’s seat away at once, gives none again, and takes the excess when its grace is over', async () => {
    const scene = await shrinking();
    await amend(scene, '2026-04-01', 2);
    await scene.lookAt('2026-04-01T00:00:00.000Z');
    expect(await scene.seated()).toEqual(['Tom', 'Ada', 'Bo', 'Cy']);
    await scene.lookAt('2026-04-10T23:59:59.999Z');
    expect(await scene.seated()).toEqual(['Tom', 'Ada', 'Bo', 'Cy']);
    await scene.lookAt('2026-04-11T00:00:00.000Z');
    expect(await scene.seated(), 'the lowest priority, then the latest claim').toEqual(['Ada', 'Bo']);
    expect(await scene.queue()).toEqual(['Cy', 'Dee', 'Tom']);
  });

  it('tells whose seat is to go, and when', async () => {
    const scene = await shrinking();
    await amend(scene, '2026-04-01', 2);
    await scene.lookAt('2026-04-01T00:00:01.000Z');
    const until = '2026-04-11T00:00:00.000Z';
    const reasons = await Promise.all(['Tom', 'Cy', 'Ada', 'Bo'].map((name) => scene.told(name)));
    expect(reasons.map(([, reason]) => reason)).toEqual([
      `SEAT_EXCESS_UNTIL:${until}`,
      `SEAT_EXCESS_UNTIL:${until}`,
      'SEAT_HELD',
      'SEAT_HELD',
    ]);
    const { database, tenantId, now } = scene.world;
    const facts = await inTenant(database, tenantId, (tx) => selectExplainFacts(tx, scene.id('Cy'), now));
    if (facts === undefined) throw new Error('nobody');
    const { reasons: codes, sentence, smallestChange } = explain(facts);
    expect(codes[0]).toBe(`SEAT_EXCESS_UNTIL:${until}`);
    expect(sentence).toContain(`holds a seat above the 2 that there now are: it may go at ${until}`);
    expect(smallestChange).toMatch(/^More seats/);
    await amend(scene, '2026-04-02', 4);
    await scene.lookAt('2026-04-02T00:00:00.000Z');
    expect((await scene.told('Cy'))[1]).toBe('SEAT_HELD');
  });

  it('counts the grace from the day of the line, however late the gateway looks', async () => {
    const scene = await shrinking();
    await amend(scene, '2026-04-01', 2);
    await scene.lookAt('2026-04-09T12:00:00.000Z');
    expect(await scene.seated()).toEqual(['Tom', 'Ada', 'Bo', 'Cy']);
    await scene.lookAt('2026-04-11T00:00:00.000Z');
    expect(await scene.seated()).toEqual(['Ada', 'Bo']);
  });

  it('counts it from the edit, where that speaks of an earlier day', async () => {
    const scene = await shrinking();
    await scene.lookAt('2026-05-01T00:00:00.000Z');
    await amend(scene, '2026-04-01', 2);
    await scene.lookAt('2026-05-10T23:59:59.999Z');
    expect(await scene.seated()).toEqual(['Tom', 'Ada', 'Bo', 'Cy']);
    await scene.lookAt('2026-05-11T00:00:00.000Z');
    expect(await scene.seated()).toEqual(['Ada', 'Bo']);
  });

  it('takes nothing once a signed contract is over, be it that the seats became fewer before or then', async () => {
    const scene = await shrinking();
    await scene.world.contract({ paidSeats: 4, decreaseGraceDays: 10, endsOn: '2026-04-05' });
    await amend(scene, '2026-04-01', 2);
    await scene.lookAt('2026-04-01T00:00:00.000Z');
    await scene.lookAt('2026-04-06T00:00:00.000Z');
    await scene.lookAt('2026-06-01T00:00:00.000Z');
    expect(await scene.seated()).toEqual(['Tom', 'Ada', 'Bo', 'Cy']);
    // The next contract is smaller still: its grace begins with it.
    await scene.world.contract({ paidSeats: 4, decreaseGraceDays: 10, endsOn: '2027-04-05' });
    await scene.lookAt('2026-06-10T23:59:59.999Z');
    expect(await scene.seated()).toEqual(['Tom', 'Ada', 'Bo', 'Cy']);
    await scene.lookAt('2026-06-11T00:00:00.000Z');
    expect(await scene.seated()).toEqual(['Ada', 'Bo']);
  });

  it('gives no seat that is given back meanwhile', async () => {
    const scene = await shrinking();
    await amend(scene, '2026-03-10', 2);
    await scene.setActive('Ada', false);
    expect(await scene.seated()).toEqual(['Tom', 'Bo', 'Cy']);
  });

  it('takes pins last, and a later increase gives back in the order of the queue', async () => {
    const scene = await shrinking();
    await amend(scene, '2026-03-10', 1);
    await scene.passAndLook(10 * dayMs);
    expect(await scene.seated()).toEqual(['Bo']);
    await amend(scene, '2026-03-20', 0);
    await scene.passAndLook(10 * dayMs);
    expect(await scene.seated()).toEqual([]);
    for (const [seats, seated] of [
      [1, ['Bo']],
      [2, ['Ada', 'Bo']],
      [4, ['Ada', 'Bo', 'Cy', 'Dee']],
      [5, ['Tom', 'Ada', 'Bo', 'Cy', 'Dee']],
    ] as const) {
      scene.world.pass(1000);
      await amend(scene, '2026-03-30', seats);
      expect(await scene.seated()).toEqual(seated);
    }
  });

  it('takes nobody’s seat for one that is given back at the same instant', async () => {
    const scene = await newScene(test.database, ['Ada', 'Bo', 'Cy'], { decreaseGraceDays: 10 });
    await scene.world.contract({ paidSeats: 4, decreaseGraceDays: 10 });
    await scene.person('Pia');
    const pin = { role: 'team_member', workspaces: null, reason: 'test', reserved: false };
    const until = new Date('2026-04-11T00:00:00.000Z');
    await setPin(test.database, scene.world.door, scene.id('Pia'), { ...pin, until });
    const better = await scene.world.group('Better');
    await scene.world.map({ group: { id: better }, priority: 1 });
    await scene.join(['Zoe'], better);
    await amend(scene, '2026-04-01', 3);
    await scene.lookAt('2026-04-01T00:00:00.000Z');
    expect(await scene.seated()).toEqual(['Ada', 'Bo', 'Cy', 'Pia']);
    await scene.lookAt('2026-04-11T00:00:00.000Z');
    expect(await scene.seated()).toEqual(['Ada', 'Bo', 'Cy']);
    expect(await scene.queue()).toEqual(['Zoe']);
  });

  it('that is taken back within its grace takes nothing', async () => {
    const scene = await shrinking();
    await amend(scene, '2026-03-10', 2);
    await scene.passAndLook(9 * dayMs);
    await amend(scene, '2026-03-19', 4);
    await scene.passAndLook(30 * dayMs);
    expect(await scene.seated()).toEqual(['Tom', 'Ada', 'Bo', 'Cy']);
    expect((await readState(scene.world)).pool.excess_since).toBeNull();
  });
});

describe('policy grace', () => {
  const grace = { policy: 'grace', paidSeats: 2, allowancePercent: 50, graceDays: 2 } as const;

  it('gives a seat above the capacity until its day, then the queue, and no second one', async () => {
    const scene = await newScene(test.database, ['Ada', 'Bo', 'Cy', 'Di'], grace);
    const [state, reason] = await scene.told('Cy');
    expect([state, reason]).toEqual(['overage', expect.stringMatching(/^SEAT_OVERAGE_UNTIL:2026-03-12T12:/)]);
    expect(await scene.told('Di')).toEqual(['queued', 'SEAT_QUEUED', 'view_only']);
    await scene.passAndLook(2 * dayMs);
    expect(await scene.told('Cy')).toEqual(['queued', 'SEAT_QUEUED', 'view_only']);
    expect((await scene.told('Di'))[0], 'the next who has not had it').toBe('overage');
    await scene.setActive('Di', false);
    expect((await scene.told('Cy'))[0], 'no second grace').toBe('queued');
    await scene.setActive('Ada', false);
    expect(await scene.told('Cy'), 'but a seat in the capacity').toEqual([
      'held',
      'SEAT_HELD',
      'team_member',
    ]);
  });

  it('goes on for whoever moves out and comes back, and is over at the same instant', async () => {
    const scene = await newScene(test.database, ['Ada', 'Bo', 'Cy', 'Di'], grace);
    const [, until] = await scene.told('Cy');
    await scene.passAndLook(dayMs);
    await scene.leave('Cy');
    await scene.passAndLook(30 * minuteMs);
    await scene.join(['Cy']);
    expect(await scene.told('Cy')).toEqual(['overage', until, 'team_member']);
    expect(await scene.world.settle()).toBe(0);
    await scene.passAndLook(dayMs - 40 * minuteMs);
    await scene.leave('Cy');
    await scene.passAndLook(30 * minuteMs);
    expect((await scene.told('Cy'))[0]).toBe('hold');
    await scene.join(['Cy']);
    expect((await scene.told('Cy'))[0], 'it ended meanwhile').toBe('queued');
    expect((await scene.told('Di'))[0]).toBe('overage');
    expect(await scene.queue(), 'with the rank that it had').toEqual(['Cy']);
    await scene.leave('Cy');
    await scene.passAndLook(hourMs);
    await scene.setActive('Di', false);
    await scene.join(['Cy']);
    expect((await scene.told('Cy'))[0], 'a new claim, after the hold, has a time of its own').toBe('overage');
  });

  it('goes on for whom a smaller contract made wait meanwhile', async () => {
    const scene = await newScene(test.database, ['Ada', 'Bo', 'Cy'], { ...grace, decreaseGraceDays: 0 });
    const [, until] = await scene.told('Cy');
    await scene.world.contract({ ...grace, allowancePercent: 0, decreaseGraceDays: 0 });
    await scene.passAndLook(1000);
    expect((await scene.told('Cy'))[0]).toBe('queued');
    await scene.passAndLook(dayMs);
    await scene.world.contract({ ...grace, decreaseGraceDays: 0 });
    expect(await scene.told('Cy')).toEqual(['overage', until, 'team_member']);
  });

  it('of no days gives nobody a seat that would be gone a moment later', async () => {
    const scene = await newScene(test.database, ['Ada', 'Bo', 'Cy'], { ...grace, graceDays: 0 });
    expect(await scene.told('Cy')).toEqual(['queued', 'SEAT_QUEUED', 'view_only']);
    await scene.leave('Ada');
    await scene.join(['Ada']);
    expect((await scene.told('Ada'))[0], 'nor takes one from who comes back to it').toBe('held');
  });

  it('brings whoever is above the capacity within it when there is room, before the queue', async () => {
    const scene = await newScene(test.database, ['Ada', 'Bo', 'Cy', 'Di'], grace);
    await scene.setActive('Ada', false);
    expect((await scene.told('Cy'))[0]).toBe('held');
    expect((await scene.told('Di'))[0]).toBe('overage');
  });

  it('a move inside the hold keeps a seat within the capacity within it (I17)', async () => {
    const scene = await newScene(test.database, ['Ada', 'Bo', 'Cy'], { ...grace, graceDays: 9 });
    await scene.leave('Ada');
    await scene.join(['Ada']);
    expect((await scene.told('Ada'))[0]).toBe('held');
    expect((await scene.told('Cy'))[0]).toBe('overage');
  });

  it('that gives way to a queue with more seats keeps within them', async () => {
    const scene = await newScene(test.database, ['Ada', 'Bo', 'Cy', 'Di'], grace);
    await scene.world.contract({ paidSeats: 3, policy: 'queue' });
    expect(await scene.seated()).toEqual(['Ada', 'Bo', 'Cy']);
    expect((await readState(scene.world)).pool).toMatchObject({ used: 3, overage: 0 });
  });
});

it('policy allow gives seats above the capacity without an end, and not one more', async () => {
  const allow = { policy: 'allow', paidSeats: 2, allowancePercent: 99 } as const;
  const scene = await newScene(test.database, ['Ada', 'Bo', 'Cy', 'Di'], allow);
  await scene.passAndLook(200 * dayMs);
  expect(await scene.told('Cy')).toEqual(['overage', 'SEAT_OVERAGE', 'team_member']);
  expect(await scene.told('Di'), 'the allowance is rounded down').toEqual([
    'queued',
    'SEAT_QUEUED',
    'view_only',
  ]);
});

it('policy fallback tells nobody of a queue, and promotes in its order', async () => {
  const scene = await newScene(test.database, ['Ada', 'Bo', 'Cy'], { policy: 'fallback', paidSeats: 1 });
  expect(await scene.told('Bo')).toEqual(['none', 'FALLBACK:view_only', 'view_only']);
  await scene.setActive('Ada', false);
  expect(await scene.told('Bo')).toEqual(['held', 'SEAT_HELD', 'team_member']);
  expect(await scene.told('Cy')).toEqual(['none', 'FALLBACK:view_only', 'view_only']);
});

describe('the default role', () => {
  it('is of whoever no mapping names, and comes last in the queue', async () => {
    const scene = await newScene(test.database, [], { paidSeats: 1 });
    await scene.settings({ defaultRole: 'team_member' });
    await scene.person('Ada');
    await scene.person('Bo');
    expect(await scene.told('Ada')).toEqual(['held', 'SEAT_HELD', 'team_member']);
    await scene.join(['Cy']);
    expect(await scene.queue()).toEqual(['Cy', 'Bo']);
  });

  it('goes when it is no longer chosen', async () => {
    const scene = await newScene(test.database, ['Ada'], { paidSeats: 1 });
    await scene.settings({ defaultRole: 'client' });
    await scene.person('Bo');
    expect(await scene.told('Bo')).toEqual(['none', null, 'client']);
    await scene.settings({});
    expect(await scene.told('Bo')).toEqual(['none', null, '']);
    expect(await scene.told('Ada')).toEqual(['held', 'SEAT_HELD', 'team_member']);
  });
});
