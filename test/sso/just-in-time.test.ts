/** What a connection's just-in-time policies make of people, over HTTP: who is made, who waits for a word, whose groups are claimed. */

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Door } from '../../src/audit/door.ts';
import { openDatabase } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { ConnectionId, TenantId } from '../../src/kernel/ids.ts';
import { keepAccessRequest } from '../../src/sso/access-request-flow.ts';
import { made } from '../support/gateway.ts';
import type { Page } from './browser.ts';
import { attribute, goodResponse } from './forge.ts';
import { jit, post, startTarget, type Target } from './target.ts';

let target: Target;
let count = 0;
/** Nobody was here before. */
let someone = '';

const contractOf50 = {
  ...{ kind: 'annual', tier: 'x', paidSeats: 50, startsOn: '2020-01-01', endsOn: '2999-01-01' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'none' },
};

beforeAll(async () => {
  target = await startTarget();
  await made(api('PUT', '/contract', contractOf50));
  await settingsAre({});
  const mapping = { group: { claim: 'Staff' }, role: 'team_member', workspaces: ['w1'], priority: 1 };
  await made(api('POST', '/mappings', mapping));
});
afterAll(() => target.gateway.close());
beforeEach(async () => {
  count += 1;
  someone = `person${count}`;
  await connectionIs({ ...jit, enabled: true, approval: false, groupsClaim: null, defaultRole: null });
});

const api = (method: string, path: string, body?: unknown) =>
  target.gateway.api(method, `/tenants/${target.tenant.slug}${path}`, body);
const connectionIs = (policies: object) => made(target.gateway.api('PUT', target.path, { jit: policies }));
/** Many seats go to and fro here: nobody is asked about it. */
const settingsAre = (change: object) => made(api('PUT', '/settings', { breaker: null, ...change }));
const list = async (path: string) => (await made(api('GET', path))).items;
const groupsOf = (...values: string[]) => attribute('groups', ...values);

async function login(subject: string, more = '', at = target.connection): Promise<Page> {
  const begun = await target.begin(at);
  const attributes = attribute('userName', `${subject}@example.com`) + more;
  return await post(begun, goodResponse(begun, { subject, attributes }));
}

const requestOf = async (subject: string, state = 'pending') =>
  (await list(`/access-requests?state=${state}`)).find(
    ({ userName }: { userName: string }) => userName === `${subject}@example.com`,
  );
const userOf = async (subject: string) => (await list(`/users?search=${subject}@`))[0];
const seatOf = async (subject: string) => (await userOf(subject))?.seat.state;

describe('switched off', () => {
  it('makes nobody and claims no groups; who was here before gets in', async () => {
    await login(someone);
    await connectionIs({ enabled: false, groupsClaim: 'groups' });
    expect((await login('stranger')).status).toBe(403);
    expect(await target.newest()).toMatchObject({ reason: 'not_provisioned' });
    expect((await login(someone, groupsOf('Staff'))).status).toBe(303);
    expect(await seatOf(someone)).toBe('none');
  });
});

