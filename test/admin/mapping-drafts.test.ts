/** Versions and drafts of the mappings over HTTP: written, previewed, activated at their time, refused with the field. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let base: string;
let groups: string[];

const contract = {
  ...{ kind: 'annual', tier: 'Team', paidSeats: 2, startsOn: '2020-01-01', endsOn: '2099-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
};

beforeAll(async () => {
  gateway = await startGateway({ config: { testClock: true } });
});
afterAll(() => gateway.close());

/** Two groups with three people each, the first mapped. */
beforeEach(async () => {
  await made(gateway.api('PUT', '/clock', { now: '2026-03-10T12:00:00Z' }));
  const tenant = await gateway.createTenant();
  base = `/tenants/${tenant.slug}`;
  const token = await tenant.directoryToken('generic');
  const schema = (name: string) => [`urn:ietf:params:scim:schemas:core:2.0:${name}`];
  groups = [];
  for (const displayName of ['Eng', 'Sales']) {
    const members: object[] = [];
    for (const name of ['ann', 'bob', 'cid']) {
      const body = { schemas: schema('User'), userName: `${name}.${displayName}@example.com`, active: true };
      members.push({ value: (await gateway.scim(token, 'POST', '/Users', body)).body.id });
    }
    const body = { schemas: schema('Group'), displayName, members };
    groups.push((await gateway.scim(token, 'POST', '/Groups', body)).body.id);
  }
  await made(gateway.api('PUT', `${base}/contract`, contract));
  await made(gateway.api('POST', `${base}/mappings`, mapping(0, { role: 'view_only' })));
});

const mapping = (group: number, more: object = {}) => ({
  ...{ group: { id: groups[group] }, role: 'team_member', workspaces: ['w1'], priority: group + 1 },
  ...more,
});
const call = (method: string, path: string, body?: unknown) => gateway.api(method, `${base}${path}`, body);
const standing = async () => (await call('GET', '/mappings')).body.items;
const draftOf = async (more: object) => (await call('POST', '/mapping-drafts', { name: 'D', ...more })).body;

it('of a department tells the seats it needs, goes live on its day, and says what came of it', async () => {
  const [first] = await standing();
  const onboarding = { department: 'Sales', goLiveOn: '2026-04-01', mappings: [first, mapping(1)] };
  const draft = await draftOf(onboarding);
  expect(draft).toMatchObject({ state: 'open', basedOn: 1, department: 'Sales', activated: null });
  const preview = await call('POST', `/mapping-drafts/${draft.id}/preview`, {});
  expect([preview.status, preview.body]).toMatchObject([
    200,
    { gained: 3, lost: 0, queued: 1, seats: { before: 0, after: 2 }, need: { seats: 3, available: 2 } },
  ]);
  expect(preview.body.users.map(({ userName }: { userName: string }) => userName).sort()).toEqual(
    ['ann', 'bob', 'cid'].map((name) => `${name}.Sales@example.com`),
  );
  const scheduled = await call('POST', `/mapping-drafts/${draft.id}/activate`, {});
  expect(scheduled.body).toMatchObject({ state: 'scheduled', activateAt: '2026-04-01T00:00:00.000Z' });
  expect(await standing()).toHaveLength(1);
  await made(gateway.api('PUT', '/clock', { now: '2026-04-01T00:00:01Z' }));
  const { body } = await call('GET', `/mapping-drafts/${draft.id}`);
  expect(body).toMatchObject({
    ...{ state: 'activated', activated: { version: 2 }, activateAt: null, failure: null },
    result: { people: 3, held: 2, overage: 0, queued: 1 },
  });
  expect(await standing()).toHaveLength(2);
  const actions = (await call('GET', '/audit')).body.items.map(({ action }: { action: string }) => action);
  expect(actions).toEqual(
    expect.arrayContaining([
      ...['mapping_draft.created', 'mapping_draft.scheduled', 'mapping_draft.activated'],
    ]),
  );
  expect((await call('POST', `/mapping-drafts/${draft.id}/activate`, {})).status).toBe(409);
});

