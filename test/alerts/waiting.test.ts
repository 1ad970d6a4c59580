/** What waits for somebody's word is told: claims for an approval, edits for a second person. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let other: string;

beforeAll(async () => {
  gateway = await startGateway();
  other = (await made(gateway.api('POST', '/operators', { name: 'second' }))).key;
});
afterAll(() => gateway.close());
beforeEach(async () => {
  tenant = await gateway.createTenant();
  await call('PUT', '/contract', contract(10));
});

const call = (method: string, path: string, body?: unknown, key?: string) =>
  made(gateway.api(method, `/tenants/${tenant.slug}${path}`, body, key ?? gateway.operatorKey));
const contract = (paidSeats: number) => ({
  ...{ kind: 'annual', tier: 'T', paidSeats, startsOn: '2020-01-01', endsOn: '2099-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
});

interface Told {
  kind: string;
  message: string;
  detail: unknown;
}
/** Oldest first: of each item of that kind what it says, and whether its alert is over. */
const told = async (kind: string) =>
  (await call('GET', '/alerts?state=all')).items
    .flatMap(({ state, items }: { state: string; items: Told[] }) =>
      items.map((item) => ({ state, ...item })),
    )
    .filter((item: Told) => item.kind === kind)
    .reverse();
const eventually = (kind: string, expected: readonly object[]) =>
  expect.poll(() => told(kind), { timeout: 20_000 }).toMatchObject(expected);

it('claims, once until none waits any more', async () => {
  const group = { displayName: 'Staff' };
  const manual = { group, role: 'team_member', workspaces: ['*'], priority: 1, approval: 'manual' };
  await call('POST', '/mappings', manual);
  const token = await tenant.directoryToken('okta');
  const schemas = (kind: string) => [`urn:ietf:params:scim:schemas:core:2.0:${kind}`];
  const ids: string[] = [];
  for (const userName of ['a@example.com', 'b@example.com']) {
    ids.push((await made(gateway.scim(token, 'POST', '/Users', { schemas: schemas('User'), userName }))).id);
  }
  const [first, second] = ids as [string, string];
  const members = ids.map((value) => ({ value }));
  await made(gateway.scim(token, 'POST', '/Groups', { schemas: schemas('Group'), ...group, members }));
  await eventually('approvals_wait', [{ state: 'open', detail: { people: 2 } }]);
  expect((await told('approvals_wait'))[0].message).toMatch(
    /^2 claims wait for an approval, the oldest since \S+Z\. See whose: seats approvals \(GET \/approvals\)/,
  );
  // Neither takes a seat.
  await call('PUT', `/users/${first}/approval`, { granted: false });
  await made(gateway.scim(token, 'DELETE', `/Users/${second}`));
  await eventually('approvals_wait', [{ state: 'over' }]);
});

it('each edit, until a second person has decided', async () => {
  await call('PUT', '/settings', { twoPersonRule: true });
  const { id } = await call('PUT', '/contract', contract(20));
  const since = expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/);
  const detail = { id, call: `PUT /tenants/${tenant.slug}/contract`, by: expect.any(String), since };
  await eventually('edit_waits', [{ state: 'open', detail }]);
  expect((await told('edit_waits'))[0].message).toContain(
    `edit-request show ${id} (GET /edit-requests/${id})`,
  );
  await call('POST', `/edit-requests/${id}/approve`, undefined, other);
  await eventually('edit_waits', [{ state: 'over' }]);
  const refused = await call('PUT', '/contract', contract(30));
  await eventually('edit_waits', [{ state: 'over' }, { state: 'open' }]);
  await call('POST', `/edit-requests/${refused.id}/refuse`, undefined, other);
  await eventually('edit_waits', [{ state: 'over' }, { state: 'over' }]);
});