describe('with approval', () => {
  beforeEach(async () => {
    await connectionIs({
      approval: true,
      groupsClaim: 'groups',
      attributes: { userName: 'userName', email: 'mail' },
    });
  });

  it('keeps who would be made as one request, with what the claims say now, and says so plainly', async () => {
    const page = await login(someone, attribute('mail', 'old@example.com'));
    expect(page.status).toBe(403);
    expect(page.text).toContain('<h1>Your access waits for approval</h1>');
    expect(await target.newest()).toMatchObject({ outcome: 'refused', reason: 'pending' });
    await login(someone, attribute('mail', `${someone}@new.example.com`) + groupsOf('Staff'));
    expect(await requestOf(someone)).toMatchObject({
      ...{ state: 'pending', email: `${someone}@new.example.com`, groups: ['staff'] },
      ...{ connection: target.connection.id, refusedAt: null },
    });
    expect(await userOf(someone)).toBeUndefined();
    expect(await list('/audit?action=access.requested')).toHaveLength(1);
  });

  it('makes who is approved at once, with role and seat; the next login is theirs', async () => {
    await login(someone, groupsOf('Staff'));
    const { id } = await requestOf(someone);
    const approved = await made(api('POST', `/access-requests/${id}/approve`));
    expect(approved).toMatchObject({ seat: 'held', roles: [{ role: 'team_member', workspace: 'w1' }] });
    expect(await userOf(someone)).toMatchObject({ id: approved.user, seat: { state: 'held' } });
    expect(await requestOf(someone)).toBeUndefined();
    expect((await api('POST', `/access-requests/${id}/approve`)).status).toBe(404);
    const [event] = await list('/audit?action=access.approved');
    expect(event).toMatchObject({
      actor: { kind: 'operator' },
      subject: id,
      after: { userId: approved.user },
    });
    expect((await login(someone)).status).toBe(303);
    expect(await target.newest()).toMatchObject({ user: approved.user });
  });

  it('remembers who was refused, until somebody lets them in after all', async () => {
    await login(someone);
    const { id } = await requestOf(someone);
    const refused = await made(api('POST', `/access-requests/${id}/refuse`, { reason: 'no longer with us' }));
    expect(refused).toMatchObject({ state: 'refused', reason: 'no longer with us' });
    expect((await api('POST', `/access-requests/${id}/refuse`, {})).status).toBe(409);
    const page = await login(someone);
    expect(page.text).toContain('You are not provisioned');
    expect(page.text).not.toContain('no longer with us');
    expect((await target.newest()).detail).toContain(id);
    expect(await requestOf(someone)).toBeUndefined();
    expect(await requestOf(someone, 'refused')).toMatchObject({ id });
    await made(api('POST', `/access-requests/${id}/approve`));
    expect((await login(someone)).status).toBe(303);
  });

  it('is one request of however many first logins at once, and the trail tells it once', async () => {
    expect(
      (await Promise.all(Array.from({ length: 8 }, () => login(someone)))).map(({ status }) => status),
    ).toEqual(Array(8).fill(403));
    const requests = (await list('/access-requests')).filter(
      ({ userName }: { userName: string }) => userName === `${someone}@example.com`,
    );
    const told = (await list('/audit?action=access.requested&limit=200')).filter(
      ({ after }: { after: { identity: { userName: string } } }) =>
        after.identity.userName === `${someone}@example.com`,
    );
    expect(told.map(({ subject }: { subject: string }) => subject)).toEqual([requests[0].id]);
    expect(requests).toHaveLength(1);
  });

  it('approves nobody at a connection that is switched off', async () => {
    await login(someone);
    const { id } = await requestOf(someone);
    await made(target.gateway.api('PUT', target.path, { enabled: false }));
    expect(await api('POST', `/access-requests/${id}/approve`)).toMatchObject({ status: 409 });
    await made(target.gateway.api('PUT', target.path, { enabled: true }));
    expect(await userOf(someone)).toBeUndefined();
    await made(api('POST', `/access-requests/${id}/approve`));
  });

  it('makes nobody beside a user whom the claims lead to', async () => {
    await login(someone);
    const token = await target.tenant.directoryToken('okta');
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    await made(target.gateway.scim(token, 'POST', '/Users', { schemas, userName: `${someone}@example.com` }));
    const { id } = await requestOf(someone);
    expect(await api('POST', `/access-requests/${id}/approve`)).toMatchObject({
      ...{ status: 409, body: { code: 'conflict' } },
    });
    expect(await requestOf(someone)).toMatchObject({ id });
  });

  it('of another tenant is not there', async () => {
    await login(someone);
    const { id } = await requestOf(someone);
    const path = `/tenants/${target.elsewhere.slug}/access-requests`;
    expect((await target.gateway.api('POST', `${path}/${id}/approve`)).status).toBe(404);
    expect((await target.gateway.api('POST', `${path}/${id}/refuse`, {})).status).toBe(404);
    expect((await made(target.gateway.api('GET', path))).items).toEqual([]);
  });

  it('asks nobody any more about who is linked meanwhile', async () => {
    await login(someone);
    await connectionIs({ approval: false });
    expect((await login(someone)).status).toBe(303);
    await connectionIs({ approval: true });
    expect(await requestOf(someone)).toBeUndefined();
  });

  it('nor where that came while a login was under way, which would write the request down again', async () => {
    await login(someone);
    const { id } = await requestOf(someone);
    await made(api('POST', `/access-requests/${id}/approve`));
    const database = openDatabase({ url: target.gateway.databaseUrl, poolSize: 1 });
    const tenantId = target.tenant.tenantId as TenantId;
    const connectionId = target.connection.id as ConnectionId;
    const door: Door = {
      ...{ tenantId, now: new Date(), requestId: null },
      actor: { kind: 'connection', id: connectionId, name: 'x' },
    };
    const [link] = await inTenant(database, tenantId, (tx) =>
      tx.run(sql<{ subject: string }>`select subject from sso_links order by linked_at desc limit 1`),
    );
    const identity = {
      ...{ subject: link?.subject ?? '', externalId: undefined, userName: `${someone}@example.com` },
      ...{ email: undefined, emailVerified: true, userNameVerified: true },
      ...{ givenName: undefined, familyName: undefined, displayName: undefined },
    };
    const kept = keepAccessRequest(database, door, connectionId, { identity, groups: [] });
    await expect(kept).rejects.toThrow('sign in again');
    expect(await requestOf(someone)).toBeUndefined();
    await database.close();
  });
});

