/**
 * What holds for every call of the admin API, whichever come to be: taken from its own description, which names each
 * route that there is.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalReasons } from '../../src/sso/core/refusal.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { idleApp } from '../support/idle-app.ts';

interface Operation {
  method: string;
  /** Below `/api/v1`, with `{t}` and the like in it. */
  path: string;
  summary?: string;
  tags?: string[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { content?: Record<string, unknown> }>;
}

let gateway: TestGateway;
let tenant: TestTenant;
let other: TestTenant;
let operations: Operation[];
const keys = new Map<string, string>();

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  other = await gateway.createTenant();
  for (const role of ['owner', 'admin', 'auditor']) {
    const { key } = await made(gateway.api('POST', `/tenants/${tenant.slug}/keys`, { name: role, role }));
    keys.set(role, key);
  }
  const { paths } = await made(gateway.api('GET', '/openapi.json', undefined, null));
  const described = Object.entries<Record<string, Omit<Operation, 'method' | 'path'>>>(paths);
  operations = described.flatMap(([path, methods]) =>
    !path.startsWith('/api/v1')
      ? []
      : Object.entries(methods).map(([method, operation]) => ({
          ...operation,
          method: method.toUpperCase(),
          path: path.replace('/api/v1', ''),
        })),
  );
});
afterAll(() => gateway.close());

const isRead = ({ method }: Operation) => method === 'GET';
const inTenant = ({ path }: Operation) => path.startsWith('/tenants/{t}');
/** Operators alone write tenants, contracts and the role catalogue, move the clock, and know of each other and of all tenants. */
const isForOperators = ({ method, path }: Operation) =>
  path === '/tenants' ||
  path === '/clock' ||
  path === '/openid-keys' ||
  path.startsWith('/operators') ||
  path.startsWith('/catalogue/') ||
  (method !== 'GET' && path === '/catalogue') ||
  (method !== 'GET' && /\/contract(?:\/|$)/.test(path));
/** Who may call may make others who may. */
const isForOwners = (operation: Operation) =>
  operation.path.startsWith('/tenants/{t}/keys') && !isRead(operation);

/** Ids that nobody has: a call that is let through changes nothing. */
const pathOf = ({ path }: Operation, of: string) =>
  path.replace('{t}', of).replaceAll(/\{\w+\}/g, '00000000-0000-7000-8000-00000000000a');
const call = (operation: Operation, key: string | undefined, of = tenant.slug, query = '') =>
  gateway.api(operation.method, `${pathOf(operation, of)}${query}`, bodyOf(operation), key ?? null);
const bodyOf = ({ requestBody }: Operation) => (requestBody === undefined ? undefined : { surprise: 1 });
const nameOf = ({ method, path }: Operation) => `${method} ${path}`;

describe('the description', () => {
  it('names every route', async () => {
    const { app, close } = await idleApp();
    const routes = app.routeList.flatMap(({ method, url }) =>
      [method].flat().flatMap((one) => (one === 'HEAD' ? [] : `${one} ${url}`)),
    );
    await close();
    const described = operations.map(({ method, path }) => `${method} /api/v1${path}`);
    const expected = routes.filter((route) => /^\w+ \/api\/v1\/(?!openapi\.json)/.test(route));
    expect(described.sort()).toEqual(expected.map((route) => route.replaceAll(/:(\w+)/g, '{$1}')).sort());
    expect(described.length).toBeGreaterThan(30);
  });

  it('names what single sign-on says in JSON, and none of its pages', async () => {
    const { paths } = await made(gateway.api('GET', '/openapi.json', undefined, null));
    expect(
      Object.keys(paths)
        .filter((path) => !path.startsWith('/api/v1/'))
        .sort(),
    ).toEqual([
      '/sso/oidc/{connectionId}/backchannel-logout',
      '/sso/oidc/{connectionId}/jwks',
      '/sso/session',
    ]);
    expect(paths['/sso/session'].get.security).toEqual([{ session: [] }]);
  });

  it('lists the reasons for which a login is refused', async () => {
    const { paths } = await made(gateway.api('GET', '/openapi.json', undefined, null));
    const ok = paths['/api/v1/tenants/{t}/logins/{id}'].get.responses['200'].content['application/json'];
    expect(ok.schema.properties.reason.enum).toEqual([...refusalReasons, null]);
  });

  it('tells of each call what it is, what it answers, and in what form it refuses', () => {
    for (const operation of operations) {
      const { summary, tags, responses, method } = operation;
      expect(summary, nameOf(operation)).toMatch(/\w/);
      expect(tags, nameOf(operation)).toHaveLength(1);
      expect(Object.keys(responses), nameOf(operation)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^20[014]$/), '4XX', '5XX']),
      );
      expect(Object.keys(responses['4XX']?.content ?? {})).toEqual(['application/problem+json']);
      if (method === 'DELETE') expect(responses).toHaveProperty('204');
    }
  });

  it('is open, and says how the rest is not', async () => {
    const { components, security } = (await gateway.api('GET', '/openapi.json', undefined, null)).body;
    expect(components.securitySchemes).toEqual({
      key: { type: 'http', scheme: 'bearer' },
      session: { type: 'apiKey', in: 'cookie', name: 'bgw_session' },
    });
    expect(security).toEqual([{ key: [] }]);
  });
});

