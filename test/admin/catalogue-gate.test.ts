/** The breaker's question before a version of the role catalogue, which concerns all tenants: each by its own setting. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

interface Role {
  key: string;
  billing: string;
}

let gateway: TestGateway;
let first: Role[];
/** Of the test that runs. */
let tenants: TestTenant[] = [];

beforeAll(async () => {
  gateway = await startGateway();
  first = (await made(gateway.api('GET', '/catalogue'))).roles;
});
afterAll(() => gateway.close());
/** One catalogue for all: each test begins with what the first version says, and meets no tenant of another one. */
afterEach(async () => {
  for (const tenant of tenants) await settings(tenant, { breaker: null });
  tenants = [];
  await adopted((await made(put(first, '?confirm=true'))).version);
});

const call = ({ slug }: TestTenant, method: string, path: string, body?: unknown) =>
  made(gateway.api(method, `/tenants/${slug}${path}`, body));
const settings = (tenant: TestTenant, change: object) => call(tenant, 'PUT', '/settings', change);
const put = (roles: readonly Role[], query = '') =>
  gateway.api('PUT', `/catalogue${query}`, { roles, reason: 'test' });
const rolesWith = (key: string, change: object) =>
  first.map((role) => (role.key === key ? { ...role, ...change } : role));
const clientPaid = () => rolesWith('client', { billing: 'paid' });
const customFree = () => rolesWith('custom:*', { billing: 'free' });
const version = async () => (await made(gateway.api('GET', '/catalogue'))).version;
const adopted = (n: number) =>
  expect
    .poll(async () => (await made(gateway.api('GET', `/catalogue/versions/${n}`))).tenantsBehind, {
      timeout: 10_000,
    })
    .toBe(0);

const strict = { percent: 50, people: 3 };
const usual = { paidSeats: 1, overage: { policy: 'queue' }, breaker: strict as object | null };

/** Four people who have the role in w1. */
async function fourWith(role: string, given: Partial<typeof usual> & { overage?: object } = {}) {
  const { breaker, ...terms } = { ...usual, ...given };
  const tenant = await gateway.createTenant();
  tenants.push(tenant);
  await settings(tenant, { breaker });
  await call(tenant, 'PUT', '/contract', {
    ...{ kind: 'annual', tier: 'T', startsOn: '2020-01-01', endsOn: '2099-12-31' },
    ...{ paymentSchedule: 'annual', fallbackRole: 'view_only', ...terms },
  });
  await mapped(tenant, 'Four', { role, workspaces: ['w1'], priority: 1 });
  const token = await tenant.directoryToken('okta');
  const members = [];
  for (const name of ['a', 'b', 'c', 'd']) {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const user = { schemas, userName: `${name}@acme.example` };
    members.push({ value: (await made(gateway.scim(token, 'POST', '/Users', user))).id });
  }
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
  await made(gateway.scim(token, 'POST', '/Groups', { schemas, displayName: 'Four', members }));
  return tenant;
}

const mapped = (tenant: TestTenant, displayName: string, mapping: object) =>
  call(tenant, 'POST', '/mappings', { group: { displayName }, ...mapping });

async function seatsOf(tenant: TestTenant) {
  const { held, queued } = await call(tenant, 'GET', '/seats');
  return { held, queued };
}

async function refusal(roles: readonly Role[]): Promise<string> {
  const { status, body } = await put(roles);
  expect([status, body.code, body.field]).toEqual([409, 'above_breaker', 'confirm']);
  return body.detail;
}

describe('a catalogue above the breaker of a tenant', () => {
  it.each([
    ['leaves people without a role that they had', 'client', 1, clientPaid, 3, 0, { held: 1, queued: 3 }],
    ['takes seats', 'custom:Reviewer', 4, customFree, 4, 4, { held: 0, queued: 0 }],
  ])(
    'that %s is refused, until it is confirmed',
    async (_what, role, paidSeats, roles, lost, held, after) => {
      const tenant = await fourWith(role, { paidSeats });
      const before = await version();
      expect(await refusal(roles())).toContain(`: ${lost} of ${tenant.slug}. Look`);
      expect([await version(), await seatsOf(tenant)]).toEqual([before, { held, queued: 0 }]);
      const written = await made(put(roles(), '?confirm=true'));
      expect(written.version).toBe(before + 1);
      await adopted(written.version);
      expect(await seatsOf(tenant)).toEqual(after);
    },
  );

  it('is asked about once: what says the same is no other version', async () => {
    await fourWith('client');
    const written = await made(put(clientPaid(), '?confirm=true'));
    expect((await made(put(clientPaid()))).version).toBe(written.version);
  });

  it('counts who waits for another role already', async () => {
    const tenant = await fourWith('client', { paidSeats: 0 });
    await mapped(tenant, 'Four', { role: 'team_member', workspaces: ['w2'], priority: 2 });
    expect(await seatsOf(tenant)).toEqual({ held: 0, queued: 4 });
    expect(await refusal(clientPaid())).toContain(`: 4 of ${tenant.slug}. Look`);
  });

  it('counts who has the role for some days only', async () => {
    const above = { policy: 'grace', graceDays: 5, allowancePercent: 300 };
    const tenant = await fourWith('client', { overage: above });
    expect(await refusal(clientPaid())).toContain(`: 3 of ${tenant.slug} (all at a date to come). Look`);
  });

  it('is told of the tenants that lose the most, and the others are counted', async () => {
    for (let n = 0; n < 6; n += 1) await fourWith('client', { paidSeats: n === 3 ? 0 : 1 });
    const detail = await refusal(clientPaid());
    const named = tenants.filter(({ slug }) => detail.includes(` of ${slug}`));
    expect(named).toHaveLength(5);
    expect(detail).toContain(`: 4 of ${tenants[3]?.slug}, 3 of `);
    expect(detail).toContain(', 3 of 1 more tenants. Look');
  });
});

describe('a catalogue is not asked about', () => {
  it.each([
    ['below the breaker', { breaker: { percent: 50, people: 4 } }],
    ['where it is off', { breaker: null }],
    ['where there is a seat for everybody', { paidSeats: 4 }],
    ['where seats above the capacity stay', { overage: { policy: 'allow', allowancePercent: 300 } }],
  ])('%s', async (_what, given) => {
    const tenant = await fourWith('client', given);
    const { status, body } = await put(clientPaid());
    expect(status).toBe(200);
    await adopted(body.version);
    const { held, overage, queued } = await call(tenant, 'GET', '/seats');
    expect(held + overage + queued).toBe(4);
  });

  it('where nothing becomes paid or free', async () => {
    await fourWith('client');
    expect((await put(rolesWith('client', { label: 'Guest' }))).status).toBe(200);
  });

  it('for a tenant whose own breaker lets it pass', async () => {
    const [asked, patient, careless] = [
      await fourWith('client'),
      await fourWith('client', { breaker: { percent: 50, people: 4 } }),
      await fourWith('client', { breaker: null }),
    ];
    const detail = await refusal(clientPaid());
    expect(detail).toContain(asked.slug);
    for (const { slug } of [patient, careless]) expect(detail).not.toContain(slug);
  });
});

it('what can not be kept is refused for that, confirmed or not', async () => {
  await fourWith('client');
  const roles = rolesWith('view_only', { billing: 'paid' });
  for (const query of ['', '?confirm=true']) {
    const { status, body } = await put(roles, query);
    expect([status, body.field]).toEqual([400, 'roles.5.billing']);
  }
});
