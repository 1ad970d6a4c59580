/** People whom Blue has by itself: who is listed, and that adopting them leaves Blue as it is. */

import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlueSeed } from '../../demo/blue-double/server.ts';
import { syncNow } from '../../src/blue/sync-flow.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { adopt, listUnmanaged } from '../../src/provisioning/adoption-flow.ts';
import { removePin, setPin } from '../../src/provisioning/pin-flow.ts';
import { createUser } from '../../src/provisioning/user-flow.ts';
import { selectUserView } from '../../src/provisioning/user-view-store.ts';
import { seedOf } from '../demo/blue-double/support.ts';
import { type BlueTenant, type Stage, stage, type TenantOptions } from './sync-support.ts';

let s: Stage;
beforeAll(async () => {
  s = await stage();
});
afterAll(() => s.close());

type Level = 'ADMIN' | 'MEMBER' | 'CLIENT' | 'VIEW_ONLY';
/** `w1 MEMBER`, or `w1 MEMBER r1` with the id of a custom role. */
type People = Record<string, string[]>;

function seedWith(people: People): BlueSeed {
  const seed = seedOf();
  const more = Object.entries(people).map(([id, held]) => ({
    ...{ id, email: `${id}@acme.example`, firstName: id, lastName: 'X' },
    memberships: held.map((one) => {
      const [workspaceId = '', level, roleId] = one.split(' ');
      return { workspaceId, level: level as Level, ...(roleId === undefined ? {} : { roleId }) };
    }),
  }));
  const owner = seed.people.filter(({ id }) => id === 'owner');
  return {
    ...seed,
    people: [...owner, ...more],
    tokens: seed.tokens.filter(({ userId }) => userId === 'owner'),
  };
}

/** Known to the gateway, with w1 managed. */
async function withPeople(people: People, options: TenantOptions = {}): Promise<BlueTenant> {
  const t = await s.tenant({ paidSeats: 9, ...options, seed: seedWith(people) });
  await t.role('team_member');
  await drift(t);
  return t;
}

const drift = (t: BlueTenant) => syncNow(t.services, t.door(), { drift: true });
const list = (t: BlueTenant, after = '', most = 100) =>
  listUnmanaged(s.test.database, t.tenantId, { after, most }, t.clock.now());
const adoptable = async (t: BlueTenant) =>
  Object.fromEntries((await list(t)).map(({ member, why }) => [member.blueUserId, why]));
const take = (t: BlueTenant, ...ids: string[]) => adopt(s.test.database, t.door(), ids, 'drift');
const told = async (t: BlueTenant, ...ids: string[]) =>
  (await take(t, ...ids)).map(({ result, seat, why }) => why ?? `${result} ${seat}`);
const seats = async (t: BlueTenant) => {
  const [row] = await inTenant(s.test.database, t.tenantId, (tx) =>
    tx.run(
      sql<{ used: number; unmanaged: number }>`select used, unmanaged_paid as unmanaged from seat_pools`,
    ),
  );
  return [row?.used, row?.unmanaged];
};
const users = async (t: BlueTenant) =>
  await inTenant(s.test.database, t.tenantId, (tx) => tx.run(sql<{ id: string }>`select id from users`));

