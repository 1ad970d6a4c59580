/**
 * What the database itself promises, read from its catalogue after migration: a tenant's rows are seen and written by
 * that tenant alone, keys begin with the tenant, the trail is append-only, and what crosses tenants is a short list.
 */

import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase } from './support/database.ts';
import { rowsOf } from './support/tenant-rows.ts';

let database: Awaited<ReturnType<typeof cloneDatabase>>;
/** As the role that owns and migrates. */
let owner: pg.Client;

beforeAll(async () => {
  database = await cloneDatabase();
  owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
});

afterAll(async () => {
  await owner.end();
  await database.drop();
});

/** Tables whose rows are not one tenant's, and why. */
const globalTables = new Map([
  ['tenant_locators', 'leads from an outside key to a tenant, before the tenant is known'],
  ['operators', 'the people who run the gateway belong to no tenant'],
  ['catalogue_versions', 'what Blue’s roles are is the same for all tenants'],
  ['openid_artefacts', 'found by their hashed id before the tenant is known, which stands in a column'],
  ['openid_keys', 'the OpenID provider is one for all tenants'],
  ['test_clock', 'one clock for all tenants and processes'],
  ['kysely_migration', 'which migrations have run'],
  ['kysely_migration_lock', 'keeps two gateways from migrating at once'],
]);
/** Those of them that requests must not even see. */
const ownersTables = [
  ...['operators', 'openid_artefacts', 'openid_keys', 'test_clock'],
  ...['kysely_migration', 'kysely_migration_lock'],
];

/** For what is stored elsewhere. */
const settled = [
  'audit_rows(uuid,bigint,bigint,bigint,bigint,bigint,bigint,integer)',
  'audit_seal_hash(bytea,bigint,bigint,bigint,bigint,bigint,bytea)',
  'decision_document(uuid,told_decision)',
  'signal_session_revoked(uuid,uuid)',
  'told_instant(timestamp with time zone)',
  'with_roles(uuid,jsonb)',
];

/** As tables are read. */
const views = ['audit_trail'];

/** The request role may only add. */
const neverChanged = ['audit_events', 'audit_batches', 'audit_seals', 'role_sets'];

/** Functions of triggers, which act with the rights of whoever writes. */
const triggers = [
  'end_sessions_without_access()',
  ...['revise_rules()', 'revise_rules_of_all()', 'revise_rules_of_catalogue()'],
  'tell_openid_client()',
];

/** Functions that look across tenants. */
const finders = [
  'find_alert_work(timestamp with time zone,integer)',
  'find_api_key(text)',
  'find_blue_work(timestamp with time zone,timestamp with time zone,integer)',
  'find_catalogue_work(integer,integer)',
  'find_directory_token(text)',
  'find_domains(text[])',
  'find_due_comparisons(timestamp with time zone,integer)',
  'find_due_domains(timestamp with time zone,integer)',
  'find_due_metadata(timestamp with time zone,integer)',
  'find_due_pools(timestamp with time zone,integer)',
  'find_due_reclaims(timestamp with time zone,timestamp with time zone,integer)',
  'find_due_signals(timestamp with time zone,integer)',
  'find_fallback_uses(text[],integer)',
  'find_leftovers(timestamp with time zone,integer)',
  'find_oauth_client(uuid,timestamp with time zone)',
  'find_open_imports(integer)',
  'find_openid_client(uuid)',
  'find_openid_logouts(integer)',
  'find_parking_tenants(uuid,integer)',
  'find_refused_tenants(timestamp with time zone,bigint)',
  'find_signal_receiver(text)',
  'find_sso_connection(uuid)',
  'find_tenant(uuid,text)',
  'find_unsealed_tenants(uuid,integer)',
  'list_tenants(text,integer)',
];

async function column<T = string>(text: string, values: unknown[] = []): Promise<T[]> {
  return (await owner.query({ text, values, rowMode: 'array' })).rows.map(([value]) => value);
}

