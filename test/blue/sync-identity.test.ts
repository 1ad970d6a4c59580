/** Whose account in Blue is whose when addresses change hands: nobody is given another's role. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syncNow } from '../../src/blue/sync-flow.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { type BlueTenant, type Stage, stage } from './sync-support.ts';

let s: Stage;
beforeAll(async () => {
  s = await stage();
});
afterAll(() => s.close());

const email = (name: string) => `${name}@acme.example`;
const move = (t: BlueTenant, id: UserId, name: string) => t.revise(id, { emails: [{ value: email(name) }] });
const read = (t: BlueTenant) => syncNow(t.services, t.door(), { drift: true });

/** Until nothing more happens. */
async function rest(t: BlueTenant): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    t.clock.advance(60_000);
    await t.sync();
  }
  await read(t);
}

async function withBob() {
  const t = await s.tenant();
  const [admin, viewer] = [await t.role('project_administrator'), await t.role('view_only')];
  const bob = await t.user('bob', [viewer.group]);
  await t.sync();
  return { t, bob, admin: admin.group };
}

describe('an address that was another’s by mistake', () => {
  it.each(['accepted and noticed', 'accepted unnoticed', 'not accepted yet'] as const)(
    'gives nothing of theirs: %s',
    async (state) => {
      const { t, bob, admin } = await withBob();
      if (state !== 'not accepted yet') t.double.state.accept(email('bob'));
      if (state === 'accepted and noticed') await read(t);
      const eve = await t.user('eve');
      await move(t, eve, 'bob');
      await t.edit(admin, [eve], []);
      await t.sync();
      expect(await t.blue(eve)).toBe('refused DUPLICATE_EMAIL');
      await move(t, eve, 'eve');
      await rest(t);
      if (state === 'not accepted yet') {
        expect(t.invited()).toEqual(['bob VIEW_ONLY w1', 'eve ADMIN w1']);
        t.double.state.accept(email('bob'));
        await move(t, bob, 'bob2');
        await rest(t);
      }
      expect(t.held()).toEqual(['bob VIEW_ONLY']);
      expect(t.invited()).toEqual(['eve ADMIN w1']);
      expect([await t.blue(eve), await t.blue(bob)]).toEqual(['invited', 'active']);
    },
  );

  it('takes nothing from somebody without a role when it is left or deleted', async () => {
    const t = await s.tenant();
    const { group } = await t.role('project_administrator');
    await t.user('max');
    const [eve, kim] = [await t.user('eve'), await t.user('kim')];
    for (const id of [eve, kim]) {
      await move(t, id, 'max');
      await t.edit(group, [id], []);
    }
    await t.sync();
    expect([await t.blue(eve), await t.blue(kim)]).toEqual(Array(2).fill('refused DUPLICATE_EMAIL'));
    await t.revise(eve, { active: false });
    await t.remove(kim);
    await rest(t);
    expect(t.mutations()).toEqual([]);
    expect(await t.blue(eve)).toBe('removed DUPLICATE_EMAIL');
  });

  it('of somebody inactive keeps no leaver in Blue who accepted there unnoticed', async () => {
    const t = await s.tenant();
    const { group } = await t.role('project_administrator');
    const joe = await t.user('joe', [group]);
    await t.sync();
    t.double.state.accept(email('joe'));
    await move(t, joe, 'joseph');
    const old = await t.user('old');
    await t.revise(old, { active: false });
    await move(t, old, 'joe');
    await t.revise(joe, { active: false });
    await rest(t);
    expect([t.held(), t.invited(), await t.blue(joe)]).toEqual([[], [], 'removed']);
  });

  it('keeps nobody from their own account, which was accepted unnoticed', async () => {
    const t = await s.tenant();
    const { group } = await t.role('client');
    await t.user('bob');
    const ann = await t.user('ann', [group]);
    await t.sync();
    t.double.state.accept(email('ann'));
    await move(t, ann, 'bob');
    await rest(t);
    expect(await t.blue(ann)).toBe('refused DUPLICATE_EMAIL');
    expect([t.held(), t.invited()]).toEqual([[], []]);
  });
});

