/** Previews over HTTP: counts, names and pages; and what is refused, with the field that is wrong. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let base: string;
let group: string;
let mapping: { id: string };
let people: { id: string; userName: string }[];

const contract = {
  ...{ kind: 'annual', tier: 'Team', paidSeats: 2, startsOn: '2020-01-01', endsOn: '2099-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
};

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

/** Three people in a group that asks for two seats; the third waits. */
beforeEach(async () => {
  const tenant = await gateway.createTenant();
  base = `/tenants/${tenant.slug}`;
  const token = await tenant.directoryToken('generic');
  const schema = (name: string) => [`urn:ietf:params:scim:schemas:core:2.0:${name}`];
  people = [];
  for (const name of ['ann', 'bob', 'cid']) {
    const userName = `${name}@example.com`;
    const body = { schemas: schema('User'), userName, active: true };
    people.push((await gateway.scim(token, 'POST', '/Users', body)).body);
  }
  const members = people.map(({ id }) => ({ value: id }));
  group = (
    await gateway.scim(token, 'POST', '/Groups', { schemas: schema('Group'), displayName: 'Eng', members })
  ).body.id;
  await made(gateway.api('PUT', `${base}/contract`, contract));
  mapping = await made(gateway.api('POST', `${base}/mappings`, draft()));
});

const draft = (more: object = {}) => ({
  ...{ group: { id: group }, role: 'team_member', workspaces: ['w1'], priority: 1 },
  ...more,
});
const ofMappings = (edit: object, query = '') =>
  gateway.api('POST', `${base}/mappings/preview${query}`, edit);
const ofSeats = (edit: object) => gateway.api('POST', `${base}/seats/preview`, edit);
const user = async (id = '') => (await gateway.api('GET', `${base}/users/${id}`)).body;

it('of a deletion names everybody, and changes nothing', async () => {
  const { status, body } = await ofMappings({ op: 'delete', id: mapping.id });
  const names = people.map(({ userName }) => userName);
  expect([status, body]).toMatchObject([
    200,
    { gained: 0, lost: 3, changed: 0, queued: 0, seats: { before: 2, after: 0 }, nextCursor: null },
  ]);
  expect(body.users.map(({ userName }: { userName: string }) => userName).sort()).toEqual(names);
  for (const { id, before, after } of body.users) {
    const { effectiveRoles, seat } = await user(id);
    const waitsFor = seat.state === 'queued' ? 'seat' : null;
    expect(before).toEqual({ roles: effectiveRoles, seat: seat.state, waitsFor });
    expect(after).toEqual({ roles: [], seat: 'none', waitsFor: null });
  }
  expect((await gateway.api('GET', `${base}/mappings`)).body.items).toHaveLength(1);
});

it('is answered in pages', async () => {
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = cursor === '' ? '?limit=2' : `?limit=2&cursor=${cursor}`;
    const { body } = await ofMappings({ op: 'delete', id: mapping.id }, query);
    expect(body.lost).toBe(3);
    seen.push(...body.users.map(({ id }: { id: string }) => id));
    cursor = body.nextCursor;
  }
  expect(seen).toEqual(people.map(({ id }) => id).sort());
});

it('of a contract says who is promoted, and of an amendment too', async () => {
  const waiting = (await gateway.api('GET', `${base}/users?seat=queued`)).body.items[0];
  const more = await ofSeats({ op: 'contract', contract: { ...contract, paidSeats: 3 } });
  const promoted = {
    ...{ gained: 1, lost: 0, changed: 0, queued: 0, seats: { before: 2, after: 3 } },
    users: [{ id: waiting.id, before: { seat: 'queued' }, after: { seat: 'held' } }],
  };
  expect(more.body).toMatchObject(promoted);
  const amendment = { effectiveOn: '2020-02-01', paidSeats: 9, reason: 'agreed' };
  expect((await ofSeats({ op: 'amendment', amendment })).body).toMatchObject(promoted);
  const line = { kind: 'add_on', startsOn: '2020-02-01', paidSeats: 1, reason: 'agreed' };
  expect((await ofSeats({ op: 'line', line })).body).toMatchObject(promoted);
  const later = { ...amendment, effectiveOn: '2098-01-01' };
  expect((await ofSeats({ op: 'amendment', amendment: later })).body).toMatchObject({ gained: 0, users: [] });
});

it('of settings and pins says whom they concern', async () => {
  const { id, userName } = people[0] as (typeof people)[number];
  const settings = { exclusions: [userName.toUpperCase()] };
  expect((await ofSeats({ op: 'settings', settings })).body.users).toContainEqual({
    ...{ id, userName, before: expect.anything(), after: { roles: [], seat: 'none', waitsFor: null } },
  });
  const pin = { role: 'client', reason: 'asked' };
  const pinned = (await ofSeats({ op: 'pin', userId: id, pin })).body.users;
  expect(pinned.find((one: { id: string }) => one.id === id)?.after.roles).toEqual([
    { role: 'client', billing: 'free', workspace: 'w1', via: 'PIN' },
  ]);
});

it.each([
  ['a field that is missing', () => ofMappings({ op: 'update', mapping: draft() }), 400, 'id'],
  ['a field that means nothing', () => ofMappings({ op: 'delete', id: mapping.id, ids: [] }), 400, 'ids'],
  ['a priority that is taken', () => ofMappings({ op: 'create', mapping: draft() }), 409, 'mapping.priority'],
  ['an unknown mapping', () => ofMappings({ op: 'delete', id: group }), 404, undefined],
  ['an order with gaps', () => ofMappings({ op: 'reorder', ids: [] }), 400, 'ids'],
  [
    'an unknown role',
    () => ofMappings({ op: 'create', mapping: draft({ role: 'king', priority: 2 }) }),
    400,
    'mapping.role',
  ],
  [
    'a group that is not there',
    () => ofMappings({ op: 'create', mapping: draft({ group: { id: mapping.id }, priority: 2 }) }),
    400,
    'mapping.group',
  ],
  [
    'an allowance without a meaning',
    () => ofSeats({ op: 'contract', contract: { ...contract, overage: { policy: 'queue', graceDays: 1 } } }),
    400,
    'contract.overage.graceDays',
  ],
  ['an unknown person', () => ofSeats({ op: 'unpin', userId: group }), 404, undefined],
  ['a person without a pin', () => ofSeats({ op: 'unpin', userId: people[0]?.id }), 404, undefined],
])('refuses %s as the edit itself', async (_what, ask, status, field) => {
  const answer = await ask();
  expect([answer.status, answer.body.field]).toEqual([status, field]);
});

it('refuses a reserved pin on a full pool', async () => {
  const waiting = (await gateway.api('GET', `${base}/users?seat=queued`)).body.items[0];
  const pin = { role: 'team_member', reason: 'asked', reserved: true };
  const answer = await ofSeats({ op: 'pin', userId: waiting.id, pin });
  const real = await gateway.api('PUT', `${base}/users/${waiting.id}/pin`, pin);
  expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
    real.status,
    'no_seat',
    real.body.detail,
  ]);
});