async function tables(): Promise<string[]> {
  return column(
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`,
  );
}

async function tenantTables(): Promise<string[]> {
  return (await tables()).filter((name) => !globalTables.has(name));
}

/** Runs as the request role, with that tenant or none, and takes everything back. */
async function asRequest<T>(tenant: string | null, work: (client: pg.Client) => Promise<T>): Promise<T> {
  await owner.query('begin');
  try {
    await owner.query(
      `select set_config('role', 'blue_gateway_request', true), set_config('app.tenant_id', $1, true)`,
      [tenant ?? ''],
    );
    return await work(owner);
  } finally {
    await owner.query('rollback');
  }
}

async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return (error as pg.DatabaseError).code;
  }
}

describe('keys', () => {
  it('has no table beside the tenant tables and the listed ones', async () => {
    const found = await tables();
    expect(found.length).toBeGreaterThan(15);
    expect([...globalTables.keys()].filter((name) => !found.includes(name))).toEqual([]);
    const without = await column(
      `select c.relname from pg_class c where c.relname = any($1) and c.relnamespace = 'public'::regnamespace
       and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnotnull)`,
      [await tenantTables()],
    );
    expect(without).toEqual([]);
  });

  it('has no view beside the listed ones, and each sees what its reader may see', async () => {
    const found = `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm') order by 1`;
    expect(await column(found)).toEqual(views);
    const others = `select relname from pg_class where relname = any($1) and not ('security_invoker=true' = any(coalesce(reloptions, '{}')))`;
    expect(await column(others, [views])).toEqual([]);
  });

  it('begins every primary and unique key of a tenant table with the tenant', async () => {
    const wrong = await column(
      `select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid
       join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
       where c.relname = any($1) and i.indisunique and a.attname <> 'tenant_id'`,
      [await tenantTables()],
    );
    expect(wrong).toEqual([]);
    const without = await column(
      `select relname from pg_class c where relname = any($1) and relnamespace = 'public'::regnamespace
       and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)`,
      [await tables()],
    );
    expect(without).toEqual([]);
  });

  it('begins every foreign key of a tenant table with the tenant, on both ends', async () => {
    const wrong = await column(
      `select k.conrelid::regclass || ': ' || k.conname from pg_constraint k
       join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
       join pg_attribute b on b.attrelid = k.confrelid and b.attnum = k.confkey[1]
       where k.contype = 'f' and k.connamespace = 'public'::regnamespace
         and (a.attname <> 'tenant_id' or b.attname <> 'tenant_id')`,
    );
    expect(wrong).toEqual([]);
  });

  it('begins every index of a tenant table with the tenant, but those of work-finding', async () => {
    const wrong = await column(
      `select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid
       left join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
       where c.relname = any($1) and a.attname is distinct from 'tenant_id' order by 1`,
      [await tenantTables()],
    );
    expect(wrong.filter((name) => !/_due$/.test(name))).toEqual([]);
  });

  it('has an index under every foreign key to users, groups and directories that deletes or checks by it', async () => {
    const bare = await column(
      `select k.conrelid::regclass || ': ' || k.conname from pg_constraint k
       where k.contype = 'f' and array_length(k.conkey, 1) > 1 and not exists (
         select from pg_index i where i.indrelid = k.conrelid and i.indpred is null
           and (i.indkey::int2[])[0:array_length(k.conkey, 1) - 1] @> k.conkey)`,
    );
    // A directory is deleted by a person, once, if ever.
    expect(bare.filter((name) => !/^(\w+_sources|parked_members): .*directory_id/.test(name))).toEqual([]);
  });

  it('compares every text that is looked up by code point', async () => {
    const wrong = await column(
      `select c.relname || '.' || a.attname from pg_index i join pg_class c on c.oid = i.indrelid
       join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
       where c.relnamespace = 'public'::regnamespace and c.relname not like 'kysely%'
         and a.attcollation not in (0, 'pg_catalog."C"'::regcollation)`,
    );
    expect(wrong).toEqual([]);
    const keys = await column(
      `select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attname ~ '_(key|hash)$'
         and a.atttypid = 'text'::regtype and a.attcollation <> 'pg_catalog."C"'::regcollation
         and a.attname <> 'tie_key'`,
    );
    expect(keys).toEqual([]);
  });
});

