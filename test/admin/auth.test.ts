/** Who may do what in the admin API: keys by role, tenants apart, revocation and expiry at once. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let other: TestTenant;
const keys = new Map<string, { id: string; key: string }>();

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  other = await gateway.createTenant();
  for (const role of ['owner', 'admin', 'auditor']) {
    const path = `/tenants/${tenant.slug}/keys`;
    keys.set(role, await made(gateway.api('POST', path, { name: role, role })));
  }
});
afterAll(() => gateway.close());

const keyOf = (who: string) => (who === 'operator' ? gateway.operatorKey : (keys.get(who)?.key ?? ''));

const contract = {
  kind: 'annual',
  tier: 'T',
  paidSeats: 3,
  startsOn: '2026-01-01',
  endsOn: '2099-12-31',
  paymentSchedule: 'annual',
  overage: { policy: 'queue' },
  fallbackRole: 'view_only',
};
let priority = 10;
const calls: [string, string, (t: string) => string, () => unknown, Record<string, number>][] = [
  [
    'reads seats',
    'GET',
    (t) => `/tenants/${t}/seats`,
    () => undefined,
    { owner: 200, admin: 200, auditor: 200 },
  ],
  [
    'reads users',
    'GET',
    (t) => `/tenants/${t}/users`,
    () => undefined,
    { owner: 200, admin: 200, auditor: 200 },
  ],
  [
    'reads audit',
    'GET',
    (t) => `/tenants/${t}/audit`,
    () => undefined,
    { owner: 200, admin: 200, auditor: 200 },
  ],
  [
    'adds a directory',
    'POST',
    (t) => `/tenants/${t}/directories`,
    () => ({ name: 'd', kind: 'okta' }),
    { owner: 201, admin: 201, auditor: 403 },
  ],
  [
    'maps a group',
    'POST',
    (t) => `/tenants/${t}/mappings`,
    () => {
      priority += 1;
      return { group: { displayName: `g${priority}` }, role: 'client', workspaces: ['*'], priority };
    },
    { owner: 201, admin: 201, auditor: 403 },
  ],
  [
    'makes a key',
    'POST',
    (t) => `/tenants/${t}/keys`,
    () => ({ name: 'k', role: 'auditor' }),
    { owner: 201, admin: 403, auditor: 403 },
  ],
  [
    'writes the contract',
    'PUT',
    (t) => `/tenants/${t}/contract`,
    () => contract,
    { owner: 403, admin: 403, auditor: 403 },
  ],
  ['lists tenants', 'GET', () => '/tenants', () => undefined, { owner: 403, admin: 403, auditor: 403 }],
  [
    'makes an operator',
    'POST',
    () => '/operators',
    () => ({ name: 'o' }),
    { owner: 403, admin: 403, auditor: 403 },
  ],
];

describe.each(calls)('whoever %s', (_what, method, path, body, allowed) => {
  it.each(['owner', 'admin', 'auditor'])('as %s', async (who) => {
    const answer = await gateway.api(method, path(tenant.slug), body(), keyOf(who));
    expect(answer.status).toBe(allowed[who]);
    if (answer.status === 403) expect(answer.body.code).toBe('forbidden');
  });

  it('as operator, by slug and by id', async () => {
    for (const reference of [tenant.slug, tenant.tenantId]) {
      expect((await gateway.api(method, path(reference), body())).status).toBeLessThan(300);
    }
  });

  it('not without a key, and not with a wrong one', async () => {
    for (const key of [null, 'x'.repeat(40), `${gateway.operatorKey}x`]) {
      const answer = await gateway.api(method, path(tenant.slug), body(), key);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
    }
  });
});

describe('another tenant', () => {
  it.each(['owner', 'admin', 'auditor'])('does not exist for %s, for reading or writing', async (who) => {
    for (const [, method, path, body] of calls.filter(([, , path]) => path('x').includes('/x/'))) {
      const [foreign, unknown] = await Promise.all([
        gateway.api(method, path(other.slug), body(), keyOf(who)),
        gateway.api(method, path('no-such-tenant'), body(), keyOf(who)),
      ]);
      expect([foreign.status, unknown.status]).toEqual([404, 404]);
      expect(foreign.body.detail.replace(other.slug, '?')).toBe(
        unknown.body.detail.replace('no-such-tenant', '?'),
      );
    }
  });

  it('lends nothing by id', async () => {
    const directory = await made(
      gateway.api('POST', `/tenants/${other.slug}/directories`, { name: 'd', kind: 'okta' }),
    );
    const token = await made(
      gateway.api('POST', `/tenants/${other.slug}/directories/${directory.id}/tokens`, { name: 't' }),
    );
    const mine = `/tenants/${tenant.slug}/directories/${directory.id}`;
    expect((await gateway.api('GET', mine)).status).toBe(404);
    expect((await gateway.api('GET', `${mine}/tokens`)).status).toBe(404);
    expect((await gateway.api('POST', `${mine}/tokens`, { name: 'x' })).status).toBe(404);
    expect((await gateway.api('DELETE', `${mine}/tokens/${token.id}`)).status).toBe(404);
    const path = `/tenants/${tenant.slug}/keys/${keys.get('owner')?.id}`;
    expect((await gateway.api('GET', path.replace(tenant.slug, other.slug))).status).toBe(404);
  });
});

describe('a credential', () => {
  it('is shown once, and never again', async () => {
    const path = `/tenants/${tenant.slug}/keys`;
    const { id, key } = await made(gateway.api('POST', path, { name: 'shown', role: 'admin' }));
    const [one, list, audit] = await Promise.all([
      gateway.api('GET', `${path}/${id}`),
      gateway.api('GET', path),
      gateway.api('GET', `/tenants/${tenant.slug}/audit`),
    ]);
    expect(JSON.stringify([one.body, list.body, audit.body])).not.toContain(key);
    expect(one.body).toMatchObject({ id, name: 'shown', role: 'admin', expiresAt: null });
  });

  it('ends at once when it is revoked', async () => {
    const path = `/tenants/${tenant.slug}/keys`;
    const { id, key } = await made(gateway.api('POST', path, { name: 'gone', role: 'admin' }));
    expect((await gateway.api('GET', `/tenants/${tenant.slug}`, undefined, key)).status).toBe(200);
    expect((await gateway.api('DELETE', `${path}/${id}`)).status).toBe(204);
    expect((await gateway.api('GET', `/tenants/${tenant.slug}`, undefined, key)).status).toBe(401);
    expect((await gateway.api('DELETE', `${path}/${id}`)).status).toBe(404);
  });

  it('ends by itself', async () => {
    const path = `/tenants/${tenant.slug}/keys`;
    const expiresAt = new Date(Date.now() + 400).toISOString();
    const { key } = await made(gateway.api('POST', path, { name: 'short', role: 'admin', expiresAt }));
    expect((await gateway.api('GET', `/tenants/${tenant.slug}`, undefined, key)).status).toBe(200);
    await new Promise((done) => setTimeout(done, 500));
    expect((await gateway.api('GET', `/tenants/${tenant.slug}`, undefined, key)).status).toBe(401);
    const past = await gateway.api('POST', path, { name: 'past', role: 'admin', expiresAt });
    expect([past.status, past.body.field]).toEqual([400, 'expiresAt']);
  });

  it('of an operator ends at once too, but for the first, who has OPERATOR_KEY', async () => {
    const { id, key } = await made(gateway.api('POST', '/operators', { name: 'second' }));
    expect((await gateway.api('GET', '/tenants', undefined, key)).status).toBe(200);
    expect((await gateway.api('DELETE', `/operators/${id}`)).status).toBe(204);
    expect((await gateway.api('GET', '/tenants', undefined, key)).status).toBe(401);
    expect((await gateway.api('DELETE', `/operators/${id}`)).status).toBe(404);
    const { items } = (await gateway.api('GET', '/operators')).body;
    expect((await gateway.api('DELETE', `/operators/${items[0].id}`)).status).toBe(409);
  });

  it('made for an operator may become OPERATOR_KEY', async () => {
    const { key } = await made(gateway.api('POST', '/operators', { name: 'heir' }));
    const second = await startGateway({ databaseUrl: gateway.databaseUrl, config: { operatorKey: key } });
    expect((await second.api('GET', '/tenants')).status).toBe(200);
    await second.close();
    const third = await startGateway({ databaseUrl: gateway.databaseUrl });
    expect((await third.api('GET', '/tenants')).status).toBe(200);
    await third.close();
  });

  it('of a directory opens SCIM alone, and a key opens no SCIM', async () => {
    const token = await tenant.directoryToken('okta');
    expect((await gateway.scim(token, 'GET', '/Users')).status).toBe(200);
    expect((await gateway.api('GET', `/tenants/${tenant.slug}`, undefined, token)).status).toBe(401);
    expect((await gateway.scim(gateway.operatorKey, 'GET', '/Users')).status).toBe(401);
  });
});
