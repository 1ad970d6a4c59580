/** The list of recorded calls: what it is searched by, its pages, whose it is, and that it reads no more than it shows. */

import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { firstIdAt, newId, type TenantId } from '../../src/kernel/ids.ts';
import { selectRequests } from '../../src/requests/request-store.ts';
import { captured, planOf } from '../support/captured.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { type Item, insertCalls, recorded } from './support.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let other: TestTenant;
let all: Item[];
let ann: string;

const base = () => `/tenants/${tenant.slug}/requests`;
const list = async (query: string, key?: string) =>
  (await made(gateway.api('GET', `${base()}?${query}`, undefined, key))).items;

beforeAll(async () => {
  gateway = await startGateway();
  [tenant, other] = [await gateway.createTenant(), await gateway.createTenant()];
  const [okta, entra] = [await tenant.directoryToken('okta'), await tenant.directoryToken('entra')];
  const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'ann@x.example' };
  ann = (await made(gateway.scim(okta, 'POST', '/Users', user))).id;
  await gateway.scim(okta, 'GET', `/Users/${ann}`);
  await gateway.scim(okta, 'GET', `/Users?filter=${encodeURIComponent('userName eq "Ann@x.example"')}`);
  await gateway.scim(okta, 'GET', '/Users?filter=userName+eq+%22bob%22');
  await gateway.scim(entra, 'POST', '/Users', user);
  await gateway.scim(entra, 'DELETE', `/Users/${ann}`);
  await gateway.scim(entra, 'GET', `/Users/${ann.toUpperCase()}`);
  await gateway.scim(await other.directoryToken('okta'), 'GET', '/Users');
  all = await recorded(gateway, tenant.slug, 7);
  await recorded(gateway, other.slug, 1);
});
afterAll(() => gateway.close());

