/** Clients and rotated tokens in the admin API: what is told of them and what never, whose they are, how often they may. */

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { assertionOf, newKey, TestIssuer } from './issuer.ts';
import { askToken, aUser, basic, byAssertion, bySecret, grant, newClient, newDirectory } from './support.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let directory: string;
const logged: string[] = [];

beforeAll(async () => {
  gateway = await startGateway({
    config: { logLevel: 'trace', trustProxy: true },
    onLog: (line) => logged.push(line),
  });
  tenant = await gateway.createTenant();
  directory = await newDirectory(gateway, tenant);
});
afterAll(() => gateway.close());

const trust = { issuer: 'https://login.example.com/t/v2.0', audience: 'api://a', subject: 's' };

describe('a client', () => {
  it('is shown whole, and its secret once', async () => {
    const first = await newClient(gateway, directory, { name: 'First' });
    const { clientSecret, ...whole } = first;
    expect(clientSecret).toMatch(/^bgw_cs_[\w-]{43}$/);
    expect(whole).toEqual({
      id: expect.any(String),
      clientId: whole.id,
      name: 'First',
      scopes: ['scim'],
      ...{ issuer: null, audience: null, subject: null },
      createdAt: expect.any(String),
      secrets: [{ id: expect.any(String), createdAt: whole.createdAt, expiresAt: null, lastUsedAt: null }],
    });
    const second = await newClient(gateway, directory, { name: 'Second', ...trust, scopes: ['scim.read'] });
    expect(second).toMatchObject({ ...trust, scopes: ['scim.read'], secrets: [] });
    expect(second).not.toHaveProperty('clientSecret');
    const list = await made(gateway.api('GET', `${directory}/clients`));
    expect(list).toEqual({ items: [whole, second], nextCursor: null });
    for (const item of list.items) {
      expect((await gateway.api('GET', `${directory}/clients/${item.id}`)).body).toEqual(item);
    }
    const page = await made(gateway.api('GET', `${directory}/clients?limit=1`));
    expect(page.items).toEqual([whole]);
    const next = await made(gateway.api('GET', `${directory}/clients?limit=1&cursor=${page.nextCursor}`));
    expect(next).toEqual({ items: [second], nextCursor: null });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no name', { name: undefined }, 'name'],
    ['half of what assertions need', { issuer: trust.issuer }, 'audience'],
    ['no issuer', { audience: 'a', subject: 's' }, 'issuer'],
    ['no subject', { ...trust, subject: undefined }, 'subject'],
    ['an issuer that is no URL', { ...trust, issuer: 'entra' }, 'issuer'],
    ['an issuer with a password', { ...trust, issuer: 'https://a:b@x.example' }, 'issuer'],
    ['an issuer with a query', { ...trust, issuer: 'https://x.example/?a' }, 'issuer'],
    ['an empty audience', { ...trust, audience: '' }, 'audience'],
    ['an unknown scope', { scopes: ['scim', 'admin'] }, 'scopes.1'],
    ['no scope', { scopes: [] }, 'scopes'],
    ['a secret of its own choice', { clientSecret: 'x' }, 'clientSecret'],
  ])('with %s is refused', async (_what, more, field) => {
    const { status, body } = await gateway.api('POST', `${directory}/clients`, { name: 'x', ...more });
    expect([status, body.code, body.field]).toEqual([400, 'invalid', field]);
  });

  it('is its directory’s and its tenant’s', async () => {
    const client = await newClient(gateway, directory);
    const sibling = await newDirectory(gateway, tenant);
    const other = await gateway.createTenant();
    const foreign = await newDirectory(gateway, other);
    const nobodys = `${directory.split('/directories')[0]}/directories/00000000-0000-7000-8000-00000000000a`;
    for (const elsewhere of [sibling, foreign, nobodys, directory.replace(tenant.slug, other.slug)]) {
      const path = `${elsewhere}/clients/${client.id}`;
      for (const [method, rest] of [
        ['GET', ''],
        ['DELETE', ''],
        ['POST', '/secrets'],
        ['DELETE', `/secrets/${client.secrets[0].id}`],
      ] as const) {
        const { status, body } = await gateway.api(method, `${path}${rest}`);
        expect([method, rest, status, body.code]).toEqual([method, rest, 404, 'not_found']);
      }
    }
    expect((await made(gateway.api('GET', `${foreign}/clients`))).items).toEqual([]);
    expect((await gateway.api('GET', `${nobodys}/clients`)).status).toBe(404);
    expect((await gateway.api('POST', `${nobodys}/clients`, { name: 'x' })).status).toBe(404);
    const mine = await made(gateway.api('GET', `${directory}/clients/${client.id}`));
    expect(mine.secrets).toHaveLength(1);

    const { access_token: token } = await made(askToken(gateway, bySecret(client)));
    await made(gateway.scim(token, 'POST', '/Users', aUser('mine@x.example')));
    const theirs = await made(askToken(gateway, bySecret(await newClient(gateway, foreign))));
    const { totalResults } = await made(gateway.scim(theirs.access_token, 'GET', '/Users'));
    expect(totalResults).toBe(0);
  });

  it('of a secret that was revoked is one of others still', async () => {
    const client = await newClient(gateway, directory);
    const path = `${directory}/clients/${client.id}/secrets`;
    const past = await gateway.api('POST', path, { expiresAt: '2020-01-01T00:00:00Z' });
    expect([past.status, past.body.field]).toEqual([400, 'expiresAt']);
    expect((await gateway.api('DELETE', `${path}/x`)).status).toBe(404);
    expect((await gateway.api('DELETE', `${path}/${client.secrets[0].id}`)).status).toBe(204);
    expect((await askToken(gateway, bySecret(client))).status).toBe(401);
    const { clientSecret } = await made(gateway.api('POST', path));
    expect((await askToken(gateway, bySecret({ ...client, clientSecret }))).status).toBe(200);
  });
});

