/** What goes wrong on the way to Blue, and that everything arrives all the same: once. */

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putBlueConnection, readBlueConnection } from '../../src/blue/connection-flow.ts';
import { takeLease } from '../../src/blue/connection-store.ts';
import { blueStatus, listWorkspaces } from '../../src/blue/plan-flow.ts';
import { syncNow } from '../../src/blue/sync-flow.ts';
import { type SyncTask, startSyncTask } from '../../src/blue/sync-task.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { Fault } from '../../src/kernel/fault.ts';
import { hour } from '../demo/blue-double/support.ts';
import { type BlueTenant, type Stage, secret, stage } from './sync-support.ts';

let s: Stage;
beforeAll(async () => {
  s = await stage();
});
afterAll(() => s.close());

const status = (t: BlueTenant) => blueStatus(s.test.database, t.tenantId);

async function until(holds: () => Promise<boolean> | boolean, ms = 10_000): Promise<void> {
  for (const started = performance.now(); performance.now() - started < ms; await sleep(20)) {
    if (await holds()) return;
  }
  expect.fail('did not come about in time');
}

describe('Blue', () => {
  it('may be down and up again: everything arrives', async () => {
    const t = await s.tenant();
    const { group } = await t.role('team_member');
    await t.sync();
    await t.double.close();
    for (const name of ['a', 'b', 'c']) await t.user(name, [group]);
    await t.sync();
    expect(await status(t)).toMatchObject({ state: 'waiting', pending: 3 });
    await t.sync();
    await t.double.reopen();
    for (let round = 0; round < 4; round += 1) {
      t.clock.advance(60_000);
      await t.sync();
    }
    expect(t.invited()).toEqual(['a MEMBER w1', 'b MEMBER w1', 'c MEMBER w1']);
    expect(t.mutations().filter((name) => name === 'inviteUser')).toHaveLength(3);
    expect(await status(t)).toMatchObject({ state: 'ok', pending: 0 });
  });

  it.each([{ kind: 'lost_answer' }, { kind: 'html', status: 502 }, { kind: 'internal' }] as const)(
    'may answer $kind: its lists are read before anything is sent again',
    async (fault) => {
      const t = await s.tenant();
      const { group } = await t.role('team_member');
      const ann = await t.user('ann', [group]);
      t.double.state.faults.order(fault, { operation: 'inviteUser' });
      if (fault.kind === 'lost_answer') setTimeout(() => t.double.close().then(() => t.double.reopen()), 300);
      await t.sync();
      expect(await t.blue(ann)).toBe('waiting UNAVAILABLE');
      for (let round = 0; round < 3; round += 1) {
        t.clock.advance(60_000);
        await t.sync();
      }
      expect(t.invited()).toEqual(['ann MEMBER w1']);
      expect(t.mutations()).toHaveLength(fault.kind === 'lost_answer' ? 1 : 2);
      expect(await t.blue(ann)).toBe('invited');
    },
  );

  it('limits the rate: nothing is asked before its time', async () => {
    const t = await s.tenant();
    const { group } = await t.role('team_member');
    await t.sync();
    const ann = await t.user('ann', [group]);
    t.double.state.faults.order({ kind: 'tier', retryAfterSeconds: 30 }, { operation: 'inviteUser' });
    await t.sync();
    expect(await status(t)).toMatchObject({ state: 'waiting', pending: 1 });
    const { length } = t.double.state.requests();
    t.clock.advance(29_000);
    await t.sync();
    expect(t.double.state.requests()).toHaveLength(length);
    t.clock.advance(1000);
    await t.sync();
    expect(await t.blue(ann)).toBe('invited');
    expect((await status(t)).state).toBe('ok');
  });

  it('does not take the token: the tenant stops until somebody writes another', async () => {
    const t = await s.tenant();
    const { group } = await t.role('team_member');
    t.double.state.expireToken('t-owner', t.clock.now());
    await t.user('ann', [group]);
    await t.sync();
    const stopped = await status(t);
    expect(stopped).toMatchObject({ state: 'stopped', pending: 1, cause: expect.stringMatching(/token/) });
    t.clock.advance(hour);
    const { length } = t.double.state.requests();
    await t.sync();
    expect(t.double.state.requests()).toHaveLength(length);
    t.double.state.expireToken('t-owner', null);
    await syncNow(t.services, t.door(), { drift: false });
    expect(t.invited()).toEqual(['ann MEMBER w1']);
    expect(await status(t)).toEqual({ state: 'ok', pending: 0, lastContactAt: t.clock.now() });
  });

  it('gives a token that is not the owner’s no rights that would do', async () => {
    const t = await s.tenant({ connection: { tokenId: 't-amy', tokenSecret: 'pat_amy' } });
    await t.sync();
    expect(await status(t)).toMatchObject({ state: 'stopped', cause: expect.stringMatching(/owner/) });
  });

  it('refuses one person: the others pass, and it is tried again with the next reading', async () => {
    const t = await s.tenant();
    const { group } = await t.role('team_member');
    await t.sync();
    const [ann, bob] = [await t.user('ann', [group]), await t.user('bob', [group])];
    t.double.state.faults.order({ kind: 'seats_full' }, { operation: 'inviteUser' });
    await t.sync();
    const states = [await t.blue(ann), await t.blue(bob)].sort();
    expect(states).toEqual(['invited', 'refused PLAN_LIMIT_REACHED']);
    expect((await status(t)).pending).toBe(0);
    t.clock.advance(hour);
    await t.sync();
    expect([await t.blue(ann), await t.blue(bob)]).toEqual(['invited', 'invited']);
  });

  it('does not know a workspace: said of the person, and mended once it is there', async () => {
    const t = await s.tenant();
    const { group } = await t.role('client', ['w3']);
    const ann = await t.user('ann', [group]);
    await t.sync();
    expect(await t.blue(ann)).toBe('refused PROJECT_NOT_FOUND');
    t.double.state.world.join('owner', 'w3', 'ADMIN');
    await syncNow(t.services, t.door(), { drift: true });
    expect(t.invited()).toEqual(['ann CLIENT w3']);
  });

  it('was changed by hand since it was read: it is read again, and the step is taken from there', async () => {
    const t = await s.tenant();
    const [member, viewer] = [await t.role('team_member'), await t.role('view_only')];
    const ann = await t.user('ann', [member.group]);
    await t.sync();
    await syncNow(t.services, t.door(), { drift: true });
    t.double.state.accept('ann@acme.example');
    await t.edit(viewer.group, [ann], []);
    await t.edit(member.group, [], [ann]);
    await t.sync();
    expect(t.held()).toEqual(['ann VIEW_ONLY']);
    expect(await t.blue(ann)).toBe('active');
  });
});

