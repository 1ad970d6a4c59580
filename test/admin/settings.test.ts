/** A tenant's settings: replaced whole, with defaults, a trail, and what follows from them at once. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { asTenant } from '../requests/support.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
const defaults = {
  defaultRole: 'none',
  order: 'sticky',
  settlement: 'immediate',
  holdMinutes: 60,
  tombstoneHours: 72,
  noticeHours: 24,
  breaker: { percent: 10, people: 20 },
  reclaimDays: null,
  approvals: {},
  twoPersonRule: false,
  parking: false,
  exclusions: [],
  requestRetentionDays: 30,
};

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  tenant = await gateway.createTenant();
});

const read = async () => (await made(gateway.api('GET', `/tenants/${tenant.slug}/settings`))) as object;
const put = (body: unknown, key?: string) =>
  gateway.api('PUT', `/tenants/${tenant.slug}/settings`, body, key ?? gateway.operatorKey);
const trail = async () =>
  (await made(gateway.api('GET', `/tenants/${tenant.slug}/audit?action=settings.written`))).items;

it.each([
  ['people', { percent: 10, people: 1_000_001 }],
  ['people', { percent: 10, people: 1e300 }],
  ['percent', { percent: 101, people: 1 }],
])('refuse a breaker with too large a number of %s', async (field, breaker) => {
  const { status, body } = await put({ breaker });
  expect([status, body.field]).toEqual([400, `breaker.${field}`]);
});

it('are the defaults until they are written, and then what was written, whole', async () => {
  expect(await read()).toEqual(defaults);
  const written = {
    defaultRole: 'view_only',
    order: 'strict',
    settlement: 'cycle',
    holdMinutes: 0,
    tombstoneHours: 1,
    noticeHours: 5,
    breaker: null,
    reclaimDays: 90,
    approvals: { team_member: 'manual' },
    // The rule itself would stop what follows: test/admin/edit-gate.test.ts has it.
    twoPersonRule: false,
    parking: true,
    exclusions: ['ada@example.com', 'root'],
    requestRetentionDays: 365,
  };
  expect((await put(written)).body).toEqual(written);
  expect(await read()).toEqual(written);
  expect((await put({ parking: true })).body).toEqual({ ...defaults, parking: true });
  expect((await put({})).body).toEqual(defaults);
  expect(await read()).toEqual(defaults);
  expect(await trail()).toMatchObject([
    { before: { ...defaults, parking: true }, after: defaults },
    { before: written, after: { ...defaults, parking: true } },
    { before: defaults, after: written, subject: null, actor: { kind: 'operator' } },
  ]);
});

it.each([
  [{ requestRetentionDays: 0 }, 'requestRetentionDays'],
  [{ requestRetentionDays: 366 }, 'requestRetentionDays'],
  [{ requestRetentionDays: 1.5 }, 'requestRetentionDays'],
  [{ requestRetentionDays: null }, 'requestRetentionDays'],
  [{ parking: 'true' }, 'parking'],
  [{ order: 'random' }, 'order'],
  [{ settlement: 'never' }, 'settlement'],
  [{ holdMinutes: -1 }, 'holdMinutes'],
  [{ breaker: { percent: 10 } }, 'breaker.people'],
  [{ defaultRole: 'emperor' }, 'defaultRole'],
  [{ exclusions: [''] }, 'exclusions.0'],
  [{ approvals: { emperor: 'manual' } }, 'approvals.emperor'],
  [{ order2: 'sticky' }, 'order2'],
])('are not %j', async (body, field) => {
  const answer = await put(body);
  expect([answer.status, answer.body.field]).toEqual([400, field]);
  expect(await read()).toEqual(defaults);
});

it('are written by owners and admins, and read by auditors', async () => {
  for (const [role, status] of [
    ['owner', 200],
    ['admin', 200],
    ['auditor', 403],
  ] as const) {
    const { key } = await made(gateway.api('POST', `/tenants/${tenant.slug}/keys`, { name: role, role }));
    expect((await put({ requestRetentionDays: 5 }, key)).status).toBe(status);
    const answer = await gateway.api('GET', `/tenants/${tenant.slug}/settings`, undefined, key);
    expect(answer.body).toEqual({ ...defaults, requestRetentionDays: 5 });
  }
});

it('forget who is parked when parking ends, and no sooner', async () => {
  const token = await tenant.directoryToken('okta');
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
  await made(gateway.scim(token, 'POST', '/Groups', { schemas, displayName: 'Eng' }));
  await put({ parking: true });
  const parked = () =>
    asTenant(
      gateway,
      tenant.tenantId,
      async (client) => (await client.query('select from parked_members')).rowCount,
    );
  await asTenant(gateway, tenant.tenantId, (client) =>
    client.query(
      `insert into parked_members select g.tenant_id, g.id, d.id, 'p' || n, 'p' || n, now()
       from groups g, directories d, generate_series(1, 3) n`,
    ),
  );
  await put({ parking: true, requestRetentionDays: 9 });
  expect(await parked()).toBe(3);
  await put({ parking: false });
  expect(await parked()).toBe(0);
  expect((await trail())[0].after).toEqual({ ...defaults, parkedMembersDeleted: 3 });
  await put({ parking: false });
  expect((await trail())[0].after).toEqual(defaults);
});

it('written by two at once follow one another in the trail', async () => {
  await Promise.all(Array.from({ length: 8 }, (_, n) => put({ requestRetentionDays: n + 1 })));
  const entries = (await trail()).reverse();
  for (const [index, { before }] of entries.entries()) {
    expect(before).toEqual(index === 0 ? defaults : entries[index - 1].after);
  }
});