describe('every call', () => {
  it.each(['owner', 'admin', 'auditor'])('lets %s do what the role may, and nothing else', async (role) => {
    for (const operation of operations) {
      const mayNot =
        isForOperators(operation) ||
        (role === 'auditor' && !isRead(operation)) ||
        (role === 'admin' && isForOwners(operation));
      const { status, body } = await call(operation, keys.get(role));
      expect([nameOf(operation), status === 403], nameOf(operation)).toEqual([nameOf(operation), mayNot]);
      expect(status, nameOf(operation)).not.toBe(401);
      if (mayNot) expect(body.code).toBe('forbidden');
    }
  });

  it('tells a key of one tenant nothing of another', async () => {
    for (const operation of operations.filter(inTenant)) {
      const [foreign, unknown] = [
        await call(operation, keys.get('owner'), other.slug),
        await call(operation, keys.get('owner'), 'nobody-has-this'),
      ];
      expect([nameOf(operation), foreign.status, unknown.status]).toEqual([nameOf(operation), 404, 404]);
      const hidden = {
        detail: unknown.body.detail.replace('nobody-has-this', other.slug),
        code: 'not_found',
      };
      expect(foreign.body, nameOf(operation)).toMatchObject(hidden);
    }
  });

  it('asks a stranger for a key', async () => {
    for (const operation of operations) {
      for (const key of [undefined, 'x'.repeat(40)]) {
        const { status, headers } = await call(operation, key);
        expect([nameOf(operation), status]).toEqual([nameOf(operation), 401]);
        expect(headers.get('www-authenticate')).toBe('Bearer');
      }
    }
  });

  it('refuses a query that it does not know, by its name', async () => {
    for (const operation of operations.filter(({ requestBody }) => requestBody === undefined)) {
      const { status, body } = await call(operation, gateway.operatorKey, tenant.slug, '?surprise=1');
      expect([nameOf(operation), status, body.field]).toEqual([nameOf(operation), 400, 'surprise']);
    }
  });

  it('refuses a field that it does not know, by its name', async () => {
    const writing = operations.filter(
      ({ requestBody }) => requestBody?.content['application/json'] !== undefined,
    );
    expect(writing.length).toBeGreaterThan(8);
    for (const operation of writing) {
      const { status, body } = await call(operation, gateway.operatorKey);
      expect([nameOf(operation), status, body.code]).toEqual([nameOf(operation), 400, 'invalid']);
      expect(body.errors).toContainEqual({ field: 'surprise', message: 'is not a field here' });
      expect(body.detail).toContain('"surprise"');
    }
  });
});

describe('a problem', () => {
  it('names each field that is wrong, the first of them as its own', async () => {
    const { body } = await gateway.api('POST', '/tenants', { name: 1, slug: 'A B' });
    expect(body).toMatchObject({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      code: 'invalid',
      field: 'name',
      errors: [{ field: 'name' }, { field: 'slug' }],
    });
    const whole = (await gateway.api('POST', '/tenants', '[]')).body;
    expect([whole.field, whole.errors]).toEqual([undefined, undefined]);
  });

  it('says that there is nothing, to whoever has a key', async () => {
    for (const key of [gateway.operatorKey, ...keys.values()]) {
      for (const path of ['/nothing', `/tenants/${tenant.slug}/nothing`, `/tenants/${other.slug}/nothing`]) {
        const { status, body } = await gateway.api('GET', path, undefined, key);
        expect([path, status, body.code]).toEqual([path, 404, 'not_found']);
        expect(body.detail).toBe(`There is nothing at /api/v1${path}.`);
      }
    }
    expect((await gateway.api('GET', '/nothing', undefined, null)).status).toBe(401);
  });
});
