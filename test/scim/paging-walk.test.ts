/** A walk through 10,000 users while 400 are deleted and 400 created: with cursors nobody is missed or repeated. */

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { newId, type TenantId } from '../../src/kernel/ids.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { newClient, type ScimClient } from './scim-support.ts';

const population = 10_000;

let gateway: TestGateway;
let client: ScimClient;
let ids: string[];

beforeAll(async () => {
  gateway = await startGateway();
  client = await newClient(gateway);
  const start = Date.now() - population;
  ids = Array.from({ length: population }, (_, n) => newId<string>(start + n));
  const database = openDatabase({ url: gateway.databaseUrl, poolSize: 1 });
  await inTenant(database, client.tenant.tenantId as TenantId, async (tx) => {
    tx.send(sql`
      insert into users (tenant_id, id, attributes, user_name, user_name_key, active, tie_key, created_at, last_modified)
      select ${tx.tenantId}, n.id, jsonb_build_object('userName', n.name, 'active', true), n.name, n.name, true, n.name,
        now(), now()
      from (select id, 'user-' || md5(id::text) as name from unnest(${ids}::uuid[]) as i (id)) n`);
  });
  await database.close();
}, 60_000);
afterAll(() => gateway.close());

it.each([
  ['by id', {}, 400],
  ['sorted by userName', { sortBy: 'userName', sortOrder: 'descending' }, 100],
])('%s', { timeout: 120_000 }, async (_what, order, changes) => {
  const listed = await allIds();
  const doomed = listed
    .filter((_, index) => index % Math.floor(listed.length / changes) === 0)
    .slice(0, changes);
  const seen: string[] = [];
  let [deleted, created, walking] = [0, 0, true];
  const walk = async () => {
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const parameters = new URLSearchParams({ ...order, attributes: 'id', count: '250', cursor });
      const { status, body } = await client.send('GET', `/Users?${parameters}`);
      expect(status).toBe(200);
      seen.push(...body.Resources.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
    }
    walking = false;
  };
  const change = async (from: number) => {
    for (let n = from; n < changes; n += 4) {
      const answer = await client.send('DELETE', `/Users/${doomed[n]}`);
      if (answer.status === 204) deleted += 1;
      await client.user({ userName: `new-${Math.random()}@example.com` });
      created += 1;
    }
  };
  const changing = Promise.all([change(0), change(1), change(2), change(3)]);
  await walk();
  expect(walking).toBe(false);
  await changing;
  expect([deleted, created]).toEqual([changes, changes]);
  expect(new Set(seen).size).toBe(seen.length);
  const [found, gone] = [new Set(seen), new Set(doomed)];
  expect(listed.filter((id) => !gone.has(id) && !found.has(id))).toEqual([]);
});

async function allIds(): Promise<string[]> {
  const found: string[] = [];
  for (let startIndex = 1; ; startIndex += 1000) {
    const { body } = await client.send('GET', `/Users?attributes=id&count=1000&startIndex=${startIndex}`);
    found.push(...body.Resources.map(({ id }: { id: string }) => id));
    if (found.length >= body.totalResults) return found;
  }
}