describe('a worker', () => {
  it('that dies while it sends leaves a doubt, and the next one reads first', async () => {
    const t = await s.tenant();
    const { group } = await t.role('team_member');
    await t.sync();
    const ann = await t.user('ann', [group]);
    // What the dead one had done by then: said that it sends, and sent.
    await inTenant(s.test.database, t.tenantId, async (tx) => {
      tx.send(sql`update blue_connections set sending = true where tenant_id = ${tx.tenantId}`);
    });
    t.double.state.world.invite({
      ...{ email: 'ann@acme.example', workspaceId: 'w1', level: 'MEMBER' },
      ...{ roleId: null, invitedById: 'owner' },
    });
    await t.sync();
    expect(t.mutations()).toEqual([]);
    expect(await t.blue(ann)).toBe('invited');
  });

  it('waits while another has the tenant, and loses it when the settings are written', async () => {
    const t = await s.tenant();
    await t.sync();
    expect(await takeLease(s.test.database, t.tenantId, '00000000-0000-4000-8000-000000000000', 60_000)).toBe(
      true,
    );
    expect(await t.sync()).toBe('busy');
    await t.write();
    expect(await t.sync()).toBe('done');
  });

  it('of two on one database: each step is sent once, whoever takes it', async () => {
    const t = await s.tenant();
    const tasks = [1, 2, 3].map(() => startSyncTask({ ...t.services, log: s.log }));
    const { group } = await t.role('team_member');
    for (let index = 0; index < 60; index += 1) {
      await t.user(`p${index}`, [group]);
      if (index % 7 === 0) for (const task of tasks) task.nudge();
    }
    await until(async () => (await status(t)).pending === 0);
    await stop(tasks);
    expect(t.invited()).toHaveLength(60);
    expect(t.mutations()).toHaveLength(60);
  });

  it('stops in the middle and goes on after a restart', async () => {
    const t = await s.tenant();
    const { group } = await t.role('client');
    for (let index = 0; index < 120; index += 1) await t.user(`p${index}`, [group]);
    const first = startSyncTask({ ...t.services, log: s.log });
    await until(() => t.mutations().length > 0);
    await first.stop();
    const sent = t.mutations().length;
    expect(sent).toBeLessThan(120);
    const second = startSyncTask({ ...t.services, log: s.log });
    await until(async () => (await status(t)).pending === 0);
    await second.stop();
    expect(t.invited()).toHaveLength(120);
    expect(t.mutations()).toHaveLength(120);
  });

  it('is not delayed by a tenant whose Blue is silent, and stops within seconds all the same', async () => {
    const silent = await s.tenant();
    silent.double.state.faults.order({ kind: 'hang' }, { times: 100 });
    const t = await s.tenant();
    const { group } = await t.role('client');
    await t.user('ann', [group]);
    const task = startSyncTask({ ...t.services, log: s.log });
    await until(() => silent.double.state.requests().length > 0 && t.invited().length === 1);
    const started = performance.now();
    await task.stop();
    expect(performance.now() - started).toBeLessThan(5000);
    expect((await status(silent)).state).toBe('ok');
  });
});