it('are listed as versions, and come back whole', async () => {
  const [first] = await standing();
  await made(call('DELETE', `/mappings/${first.id}`));
  const { items } = (await call('GET', '/mapping-versions')).body;
  expect(items).toMatchObject([
    { number: 2, cause: 'mapping.deleted', size: 0 },
    { number: 1, cause: 'mapping.created', size: 1, by: expect.any(String) },
  ]);
  const page = (await call('GET', '/mapping-versions?limit=1')).body;
  expect((await call('GET', `/mapping-versions?cursor=${page.nextCursor}`)).body.items).toEqual([items[1]]);
  const back = await call('POST', '/mapping-versions/1/rollback');
  expect([back.status, back.body]).toMatchObject([
    201,
    { number: 3, cause: 'mapping_version.rolled_back', mappings: [first] },
  ]);
  expect(await standing()).toEqual([first]);
  expect((await call('GET', '/mapping-versions/9')).status).toBe(404);
  expect((await call('POST', '/mapping-versions/x/rollback')).status).toBe(404);
});

it('that are stale are refused, merged when told to, and refused where both changed one mapping', async () => {
  const [first] = await standing();
  const stale = await draftOf({ mappings: [first, mapping(1)] });
  const colliding = await draftOf({ mappings: [{ ...first, role: 'client' }] });
  await made(call('PUT', `/mappings/${first.id}`, mapping(0, { role: 'comment_only' })));
  const activate = (id: string, body: object) => call('POST', `/mapping-drafts/${id}/activate`, body);
  const refused = await activate(stale.id, {});
  expect([refused.status, refused.body.field]).toEqual([409, 'basedOn']);
  expect((await call('POST', `/mapping-drafts/${stale.id}/preview`, {})).body.detail).toBe(
    refused.body.detail,
  );
  expect((await activate(stale.id, { rebase: true })).body).toMatchObject({ state: 'activated' });
  expect((await standing()).map(({ role }: { role: string }) => role)).toEqual([
    'comment_only',
    'team_member',
  ]);
  const both = await activate(colliding.id, { rebase: true });
  expect([both.status, both.body.field]).toEqual([409, 'mappings']);
});

it('that fail at their time say why, and do nothing', async () => {
  const draft = await draftOf({ mappings: [mapping(1)] });
  await made(call('POST', `/mapping-drafts/${draft.id}/activate`, { at: '2026-03-11T00:00:00Z' }));
  await made(call('POST', '/mappings', mapping(0, { priority: 7 })));
  const before = await standing();
  await made(gateway.api('PUT', '/clock', { now: '2026-03-11T00:00:01Z' }));
  const { body } = await call('GET', `/mapping-drafts/${draft.id}`);
  expect(body).toMatchObject({
    state: 'failed',
    activateAt: null,
    failure: expect.stringContaining('version 2'),
  });
  expect(await standing()).toEqual(before);
});

it('are replaced, which ends their schedule, and deleted', async () => {
  const { id } = await draftOf({ mappings: [] });
  await made(call('POST', `/mapping-drafts/${id}/activate`, { at: '2026-03-11T00:00:00Z' }));
  const replaced = await call('PUT', `/mapping-drafts/${id}`, { name: 'E' });
  expect(replaced.body).toMatchObject({ name: 'E', state: 'open', activateAt: null });
  expect(replaced.body.mappings).toEqual(await standing());
  expect((await call('GET', '/mapping-drafts')).body.items).toEqual([replaced.body]);
  expect((await call('DELETE', `/mapping-drafts/${id}`)).status).toBe(204);
  expect((await call('DELETE', `/mapping-drafts/${id}`)).status).toBe(404);
  await made(gateway.api('PUT', '/clock', { now: '2026-03-11T00:00:01Z' }));
  expect(await standing()).toHaveLength(1);
});

