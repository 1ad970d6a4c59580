/** The edge cases of moves, groups, pins and people, one scenario for each sentence of docs/licensing.md that has an edge. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { assert } from '../../src/kernel/assert.ts';
import { createGroup, reviseGroup } from '../../src/provisioning/group-flow.ts';
import { removeMapping } from '../../src/provisioning/mapping-flow.ts';
import { selectMappings } from '../../src/provisioning/mapping-store.ts';
import { rollBack } from '../../src/provisioning/mapping-version-flow.ts';
import { selectNewestVersion } from '../../src/provisioning/mapping-version-store.ts';
import { releaseHold, removePin, setPin } from '../../src/provisioning/pin-flow.ts';
import { previewEdit } from '../../src/provisioning/preview-flow.ts';
import { settleBatch } from '../../src/provisioning/settle-flow.ts';
import { noteUnmanagedPaid } from '../../src/provisioning/unmanaged-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { dayMs, hourMs, minuteMs, newScene, type Scene } from './scene.ts';
import { readState } from './state.ts';

let test: TestDatabase;
let scene: Scene;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());
/** Ada, Bo and Cy have the three seats; Di and Ed wait. */
beforeEach(async () => {
  scene = await newScene(test.database, ['Ada', 'Bo', 'Cy', 'Di', 'Ed']);
});

describe('a directory moves Ada with a removal and then an addition', () => {
  it('and her place is kept between the two, though the queue is waiting', async () => {
    const claimedAt = await scene.claimedAt('Ada');
    const sales = await scene.world.group('Sales');
    await scene.world.map({ group: { id: sales }, priority: 20 });
    await scene.leave('Ada');
    expect(await scene.told('Ada')).toEqual(['hold', 'SEAT_HOLD_MOVER', '']);
    expect(await scene.seated()).toEqual(['Bo', 'Cy']);
    await scene.passAndLook(59 * minuteMs);
    await scene.join(['Ada'], sales);
    expect(await scene.told('Ada')).toEqual(['held', 'SEAT_HELD', 'team_member']);
    expect(await scene.claimedAt('Ada')).toEqual(claimedAt);
    expect(await scene.queue()).toEqual(['Di', 'Ed']);
  });

  it('and without a hold the head of the queue has her seat, and she is last', async () => {
    await scene.settings({ holdMinutes: 0 });
    await scene.leave('Ada');
    await scene.join(['Ada']);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
    expect(await scene.queue()).toEqual(['Ed', 'Ada']);
  });

  it('and takes no free seat beside her own: somebody who comes with her has it', async () => {
    await scene.world.contract({ paidSeats: 6 });
    await scene.leave('Ada');
    await scene.person('Fay');
    await scene.world.editGroup(scene.staff, { add: [scene.id('Ada'), scene.id('Fay')] });
    expect(await scene.seated()).toEqual(['Ada', 'Bo', 'Cy', 'Di', 'Ed', 'Fay']);
  });

  it('and somebody who waits keeps the rank', async () => {
    await scene.leave('Di');
    expect(await scene.queue()).toEqual(['Ed']);
    await scene.join(['Di']);
    expect(await scene.queue()).toEqual(['Di', 'Ed']);
  });

  it('and her place goes to the queue when the time is over, or an administrator gives it back', async () => {
    await scene.leave('Ada');
    await scene.leave('Bo');
    await releaseHold(test.database, scene.world.door, scene.id('Bo'));
    expect(await scene.seated()).toEqual(['Cy', 'Di']);
    await scene.passAndLook(60 * minuteMs);
    expect(await scene.seated()).toEqual(['Cy', 'Di', 'Ed']);
  });

  it('but an administrator who takes her out gives the seat back at once', async () => {
    await scene.leave('Ada', scene.staff, scene.world.door);
    expect(await scene.told('Ada')).toEqual(['none', null, '']);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
  });

  it('but active: false gives it back at once, also of a kept place', async () => {
    await scene.leave('Ada');
    await scene.setActive('Ada', false);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
    await scene.setActive('Bo', false);
    expect(await scene.seated()).toEqual(['Cy', 'Di', 'Ed']);
  });

  it('but a free role that wins gives it back at once', async () => {
    const guests = await scene.world.group('Guests');
    await scene.world.map({ group: { id: guests }, priority: 1, role: 'client' });
    const { world } = scene;
    await world.editGroup(guests, { add: [scene.id('Ada')] }, undefined, world.directoryDoor);
    expect(await scene.told('Ada')).toEqual(['none', null, 'client']);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
  });
});

