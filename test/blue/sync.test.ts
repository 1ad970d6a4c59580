/** Decisions carried into Blue, through a real database and the double of Blue: what Blue then holds, and what is told. */

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countPending } from '../../src/blue/people-store.ts';
import { blueStatus, planBlue } from '../../src/blue/plan-flow.ts';
import { syncNow } from '../../src/blue/sync-flow.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { day, hour } from '../demo/blue-double/support.ts';
import { type Stage, stage } from './sync-support.ts';

let s: Stage;
beforeAll(async () => {
  s = await stage();
});
afterAll(() => s.close());

describe('a person', () => {
  it('is invited, is active once they accepted, and follows every change of level', async () => {
    const t = await s.tenant();
    const [member, viewer] = [await t.role('team_member'), await t.role('view_only')];
    const ann = await t.user('ann', [member.group]);
    expect(await t.blue(ann)).toBe('none');
    await t.sync();
    expect(t.invited()).toEqual(['ann MEMBER w1']);
    expect(await t.blue(ann)).toBe('invited');

    t.double.state.accept('ann@acme.example');
    await syncNow(t.services, t.door(), { drift: true });
    expect(await t.blue(ann)).toBe('active');

    await t.edit(viewer.group, [ann], []);
    await t.edit(member.group, [], [ann]);
    await t.sync();
    expect(t.held()).toEqual(['ann VIEW_ONLY']);
    await t.edit(member.group, [ann], []);
    await t.sync();
    expect(t.held()).toEqual(['ann MEMBER']);
    expect(await t.blue(ann)).toBe('active');
    expect(t.mutations()).toEqual(['inviteUser', 'updateProjectAccessLevel', 'updateProjectAccessLevel']);
  });

  it('gets one mail for several workspaces, and custom roles by name', async () => {
    const t = await s.tenant();
    const [both, reviewer] = [await t.role('client', ['w1', 'w2']), await t.role('custom:Reviewer')];
    await t.user('ann', [both.group]);
    await t.user('bob', [reviewer.group]);
    await t.sync();
    expect(t.mutations()).toEqual(['inviteUser', 'inviteUser']);
    t.double.state.accept('bob@acme.example');
    t.double.state.accept('ann@acme.example');
    expect([t.held(), t.held('w2')]).toEqual([['ann CLIENT', 'bob Reviewer'], ['ann CLIENT']]);
  });

  it.each([
    ['leave_workspaces', [], 'removed'],
    ['view_only', ['ann VIEW_ONLY'], 'active VIEW_ONLY'],
    ['leave_organization', [], 'removed'],
  ] as const)('who leaves under %s', async (deactivation, held, state) => {
    const t = await s.tenant({ connection: { deactivation } });
    const { group } = await t.role('team_member');
    const ann = await t.user('ann', [group]);
    await t.sync();
    t.double.state.accept('ann@acme.example');
    await syncNow(t.services, t.door(), { drift: true });
    await t.revise(ann, { active: false });
    await t.sync();
    expect(t.held()).toEqual(held);
    expect(await t.blue(ann)).toBe(state);
    const person = t.double.state.world.personByEmail('ann@acme.example');
    expect(person?.companyLevel === null).toBe(deactivation === 'leave_organization');
  });

  it('who is deleted is taken out of Blue', async () => {
    const t = await s.tenant();
    const { group } = await t.role('team_member');
    const ann = await t.user('ann', [group]);
    await t.sync();
    t.double.state.accept('ann@acme.example');
    await syncNow(t.services, t.door(), { drift: true });
    await t.remove(ann);
    await t.sync();
    expect(t.held()).toEqual([]);
    expect((await blueStatus(s.test.database, t.tenantId)).pending).toBe(0);
  });

  it('whose invitation is open loses it when deactivated, though its id was never told', async () => {
    const t = await s.tenant({ connection: { deactivation: 'view_only' } });
    const { group } = await t.role('team_member');
    const ann = await t.user('ann', [group]);
    await t.sync();
    await t.revise(ann, { active: false });
    await t.sync();
    expect(t.invited()).toEqual([]);
    expect(t.mutations()).toEqual(['inviteUser', 'cancelInvitation']);
    expect(await t.blue(ann)).toBe('none');
  });

  it('who accepted unnoticed and is deactivated then is taken out', async () => {
    const t = await s.tenant();
    const { group } = await t.role('team_member');
    const ann = await t.user('ann', [group]);
    await t.sync();
    t.double.state.accept('ann@acme.example');
    await t.revise(ann, { active: false });
    await t.sync();
    expect(t.held()).toEqual([]);
    expect(await t.blue(ann)).toBe('removed');
  });

  it('whose address changes before they accept is invited anew, and nobody else by the old one', async () => {
    const t = await s.tenant();
    const { group } = await t.role('team_member');
    const ann = await t.user('ann', [group]);
    await t.sync();
    await t.revise(ann, { userName: 'anna@acme.example' });
    await t.sync();
    expect(t.invited()).toEqual(['anna MEMBER w1']);
    t.double.state.accept('anna@acme.example');
    await syncNow(t.services, t.door(), { drift: true });
    await t.revise(ann, { userName: 'annika@acme.example' });
    await t.sync();
    expect(t.held()).toEqual(['anna MEMBER']);
    expect(await t.blue(ann)).toBe('active');
  });

  it('who has the address of another, or none, is refused', async () => {
    const t = await s.tenant();
    const { group } = await t.role('team_member');
    const [ann, two] = [await t.user('ann', [group]), await t.user('two', [group])];
    await t.revise(two, { userName: 'nobody' });
    const bob = await t.user('bob', [group]);
    await t.sync();
    expect([await t.blue(ann), await t.blue(two)]).toEqual(['invited', 'refused NO_EMAIL']);
    await t.revise(two, { userName: 'two', emails: [{ value: 'bob@acme.example' }] });
    await t.sync();
    expect([await t.blue(two), await t.blue(bob)].sort()).toEqual(['invited', 'refused DUPLICATE_EMAIL']);
    expect(t.invited().filter((one) => one.startsWith('bob'))).toHaveLength(1);
  });

  it('whom Blue has by itself is left alone, also when they leave, and counts as unmanaged', async () => {
    const t = await s.tenant({ paidSeats: 5 });
    const max = await t.user('max');
    await t.revise(max, { active: false });
    await t.sync();
    expect(t.double.state.members('w1').map(({ userId }) => userId)).toContain('max');
    expect(t.mutations()).toEqual([]);
    const [row] = await inTenant(s.test.database, t.tenantId, (tx) =>
      tx.run(sql<{ unmanaged_paid: number }>`select unmanaged_paid from seat_pools`),
    );
    // The owner, an administrator and a member of the seed.
    expect(row?.unmanaged_paid).toBe(3);
  });
});

