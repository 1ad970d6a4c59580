/** Applications of a tenant in the admin API. */

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  tenant = await gateway.createTenant();
});

const api = (method: string, path: string, body?: unknown, slug = tenant.slug) =>
  gateway.api(method, `/tenants/${slug}${path}`, body);
const blue = { name: 'Blue', redirectUris: ['https://blue.example.com/callback'] };

it('its secret is shown once, and the trail does not have it', async () => {
  const client = await made(api('POST', '/clients', blue));
  expect(client).toMatchObject({
    ...{ name: 'Blue', clientId: client.id, issuer: `${gateway.url}/oidc` },
    ...{ postLogoutRedirectUris: [], backchannelLogoutUri: null },
  });
  const { clientSecret, ...shown } = client;
  expect(clientSecret).toMatch(/^bgw_cs_/);
  expect(await made(api('GET', `/clients/${client.id}`))).toEqual(shown);
  expect((await made(api('GET', '/clients'))).items).toEqual([shown]);
  const { items } = await made(api('GET', '/audit?action=openid_client.created'));
  expect(items).toMatchObject([{ subject: client.id, after: { name: 'Blue' } }]);
  expect(JSON.stringify(items)).not.toContain(clientSecret);
});

it('a change keeps what it does not name, and removal takes it away', async () => {
  const { id } = await made(
    api('POST', '/clients', { ...blue, backchannelLogoutUri: 'https://blue.example.com/out' }),
  );
  const changed = await made(api('PUT', `/clients/${id}`, { name: 'Blue 2' }));
  expect(changed).toMatchObject({
    ...blue,
    name: 'Blue 2',
    backchannelLogoutUri: 'https://blue.example.com/out',
  });
  expect(
    (await made(api('PUT', `/clients/${id}`, { backchannelLogoutUri: null }))).backchannelLogoutUri,
  ).toBeNull();
  expect((await api('DELETE', `/clients/${id}`)).status).toBe(204);
  expect((await api('GET', `/clients/${id}`)).status).toBe(404);
  expect((await api('DELETE', `/clients/${id}`)).status).toBe(404);
});

it('is its tenant’s alone', async () => {
  const other = await gateway.createTenant();
  const { id } = await made(api('POST', '/clients', blue));
  for (const [method, body] of [['GET'], ['PUT', { name: 'mine' }], ['DELETE']] as const) {
    expect((await api(method, `/clients/${id}`, body, other.slug)).status).toBe(404);
  }
  expect((await made(api('GET', '/clients', undefined, other.slug))).items).toEqual([]);
});

it.each([
  ['redirectUris', 'http://blue.example.com/callback'],
  ['redirectUris', 'https://blue.example.com/callback#x'],
  ['redirectUris', 'https://user:secret@blue.example.com/'],
  ['redirectUris', 'https://blue.example.com/a/../b'],
  ['redirectUris', 'https://*.example.com/callback/ x'],
  ['redirectUris', 'javascript:alert(1)'],
  ['redirectUris', 'blue'],
  ['postLogoutRedirectUris', 'ftp://blue.example.com/'],
])('%s may not hold %s', async (field, uri) => {
  const { status, body } = await api('POST', '/clients', { ...blue, [field]: [uri] });
  expect([status, body.field]).toEqual([400, field]);
});

it.each(['http://127.0.0.1:8400/callback', 'http://localhost/callback', 'https://blue.example.com'])(
  'may return to %s',
  async (uri) => {
    expect((await made(api('POST', '/clients', { ...blue, redirectUris: [uri] }))).redirectUris).toEqual([
      uri,
    ]);
  },
);

it('is not told of logouts at a private address, where those are not allowed', async () => {
  const strict = await startGateway({ config: { allowPrivateNetworks: false } });
  try {
    const { slug } = await strict.createTenant();
    for (const uri of ['http://blue.example.com/out', 'https://127.0.0.1/out', 'https://[::1]/out']) {
      const body = { ...blue, backchannelLogoutUri: uri };
      const refused = await strict.api('POST', `/tenants/${slug}/clients`, body);
      expect([refused.status, refused.body.field]).toEqual([400, 'backchannelLogoutUri']);
    }
  } finally {
    await strict.close();
  }
});

it('there are not too many', async () => {
  for (let n = 0; n < limits.openIdClientsPerTenantMax; n += 1) await made(api('POST', '/clients', blue));
  expect((await api('POST', '/clients', blue)).status).toBe(409);
});
