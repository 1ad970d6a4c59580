/** Lists: page by page they are what they are at once, and a page of people costs the same in every tenant. */

import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { selectUserViews } from '../../src/provisioning/user-view-store.ts';
import { captured, planOf } from '../support/captured.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let base: string;
let directoryPath: string;

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  base = `/tenants/${tenant.slug}`;
  const token = await tenant.directoryToken('okta');
  const schemas = (kind: string) => [`urn:ietf:params:scim:schemas:core:2.0:${kind}`];
  for (const name of ['a', 'b', 'c']) {
    await made(gateway.api('POST', '/operators', { name }));
    await made(gateway.api('POST', `${base}/keys`, { name, role: 'admin' }));
    await made(gateway.api('POST', `${base}/directories`, { name, kind: 'generic' }));
    await made(
      gateway.scim(token, 'POST', '/Users', { schemas: schemas('User'), userName: `${name}@x.example` }),
    );
    await made(gateway.scim(token, 'POST', '/Groups', { schemas: schemas('Group'), displayName: name }));
  }
  const { items } = await made(gateway.api('GET', `${base}/directories`));
  directoryPath = `${base}/directories/${items[0].id}`;
  for (const name of ['t', 'u']) await made(gateway.api('POST', `${directoryPath}/tokens`, { name }));
});
afterAll(() => gateway.close());

/** When a token was used last is written a little later. */
const withoutUse = ({ lastUsedAt: _, ...one }: Record<string, unknown>) => one;

it.each<[string, () => string, number]>([
  ['operators', () => '/operators', 4],
  ['keys', () => `${base}/keys`, 3],
  ['directories', () => `${base}/directories`, 4],
  ['tokens', () => `${directoryPath}/tokens`, 3],
  ['users', () => `${base}/users`, 3],
  ['groups', () => `${base}/groups`, 3],
])('%s are the same page by page', async (_what, path, count) => {
  const whole = await made(gateway.api('GET', path()));
  expect([whole.items.length, whole.nextCursor]).toEqual([count, null]);
  for (const limit of [1, 2, count]) {
    const items: Record<string, unknown>[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query = `?limit=${limit}${cursor && `&cursor=${cursor}`}`;
      const page = await made(gateway.api('GET', `${path()}${query}`));
      expect(page.items.length).toBeLessThanOrEqual(limit);
      items.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(items.map(withoutUse)).toEqual(whole.items.map(withoutUse));
  }
});

it.each<[string, () => string]>([
  ['operators', () => '/operators'],
  ['keys', () => `${base}/keys`],
  ['directories', () => `${base}/directories`],
  ['tokens', () => `${directoryPath}/tokens`],
  ['users', () => `${base}/users`],
])('one of the %s is as it is in the list', async (_what, path) => {
  const { items } = await made(gateway.api('GET', path()));
  for (const item of items) expect((await gateway.api('GET', `${path()}/${item.id}`)).body).toEqual(item);
  for (const id of ['00000000-0000-7000-8000-00000000000a', 'x']) {
    expect((await gateway.api('GET', `${path()}/${id}`)).status).toBe(404);
  }
});

it('a page of people reads no further than it shows', async () => {
  const large = await gateway.createTenant();
  const client = new pg.Client({ connectionString: gateway.databaseUrl });
  await client.connect();
  await client.query(`select set_config('app.tenant_id', $1, false)`, [large.tenantId]);
  await client.query(
    `insert into users (tenant_id, id, attributes, user_name, user_name_key, active, tie_key, created_at,
       last_modified)
     select $1, ('01a00000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
       jsonb_build_object('userName', 'u' || i), 'u' || i, 'u' || i, true, 'k' || i, now(), now()
     from generate_series(1, 20000) i`,
    [large.tenantId],
  );
  await client.query('analyze users');
  await client.end();

  const database = openDatabase({ url: gateway.databaseUrl });
  try {
    const tenantId = large.tenantId as TenantId;
    const page = { directoryId: null, withGroups: false, offset: 0, limit: 11, withTotal: false };
    const where = sql`u.id > '01a00000-0000-7000-8000-000000000010'`;
    const [statement] = await captured(tenantId, (tx) => selectUserViews(tx, { ...page, where }, new Date()));
    if (statement === undefined) throw new Error('nothing was sent');
    const nodes = await planOf(database, tenantId, statement);
    const read = nodes.filter((node) => node['Relation Name'] === 'users');
    expect(read.length).toBeGreaterThan(0);
    for (const node of read) expect(node['Actual Rows'] * node['Actual Loops']).toBeLessThanOrEqual(11);
  } finally {
    await database.close();
  }
});