describe('a mapping that goes away', () => {
  it('takes its workspace from its people', async () => {
    const t = await s.tenant();
    const { group, mapping } = await t.role('client', ['w2']);
    await t.user('ann', [group]);
    await t.sync();
    t.double.state.accept('ann@acme.example');
    await syncNow(t.services, t.door(), { drift: true });
    await t.unmap(mapping);
    await t.sync();
    expect(t.held('w2')).toEqual([]);
  });
});

describe('observe', () => {
  it('sends nothing, shows the plan, and carries everything over once it is apply', async () => {
    const t = await s.tenant({ connection: { mode: 'observe' } });
    const { group } = await t.role('team_member', ['w1', 'w2']);
    const ann = await t.user('ann', [group]);
    await t.sync();
    expect(t.mutations()).toEqual([]);
    expect(await t.blue(ann)).toBe('waiting');
    const { items } = await planBlue(t.services, t.tenantId);
    expect(items).toEqual([
      {
        userId: ann,
        userName: 'ann@acme.example',
        address: 'ann@acme.example',
        action: 'inviteToOrganization',
        workspaces: [
          { id: 'w1', name: 'One' },
          { id: 'w2', name: 'Two' },
        ],
        role: 'MEMBER',
      },
    ]);
    expect(await blueStatus(s.test.database, t.tenantId)).toMatchObject({ state: 'ok', pending: 1 });
    await t.write({ mode: 'apply' });
    await t.sync();
    expect(t.invited()).toEqual(['ann MEMBER w1', 'ann MEMBER w2']);
    expect(await planBlue(t.services, t.tenantId)).toEqual({ items: [] });
  });

  it('plans what is given once something was taken away', async () => {
    const t = await s.tenant({ connection: { mode: 'observe' }, paidSeats: 4 });
    const { group } = await t.role('team_member');
    const max = await t.user('max', [group]);
    const bob = await t.user('bob', [group]);
    await t.sync();
    // Of four seats the owner and Amy use two; Max is ours now and has one.
    await t.revise(max, { active: false });
    const { items } = await planBlue(t.services, t.tenantId);
    expect(items.map(({ userId, action }) => [userId, action])).toEqual([
      [max, 'removeFromWorkspace'],
      [bob, 'inviteToOrganization'],
    ]);
  });
});

