/** Who of Blue's paid people counts as had by Blue itself. */

import { type RawBuilder, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syncNow } from '../../src/blue/sync-flow.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { seedOf } from '../demo/blue-double/support.ts';
import { type BlueTenant, type Stage, stage } from './sync-support.ts';

let s: Stage;
beforeAll(async () => {
  s = await stage();
});
afterAll(() => s.close());

describe('unmanaged paid people', () => {
  const unmanaged = async (t: BlueTenant) => {
    const [row] = await inTenant(s.test.database, t.tenantId, (tx) =>
      tx.run(sql<{ unmanaged_paid: number }>`select unmanaged_paid from seat_pools`),
    );
    return row?.unmanaged_paid;
  };

  const used = async (t: BlueTenant) => {
    const [row] = await inTenant(s.test.database, t.tenantId, (tx) =>
      tx.run(sql<{ used: number }>`select used from seat_pools`),
    );
    return row?.used;
  };

  it('still count once the directory knows them, in no group or inactive', async () => {
    const strangers = ['sam', 'tom'].map((id) => ({
      ...{ id, email: `${id}@acme.example`, firstName: id, lastName: 'X' },
      memberships: [{ workspaceId: 'w1', level: 'ADMIN' as const }],
    }));
    const people = [...seedOf().people.filter(({ id }) => id === 'owner'), ...strangers];
    const tokens = seedOf().tokens.filter(({ userId }) => userId === 'owner');
    const t = await s.tenant({ paidSeats: 3, seed: { people, tokens } });
    await t.role('team_member');
    await t.sync();
    expect(await unmanaged(t)).toBe(3);
    await t.user('sam');
    await t.revise(await t.user('tom'), { active: false });
    await syncNow(t.services, t.door(), { drift: true });
    expect(await unmanaged(t)).toBe(3);
    expect(t.held()).toEqual(['sam ADMIN', 'tom ADMIN']);
  });

  it('keep what they have when the directory asks for it, also where no seat is free', async () => {
    const strangers = ['sam', 'tom'].map((id) => ({
      ...{ id, email: `${id}@acme.example`, firstName: id, lastName: 'X' },
      memberships: [{ workspaceId: 'w1', level: 'MEMBER' as const }],
    }));
    const people = [...seedOf().people.filter(({ id }) => id === 'owner'), ...strangers];
    const tokens = seedOf().tokens.filter(({ userId }) => userId === 'owner');
    const t = await s.tenant({ paidSeats: 3, seed: { people, tokens } });
    const { group } = await t.role('team_member');
    await t.sync();
    expect([await used(t), await unmanaged(t)]).toEqual([0, 3]);
    await t.user('ann', [group]);
    await t.user('sam', [group]);
    expect([await used(t), await unmanaged(t)], 'the seat is counted once').toEqual([1, 2]);
    await t.sync();
    expect(t.held()).toContain('sam MEMBER');
    await syncNow(t.services, t.door(), { drift: true });
    expect([await used(t), await unmanaged(t)]).toEqual([1, 2]);
    expect(t.held()).toEqual(expect.arrayContaining(['sam MEMBER', 'tom MEMBER']));
  });

  it.each([
    ['the address', 'ANN@acme.example'],
    ['the userName', 'ann'],
  ])('are those who are left alone, whom nothing is taken from in Blue (by %s)', async (_by, name) => {
    const t = await s.tenant({ paidSeats: 5, connection: { deactivation: 'leave_organization' } });
    const { group } = await t.role('team_member');
    const ann = await t.user('ann', [group]);
    await t.revise(ann, { userName: 'ann', emails: [{ value: 'ann@acme.example' }] });
    await t.sync();
    t.double.state.accept('ann@acme.example');
    await syncNow(t.services, t.door(), { drift: true });
    expect([await used(t), await unmanaged(t), await t.blue(ann)]).toEqual([1, 3, 'active']);

    await t.exclude(name);
    expect([await used(t), await unmanaged(t)], 'the seat is Blue’s from then on').toEqual([0, 4]);
    await t.exclude();
    expect([await used(t), await unmanaged(t)], 'also where it was a mistake').toEqual([1, 3]);
    await t.exclude(name);
    await syncNow(t.services, t.door(), { drift: true });
    expect(await unmanaged(t), 'Blue is read before anything is compared').toBe(4);
    await syncNow(t.services, t.door(), { drift: true });
    expect([t.held(), await unmanaged(t), await t.blue(ann)]).toEqual([
      ['ann MEMBER'],
      4,
      'active PROTECTED',
    ]);

    await t.exclude();
    expect([await used(t), await unmanaged(t)], 'and ours again').toEqual([1, 3]);
    await t.sync();
    await syncNow(t.services, t.door(), { drift: true });
    expect([t.held(), await unmanaged(t), await t.blue(ann)]).toEqual([['ann MEMBER'], 3, 'active']);

    await t.exclude(name);
    await t.sync();
    await t.remove(ann);
    await t.sync();
    await syncNow(t.services, t.door(), { drift: true });
    expect([t.held(), await used(t), await unmanaged(t)], 'also once deleted').toEqual([
      ['ann MEMBER'],
      0,
      4,
    ]);
  });

  it('are left alone where they came onto the list of exclusions after the connection was read', async () => {
    const t = await s.tenant({ paidSeats: 9 });
    const { group } = await t.role('team_member');
    const ann = await t.user('ann', [group]);
    await t.sync();
    t.double.state.accept('ann@acme.example');
    await syncNow(t.services, t.door(), { drift: true });
    const { carry } = await t.pass();
    await t.exclude('ann@acme.example');
    expect(await carry()).toBe(true);
    expect([t.held(), await t.blue(ann)]).toEqual([['ann MEMBER'], 'active PROTECTED']);
  });

  it('are not thought fewer while a large edit is evaluated, which may leave some of them alone', async () => {
    const t = await s.tenant({ paidSeats: 9 });
    await t.sync();
    const before = await unmanaged(t);
    const change = (set: RawBuilder<unknown>) =>
      inTenant(s.test.database, t.tenantId, (tx) => tx.run(sql`update seat_pools set ${set}`));
    await change(sql`unmanaged_paid = unmanaged_paid + 2, evaluating = true`);
    await syncNow(t.services, t.door(), { drift: true });
    expect(await unmanaged(t)).toBe((before ?? 0) + 2);
    await change(sql`evaluating = false`);
    await syncNow(t.services, t.door(), { drift: true });
    expect(await unmanaged(t)).toBe(before);
  });

  it('are not those of ours who accepted unnoticed and were deactivated', async () => {
    const t = await s.tenant({ paidSeats: 5 });
    const { group } = await t.role('team_member');
    const ann = await t.user('ann', [group]);
    await t.sync();
    expect(await unmanaged(t)).toBe(3);
    t.double.state.accept('ann@acme.example');
    await t.revise(ann, { active: false });
    await t.write({ mode: 'observe' });
    await syncNow(t.services, t.door(), { drift: true });
    expect([t.held(), await unmanaged(t)]).toEqual([['ann MEMBER'], 3]);
  });
});
