/** What identity providers and administrators hear of seats at their doors: refusals under policy `block`, pins, and batches. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newRace, type Race } from '../scim/race-support.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const extension = 'urn:blue:params:scim:schemas:extension:provisioning:2.0:User';
let gateway: TestGateway;
let race: Race;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  race = await newRace([gateway]);
});

const api = (method: string, path: string, body?: unknown) =>
  gateway.api(method, `/tenants/${race.slug}${path}`, body);
const create = (userName: string, attributes = {}) => {
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
  return race.scim('POST', '/Users', { schemas, userName, active: true, ...attributes });
};
const seatOf = async (id: string) => (await race.scim('GET', `/Users/${id}`)).body[extension].seat;

describe('policy block at the SCIM door', () => {
  const lead = { roles: [{ value: 'Lead' }] };

  it('refuses to create whom the default role would give a paid role, and creates the free', async () => {
    await race.contract(1, 'block');
    await api('PUT', '/settings', { defaultRole: 'team_member' });
    expect((await create('ada@example.com')).status).toBe(201);
    const refused = await create('bo@example.com');
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ status: '403' });
    expect(refused.body.detail).toMatch(
      /^No seat is free for the paid role that this person is to have: 1 of 1 seats of tier test are in use; .* \(reference [\w-]+\)\.$/,
    );
    expect(refused.body.detail).toContain(refused.headers.get('x-request-id'));
    expect(refused.body.scimType).toBeUndefined();
    await api('PUT', '/settings', { defaultRole: 'view_only' });
    expect((await create('bo@example.com')).status, 'nothing was kept of the refused one').toBe(201);
  });

  it('refuses to create whom a pushed role value would give a paid role', async () => {
    await race.contract(0, 'block');
    await race.map({ roleValue: 'lead' }, 1);
    expect((await create('ada@example.com', lead)).status).toBe(403);
    const free = await create('bo@example.com', { roles: [{ value: 'Guest' }] });
    expect(free.status).toBe(201);
    await race.contract(1, 'block');
    const seated = await create('ada@example.com', lead);
    expect(seated.body[extension].seat).toMatchObject({ state: 'held' });
    expect(seated.body.roles, 'what was pushed is told unchanged').toEqual([{ value: 'Lead' }]);
  });

  it('refuses whose sub-pool has all that it may have, though seats are free', async () => {
    await race.contract(4, 'block');
    await api('PUT', '/sub-pools/Sales', { seats: 1, borrowLimit: 0 });
    await api('POST', '/mappings', {
      ...{ group: { roleValue: 'lead' }, priority: 1, role: 'team_member' },
      ...{ workspaces: ['*'], subPool: 'Sales' },
    });
    expect((await create('ada@example.com', lead)).status).toBe(201);
    const refused = await create('bo@example.com', lead);
    expect([refused.status, refused.body.detail]).toEqual([
      403,
      expect.stringContaining('the sub-pool "Sales" has the 1 that it may have, and 1 of 4 seats'),
    ]);
  });

  it('refuses a reactivation, but no group write: who is added there waits, blocked, without a position', async () => {
    await race.contract(1, 'block');
    const [ada, bo] = [await race.user('ada@example.com'), await race.user('bo@example.com')];
    const staff = await race.group('Staff', [ada]);
    await race.map({ id: staff }, 1);
    expect((await race.addMember(staff, bo)).status).toBeLessThan(300);
    expect(await seatOf(bo)).toMatchObject({ state: 'blocked', reason: 'SEAT_BLOCKED' });
    expect((await seatOf(bo)).position ?? null).toBeNull();
    expect((await race.setActive(ada, false)).status).toBe(200);
    expect(await seatOf(bo), 'a seat that is given back promotes them too').toMatchObject({ state: 'held' });
    expect((await race.setActive(ada, true)).status).toBe(403);
    expect((await race.scim('GET', `/Users/${ada}`)).body.active).toBe(false);
    expect((await race.setActive(bo, false)).status).toBe(200);
    expect((await race.setActive(ada, true)).status).toBe(200);
  });

  it('refuses nobody who only waits for the end of a batch', async () => {
    await race.contract(1, 'block');
    await api('PUT', '/settings', { defaultRole: 'team_member', settlement: 'staged' });
    const { status, body } = await create('ada@example.com');
    expect(status).toBe(201);
    expect(body[extension].seat).toMatchObject({ state: 'blocked', reason: 'STAGED' });
  });
});

it('role values pushed by SCIM ask for what they are mapped to, whatever their case', async () => {
  await api('PUT', '/settings', { holdMinutes: 60 });
  await race.contract(1);
  await race.map({ roleValue: 'Lead' }, 1);
  const ada = (await create('ada@example.com', { roles: [{ value: 'LEAD' }] })).body;
  expect(ada[extension].seat).toMatchObject({ state: 'held', reason: 'SEAT_HELD' });
  const bo = await race.user('bo@example.com');
  expect(await seatOf(bo)).toMatchObject({ state: 'none' });
  const patch = (id: string, value: object[]) =>
    race.scim('PATCH', `/Users/${id}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'roles', value }],
    });
  expect((await patch(bo, [{ value: 'lead' }])).status).toBe(200);
  expect(await seatOf(bo)).toMatchObject({ state: 'queued', position: 1 });
  expect((await patch(ada.id, [{ value: 'other' }])).status).toBe(200);
  expect(await seatOf(ada.id), 'a directory that takes the value away may be moving her').toMatchObject({
    state: 'hold',
    reason: 'SEAT_HOLD_MOVER',
  });
  expect((await api('DELETE', `/users/${ada.id}/hold`)).status).toBe(204);
  expect(await seatOf(bo)).toMatchObject({ state: 'held' });
});

it('a reserved pin on a full pool is 409 no_seat at the admin API, and an unreserved one waits', async () => {
  await race.contract(1);
  const [ada, bo] = [await race.user('ada@example.com'), await race.user('bo@example.com')];
  await race.map({ id: await race.group('Staff', [ada]) }, 1);
  const pin = { role: 'team_member', reason: 'needed', reserved: true };
  const refused = await api('PUT', `/users/${bo}/pin`, pin);
  expect([refused.status, refused.body.code]).toEqual([409, 'no_seat']);
  expect((await api('GET', `/users/${bo}/pin`)).status, 'nothing was kept of it').toBe(404);
  expect((await api('PUT', `/users/${bo}/pin`, { ...pin, reserved: false })).status).toBe(200);
  expect(await seatOf(bo)).toMatchObject({ state: 'queued', position: 1 });
});

it('staged claims wait for POST /seats/settle, and are then served in their order', async () => {
  await race.contract(1);
  await api('PUT', '/settings', { settlement: 'staged' });
  const [ada, bo] = [await race.user('ada@example.com'), await race.user('bo@example.com')];
  const [late, early] = [await race.group('Late', []), await race.group('Early', [])];
  await race.map({ id: early }, 1);
  await race.map({ id: late }, 2);
  await race.addMember(late, ada);
  await race.addMember(early, bo);
  for (const id of [ada, bo]) expect(await seatOf(id)).toMatchObject({ state: 'queued', reason: 'STAGED' });
  expect((await api('GET', '/seats')).body).toMatchObject({ held: 0, queued: 2, batch: { settlesAt: null } });
  const settled = await api('POST', '/seats/settle');
  expect(settled.body).toMatchObject({ held: 1, queued: 1, batch: null, settled: true });
  expect((await api('POST', '/seats/settle')).body).toMatchObject({ held: 1, settled: false });
  expect(await seatOf(bo), 'the better priority, though it came later').toMatchObject({ state: 'held' });
  expect(await seatOf(ada)).toMatchObject({ state: 'queued', position: 1, reason: 'SEAT_QUEUED' });
});