async function stop(tasks: readonly SyncTask[]): Promise<void> {
  await Promise.all(tasks.map((task) => task.stop()));
}

describe('the connection', () => {
  it('never shows its secret: not in answers, the trail or the log', async () => {
    const t = await s.tenant();
    const task = startSyncTask({ ...t.services, log: s.log });
    await t.double.close();
    await sleep(600);
    await task.stop();
    const shown = await readBlueConnection(s.test.database, t.tenantId);
    expect(shown).toMatchObject({ organizationId: 'org', tokenId: 't-owner', mode: 'apply' });
    const stored = await inTenant(s.test.database, t.tenantId, (tx) =>
      Promise.all([
        tx.run(sql`select * from audit_trail`),
        tx.run(sql`select *, encode(token_secret, 'escape') as sealed from blue_connections`),
      ]),
    );
    const everything = JSON.stringify([shown, stored, await status(t)]) + s.logged();
    expect(everything).not.toContain(secret);
    expect(everything).toContain('t-owner');
  });

  it('keeps a secret that is left out, but needs it the first time and for another place', async () => {
    const t = await s.tenant();
    const { tokenSecret: _left, ...rest } = {
      ...{ organizationId: 'org', tokenId: 't-owner', mode: 'apply' as const, apiUrl: t.double.url },
      tokenSecret: secret,
    };
    await putBlueConnection(s.test.database, t.services.secrets, t.door(), rest);
    await t.sync();
    expect(await status(t)).toMatchObject({ state: 'ok' });
    const elsewhere = { ...rest, apiUrl: 'https://elsewhere.example/graphql' };
    const refused = expect.objectContaining({ code: 'invalid', field: 'tokenSecret' });
    await expect(putBlueConnection(s.test.database, t.services.secrets, t.door(), elsewhere)).rejects.toEqual(
      refused,
    );
    await expect(readBlueConnection(s.test.database, t.tenantId)).resolves.toMatchObject({
      apiUrl: t.double.url,
    });
  });

  it('decides for everybody again when the default workspaces are others', async () => {
    const t = await s.tenant({ connection: { defaultWorkspaces: ['w1'] } });
    const { group } = await t.role('client', ['*']);
    await t.user('ann', [group]);
    await t.sync();
    expect(t.invited()).toEqual(['ann CLIENT w1']);
    await t.write({ defaultWorkspaces: ['w2'] });
    await t.sync();
    expect(t.invited()).toEqual(['ann CLIENT w2']);
    await t.write({ defaultWorkspaces: [] });
    await t.sync();
    expect(t.invited()).toEqual([]);
  });

  it('lists the workspaces with their custom roles, or says what is wrong', async () => {
    const t = await s.tenant();
    expect(await listWorkspaces(t.services, t.tenantId)).toEqual({
      items: [
        { id: 'w1', name: 'One', customRoles: ['Reviewer'] },
        { id: 'w2', name: 'Two', customRoles: [] },
      ],
    });
    t.double.state.expireToken('t-owner', t.clock.now());
    const failure = await listWorkspaces(t.services, t.tenantId).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Fault);
    expect(failure).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/token/) });
  });
});
