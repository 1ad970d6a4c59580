/** What has served its time goes, and nothing else does. */

import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { clearExcess, clearLeftovers } from '../../src/tenants/leftovers-flow.ts';
import { startLeftoversTask } from '../../src/tenants/leftovers-task.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { asTenant, insertCalls } from './support.ts';

const dayMs = 24 * 60 * 60 * 1000;
const now = new Date('2026-06-30T12:00:00Z');
const ago = (days: number) => new Date(now.getTime() - days * dayMs);

let gateway: TestGateway;
let database: Database;
let tenant: TestTenant;

beforeAll(async () => {
  gateway = await startGateway();
  database = openDatabase({ url: gateway.databaseUrl });
});
afterAll(async () => {
  await database.close();
  await gateway.close();
});
beforeEach(async () => {
  tenant = await gateway.createTenant();
});

const countOf = (of: TestTenant, table = 'recorded_requests') =>
  asTenant(gateway, of.tenantId, async (client) => {
    const { rows } = await client.query(`select count(*)::int as count from ${table}`);
    return rows[0].count;
  });

it('calls stay as long as the tenant has chosen', async () => {
  const brief = await gateway.createTenant();
  await made(gateway.api('PUT', `/tenants/${brief.slug}/settings`, { requestRetentionDays: 7 }));
  for (const of of [tenant, brief]) {
    await insertCalls(gateway, of.tenantId, ago(31), 5);
    await insertCalls(gateway, of.tenantId, ago(8), 3);
    await insertCalls(gateway, of.tenantId, ago(6), 2);
  }
  await clearLeftovers(database, now);
  expect([await countOf(tenant), await countOf(brief)]).toEqual([5, 2]);
  await clearLeftovers(database, new Date(now.getTime() + 23 * dayMs));
  expect([await countOf(tenant), await countOf(brief)]).toEqual([2, 0]);
});

it('a look does no more than so much, and the rounds of a look find the rest', async () => {
  const most = limits.housekeepingRowsPerStatement * limits.housekeepingStatementsPerLook;
  await insertCalls(gateway, tenant.tenantId, ago(40), most + 10);
  await clearLeftovers(database, now, () => true);
  expect(await countOf(tenant)).toBe(most + 10);
  await clearLeftovers(database, now);
  expect(await countOf(tenant)).toBe(10);
  await clearLeftovers(database, now);
  expect(await countOf(tenant)).toBe(0);
});

it('more tenants than a round takes are cleared in one look', { timeout: 120_000 }, async () => {
  const tenants = await Promise.all(Array.from({ length: 120 }, () => gateway.createTenant()));
  for (const { tenantId } of tenants) await insertCalls(gateway, tenantId, ago(31), 1);
  await clearLeftovers(database, now);
  for (const one of tenants) expect(await countOf(one)).toBe(0);
});

it('all of it is done by itself, and what fails is tried again', async () => {
  await insertCalls(gateway, tenant.tenantId, ago(40), 3);
  await insertCalls(gateway, tenant.tenantId, ago(1), 3);
  let failures = 1;
  const broken: Database = {
    ...database,
    run: (query) => {
      failures -= 1;
      return failures >= 0 ? Promise.reject(new Error('away')) : database.run(query);
    },
  };
  const clocks = { clock: { now: () => now }, realClock: { now: () => now } };
  const task = startLeftoversTask(broken, clocks, pino({ level: 'silent' }), 10);
  for (let tries = 0; (await countOf(tenant)) !== 3 && tries < 100; tries += 1) await sleep(50);
  expect(await countOf(tenant)).toBe(3);
  await task.stop();
});

it('signals that nobody took for a week go', async () => {
  await asTenant(gateway, tenant.tenantId, async (client) => {
    const id = tenant.tenantId;
    await client.query(`insert into signal_receivers values ($1, $1, 'x', 'x', 'h', $2)`, [id, now]);
    await client.query(
      `insert into signal_streams values ($1, $1, $1, null, null, '{}', null, 'enabled', null, $2)`,
      [id, now],
    );
    for (const seconds of [-1, 1]) {
      const at = new Date(now.getTime() - 7 * dayMs + seconds * 1000);
      await client.query(
        `insert into signal_events values ($1, $1, gen_random_uuid(), 'x', null, '{}', $2, $2)`,
        [id, at],
      );
    }
  });
  await clearLeftovers(database, now);
  expect(await countOf(tenant, 'signal_events')).toBe(1);
});