describe('the list of unmanaged people', () => {
  it('has everybody who is counted, whatever the reason, with what they have and whom the directory knows', async () => {
    const t = await withPeople({
      sam: ['w1 MEMBER'],
      tom: ['w1 ADMIN', 'w2 CLIENT'],
      vic: ['w1 VIEW_ONLY'],
      kim: ['w1 MEMBER'],
      far: ['w1 CLIENT', 'w2 MEMBER'],
      pia: ['w1 MEMBER'],
      ned: ['w1 MEMBER r1'],
    });
    const { group } = await t.role('client', ['w1']);
    await t.user('kim', [(await t.role('team_member')).group]);
    await t.user('far', [group]);
    const sam = await t.user('sam');
    await t.revise(await t.user('tom'), { active: false });
    await t.exclude('pia@acme.example');
    await t.sync();
    await drift(t);
    const found = await list(t);
    expect(await adoptable(t)).toEqual({
      ...{ owner: 'owner', sam: null, tom: 'inactive', far: 'ours', pia: 'excluded', ned: null },
    });
    expect(found.length, 'as many as are counted').toBe((await seats(t))[1]);
    expect(found.find(({ member }) => member.blueUserId === 'sam')).toMatchObject({
      ...{
        role: 'team_member',
        workspaces: ['w1'],
        member: { user: { id: sam }, address: 'sam@acme.example' },
      },
    });
    expect(found.find(({ member }) => member.blueUserId === 'ned')?.role).toBe('custom:Reviewer');
    expect((await list(t, 'ned', 2)).map(({ member }) => member.blueUserId)).toEqual(['owner', 'pia']);
  });

  it('says of whom the address is hidden, and of the gateway’s own user', async () => {
    const t = await s.tenant({ paidSeats: 9 });
    await t.role('team_member');
    await drift(t);
    await inTenant(s.test.database, t.tenantId, async (tx) => {
      tx.send(
        sql`update blue_members set address = null where tenant_id = ${tx.tenantId} and blue_user_id = 'max'`,
      );
      tx.send(sql`
        update blue_connections set actual = actual || '{"selfUserId": "amy"}' where tenant_id = ${tx.tenantId}`);
    });
    expect(await adoptable(t)).toEqual({ owner: 'owner', amy: 'self', max: 'no_address' });
    expect(await told(t, 'owner', 'amy', 'max', 'vic', 'nobody')).toEqual([
      ...['owner', 'self', 'no_address', 'not_paid', 'unknown'],
    ]);
    expect([await users(t), await seats(t)], 'nothing is written').toEqual([[], [0, 3]]);
  });

  it('is not told while Blue’s lists are not known', async () => {
    const t = await s.tenant();
    await expect(list(t)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(take(t, 'max')).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('adopting', () => {
  it('makes a person with a pin of what they have, whose seat was counted before, and sends Blue nothing', async () => {
    const t = await withPeople({ sam: ['w1 MEMBER', 'w2 MEMBER'], tom: ['w1 MEMBER r1'], ada: ['w2 ADMIN'] });
    const id = await t.user('tom');
    const before = [t.held('w1'), t.held('w2')];
    expect(await seats(t)).toEqual([0, 4]);
    const adopted = await take(t, 'sam', 'tom', 'ada');
    expect(adopted.map(({ result, seat }) => [result, seat])).toEqual(Array(3).fill(['adopted', 'held']));
    expect(adopted[1]?.userId, 'the directory’s own person').toBe(id);
    expect(await seats(t)).toEqual([3, 1]);
    await t.sync();
    await drift(t);
    expect([t.mutations(), t.held('w1'), t.held('w2')]).toEqual([[], ...before]);
    expect(await seats(t)).toEqual([3, 1]);
    for (const { userId } of adopted) expect(userId && (await t.blue(userId))).toBe('active');
    expect((await list(t)).map(({ member }) => member.blueUserId)).toEqual(['owner']);

    const [sam] = adopted;
    const view = await inTenant(s.test.database, t.tenantId, (tx) =>
      selectUserView(tx, sam?.userId ?? id, t.clock.now()),
    );
    expect(view).toMatchObject({ sources: [], address: 'sam@acme.example', seat: { state: 'held' } });
    expect(view?.decision?.effective).toEqual(
      ['w1', 'w2'].map((workspace) => ({ role: 'team_member', billing: 'paid', workspace, via: 'PIN' })),
    );
    const trail = await inTenant(s.test.database, t.tenantId, (tx) =>
      tx.run(sql<{ action: string }>`
        select action from audit_trail where tenant_id = ${tx.tenantId} and subject = ${sam?.userId}::text order by seq`),
    );
    expect(trail.map(({ action }) => action)).toEqual([
      ...['user.created', 'user.adopted', 'pin.set', 'decision.changed'],
    ]);
  });

  it('again changes nothing, also where two do so at once', async () => {
    const t = await withPeople({ sam: ['w1 MEMBER'] });
    const both = await Promise.all([told(t, 'sam'), told(t, 'sam')]);
    expect(both.flat().sort()).toEqual(['adopted held', 'unchanged held']);
    expect(await told(t, 'sam', 'sam')).toEqual(['unchanged held']);
    expect([(await users(t)).length, await seats(t)]).toEqual([1, [1, 1]]);
  });

  it('of somebody whom a directory makes at the same time finds that person, whatever the userName', async () => {
    const t = await withPeople({ sam: ['w1 MEMBER'], tom: ['w1 MEMBER'] });
    const [isMade, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const attributes = { userName: 'sam', emails: [{ value: 'sam@acme.example' }] };
    const also = async () => {
      isMade.resolve();
      await goOn.promise;
    };
    const creating = createUser(s.test.database, t.door(), null, { attributes, externalId: null }, { also });
    await isMade.promise;
    const adopting = take(t, 'sam');
    const isEarly = await Promise.race([adopting.then(() => true), setTimeout(200, false)]);
    goOn.resolve();
    const [{ user }, [sam]] = await Promise.all([creating, adopting]);
    expect([isEarly, sam?.result, sam?.userId]).toEqual([false, 'adopted', user.id]);

    const [adopted, created] = await Promise.allSettled([told(t, 'tom'), t.user('tom')]);
    expect(adopted).toMatchObject({ status: 'fulfilled', value: ['adopted held'] });
    if (created.status === 'rejected') expect(created.reason).toMatchObject({ code: 'conflict' });
    expect([(await users(t)).length, await seats(t)]).toEqual([2, [2, 1]]);
  });

  it('comes before whoever waits, since the seat was used before', async () => {
    const t = await s.tenant({ paidSeats: 2, seed: seedWith({ sam: ['w1 MEMBER'], tom: ['w1 MEMBER'] }) });
    const { group } = await t.role('team_member');
    await drift(t);
    const ann = await t.user('ann', [group]);
    expect(await told(t, 'sam')).toEqual(['adopted held']);
    await t.contract(3);
    expect(await told(t, 'tom')).toEqual(['adopted held']);
    expect([await seats(t), await t.blue(ann)], 'Ann waits on: all three are used').toEqual([[2, 1], 'none']);
  });

  it('goes on while a large edit is carried out, which gives no seats', async () => {
    const t = await withPeople({ sam: ['w1 MEMBER'] });
    await inTenant(s.test.database, t.tenantId, async (tx) =>
      tx.send(sql`update seat_pools set evaluating = true where tenant_id = ${tx.tenantId}`),
    );
    expect(await told(t, 'sam')).toEqual(['adopted held']);
  });

  it('is refused where the contract has no seat for them, and leaves no trace', async () => {
    const t = await withPeople(
      { sam: ['w1 MEMBER'], tom: ['w1 MEMBER'], ann: ['w1 MEMBER'] },
      { paidSeats: 2 },
    );
    expect(await told(t, 'sam', 'tom', 'ann'), 'one by one').toEqual([
      ...['adopted held', 'adopted held', 'no_seat'],
    ]);
    expect(await adoptable(t)).toEqual({ owner: 'owner', ann: 'no_seat' });
    expect([(await users(t)).length, await seats(t)]).toEqual([2, [2, 2]]);
    await t.sync();
    await drift(t);
    expect([t.mutations(), t.held()]).toEqual([[], ['ann MEMBER', 'sam MEMBER', 'tom MEMBER']]);
  });

  it('keeps nobody from a role besides: where the gateway manages it they are not adopted, elsewhere it stays', async () => {
    const t = await withPeople({
      sam: ['w1 CLIENT', 'w2 MEMBER'],
      tom: ['w1 MEMBER', 'w2 CLIENT'],
      ann: ['w1 MEMBER r1', 'w2 MEMBER'],
    });
    const [sam, tom, ann] = await take(t, 'sam', 'tom', 'ann');
    expect(sam).toMatchObject({
      why: 'several_roles',
      adoption: { endangered: [{ role: 'client', workspace: 'w1' }] },
    });
    expect(ann).toMatchObject({ why: 'several_roles' });
    expect(tom).toMatchObject({
      result: 'adopted',
      adoption: { leftAlone: [{ role: 'client', workspace: 'w2' }] },
    });
    await t.sync();
    await drift(t);
    expect([t.mutations(), t.held('w1'), t.held('w2')]).toEqual([
      [],
      ['ann Reviewer', 'sam CLIENT', 'tom MEMBER'],
      ['ann MEMBER', 'sam MEMBER', 'tom CLIENT'],
    ]);
  });

  it('does not overwrite what was decided, nor take another’s userName for an address', async () => {
    const t = await withPeople({ sam: ['w1 MEMBER'], tom: ['w1 MEMBER'] });
    const sam = await t.user('sam');
    const pin = { role: 'view_only', workspaces: null, until: null, reserved: false, reason: 'x' };
    await setPin(s.test.database, t.door(), sam, pin);
    const tom = await t.user('tom');
    await t.revise(tom, { userName: 'tom@acme.example', emails: [{ value: 'thomas@acme.example' }] });
    expect(await told(t, 'sam', 'tom')).toEqual(['ours', 'name_taken']);
    await removePin(s.test.database, t.door(), sam);
    expect((await list(t)).find(({ member }) => member.blueUserId === 'tom')?.why).toBe('name_taken');
  });

  it('is undone like any pin: taken away, the role goes in Blue, there and from nobody else', async () => {
    const t = await withPeople({ sam: ['w1 MEMBER', 'w2 MEMBER'], tom: ['w1 MEMBER', 'w2 MEMBER'] });
    const [sam] = await take(t, 'sam');
    await t.user('tom', [(await t.role('team_member')).group]);
    await t.sync();
    if (sam?.userId == null) throw new Error('adopted');
    await removePin(s.test.database, t.door(), sam.userId);
    await t.sync();
    await drift(t);
    expect([t.held('w1'), t.held('w2'), await seats(t)]).toEqual([['tom MEMBER'], ['tom MEMBER'], [1, 1]]);
  });

  it('ends with the person: whoever is deactivated keeps nothing in Blue of what they were adopted with', async () => {
    const t = await withPeople({ sam: ['w2 MEMBER'] });
    const [sam] = await take(t, 'sam');
    await drift(t);
    if (sam?.userId == null) throw new Error('adopted');
    await t.revise(sam.userId, { active: false });
    await t.sync();
    expect([t.held('w2'), await t.blue(sam.userId)]).toEqual([[], 'removed']);
  });

  it('takes nothing away that was there while the gateway only observed, and gave nothing', async () => {
    const t = await withPeople({ sam: ['w2 MEMBER'] }, { connection: { mode: 'observe' } });
    const [sam] = await take(t, 'sam');
    if (sam?.userId == null) throw new Error('adopted');
    await drift(t);
    await removePin(s.test.database, t.door(), sam.userId);
    await t.sync();
    await t.write({ mode: 'apply' });
    await drift(t);
    await t.sync();
    expect(t.held('w2')).toEqual(['sam MEMBER']);
  });
});
