/** Edits that take seats away not now but at a date of their own: they are asked about as if they did it now. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
/** Of the mapping by which four people hold a seat. */
let id: string;

beforeAll(async () => {
  gateway = await startGateway({ config: { testClock: true } });
  // Without a second key the two-person rule can't be turned on.
  await made(gateway.api('POST', '/operators', { name: 'second' }));
});
afterAll(() => gateway.close());
beforeEach(async () => {
  await at('2026-03-10T00:00:00Z');
  tenant = await gateway.createTenant();
  await settings({});
  await made(call('PUT', '/contract', contract(10)));
  id = await fourHolders();
});

const at = (now: string) => made(gateway.api('PUT', '/clock', { now }));
const call = (method: string, path: string, body?: unknown) =>
  gateway.api(method, `/tenants/${tenant.slug}${path}`, body);
const settings = (change: object) =>
  made(call('PUT', '/settings', { breaker: { percent: 50, people: 3 }, holdMinutes: 0, ...change }));
const contract = (paidSeats: number) => ({
  ...{ kind: 'annual', tier: 'T', paidSeats, startsOn: '2020-01-01', endsOn: '2099-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
});
const soon = '2026-03-10T00:00:05Z';
const mapping = { group: { displayName: 'Eng' }, role: 'team_member', workspaces: ['*'], priority: 5 };
const free = { ...mapping, role: 'client', priority: 1 };
const held = async () => (await made(call('GET', '/seats'))).held;

async function fourHolders(): Promise<string> {
  const made1 = await made(call('POST', '/mappings', mapping));
  const token = await tenant.directoryToken('okta');
  const members = [];
  for (const name of ['a', 'b', 'c', 'd']) {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const user = { schemas, userName: `${name}@acme.example` };
    members.push({ value: (await made(gateway.scim(token, 'POST', '/Users', user))).id });
  }
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
  await made(gateway.scim(token, 'POST', '/Groups', { schemas, displayName: 'Eng', members }));
  expect(await held()).toBe(4);
  return made1.id;
}

const refusal = { status: 409, body: { code: 'above_breaker', field: 'confirm' } };

it.each([
  ['ends in a few seconds', 'PUT', () => `/mappings/${id}`, { ...mapping, validUntil: soon }],
  [
    'begins in a few seconds',
    'PUT',
    () => `/mappings/${id}`,
    { ...mapping, validFrom: soon, role: 'client' },
  ],
  ['turns a better role free then', 'POST', () => '/mappings', { ...free, validFrom: soon }],
])('a mapping that %s', async (_what, method, pathOf, body) => {
  expect(await call(method, pathOf(), body)).toMatchObject(refusal);
  await settings({ twoPersonRule: true });
  const waiting = await call(method, pathOf(), body);
  expect([waiting.status, waiting.body.because]).toEqual([202, ['breaker']]);
  await at('2026-03-10T00:00:06Z');
  expect(await held()).toBe(4);
});

it('the message and the preview tell how many go later', async () => {
  const ending = { ...mapping, validUntil: soon };
  const { body } = await call('PUT', `/mappings/${id}`, ending);
  expect(body.detail).toMatch(/^This takes the seats of 4 people, all at a date to come/);
  const preview = await made(call('POST', '/mappings/preview', { op: 'update', id, mapping: ending }));
  expect(preview).toMatchObject({ lost: 0, lostLater: 4 });
  await made(call('PUT', `/mappings/${id}?confirm=true`, ending));
  await at('2026-03-10T00:00:06Z');
  expect(await held()).toBe(0);
});

it('one that leaves its people to a mapping which ends later', async () => {
  await made(call('POST', '/mappings', { ...mapping, priority: 6, validUntil: soon }));
  expect(await call('DELETE', `/mappings/${id}`)).toMatchObject(refusal);
});

it('one whose people go in parts, a second apart', async () => {
  const parts = [0, 1, 2, 3].map((second) => ({
    ...mapping,
    validUntil: `2026-03-10T00:00:0${second + 5}Z`,
  }));
  const users = (await made(call('GET', '/users'))).items;
  const token = await tenant.directoryToken('okta');
  const mappings = [];
  for (const [index, part] of parts.entries()) {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
    const displayName = `Part ${index}`;
    const members = [{ value: users[index].id }];
    const group = await made(gateway.scim(token, 'POST', '/Groups', { schemas, displayName, members }));
    mappings.push({ ...part, group: { id: group.id }, priority: 10 + index });
  }
  const draft = await made(call('POST', '/mapping-drafts', { name: 'D', mappings }));
  expect(await call('POST', `/mapping-drafts/${draft.id}/activate`, {})).toMatchObject(refusal);
});

it('is not one that somebody keeps the seat through', async () => {
  await made(call('POST', '/mappings', { ...mapping, priority: 6 }));
  expect((await call('PUT', `/mappings/${id}`, { ...mapping, validUntil: soon })).status).toBe(200);
});

it('a line of the contract that gives fewer seats later', async () => {
  const line = { effectiveOn: '2026-04-01', paidSeats: 1, reason: 'less' };
  expect(await call('POST', '/contract/amendments', line)).toMatchObject(refusal);
  expect((await call('POST', '/contract/amendments', { ...line, paidSeats: 2 })).status).toBe(201);
});

it('a draft that at its time takes more than when it was scheduled', async () => {
  await made(call('POST', '/mappings', { ...mapping, priority: 6 }));
  const [, second] = (await made(call('GET', '/mappings'))).items;
  const draft = await made(call('POST', '/mapping-drafts', { name: 'D', mappings: [second] }));
  await made(call('POST', `/mapping-drafts/${draft.id}/activate`, { at: soon, rebase: true }));
  await made(call('DELETE', `/mappings/${second.id}`));
  await at('2026-03-10T00:00:06Z');
  const failed = await made(call('GET', `/mapping-drafts/${draft.id}`));
  expect(failed).toMatchObject({ state: 'failed', failure: expect.stringContaining('seats of 4 people') });
  expect(await held()).toBe(4);
});

it('a draft that was agreed to', async () => {
  const draft = await made(call('POST', '/mapping-drafts', { name: 'D', mappings: [] }));
  const path = `/mapping-drafts/${draft.id}/activate`;
  expect(await call('POST', path, { at: soon })).toMatchObject(refusal);
  await made(call('POST', `${path}?confirm=true`, { at: soon }));
  await at('2026-03-10T00:00:06Z');
  expect((await made(call('GET', `/mapping-drafts/${draft.id}`))).state).toBe('activated');
  expect(await held()).toBe(0);
});