describe('a mapped group', () => {
  it('that is renamed changes nothing (I18)', async () => {
    const before = await readState(scene.world);
    scene.world.pass(dayMs);
    await scene.world.editGroup(scene.staff, {}, 'Crew', scene.world.directoryDoor);
    expect((await readState(scene.world)).decisions).toEqual(before.decisions);
  });

  it('that is deleted and returns within 72 hours gives everybody the same seat and rank', async () => {
    const claims = await Promise.all(scene.names.map((name) => scene.claimedAt(name)));
    await scene.world.removeGroup(scene.staff);
    expect(await scene.told('Cy')).toEqual(['hold', 'SEAT_HOLD_MOVER', '']);
    await scene.passAndLook(71 * hourMs);
    const again = await scene.world.group('Staff');
    for (const name of scene.names.toReversed()) await scene.join([name], again);
    expect(await scene.seated()).toEqual(['Ada', 'Bo', 'Cy']);
    expect(await scene.queue()).toEqual(['Di', 'Ed']);
    expect(await Promise.all(scene.names.map((name) => scene.claimedAt(name)))).toEqual(claims);
  });

  it.each([
    ['the name that it had last', 'Crew', null, false],
    ['its externalId, under another name', 'Squad', 'x-staff', false],
    ['its externalId, to a mapping that was rolled back to', 'Squad', 'x-staff', true],
  ])(
    'that is renamed, deleted and returns by %s gives everybody the same seat',
    async (_by, displayName, externalId, isRolledBack) => {
      const { world } = scene;
      const { database, directory, door } = world;
      const seated = await scene.seated();
      await reviseGroup(database, world.directoryDoor, {
        id: scene.staff,
        directoryId: directory.id,
        edit: { clear: false, add: [], remove: [] },
        revise: () => ({ attributes: { displayName: 'Crew' }, externalId: 'x-staff' }),
      });
      await world.removeGroup(scene.staff);
      if (isRolledBack) {
        const { id } = await world.map({ group: { roleValue: 'guest' }, priority: 30, role: 'client' });
        const version = await inTenant(database, world.tenantId, selectNewestVersion);
        const [mapping] = await inTenant(database, world.tenantId, selectMappings);
        assert(mapping !== undefined && mapping.id !== id, 'that of the group comes first');
        await removeMapping(database, door, mapping.id);
        await rollBack(database, door, version);
      }
      const draft = { attributes: { displayName }, externalId };
      const again = await createGroup(database, door, directory.id, draft, []);
      for (const name of scene.names) await scene.join([name], again.id);
      expect(await scene.seated()).toEqual(seated);
    },
  );

  it('that returns later finds its places gone, and its people come anew', async () => {
    const other = await scene.world.group('Other');
    await scene.world.map({ group: { id: other }, priority: 20 });
    await scene.join(['Fay', 'Gus'], other);
    await scene.world.removeGroup(scene.staff);
    expect(await scene.seated()).toEqual([]);
    await scene.passAndLook(72 * hourMs);
    expect(await scene.seated()).toEqual(['Fay', 'Gus']);
    await scene.world.group('Staff', [scene.id('Ed'), scene.id('Ada')]);
    expect(await scene.seated()).toHaveLength(3);
    expect(await scene.queue()).toHaveLength(1);
  });
});

describe('who comes back', () => {
  it('from being inactive is behind those who waited meanwhile', async () => {
    await scene.setActive('Ada', false);
    scene.world.pass(1000);
    await scene.setActive('Ada', true);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
    expect(await scene.queue()).toEqual(['Ed', 'Ada']);
  });

  it('from the list of exclusions too', async () => {
    await scene.settings({ exclusions: ['ada@example.com'] });
    expect(await scene.told('Ada')).toEqual(['none', null, '']);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
    scene.world.pass(1000);
    await scene.settings({});
    expect(await scene.queue()).toEqual(['Ed', 'Ada']);
  });
});