describe('an address that changes hands', () => {
  async function annAndBen() {
    const t = await s.tenant();
    const [admin, viewer] = [await t.role('project_administrator'), await t.role('view_only')];
    const ann = await t.user('ann', [admin.group]);
    const ben = await t.user('ben', [viewer.group]);
    await t.sync();
    t.double.state.accept(email('ben'));
    await read(t);
    return { t, ann, ben };
  }

  it.each(['in one pass', 'one after the other'] as const)(
    'leaves the account where it is, %s',
    async (how) => {
      const { t, ann, ben } = await annAndBen();
      await move(t, ben, 'three');
      if (how === 'one after the other') await t.sync();
      await move(t, ann, 'ben');
      await rest(t);
      expect(t.held()).toEqual(['ben VIEW_ONLY']);
      expect([await t.blue(ann), await t.blue(ben)]).toEqual(['refused DUPLICATE_EMAIL', 'active']);
      expect(t.invited()).toEqual([]);
      // Nothing is kept of the refusal: with an address of her own she is invited, and he is left alone.
      await move(t, ann, 'ann');
      await rest(t);
      expect([t.held(), t.invited()]).toEqual([['ben VIEW_ONLY'], ['ann ADMIN w1']]);
    },
  );

  it('takes the open invitation back from somebody of the directory who has no role', async () => {
    const { t, ann } = await annAndBen();
    await move(t, ann, 'other');
    await move(t, await t.user('zoe'), 'ann');
    await rest(t);
    expect(t.invited()).toEqual(['other ADMIN w1']);
  });

  it('leaves an accepted account to whoever has its address now', async () => {
    const { t, ann } = await annAndBen();
    t.double.state.accept(email('ann'));
    await move(t, ann, 'other');
    await move(t, await t.user('zoe'), 'ann');
    await rest(t);
    expect(t.held()).toEqual(['ann ADMIN', 'ben VIEW_ONLY']);
    expect(await t.blue(ann)).toBe('invited');
  });

  it('follows somebody who accepted unnoticed under the former one', async () => {
    const { t, ann } = await annAndBen();
    await read(t);
    t.double.state.accept(email('ann'));
    await move(t, ann, 'other');
    await rest(t);
    expect(t.held()).toEqual(['ann ADMIN', 'ben VIEW_ONLY']);
    expect([await t.blue(ann), t.invited()]).toEqual(['active', []]);
  });

  it('goes to the new person when the former one left', async () => {
    const { t, ann, ben } = await annAndBen();
    await t.revise(ben, { active: false });
    await t.sync();
    await move(t, ann, 'ben');
    await rest(t);
    expect(t.held()).toEqual(['ben ADMIN']);
    await t.revise(ben, { active: true });
    await move(t, ben, 'three');
    await rest(t);
    expect(t.held()).toEqual(['ben ADMIN']);
    expect([await t.blue(ann), await t.blue(ben)]).toEqual(['active', 'invited']);
  });
});

describe('an account that was left', () => {
  it.each(['deactivated and back', 'removed by hand'] as const)(
    'leaves no invitation behind at the former address: %s',
    async (how) => {
      const deactivation = how === 'removed by hand' ? 'leave_workspaces' : 'leave_organization';
      const t = await s.tenant({ connection: { deactivation } });
      const { group } = await t.role('project_administrator');
      const bob = await t.user('bob', [group]);
      await t.sync();
      const person = t.double.state.accept(email('bob'));
      await rest(t);
      if (how === 'removed by hand') t.double.state.world.leaveOrganization(person);
      else {
        await t.revise(bob, { active: false });
        await rest(t);
        await t.revise(bob, { active: true });
      }
      await rest(t);
      expect(t.invited()).toEqual(['bob ADMIN w1']);
      await move(t, bob, 'bob2');
      await move(t, await t.user('zoe'), 'bob');
      await rest(t);
      expect(t.invited()).toEqual(['bob2 ADMIN w1']);
    },
  );

  it('is nobody’s who had its address by mistake meanwhile', async () => {
    const t = await s.tenant({ connection: { deactivation: 'view_only' } });
    const [admin, viewer] = [await t.role('project_administrator'), await t.role('view_only')];
    const ann = await t.user('ann', [viewer.group]);
    const eve = await t.user('eve', [admin.group]);
    await t.sync();
    t.double.state.accept(email('ann'));
    await rest(t);
    for (const id of [ann, eve]) await t.revise(id, { active: false });
    await rest(t);
    await move(t, ann, 'ann-new');
    await move(t, eve, 'ann');
    await rest(t);
    await move(t, eve, 'eve');
    await rest(t);
    for (const id of [eve, ann]) await t.revise(id, { active: true });
    await rest(t);
    expect(t.held()).toEqual(['ann VIEW_ONLY']);
    expect(t.invited()).toEqual(['eve ADMIN w1']);
    expect([await t.blue(ann), await t.blue(eve)]).toEqual(['active', 'invited']);
  });
});