describe('row-level security', () => {
  it('is enabled and forced on every table of tenants, with a policy for the request role', async () => {
    const guarded = [...(await tenantTables()), 'tenant_locators'];
    const wrong = await column(
      `select relname from pg_class c where relname = any($1) and relnamespace = 'public'::regnamespace
       and not (relrowsecurity and relforcerowsecurity and exists (
         select from pg_policies p where p.schemaname = 'public' and p.tablename = c.relname
           and p.roles = '{blue_gateway_request}' and p.cmd = 'ALL'
           and p.qual ~ 'tenant_id = .*app.tenant_id' and p.with_check = p.qual))`,
      [guarded],
    );
    expect(wrong).toEqual([]);
  });

  it('has no other policy than the tenant’s own and the finders’ to read', async () => {
    const policies = await column(
      `select tablename || ' ' || policyname || ' ' || cmd from pg_policies
       where roles <> '{blue_gateway_request}' and not (roles = '{blue_gateway_finder}' and cmd = 'SELECT')`,
    );
    expect(policies).toEqual([]);
  });

  it('is not passed by: the roles own no table, may not log in, and bypass nothing', async () => {
    const roles = await owner.query(
      `select rolname, rolcanlogin or rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as mighty
       from pg_roles where rolname like 'blue\\_gateway\\_%' order by 1`,
    );
    expect(roles.rows).toEqual([
      { rolname: 'blue_gateway_finder', mighty: false },
      { rolname: 'blue_gateway_request', mighty: false },
    ]);
    const owned = `select relname from pg_class where relowner in ('blue_gateway_request'::regrole, 'blue_gateway_finder'::regrole)`;
    expect(await column(owned)).toEqual([]);
    expect(
      await column(`select proname from pg_proc where proowner = 'blue_gateway_request'::regrole`),
    ).toEqual([]);
    const member = `select m.roleid::regrole::text from pg_auth_members m
      where m.member in ('blue_gateway_request'::regrole, 'blue_gateway_finder'::regrole)`;
    expect(await column(member)).toEqual([]);
  });

  it('leaves the finder nothing to write', async () => {
    const granted = await column(
      `select distinct privilege_type from information_schema.role_table_grants where grantee = 'blue_gateway_finder'`,
    );
    expect(granted).toEqual(['SELECT']);
  });
});

describe('the request role', () => {
  const [mine, other] = [randomUUID(), randomUUID()];

  beforeAll(async () => {
    for (const tenant of [mine, other]) {
      await owner.query('begin');
      await owner.query(
        `select set_config('role', 'blue_gateway_request', true), set_config('app.tenant_id', $1, true)`,
        [tenant],
      );
      for (const statement of rowsOf(tenant)) await owner.query(statement);
      await owner.query('commit');
    }
  });

  it('has a row to hide in every tenant table', async () => {
    const empty: string[] = [];
    for (const table of await tenantTables()) {
      const count = await asRequest(
        mine,
        async (client) => (await client.query(`select 1 from ${table}`)).rowCount,
      );
      if (count === 0) empty.push(table);
    }
    expect(empty).toEqual([]);
  });

  it.each([
    ['its own tenant', mine, 1],
    ['no tenant', null, 0],
    ['a tenant that is not there', randomUUID(), 0],
  ])('sees, with %s set, only that one’s rows', async (_what, tenant, tenants) => {
    await asRequest(tenant, async (client) => {
      for (const table of [...(await tenantTables()), ...views, 'tenant_locators']) {
        const { rows } = await client.query(`select distinct tenant_id from ${table}`);
        expect(rows, table).toEqual(tenants === 0 ? [] : [{ tenant_id: tenant }]);
      }
    });
  });

  it('changes and deletes nothing of another tenant, and moves nothing there', async () => {
    for (const table of await tenantTables()) {
      if (neverChanged.includes(table)) continue;
      const touched = await asRequest(mine, async (client) => [
        (await client.query(`update ${table} set tenant_id = tenant_id where tenant_id = $1`, [other]))
          .rowCount,
        (await client.query(`delete from ${table} where tenant_id = $1`, [other])).rowCount,
      ]);
      expect(touched, table).toEqual([0, 0]);
      const moved = await asRequest(mine, (client) =>
        refusal(client.query(`update ${table} set tenant_id = $1`, [other])),
      );
      // Refused by the policy, or before that by a key.
      expect(['42501', '23503', '23505'], table).toContain(moved);
    }
  });

  it('inserts nothing for another tenant', async () => {
    const [statement = ''] = rowsOf(other).filter((text) => text.includes('insert into directories'));
    expect(await asRequest(mine, (client) => refusal(client.query(statement)))).toBe('42501');
    const locator = `insert into tenant_locators values ('slug', 'stolen', '${other}')`;
    expect(await asRequest(mine, (client) => refusal(client.query(locator)))).toBe('42501');
  });

  it.each([
    ...neverChanged.flatMap((table) => [
      `update ${table} set tenant_id = tenant_id`,
      `delete from ${table}`,
      `truncate ${table}`,
    ]),
    'update test_clock set offset_ms = 1, revision = 1',
    'insert into test_clock default values',
    'delete from test_clock',
    `insert into catalogue_versions values (2, now(), '{}', '[]', 'x')`,
    'update catalogue_versions set roles = roles',
    'delete from catalogue_versions',
  ])('may not: %s', async (statement) => {
    expect(await asRequest(mine, (client) => refusal(client.query(statement)))).toBe('42501');
  });

  it.each(ownersTables)('may not read %s', async (table) => {
    expect(await asRequest(mine, (client) => refusal(client.query(`select * from ${table}`)))).toBe('42501');
  });

  it.each([
    'create table x (a int)',
    'create schema x',
    'set local role blue_gateway_finder',
    'set local role none',
  ])('may make nothing: %s', async (statement) => {
    const code = await asRequest(mine, (client) => refusal(client.query(statement)));
    // SET ROLE looks at the session's user: the owner may leave the role again, which no statement of ours does.
    expect(code).toBe(statement.startsWith('set local role') ? undefined : '42501');
  });
});