it('whoever is renamed from or to an excluded userName is decided for, though the address stays', async () => {
  const emails = [{ value: 'ada.long@example.com', primary: true }];
  await scene.world.revise(scene.id('Ada'), { emails });
  await scene.settings({ exclusions: ['ada@example.com'] });
  expect(await scene.told('Ada')).toEqual(['none', null, '']);
  await scene.world.revise(scene.id('Ada'), { userName: 'ada.new@example.com' });
  expect(await scene.queue()).toEqual(['Ed', 'Ada']);
  await scene.world.revise(scene.id('Ada'), { userName: 'ada@example.com' });
  expect(await scene.told('Ada')).toEqual(['none', null, '']);
});

describe('a pin', () => {
  const pin = (name: string, change: object) =>
    setPin(test.database, scene.world.door, scene.id(name), {
      ...{ role: 'team_member', workspaces: null, reason: 'test', until: null, reserved: false },
      ...change,
    });

  it('does not pass the capacity, but is first in the queue', async () => {
    await pin('Ed', {});
    expect(await scene.seated()).toEqual(['Ada', 'Bo', 'Cy']);
    expect(await scene.queue()).toEqual(['Ed', 'Di']);
  });

  it('that is reserved is refused on a full pool, and changes nothing', async () => {
    const before = await readState(scene.world);
    await expect(pin('Ed', { reserved: true })).rejects.toMatchObject({ code: 'no_seat' });
    expect((await readState(scene.world)).fingerprint).toEqual(before.fingerprint);
  });

  it('that is reserved is refused where it could take no seat, as its preview says', async () => {
    await scene.person('Gus', { emails: [{ value: 'ada@example.com' }] });
    await scene.settings({ exclusions: ['ed@example.com'] });
    await scene.world.contract({ paidSeats: 9 });
    const refused = async (name: string, role: string, why: string) => {
      const vain = { code: 'invalid', field: 'reserved', message: expect.stringContaining(why) };
      await expect(pin(name, { reserved: true, role })).rejects.toMatchObject(vain);
      const rest = { workspaces: null, reason: 'test', until: null, reserved: true };
      const edit = { op: 'pin', userId: scene.id(name), pin: { role, ...rest } } as const;
      const page = { after: '', limit: 1 };
      await expect(previewEdit(test.database, scene.world.door, edit, page)).rejects.toMatchObject(vain);
    };
    await refused('Ed', 'team_member', 'exclusions');
    await refused('Di', 'client', 'client is free');
    await refused('Gus', 'team_member', 'address');
    await pin('Ed', {});
    await pin('Di', { role: 'client' });
  });

  it('that is reserved takes its seat when it is set, also in an open batch, and lapses with its person', async () => {
    await scene.settings({ settlement: 'staged' });
    await scene.setActive('Ada', false);
    expect(await scene.seated()).toEqual(['Bo', 'Cy']);
    await pin('Ed', { reserved: true });
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Ed']);
    await scene.setActive('Ed', false);
    expect((await readState(scene.world)).pins).toEqual([]);
    await settleBatch(test.database, scene.world.door);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
  });

  it('that expires gives the seat back at its instant, and the mapping stands again', async () => {
    const until = new Date(scene.world.now.getTime() + hourMs);
    await pin('Ada', { role: 'view_only', until });
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
    await scene.passAndLook(hourMs - 1);
    expect(await scene.told('Ada')).toEqual(['none', null, 'view_only']);
    await scene.passAndLook(1);
    expect(await scene.told('Ada')).toEqual(['queued', 'SEAT_QUEUED', 'view_only']);
    expect(await scene.queue()).toEqual(['Ed', 'Ada']);
  });

  it('that got its seat from the queue ends at its instant too', async () => {
    await scene.person('Fay');
    await pin('Fay', { until: new Date(scene.world.now.getTime() + hourMs) });
    await scene.setActive('Ada', false);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Fay']);
    await scene.passAndLook(hourMs);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
  });

  it('that expired and was never taken away is looked at no more', async () => {
    const until = new Date(scene.world.now.getTime() + hourMs);
    await pin('Di', { until });
    await pin('Ed', { until });
    await scene.passAndLook(hourMs);
    const before = await readState(scene.world);
    expect(before.pool.due_at?.getTime() ?? Number.POSITIVE_INFINITY).toBeGreaterThan(
      scene.world.now.getTime(),
    );
    await scene.setActive('Ada', false);
    await scene.passAndLook(1000);
    const settled = await readState(scene.world);
    await scene.passAndLook(1000);
    expect((await readState(scene.world)).fingerprint).toEqual(settled.fingerprint);
    await removePin(test.database, scene.world.door, scene.id('Ed'));
    expect(await scene.queue()).toEqual(['Ed']);
  });
});