describe('a directory’s token', () => {
  const path = () => `${directory}/tokens`;

  it('is rotated with an overlap', async () => {
    const old = await made(gateway.api('POST', path(), { name: 'production' }));
    const next = await made(gateway.api('POST', `${path()}/${old.id}/rotate`));
    expect(next).toEqual({ id: expect.any(String), token: expect.stringMatching(/^bgw_scim_/) });
    const [was, is] = await Promise.all(
      [old, next].map(({ id }) => made(gateway.api('GET', `${path()}/${id}`))),
    );
    for (const { token } of [old, next])
      expect((await gateway.scim(token, 'GET', '/Users')).status).toBe(200);
    expect(is).toMatchObject({ name: 'production', scope: 'scim', expiresAt: null, lastUsedAt: null });
    const hours = (Date.parse(was.expiresAt) - Date.now()) / 3_600_000;
    expect([hours > 23.9, hours < 24.1]).toEqual([true, true]);
    const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/audit?subject=${old.id}`));
    expect(items.map(({ action }: { action: string }) => action)).toEqual(['token.rotated', 'token.issued']);
  });

  it('ends at once without one, and never later than it would have', async () => {
    const soon = new Date(Date.now() + 60_000).toISOString();
    const old = await made(gateway.api('POST', path(), { name: 'short', expiresAt: soon }));
    await made(gateway.api('POST', `${path()}/${old.id}/rotate`, { overlapMinutes: 60 }));
    expect((await made(gateway.api('GET', `${path()}/${old.id}`))).expiresAt).toBe(soon);
    const next = await made(gateway.api('POST', `${path()}/${old.id}/rotate`, { overlapMinutes: 0 }));
    expect((await gateway.scim(old.token, 'GET', '/Users')).status).toBe(401);
    expect((await gateway.scim(next.token, 'GET', '/Users')).status).toBe(200);
    const { expiresAt } = await made(gateway.api('GET', `${path()}/${next.id}`));
    expect(Math.abs(Date.parse(expiresAt) - Date.now() - 60_000)).toBeLessThan(5000);
  });

  it('is rotated by its own tenant within a month', async () => {
    const old = await made(gateway.api('POST', path(), { name: 'x' }));
    for (const overlapMinutes of [-1, 1.5, 43_201, '5']) {
      const { status, body } = await gateway.api('POST', `${path()}/${old.id}/rotate`, { overlapMinutes });
      expect([status, body.field]).toEqual([400, 'overlapMinutes']);
    }
    const other = await gateway.createTenant();
    for (const elsewhere of [await newDirectory(gateway, other), await newDirectory(gateway, tenant)]) {
      expect((await gateway.api('POST', `${elsewhere}/tokens/${old.id}/rotate`)).status).toBe(404);
    }
    expect((await gateway.api('POST', `${path()}/x/rotate`)).status).toBe(404);
  });
});

describe('too many requests', () => {
  it('of one address are told when to come again, and are nobody else’s', async () => {
    const from = (address: string) => askToken(gateway, grant, { 'x-forwarded-for': address });
    const answers = await Promise.all(Array.from({ length: 260 }, () => from('203.0.113.9')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(20);
    expect(answers.filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(200);
    expect(refused[0]?.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(refused[0]?.body.error).toBe('temporarily_unavailable');
    expect((await from('203.0.113.10')).status).toBe(401);
  });

  it('of one client are held back, but not by those who do not know its secret', async () => {
    const client = await newClient(gateway, directory);
    const wrong = { ...bySecret(client), client_secret: 'wrong' };
    await Promise.all(Array.from({ length: 40 }, () => askToken(gateway, wrong)));
    const answers = await Promise.all(Array.from({ length: 40 }, () => askToken(gateway, bySecret(client))));
    const good = answers.filter(({ status }) => status === 200).length;
    expect([good >= 20, good < 40]).toEqual([true, true]);
    expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1');
    const other = await newClient(gateway, directory);
    expect((await askToken(gateway, bySecret(other))).status).toBe(200);
  });
});

it('metadata says what the token endpoint takes (RFC 8414)', async () => {
  const answer = await fetch(`${gateway.url}/.well-known/oauth-authorization-server`);
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(await answer.json()).toEqual({
    issuer: gateway.url,
    token_endpoint: `${gateway.url}/oauth/token`,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: [
      ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'],
    ],
    scopes_supported: ['scim', 'scim.read'],
    response_types_supported: [],
  });
});

it('no secret, assertion or token stands in the log or in the trail', async () => {
  const issuer = await TestIssuer.start();
  const key = await newKey('k');
  const client = await newClient(gateway, directory);
  const asserting = await newClient(gateway, directory, { ...trust, issuer: issuer.url });
  const claims = { iss: issuer.url, aud: trust.audience, sub: trust.subject };
  const assertion = await assertionOf({ key, claims });
  expect((await askToken(gateway, byAssertion(asserting.id, assertion))).status).toBe(401);
  await issuer.stop();
  const down = await newClient(gateway, directory, { ...trust, issuer: `${issuer.url}/x` });
  expect((await askToken(gateway, byAssertion(down.id, assertion))).status).toBe(503);
  const wrong = 'bgw_cs_wrong-but-secret-still';
  await askToken(gateway, grant, basic(client.clientId, wrong));
  const { access_token: token } = await made(
    askToken(gateway, grant, basic(client.clientId, client.clientSecret)),
  );
  await made(gateway.scim(token, 'POST', '/Users', aUser('trail@x.example')));
  const old = await made(gateway.api('POST', `${directory}/tokens`, { name: 'x' }));
  const rotated = await made(gateway.api('POST', `${directory}/tokens/${old.id}/rotate`));

  const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/audit?limit=200`));
  const actions = new Set(items.map(({ action }: { action: string }) => action));
  expect(actions).toContain('client.created');
  expect(actions).toContain('client_secret.created');
  expect(items.filter(({ subject }: { subject: string }) => subject === client.id)).toHaveLength(1);
  const told = [
    ...logged,
    JSON.stringify(items),
    JSON.stringify(await made(gateway.api('GET', `${directory}/clients`))),
  ];
  expect(logged.join('')).toContain('a client could not be checked');
  for (const secret of [client.clientSecret, wrong, assertion, token, old.token, rotated.token]) {
    const hash = createHash('sha256').update(secret).digest('hex');
    const forms = [secret, secret.slice(-20), hash, basic(client.clientId, secret).authorization.slice(6)];
    for (const form of forms) expect(told.filter((text) => text.includes(form))).toEqual([]);
  }
});