it('of too many calls the oldest go', async () => {
  await insertCalls(gateway, tenant.tenantId, ago(2), 30);
  await clearExcess(database, tenant.tenantId as TenantId, 30);
  expect(await countOf(tenant)).toBe(30);
  await clearExcess(database, tenant.tenantId as TenantId, 12);
  const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/requests`));
  expect(items.map(({ requestId }: { requestId: string }) => requestId)).toEqual(
    Array.from({ length: 12 }, (_, n) => `r${30 - n}`),
  );
  await clearExcess(database, tenant.tenantId as TenantId);
  expect(await countOf(tenant)).toBe(12);
});

it('expired access tokens go with what leads to them; what admins issued stays', async () => {
  await tenant.directoryToken('okta');
  await asTenant(gateway, tenant.tenantId, async (client) => {
    const own = [tenant.tenantId, now];
    await client.query(
      `insert into oauth_clients select $1, $1, id, 'c', 'scim', null, null, null, $2 from directories`,
      own,
    );
    for (const [hash, seconds, isClients] of [
      ['a', -1, true],
      ['b', 1, true],
      ['c', -1, false],
    ] as const) {
      await client.query(
        `insert into directory_tokens (tenant_id, id, directory_id, name, token_hash, created_at, expires_at, client_id)
         select $1::uuid, gen_random_uuid(), id, $3, $1::text || $3, $2::timestamptz, $2::timestamptz + $4 * interval '1 second',
           case when $5 then $1::uuid end from directories`,
        [...own, hash, seconds, isClients],
      );
      await client.query(`insert into tenant_locators values ('directory_token', $1::text || $2, $1::uuid)`, [
        tenant.tenantId,
        hash,
      ]);
    }
  });
  await clearLeftovers(database, now);
  const [names, keys] = await asTenant(gateway, tenant.tenantId, async (client) => [
    (await client.query(`select name from directory_tokens order by name`)).rows.map(({ name }) => name),
    (
      await client.query(`select right(key, 1) as key from tenant_locators where key like $1 order by key`, [
        `${tenant.tenantId}%`,
      ])
    ).rows.map(({ key }) => key),
  ]);
  expect([names, keys]).toEqual([
    ['b', 'c', 'test'],
    ['b', 'c'],
  ]);
});

it('creations are remembered for ten minutes', async () => {
  await tenant.directoryToken('okta');
  await asTenant(gateway, tenant.tenantId, (client) =>
    client.query(
      `insert into unanswered_creations
       select $1, gen_random_uuid(), d.id, 'h', $2::timestamptz - m * interval '1 minute'
       from directories d, generate_series(8, 12) m`,
      [tenant.tenantId, now],
    ),
  );
  await clearLeftovers(database, now);
  expect(await countOf(tenant, 'unanswered_creations')).toBe(3);
});

it('of single sign-on what is over goes, and traces stay as long as calls', async () => {
  await asTenant(gateway, tenant.tenantId, async (client) => {
    const id = tenant.tenantId;
    await client.query(
      `insert into users (tenant_id, id, attributes, user_name, user_name_key, active, tie_key, created_at, last_modified)
       values ($1, $1, '{}', 'x', 'x', true, 'x', $2, $2)`,
      [id, now],
    );
    await client.query(
      `insert into sso_connections (tenant_id, id, protocol, name, enabled, settings, jit_enabled, jit_create, jit_approval, attributes, created_at)
       values ($1, $1, 'saml', 'x', true, '{}', true, false, false, '{}', $2)`,
      [id, now],
    );
    for (const seconds of [-1, 1]) {
      const at = new Date(now.getTime() + seconds * 1000);
      const retained = new Date(at.getTime() - 30 * dayMs);
      await client.query(
        `insert into sso_requests values ($1, $3, $1, 'x', 'h', $2, null, '{}', null, $2, null)`,
        [id, at, `${seconds}`],
      );
      await client.query(`insert into sso_assertions values ($1, $1, $3, $2)`, [id, at, `${seconds}`]);
      await client.query(`insert into sso_sessions values ($1, $3, $1, $1, $2, $2, $2, null, null)`, [
        id,
        at,
        `${seconds}`,
      ]);
      await client.query(
        `insert into sso_logins values ($1, gen_random_uuid(), $1, $2, '{}', null, null, null, null, '{}', 'h')`,
        [id, retained],
      );
    }
  });
  await clearLeftovers(database, now);
  const tables = ['sso_requests', 'sso_assertions', 'sso_sessions', 'sso_logins'];
  expect(await Promise.all(tables.map((table) => countOf(tenant, table)))).toEqual([1, 1, 1, 1]);
  await clearExcess(database, tenant.tenantId as TenantId, 1);
  expect(await countOf(tenant, 'sso_logins')).toBe(1);
  await clearExcess(database, tenant.tenantId as TenantId, 0);
  expect(await countOf(tenant, 'sso_logins')).toBe(0);
});
