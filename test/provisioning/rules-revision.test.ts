/**
 * A process that has the rules of a revision does not read them again: so every write of what they are read from, by whatever
 * statement, brings another revision, and every table they are read from has the trigger that sees to it.
 */

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { db } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { contractJson } from '../../src/provisioning/contract-sql.ts';
import { lockPool, readPool } from '../../src/provisioning/pool-store.ts';
import { rulesJson } from '../../src/provisioning/rules-sql.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';

let test: TestDatabase;
let world: TestWorld;

beforeAll(async () => {
  test = await testDatabase();
  world = await newWorld(test.database);
  await test.database.run(sql`insert into catalogue_versions select 2, recorded_at, actor, roles, reason
    from catalogue_versions where version = 1`);
  await world.contract();
  await world.map({ group: { displayName: 'a' }, priority: 1 });
});

afterAll(() => test.close());

const nobody = '' as TenantId;
const tablesRead = [contractJson(nobody), rulesJson(nobody)]
  .flatMap((part) => [...sql`${part}`.compile(db).sql.matchAll(/\bfrom (\w+)/g)])
  .map(([, table = '']) => table);

it('has a trigger on every table that rules are read from', async () => {
  const guarded = await test.database.run(sql<{ name: string; events: number }>`
    select tgrelid::regclass::text as name, bit_or(tgtype & 28)::integer as events from pg_trigger
    where tgname like 'revise_rules%' group by 1`);
  // Versions of the catalogue never change.
  const changing = [...new Set(tablesRead)].filter((name) => name !== 'catalogue_versions');
  expect(changing.sort()).toEqual(guarded.map(({ name }) => name).sort());
  const allEvents = 4 + 8 + 16;
  expect(guarded.filter(({ events }) => events !== allEvents)).toEqual([{ name: 'seat_pools', events: 16 }]);
});

const own = sql`where tenant_id = current_setting('app.tenant_id')::uuid`;
const writes = {
  'a mapping is made': sql`insert into mappings (tenant_id, id, priority, role, workspaces, created_at)
    values (current_setting('app.tenant_id')::uuid, gen_random_uuid(), 9, 'client', '{w}', now())`,
  'mappings change': sql`update mappings set role = 'view_only' ${own}`,
  'a mapping goes': sql`delete from mappings ${own} and priority = 9`,
  'the contract changes': sql`update contracts set paid_seats = 77 ${own}`,
  'a line is recorded': sql`insert into contract_lines (tenant_id, id, kind, effective_on, sets_seats, recorded_at)
    values (current_setting('app.tenant_id')::uuid, gen_random_uuid(), 'ramp', '2026-02-01', false, now())`,
  'a line is superseded': sql`update contract_lines set superseded_at = now() ${own} and kind = 'ramp'`,
  'settings are written': sql`insert into tenant_settings (tenant_id, default_role)
    values (current_setting('app.tenant_id')::uuid, 'client')`,
  'settings change': sql`update tenant_settings set default_role = 'view_only' ${own}`,
  'settings go': sql`delete from tenant_settings ${own}`,
  'Blue is connected': sql`insert into blue_connections (tenant_id, organization_id, token_id, token_secret, mode, deactivation,
      default_workspaces, drift)
    values (current_setting('app.tenant_id')::uuid, 'o', 't', '', 'observe', 'view_only', '{w1}', 'report')`,
  'default workspaces change': sql`update blue_connections set default_workspaces = '{w2}' ${own}`,
  'Blue is disconnected': sql`delete from blue_connections ${own}`,
  'another catalogue is adopted': sql`update seat_pools set catalogue_version = 2 ${own}`,
  'the contract goes': sql`delete from contracts ${own}`,
};

it.each(Object.entries(writes))('knows the rules as they are after: %s', async (_what, write) => {
  const pool = () => inTenant(test.database, world.tenantId, lockPool);
  const before = await pool();
  await inTenant(test.database, world.tenantId, (tx) => tx.run(write));
  const after = await pool();
  expect(after.revision).not.toBe(before.revision);
  // A catalogue has functions, of which each is another.
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
  expect(plain(after)).toEqual(plain(await inTenant(test.database, world.tenantId, readPool)));
});

it('keeps nothing of what was taken back', async () => {
  const rolledBack = inTenant(test.database, world.tenantId, async (tx) => {
    await tx.run(sql`update mappings set role = 'comment_only' ${own}`);
    await lockPool(tx);
    throw new Error('taken back');
  });
  await expect(rolledBack).rejects.toThrow('taken back');
  const { rules } = await inTenant(test.database, world.tenantId, lockPool);
  expect(rules.mappings.map(({ role }) => role)).toEqual(['view_only']);
});