it.each([
  ['a priority twice', () => [mapping(0), mapping(1, { priority: 1 })], 409, 'mappings.1.priority'],
  ['an unknown role', () => [mapping(0), mapping(1, { role: 'king' })], 400, 'mappings.1.role'],
  ['an id of no mapping', () => [mapping(0, { id: groups[0] })], 400, 'mappings.0.id'],
  ['a field that is not one', () => [mapping(0, { surprise: 1 })], 400, 'mappings.0.surprise'],
])('refuses %s by its place', async (_what, mappings, status, field) => {
  const answer = await call('POST', '/mapping-drafts', { name: 'D', mappings: mappings() });
  expect([answer.status, answer.body.field]).toEqual([status, field]);
});

it('refuses times that have passed, by the field, and takes those of a minute ago', async () => {
  const [first] = await standing();
  const refused = async (method: string, path: string, body: object) => {
    const answer = await call(method, path, body);
    return [answer.status, answer.body.field];
  };
  const ended = { validUntil: '2026-03-10T11:00:00Z' };
  const { id } = await draftOf({ mappings: [first, mapping(1)] });
  const activate = `/mapping-drafts/${id}/activate`;
  expect(await refused('POST', activate, { at: '2020-01-01T00:00:00Z' })).toEqual([400, 'at']);
  const draft = { name: 'D', goLiveOn: '2026-03-09' };
  expect(await refused('POST', '/mapping-drafts', draft)).toEqual([400, 'goLiveOn']);
  expect(await refused('PUT', `/mapping-drafts/${id}`, draft)).toEqual([400, 'goLiveOn']);
  const late = { name: 'D', mappings: [first, mapping(1, ended)] };
  expect(await refused('POST', '/mapping-drafts', late)).toEqual([400, 'mappings.1.validUntil']);
  expect(await refused('POST', '/mappings', mapping(1, ended))).toEqual([400, 'validUntil']);
  const created = { op: 'create', mapping: mapping(1, ended) };
  expect(await refused('POST', '/mappings/preview', created)).toEqual([400, 'mapping.validUntil']);
  expect(await refused('PUT', `/mappings/${first.id}`, mapping(0, ended))).toEqual([400, 'validUntil']);
  expect(await standing()).toEqual([first]);
  const now = await call('POST', activate, { at: '2026-03-10T11:59:30Z' });
  expect(now.body).toMatchObject({ state: 'activated' });
});

it('lets what ended since stand, and be changed in the rest', async () => {
  const ending = mapping(1, { validUntil: '2026-03-10T13:00:00Z' });
  const { id } = await made(call('POST', '/mappings', ending));
  const today = await draftOf({ goLiveOn: '2026-03-10' });
  await made(gateway.api('PUT', '/clock', { now: '2026-03-11T12:00:00Z' }));
  await made(call('PUT', `/mappings/${id}`, { ...ending, role: 'client' }));
  await made(call('POST', '/mapping-drafts', { name: 'E', mappings: await standing() }));
  expect(
    (await call('PUT', `/mapping-drafts/${today.id}`, { name: 'D', goLiveOn: '2026-03-10' })).status,
  ).toBe(200);
});

it('refuses, whole, a draft with a group that is not there', async () => {
  const unknown = { id: '00000000-0000-7000-8000-00000000000a' };
  const draft = await draftOf({ mappings: [mapping(0), mapping(1, { group: unknown })] });
  const answer = await call('POST', `/mapping-drafts/${draft.id}/activate`, {});
  expect([answer.status, answer.body.field]).toEqual([400, 'mappings.1.group']);
  expect((await standing()).map(({ role }: { role: string }) => role)).toEqual(['view_only']);
  const based = await call('POST', '/mapping-drafts', { name: 'D', basedOn: 77 });
  expect([based.status, based.body.field]).toEqual([400, 'basedOn']);
});