describe('seats are given', () => {
  it('not where people whom the gateway did not make have them in Blue', async () => {
    await noteUnmanagedPaid(test.database, scene.world.door, 1);
    expect(await scene.seated(), 'nobody loses one').toEqual(['Ada', 'Bo', 'Cy']);
    await scene.setActive('Ada', false);
    expect(await scene.seated()).toEqual(['Bo', 'Cy']);
    await noteUnmanagedPaid(test.database, scene.world.door, -1);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
  });

  it('in a cycle when three minutes were quiet', async () => {
    await scene.settings({ settlement: 'cycle' });
    await scene.setActive('Ada', false);
    await scene.passAndLook(2 * minuteMs);
    await scene.setActive('Bo', false);
    const settlesAt = new Date(scene.world.now.getTime() + 3 * minuteMs);
    expect(await scene.told('Di')).toEqual(['queued', `SETTLES_AT:${settlesAt.toISOString()}`, 'view_only']);
    await scene.passAndLook(3 * minuteMs - 1);
    expect(await scene.seated()).toEqual(['Cy']);
    await scene.passAndLook(1);
    expect(await scene.seated()).toEqual(['Cy', 'Di', 'Ed']);
  });

  it('in a cycle that is never quiet after an hour', async () => {
    await scene.settings({ settlement: 'cycle' });
    await scene.setActive('Ada', false);
    for (let minute = 2; minute < 60; minute += 2) {
      await scene.passAndLook(2 * minuteMs);
      await scene.setActive('Ada', minute % 4 === 2);
    }
    expect(await scene.seated()).toEqual(['Bo', 'Cy']);
    await scene.passAndLook(2 * minuteMs);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
  });

  it('at once by a contract, also where a cycle is the rule and the fallback role changes', async () => {
    await scene.settings({ settlement: 'cycle' });
    await scene.world.contract({ paidSeats: 4, fallbackRole: 'client' });
    expect(await scene.seated()).toEqual(['Ada', 'Bo', 'Cy', 'Di']);
    expect(await scene.told('Ed')).toEqual(['queued', 'SEAT_QUEUED', 'client']);
  });

  it('to one of two people with one address, and to the other when the first goes', async () => {
    await scene.world.contract({ paidSeats: 9 });
    await scene.person('Ada2', { emails: [{ value: 'ADA@example.com', primary: true }] });
    await scene.join(['Ada2']);
    expect(await scene.told('Ada2')).toEqual(['none', 'DUPLICATE_EMAIL', '']);
    await scene.setActive('Ada', false);
    expect(await scene.told('Ada2')).toEqual(['held', 'SEAT_HELD', 'team_member']);
  });
});

describe('a mapping with a time', () => {
  it('counts from its first instant to its last', async () => {
    const night = await scene.world.group('Night', [scene.id('Ada')]);
    const at = (ms: number) => new Date(scene.world.now.getTime() + ms);
    const window = { validFrom: at(hourMs), validUntil: at(2 * hourMs) };
    await scene.world.map({ group: { id: night }, priority: 1, role: 'client', ...window });
    await scene.passAndLook(hourMs - 1);
    expect(await scene.seated()).toEqual(['Ada', 'Bo', 'Cy']);
    await scene.passAndLook(1);
    expect(await scene.told('Ada')).toEqual(['none', null, 'client']);
    expect(await scene.seated()).toEqual(['Bo', 'Cy', 'Di']);
    await scene.passAndLook(hourMs);
    expect(await scene.queue()).toEqual(['Ed', 'Ada']);
  });
});