describe('the default role', () => {
  const told = async (subject: string) => {
    const { requestedRoles, seat } = await userOf(subject);
    return [
      requestedRoles.map(({ role, via }: { role: string; via: string }) => `${role} ${via}`).join(),
      seat.state,
    ];
  };

  it('is for whom the connection makes and no mapping names; with it they are explained', async () => {
    await connectionIs({ defaultRole: 'project_administrator', groupsClaim: 'groups' });
    await login(someone);
    expect(await told(someone)).toEqual(['project_administrator DEFAULT', 'held']);
    const { id } = await userOf(someone);
    const { sentence } = await made(api('GET', `/users/${id}/explain`));
    expect(sentence).toContain('connection gives project_administrator to those whom it made');
    await login(someone, groupsOf('Staff'));
    expect(await told(someone)).toEqual([expect.stringMatching(/^team_member MAPPING:/), 'held']);
  });

  it('is another for who was made before, too, as soon as the connection says another; theirs alone', async () => {
    await login(someone);
    await login(`${someone}b`);
    const pushed = `${someone}c`;
    const token = await target.tenant.directoryToken('okta');
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    await made(target.gateway.scim(token, 'POST', '/Users', { schemas, userName: `${pushed}@example.com` }));
    for (const [change, role, seat] of [
      [{ defaultRole: 'team_member' }, 'team_member DEFAULT', 'held'],
      [{ defaultRole: 'view_only' }, 'view_only DEFAULT', 'none'],
      [{ enabled: false }, '', 'none'],
      [{ enabled: true }, 'view_only DEFAULT', 'none'],
      [{ defaultRole: 'none' }, '', 'none'],
    ] as const) {
      await connectionIs(change);
      for (const subject of [someone, `${someone}b`]) expect(await told(subject)).toEqual([role, seat]);
      expect(await told(pushed)).toEqual(['', 'none']);
    }
    expect(
      await api('PUT', `/connections/${target.connection.id}`, { jit: { defaultRole: 'king' } }),
    ).toMatchObject({
      ...{ status: 400, body: { field: 'jit.defaultRole' } },
    });
  });

  it('goes before that of the tenant, also where it is none', async () => {
    await settingsAre({ defaultRole: 'view_only' });
    await login(someone);
    expect(await told(someone)).toEqual(['view_only DEFAULT', 'none']);
    await connectionIs({ defaultRole: 'none' });
    expect(await told(someone)).toEqual(['', 'none']);
    await connectionIs({ defaultRole: null });
    expect(await told(someone)).toEqual(['view_only DEFAULT', 'none']);
    await settingsAre({});
  });
});