describe('functions', () => {
  it('are the listed finders, each with the rights of the finder and names that nobody can redirect', async () => {
    const { rows } = await owner.query(
      `select oid::regprocedure::text as name, prosecdef, provolatile, proowner::regrole::text as owner, proconfig
       from pg_proc where pronamespace = 'public'::regnamespace and prorettype <> 'trigger'::regtype and prosqlbody is null order by 1`,
    );
    expect(rows).toEqual(
      finders.map((name) => ({
        name,
        prosecdef: true,
        provolatile: 's',
        owner: 'blue_gateway_finder',
        proconfig: ['search_path=public, pg_temp'],
      })),
    );
  });

  it('or have their names settled when they were made, and the rights of the caller alone', async () => {
    const { rows } = await owner.query(
      `select oid::regprocedure::text as name from pg_proc
       where pronamespace = 'public'::regnamespace and prosqlbody is not null and not prosecdef order by 1`,
    );
    expect(rows.map(({ name }) => name)).toEqual(settled);
    const definers = `select from pg_proc where pronamespace = 'public'::regnamespace and prosqlbody is not null and prosecdef`;
    expect((await owner.query(definers)).rowCount).toBe(0);
  });

  it('of triggers have the rights of the writer alone', async () => {
    const { rows } = await owner.query(
      `select oid::regprocedure::text as name, prosecdef, proconfig
       from pg_proc where pronamespace = 'public'::regnamespace and prorettype = 'trigger'::regtype order by 1`,
    );
    const proconfig = ['search_path=public, pg_temp'];
    expect(rows).toEqual(triggers.map((name) => ({ name, prosecdef: false, proconfig })));
  });

  it('are not led astray by a table of the caller', async () => {
    await owner.query('create temporary table tenants as select * from public.tenants with no data');
    try {
      const { rows } = await owner.query(`select count(*)::int as count from list_tenants('', 100)`);
      expect(rows).toEqual([{ count: 2 }]);
    } finally {
      await owner.query('drop table pg_temp.tenants');
    }
  });

  it('are not for the request role, which has a tenant', async () => {
    for (const name of await column(
      'select oid::regprocedure::text from pg_proc where proowner = $1::regrole',
      ['blue_gateway_finder'],
    )) {
      const callers = await column(
        `select rolname from pg_roles where has_function_privilege(oid, $1, 'execute') and rolname like 'blue\\_gateway\\_%'`,
        [name],
      );
      expect(callers, name).toEqual(['blue_gateway_finder']);
    }
    expect(
      await asRequest(randomUUID(), (client) => refusal(client.query(`select * from list_tenants('', 9)`))),
    ).toBe('42501');
  });

  it('leave nobody the right to make objects in the schema', async () => {
    const makers = await column(
      `select rolname from pg_roles where rolname like 'blue\\_gateway\\_%' and has_schema_privilege(oid, 'public', 'create')`,
    );
    expect(makers).toEqual([]);
  });
});