describe('seats in Blue', () => {
  it('are never more than the contract has, also when people were decided for before Blue was read', async () => {
    const t = await s.tenant({ paidSeats: 4 });
    const { group } = await t.role('team_member');
    const ann = await t.user('ann', [group]);
    // Otherwise the tie-break decides, and it is drawn anew for each tenant.
    t.clock.advance(1000);
    const bob = await t.user('bob', [group]);
    await t.sync();
    // The owner, Amy and Max are paid in Blue by themselves.
    expect(t.invited()).toEqual(['ann MEMBER w1']);
    expect([await t.blue(ann), await t.blue(bob)]).toEqual(['invited', 'waiting SEATS_IN_BLUE']);
    expect(t.double.state.paidPeopleAndInvited()).toBe(4);
  });

  it('are given back before they are given anew, in one pass', async () => {
    const t = await s.tenant({ paidSeats: 5 });
    const { group } = await t.role('team_member');
    const ann = await t.user('ann', [group]);
    const bob = await t.user('bob', [group]);
    await t.sync();
    // The owner, Amy and Max are paid in Blue by themselves.
    expect(t.invited()).toEqual(['ann MEMBER w1', 'bob MEMBER w1']);
    const most = t.double.state.paidPeopleAndInvited();
    const carl = await t.user('carl', [group]);
    await t.edit(group, [], [ann]);
    await t.edit(group, [], [bob]);
    await t.sync();
    expect(t.invited()).toEqual(['carl MEMBER w1']);
    expect(t.double.state.paidPeopleAndInvited()).toBeLessThanOrEqual(most);
    expect(await t.blue(carl)).toBe('invited');
  });
});

describe('drift', () => {
  it('is repaired', async () => {
    const t = await s.tenant();
    const { group } = await t.role('client');
    const ann = await t.user('ann', [group]);
    await t.sync();
    const { id } = t.double.state.accept('ann@acme.example');
    const row = t.double.state.world.membership(id, 'w1');
    if (row) row.level = 'VIEW_ONLY';
    t.clock.advance(hour);
    await t.sync();
    expect(t.held()).toEqual(['ann CLIENT']);
    expect(await t.blue(ann)).toBe('active');
  });

  it('is reported and left as it is; an invitation that ran out is sent again', async () => {
    const t = await s.tenant({ connection: { drift: 'report' } });
    const { group } = await t.role('client');
    const [ann, bob] = [await t.user('ann', [group]), await t.user('bob', [group])];
    await t.sync();
    const { id } = t.double.state.accept('ann@acme.example');
    await syncNow(t.services, t.door(), { drift: true });
    const row = t.double.state.world.membership(id, 'w1');
    if (row) row.level = 'VIEW_ONLY';
    t.clock.advance(8 * day);
    await t.sync();
    expect(t.held()).toEqual(['ann VIEW_ONLY']);
    expect([await t.blue(ann), await t.blue(bob)]).toEqual(['active DRIFT', 'invited']);
    expect(t.double.state.invitations()[0]?.expiredAt.getTime()).toBeGreaterThan(t.clock.now().getTime());
  });
});

describe('an invitation accepted with another custom role than is wanted by now', () => {
  it('is put right, though drift is only reported', async () => {
    const t = await s.tenant({ connection: { drift: 'report' } });
    const [member, reviewer] = [await t.role('team_member'), await t.role('custom:Reviewer')];
    const ann = await t.user('ann', [member.group]);
    await t.sync();
    await t.edit(reviewer.group, [ann], []);
    await t.edit(member.group, [], [ann]);
    await t.sync();
    expect(t.invited()).toEqual(['ann MEMBER w1']);
    t.double.state.accept('ann@acme.example');
    await syncNow(t.services, t.door(), { drift: true });
    expect(t.held()).toEqual(['ann Reviewer']);
    expect(await t.blue(ann)).toBe('active');
  });
});

describe('invitations in waves', () => {
  it('are at most so many an hour', async () => {
    const t = await s.tenant({ connection: { invitationsPerHour: 2 } });
    const { group } = await t.role('client');
    for (const name of ['a', 'b', 'c', 'd', 'e']) await t.user(name, [group]);
    await t.sync();
    expect(t.invited()).toHaveLength(2);
    expect(await inTenant(s.test.database, t.tenantId, countPending)).toBe(3);
    t.clock.advance(hour);
    await t.sync();
    expect(t.invited()).toHaveLength(4);
    t.clock.advance(hour);
    await t.sync();
    expect(t.invited()).toHaveLength(5);
  });
});