describe('the groups claim', () => {
  beforeEach(() => connectionIs({ groupsClaim: 'groups' }));

  it('gives a seat at the first login, and explains by which group', async () => {
    await login(someone, groupsOf('STAFF', 'Other'));
    const { id, requestedRoles, seat } = await userOf(someone);
    expect([requestedRoles[0].role, seat.state]).toEqual(['team_member', 'held']);
    const explained = await made(api('GET', `/users/${id}/explain`));
    expect(explained.winner).toMatchObject({ group: 'staff', role: 'team_member' });
    expect(explained.counterfactuals).toContainEqual({
      change: 'Take the person out of staff',
      ...{ roles: [], needsSeat: false },
    });
  });

  it('lets whoever comes first in without a seat under policy block, to wait for one that comes free (licensing)', async () => {
    const contract = (paidSeats: number, policy: string) =>
      made(api('PUT', '/contract', { ...contractOf50, paidSeats, overage: { policy } }));
    const holders = (await list('/users?seat=held')).length;
    await contract(holders, 'block');
    expect((await login(someone, groupsOf('Staff'))).status).toBe(303);
    const { seat } = await userOf(someone);
    expect(seat).toMatchObject({ state: 'blocked', reason: 'SEAT_BLOCKED', position: null });
    await contract(holders + 1, 'block');
    expect(await seatOf(someone)).toBe('held');

    await connectionIs({ approval: true });
    await login(`${someone}b`, groupsOf('Staff'));
    const { id } = await requestOf(`${someone}b`);
    await made(api('POST', `/access-requests/${id}/approve`));
    expect(await seatOf(`${someone}b`)).toBe('blocked');
    await contract(50, 'queue');
  });

  it('at a later login takes the place of what it was, as a change of groups does', async () => {
    await login(someone);
    expect(await seatOf(someone)).toBe('none');
    await login(someone, groupsOf('Staff'));
    expect(await seatOf(someone)).toBe('held');
    await login(someone, groupsOf('Other'));
    expect(await seatOf(someone), 'as of somebody who leaves the last group').toBe('hold');
    await login(someone, groupsOf('Other', 'Staff'));
    expect(await seatOf(someone)).toBe('held');
    const { id } = await userOf(someone);
    const trail = await list(`/audit?action=user.claimed&subject=${id}`);
    expect(trail).toHaveLength(3);
  });

  it('that is not there, or ends in a link (Entra, more than 150 groups), leaves the groups as they were', async () => {
    await login(someone, groupsOf('Staff'));
    const link = attribute('http://schemas.microsoft.com/claims/groups.link', 'https://graph.windows.net/x');
    for (const more of ['', link, link + groupsOf('Other')]) {
      expect((await login(someone, more)).status).toBe(303);
      expect(await seatOf(someone)).toBe('held');
    }
    await login(someone, '<saml:Attribute Name="groups"/>');
    expect(await seatOf(someone), 'that there are none is another thing').toBe('hold');
  });

  it('forgets what it said where the connection asks for another attribute, none, or is removed', async () => {
    for (const change of [{ groupsClaim: 'roles' }, { groupsClaim: null }, { enabled: false }]) {
      await connectionIs({ enabled: true, groupsClaim: 'groups' });
      await login(someone, groupsOf('Staff'));
      expect(await seatOf(someone)).toBe('held');
      await connectionIs(change);
      expect(await seatOf(someone)).toBe('none');
    }
  });

  it('forgets nobody at once where the breaker is to ask first', async () => {
    const others = [`${someone}b`, `${someone}c`];
    for (const one of [someone, ...others]) await login(one, groupsOf('Staff'));
    await settingsAre({ breaker: { percent: 1, people: 2 } });
    await connectionIs({ groupsClaim: null });
    for (const one of [someone, ...others]) expect(await seatOf(one)).toBe('held');
    expect(await list('/seats/staged')).toHaveLength(3);
    await made(api('POST', '/seats/staged/release'));
    for (const one of [someone, ...others]) expect(await seatOf(one)).toBe('none');
    await settingsAre({});
  });

  it('of two connections counts together, until one is removed', async () => {
    await login(someone, groupsOf('Staff'));
    const { id } = await userOf(someone);
    const token = await target.tenant.directoryToken('generic');
    await made(
      target.gateway.scim(token, 'PATCH', `/Users/${id}`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'add', path: 'externalId', value: someone }],
      }),
    );
    const { id: directoryId } = (await list('/directories')).at(-1);
    const { identityProvider: _, id: __, ...like } = await made(target.gateway.api('GET', target.path));
    const other = await made(
      api('POST', '/connections', {
        ...{ protocol: 'saml', name: 'other', metadataXml: target.metadataXml, directoryId },
        jit: { ...like.jit, attributes: { externalId: 'sub', userName: 'userName' } },
      }),
    );
    const there = attribute('sub', someone);
    expect((await login(someone, there + groupsOf('Staff', 'Other'), other)).status).toBe(303);
    await login(someone, groupsOf('Other'));
    expect(await seatOf(someone)).toBe('held');
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
    const before = await made(target.gateway.scim(token, 'GET', '/Groups'));
    expect(before.totalResults, 'SCIM knows nothing of groups that are claimed').toBe(0);
    const group = await made(
      target.gateway.scim(token, 'POST', '/Groups', { schemas, displayName: 'Staff' }),
    );
    await login(someone, there + groupsOf('Staff'), other);
    expect(await seatOf(someone), 'a directory that pushes groups is asked alone').toBe('hold');
    expect((await target.gateway.scim(token, 'DELETE', `/Groups/${group.id}`)).status).toBe(204);
    await login(someone, there + groupsOf('Staff'), other);
    expect(await seatOf(someone)).toBe('held');
    expect((await api('DELETE', `/connections/${other.id}`)).status).toBe(204);
    expect(await seatOf(someone)).toBe('none');
  });
});
