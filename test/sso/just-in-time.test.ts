/** What a connection's just-in-time policies make of people, over HTTP: who is made, with which role, and whose groups are claimed. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { made } from '../support/gateway.ts';
import { attribute } from './forge.ts';
import {
  api,
  approve,
  connectionIs,
  contractOf50,
  groupsOf,
  list,
  login,
  requestOf,
  seatOf,
  settingsAre,
  startNewcomers,
  target,
  userOf,
} from './newcomers.ts';
import { jit } from './target.ts';

let count = 0;
/** Nobody was here before. */
let someone = '';

beforeAll(startNewcomers);
afterAll(() => target.gateway.close());
beforeEach(async () => {
  count += 1;
  someone = `person${count}`;
  await connectionIs({ ...jit, enabled: true, approval: false, groupsClaim: null, defaultRole: null });
});

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
    await made(approve(await requestOf(`${someone}b`)));
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