describe('the list', () => {
  it('is in the order of arrival, newest first, and holds this tenant’s calls alone', async () => {
    expect(all.map(({ method, status }) => `${method} ${status}`)).toEqual([
      ...['GET 404', 'DELETE 204', 'POST 409', 'GET 200', 'GET 200', 'GET 200', 'POST 201'],
    ]);
    expect(all.map(({ at }) => at)).toEqual(
      all
        .map(({ at }) => at)
        .toSorted()
        .reverse(),
    );
    expect(Object.keys(all[0]).filter((name) => /body/i.test(name))).toEqual([]);
    const foreign = await made(gateway.api('GET', `/tenants/${other.slug}/requests`));
    expect(foreign.items).toHaveLength(1);
    const { status } = await gateway.api('GET', `/tenants/${other.slug}/requests/${all[0].id}`);
    expect(status).toBe(404);
  });

  it.each<[string, () => string, number[]]>([
    ['a subject', () => `subject=${ann}`, [0, 1, 5, 6]],
    ['nobody', () => 'subject=ann', []],
    ['a directory', () => `directory=${all[0].directoryId}`, [0, 1, 2]],
    ['no directory', () => 'directory=x', []],
    ['a method', () => 'method=post', [2, 6]],
    ['a status', () => 'status=204', [1]],
    ['a class of statuses', () => 'status=4XX', [0, 2]],
    ['another class', () => 'status=5xx', []],
    ['a request', () => `requestId=${all[3].requestId}`, [3]],
    ['a path', () => 'search=users/', [0, 1, 5]],
    ['a query, encoded', () => `search=${encodeURIComponent('username eq "ann')}`, [4]],
    ['a query with plus signs', () => `search=${encodeURIComponent('eq "BOB"')}`, [3]],
    ['a query as it stands', () => `search=${encodeURIComponent('%22bob')}`, [3]],
    ['no pattern', () => 'search=%25_', []],
    ['several', () => `subject=${ann}&method=GET&status=2xx`, [5]],
    ['from', () => `from=${all[2].at}`, [0, 1, 2]],
    ['to', () => `to=${all[2].at}`, [3, 4, 5, 6]],
    ['a time', () => `from=${all[4].at}&to=${all[2].at}`, [3, 4]],
    ['another time', () => 'from=2001-01-01&to=2002-01-01', []],
    ['any time', () => 'from=0001-01-01&to=9999-12-31', [0, 1, 2, 3, 4, 5, 6]],
  ])('is searched by %s', async (_what, query, expected) => {
    // Two calls may share a millisecond: then the borders of times are where they are.
    const found = await list(query());
    expect(found.map((item: Item) => all.findIndex(({ id }) => id === item.id))).toEqual(expected);
  });

  it.each([
    ['status=600', 'status'],
    ['status=4x', 'status'],
    ['from=yesterday', 'from'],
    ['cursor=x', 'cursor'],
    ['search=', 'search'],
    ['subject=%00', undefined],
  ])('refuses %s', async (query, field) => {
    const { status, body } = await gateway.api('GET', `${base()}?${query}`);
    expect([status, body.field]).toEqual([400, field]);
  });

  it.each([1, 2, 3, 7])('is the same page by page, %i at a time', async (limit) => {
    for (const query of ['', '&method=GET', `&to=${all[1].at}`]) {
      const items: Item[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page = await made(
          gateway.api('GET', `${base()}?limit=${limit}${query}${cursor && `&cursor=${cursor}`}`),
        );
        expect(page.items.length).toBeLessThanOrEqual(limit);
        items.push(...page.items);
        cursor = page.nextCursor;
      }
      expect(items).toEqual(await list(query.slice(1)));
    }
  });

  it('is read by every key of the tenant', async () => {
    for (const role of ['owner', 'admin', 'auditor']) {
      const { key } = await made(gateway.api('POST', `/tenants/${tenant.slug}/keys`, { name: role, role }));
      expect(await list('', key)).toEqual(all);
      const { status } = await gateway.api('GET', `${base()}/${all[0].id}`, undefined, key);
      expect(status).toBe(200);
    }
  });

  it('tells of one what it is, and of none that there is none', async () => {
    for (const item of all) {
      expect((await gateway.api('GET', `${base()}/${item.id}`)).body).toMatchObject(item);
    }
    for (const id of ['x', newId<string>(0)]) {
      const { status, body } = await gateway.api('GET', `${base()}/${id}`);
      expect([status, body.code, body.detail]).toEqual([
        404,
        'not_found',
        `There is no recorded call ${id}.`,
      ]);
    }
  });
});

it('a page reads no further than it shows', async () => {
  const large = await gateway.createTenant();
  const start = new Date('2026-01-01T00:00:00Z');
  await insertCalls(gateway, large.tenantId, start, 20_000);
  const database = openDatabase({ url: gateway.databaseUrl });
  try {
    const tenantId = large.tenantId as TenantId;
    // As autovacuum does within a minute.
    await database.run(sql`analyze recorded_requests`);
    const middle = firstIdAt(start.getTime() + 10_000_000);
    const borders = { from: firstIdAt(0), to: firstIdAt(2 ** 47), before: middle, limit: 11 };
    for (const [query, most] of [
      [borders, 11],
      [{ ...borders, from: firstIdAt(start.getTime() + 9_995_000) }, 11],
      [{ ...borders, status: [200, 299] as const }, 11],
      [{ ...borders, search: ['users'] }, 11],
      [{ ...borders, requestId: 'r77' }, 1],
      [{ ...borders, subject: firstIdAt(1) }, 0],
    ] as const) {
      const [statement] = await captured(tenantId, (tx) => selectRequests(tx, query));
      if (statement === undefined) throw new Error('nothing was sent');
      const nodes = await planOf(database, tenantId, statement);
      const read = nodes.filter((node) => node['Relation Name'] === 'recorded_requests');
      expect(read.length).toBeGreaterThan(0);
      for (const node of read) {
        const rows = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0);
        expect(rows * node['Actual Loops'], JSON.stringify(query)).toBeLessThanOrEqual(most);
      }
    }
  } finally {
    await database.close();
  }
});
