/** People whom Blue has by itself over HTTP and on the command line: the list, adopting, the second person, and the directory. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type BlueDouble, startBlueDouble } from '../../demo/blue-double/server.ts';
import { limits } from '../../src/kernel/limits.ts';
import { runCli } from '../cli/support.ts';
import { seedOf } from '../demo/blue-double/support.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let double: BlueDouble;
let tenant: TestTenant;
let other: string;

beforeAll(async () => {
  gateway = await startGateway();
  other = (await made(gateway.api('POST', '/operators', { name: 'second' }))).key;
});
afterAll(() => gateway.close());
afterEach(() => double.close());

const call = (method: string, path: string, body?: unknown, key?: string) =>
  gateway.api(method, `/tenants/${tenant.slug}${path}`, body, key ?? gateway.operatorKey);
const api = (method: string, path: string, body?: unknown) => made(call(method, path, body));
const drift = () => api('POST', '/blue/sync', { drift: true });
const adopt = (...blueUserIds: string[]) => api('POST', '/blue/adoptions', { blueUserIds, reason: 'theirs' });
const counts = async () => {
  const { held, unmanagedPaid } = await api('GET', '/seats');
  return { held, unmanagedPaid };
};
const levels = () =>
  double.state
    .members('w1')
    .map(({ userId, level }) => `${userId} ${level}`)
    .sort();

beforeEach(async () => {
  const people = ['sam', 'tom', 'ann'].map((id) => ({
    ...{ id, email: `${id}@acme.example`, firstName: id, lastName: 'X' },
    memberships: [{ workspaceId: 'w1', level: 'MEMBER' as const }],
  }));
  const owner = seedOf().people.filter(({ id }) => id === 'owner');
  const tokens = seedOf().tokens.filter(({ userId }) => userId === 'owner');
  double = await startBlueDouble({ seed: seedOf({ people: [...owner, ...people], tokens }) });
  tenant = await gateway.createTenant();
  await api('PUT', '/contract', {
    ...{ kind: 'annual', tier: 'T', paidSeats: 9, startsOn: '2020-01-01', endsOn: '2099-12-31' },
    ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
  });
  await api('PUT', '/blue', {
    ...{ organizationId: 'org', tokenId: 't-owner', tokenSecret: 'pat_owner', apiUrl: double.url },
    ...{ mode: 'apply', drift: 'repair', defaultWorkspaces: ['w1'] },
  });
  await drift();
});

it('lists as many people as are counted, and adopts them without a change in Blue', async () => {
  const before = levels();
  const { items } = await api('GET', '/blue/unmanaged');
  expect(await counts()).toEqual({ held: 0, unmanagedPaid: items.length });
  expect(items.find(({ blueUserId }: { blueUserId: string }) => blueUserId === 'sam')).toEqual({
    ...{ blueUserId: 'sam', email: 'sam@acme.example', role: 'team_member', lastActiveAt: null, user: null },
    ...{ memberships: [{ workspace: 'w1', role: 'team_member' }], adoptable: true },
  });
  const first = await api('GET', '/blue/unmanaged?limit=3');
  const rest = await api('GET', `/blue/unmanaged?limit=3&cursor=${first.nextCursor}`);
  expect([...first.items, ...rest.items]).toEqual(items);

  const adopted = (await adopt('sam', 'owner', 'tom')).items;
  expect(adopted).toMatchObject([
    { blueUserId: 'sam', result: 'adopted', seat: 'held', role: 'team_member', leftAlone: [] },
    { blueUserId: 'owner', result: 'refused', seat: null, user: null, code: 'owner' },
    { blueUserId: 'tom', result: 'adopted' },
  ]);
  await drift();
  expect([levels(), await counts()]).toEqual([before, { held: 2, unmanagedPaid: 2 }]);
  const user = await api('GET', `/users/${adopted[0].user}`);
  expect(user).toMatchObject({ userName: 'sam@acme.example', sources: [], blue: { state: 'active' } });
  const { sentence } = await api('GET', `/users/${adopted[0].user}/explain`);
  expect(sentence).toBe('first operator pinned team_member ("theirs"), and sam@acme.example holds a seat.');
  expect((await api('GET', '/users')).items).toHaveLength(2);
  const audit = (await api('GET', `/audit?subject=${adopted[0].user}`)).items;
  expect(audit.map(({ action }: { action: string }) => action)).toContain('user.adopted');
});

it('lets a directory link the person whom it finds by the userName', async () => {
  const [{ user }] = (await adopt('sam')).items;
  const token = await tenant.directoryToken('okta');
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
  const sam = { schemas, userName: 'Sam@acme.example', externalId: 'x1', active: true };
  expect((await gateway.scim(token, 'POST', '/Users', sam)).status).toBe(409);
  const found = await made(
    gateway.scim(token, 'GET', `/Users?filter=${encodeURIComponent('userName eq "sam@acme.example"')}`),
  );
  expect(found.Resources.map(({ id }: { id: string }) => id)).toEqual([user]);
  await made(gateway.scim(token, 'PUT', `/Users/${user}`, sam));
  expect(await api('GET', `/users/${user}`)).toMatchObject({ seat: { state: 'held' } });
  expect((await api('GET', `/users/${user}`)).sources).toHaveLength(1);
  await made(gateway.scim(token, 'PUT', `/Users/${user}`, { ...sam, active: false }));
  expect((await counts()).held).toBe(0);
});

it('waits for a second person under the two-person rule, and is made once that one approves', async () => {
  await api('PUT', '/settings', { twoPersonRule: true });
  const asked = await call('POST', '/blue/adoptions', { blueUserIds: ['sam', 'tom', 'owner'], reason: 'x' });
  expect([asked.status, asked.body.because]).toEqual([202, ['pin']]);
  expect(await counts()).toEqual({ held: 0, unmanagedPaid: 4 });
  const approve = (key?: string) => call('POST', `/edit-requests/${asked.body.id}/approve`, {}, key);
  expect((await approve()).status, 'not by whoever asked').toBe(403);
  expect((await approve(other)).status).toBe(200);
  expect(await counts()).toEqual({ held: 2, unmanagedPaid: 2 });
  expect(await api('GET', `/edit-requests/${asked.body.id}`)).toMatchObject({ state: 'approved' });
});

it('is approved also where nobody could be adopted any more, and the trail says who', async () => {
  await api('PUT', '/settings', { twoPersonRule: true });
  const asked = await call('POST', '/blue/adoptions', { blueUserIds: ['sam', 'tom'], reason: 'x' });
  await api('PUT', '/settings', {
    twoPersonRule: true,
    exclusions: ['sam@acme.example', 'tom@acme.example'],
  });
  const approved = await call('POST', `/edit-requests/${asked.body.id}/approve`, {}, other);
  expect(approved.status).toBe(200);
  const { items } = await api('GET', '/audit?action=adoption.refused');
  expect(items.map(({ after }: { after: object }) => after)).toEqual(
    expect.arrayContaining(['sam', 'tom'].map((blueUserId) => ({ blueUserId, code: 'excluded' }))),
  );
  expect(await counts()).toEqual({ held: 0, unmanagedPaid: 4 });
  expect(await api('GET', `/edit-requests/${asked.body.id}`)).toMatchObject({ state: 'approved' });
});

it('is not there for another tenant, an unconnected one, or too many at once', async () => {
  const mine = tenant;
  tenant = await gateway.createTenant();
  for (const answer of [
    await call('GET', '/blue/unmanaged'),
    await call('POST', '/blue/adoptions', { blueUserIds: ['sam'], reason: 'x' }),
  ])
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  const { key } = await api('POST', '/keys', { name: 'k', role: 'admin' });
  tenant = mine;
  expect((await call('GET', '/blue/unmanaged', undefined, key)).status).toBe(404);
  expect((await call('POST', '/blue/adoptions', { blueUserIds: ['sam'], reason: 'x' }, key)).status).toBe(
    404,
  );
  const blueUserIds = Array.from({ length: limits.blueAdoptionsPerCallMax + 1 }, (_, n) => `u${n}`);
  const { status, body } = await call('POST', '/blue/adoptions', { blueUserIds, reason: 'x' });
  expect([status, body.field]).toEqual([400, 'blueUserIds']);
  expect(await counts()).toEqual({ held: 0, unmanagedPaid: 4 });
});

it('goes by addresses on the command line', async () => {
  const run = (...args: string[]) =>
    runCli(['blue', ...args, '--tenant', tenant.slug], {
      ...{ GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey },
    });
  expect((await run('unmanaged')).out).toMatch(/sam@acme\.example +team_member +team_member in w1 .* true/);
  expect(await run('adopt', '--reason', 'x')).toMatchObject({ code: 2 });
  const nobody = await run('adopt', 'who@acme.example', '--reason', 'x');
  expect([nobody.code, nobody.err]).toEqual([
    1,
    expect.stringContaining('has the address "who@acme.example"'),
  ]);
  expect((await run('adopt', 'Sam@acme.example', 'tom', '--reason', 'x')).out).toMatch(
    /sam +adopted +held.*\n *tom +adopted +held/,
  );
  const again = await run('adopt', 'sam@acme.example', '--reason', 'x');
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('no longer whoever was adopted')]);
  expect((await run('adopt', '--all', '--reason', 'x')).out).toMatch(/ann +adopted/);
  expect(await counts()).toEqual({ held: 3, unmanagedPaid: 1 });
  expect((await run('adopt', '--all', '--reason', 'x')).err).toContain('Nobody can be adopted');
  const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/blue/unmanaged`));
  const owner = items.find(({ why }: { why: string }) => why === 'owner').blueUserId;
  const refused = await run('adopt', owner, '--reason', 'x');
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('Nobody was adopted')]);
});
