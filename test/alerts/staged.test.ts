/** What is told while the breaker holds people back, over HTTP: an alert, a count, and why each of them keeps what there was. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { runCli } from '../cli/support.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let slug: string;
let token: string;
let groupId: string;
let ids: string[];

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const api = (method: string, path: string, body?: unknown) =>
  made(gateway.api(method, `/tenants/${slug}${path}`, body));
const scim = (method: string, path: string, body?: unknown) => made(gateway.scim(token, method, path, body));
const schemas = (kind: string) => [`urn:ietf:params:scim:schemas:core:2.0:${kind}`];
const members = (op: 'add' | 'remove', people: readonly string[]) =>
  scim('PATCH', `/Groups/${groupId}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op, path: 'members', value: people.map((value) => ({ value })) }],
  });

/** Eight people with a seat; six losses are too many. */
beforeEach(async () => {
  const tenant = await gateway.createTenant();
  slug = tenant.slug;
  token = await tenant.directoryToken('okta');
  await api('PUT', '/contract', {
    ...{ kind: 'annual', tier: 'T', paidSeats: 50, startsOn: '2020-01-01', endsOn: '2099-12-31' },
    ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
  });
  await api('PUT', '/settings', { breaker: { percent: 10, people: 5 }, holdMinutes: 0 });
  const group = { displayName: 'Staff' };
  await api('POST', '/mappings', { group, role: 'team_member', workspaces: ['*'], priority: 1 });
  ids = [];
  for (let n = 0; n < 8; n += 1) {
    const user = { schemas: schemas('User'), userName: `p${n}@example.com`, displayName: `P${n}` };
    ids.push((await scim('POST', '/Users', user)).id);
  }
  const value = ids.map((id) => ({ value: id }));
  groupId = (await scim('POST', '/Groups', { schemas: schemas('Group'), ...group, members: value })).id;
});

const alertsOf = async () => (await api('GET', '/alerts?state=all')).items;
/** Of the alerts that tell of it: whether it is over, and what it says. */
const told = async () =>
  (await alertsOf()).flatMap(({ state, items }: { state: string; items: { kind: string }[] }) =>
    items.filter(({ kind }) => kind === 'staged').map((item) => ({ state, ...item })),
  );
const eventually = (expected: unknown) =>
  expect.poll(told, { timeout: 20_000 }).toMatchObject(expected as object);

it('an alert says how many wait and what to do, once, until they are let through', async () => {
  expect((await api('GET', '/seats')).staged).toBeNull();
  await members('remove', ids.slice(0, 6));
  const { staged, held } = await api('GET', '/seats');
  expect([staged, held]).toEqual([{ people: 6, since: expect.stringMatching(/^\d{4}-.*T.*\.\d{3}Z$/) }, 8]);
  await eventually([{ state: 'open', detail: staged }]);
  const [{ message }] = await told();
  expect(message).toContain(`6 people wait since ${staged.since}, with the roles and seats of before.`);
  expect(message).toMatch(/seats staged \(GET \/seats\/staged\)/);
  expect(message).toMatch(/seats release-staged \(POST \/seats\/staged\/release\)/);
  expect((await api('GET', '/seats/staged')).items).toHaveLength(6);
  const shown = await runCli(['seats', 'show', '--tenant', slug], {
    ...{ GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey },
  });
  expect(shown.out.split('\n')).toEqual(
    expect.arrayContaining(['staged.people: 6', `staged.since: ${staged.since}`]),
  );

  // One alone goes: alerts are looked for, and this one is not raised a second time.
  await members('remove', ids.slice(6, 7));
  expect(await api('GET', '/seats')).toMatchObject({ staged, held: 7 });
  await gateway.api('POST', `/tenants/${slug}/seats/staged/release`);
  await eventually([{ state: 'over' }]);
  expect(await api('GET', '/seats')).toMatchObject({ staged: null, held: 1 });
});

it('an alert is over when all are put back, or gone', async () => {
  await members('remove', ids.slice(0, 6));
  await eventually([{ state: 'open' }]);
  await members('add', ids.slice(0, 6));
  await eventually([{ state: 'over' }]);
  await members('remove', ids.slice(0, 6));
  await eventually([{ state: 'open' }, { state: 'over' }]);
  for (const id of ids.slice(0, 6)) await scim('DELETE', `/Users/${id}`);
  await eventually([{ state: 'over' }, { state: 'over' }]);
  expect((await api('GET', '/seats')).staged).toBeNull();
});

it('whoever is held back is told so, and that an administrator lets it happen', async () => {
  await members('remove', ids.slice(0, 6));
  const { since } = (await api('GET', '/seats')).staged;
  const [first, last] = [ids[0], ids[7]];
  expect((await api('GET', `/users/${first}`)).seat).toMatchObject({ state: 'held', reason: 'STAGED' });
  expect((await api('GET', `/users/${last}`)).seat).toMatchObject({ state: 'held', reason: 'SEAT_HELD' });
  const { reasons, sentence, smallestChange } = await api('GET', `/users/${first}/explain`);
  expect(reasons).toEqual(['STAGED', expect.stringMatching(/^MAPPING:/)]);
  expect(sentence).toBe(
    `A directory changed so much at once that it is held back since ${since}, until an administrator lets it happen: until then P0 keeps the seat and team_member.`,
  );
  expect(smallestChange).toBe('An administrator who lets the change of the directory happen.');
  expect((await api('GET', `/users/${last}/explain`)).reasons).not.toContain('STAGED');
});
