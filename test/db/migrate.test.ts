/** Migration of a server that has never seen a gateway: by two at once, twice, and refused where it can't work. */

import { randomUUID } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Kysely, PostgresDialect } from 'kysely';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDatabase } from '../../src/db/check-database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { migrate, newestMigration } from '../../src/db/migrate.ts';
import { dataFolder, hasEmbeddedPostgres } from '../process/support.ts';
import { freePort } from '../support/gateway.ts';

describe.skipIf(!hasEmbeddedPostgres)('a server of its own (needs the embedded PostgreSQL)', () => {
  const folder = dataFolder();
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    server = await startEmbeddedPostgres({ dataDir: folder.path, durable: false });
    await query(server.url, 'create database other');
  });

  afterAll(async () => {
    await server.stop();
    folder.remove();
  });

  it('is brought up by several at once, on one database and on two, and by one more later', async () => {
    const other = new URL(server.url);
    other.pathname = '/other';
    await Promise.all([migrate(server.url), migrate(server.url), migrate(other.href), migrate(other.href)]);
    await migrate(server.url);
    for (const url of [server.url, other.href]) {
      const { rows } = await query(url, 'select name from kysely_migration order by name desc limit 1');
      expect(rows).toEqual([{ name: newestMigration }]);
    }
  });

  it('carries decisions over whose roles stood in their rows (0022)', async () => {
    await query(server.url, 'create database carried');
    const carried = new URL(server.url);
    carried.pathname = '/carried';
    await migrateTo(carried.href, '0021_evaluation_batches');
    const tenantId = randomUUID();
    const seated = { role: 'team_member', billing: 'paid', workspace: 'w', via: 'DEFAULT' };
    const requested = [{ ...seated, fallbackRole: null }];
    const effective = [{ role: 'view_only', billing: 'free', workspace: 'w', via: 'FALLBACK:contract' }];
    await query(
      carried.href,
      `alter table tenants no force row level security;
       alter table decisions no force row level security;
       insert into tenants values ('${tenantId}', 's', 'x', now(), 'x');
       insert into decisions (tenant_id, user_id, requested, effective, priority, claimed_at, rank_at, tie, seat, since)
       select '${tenantId}', gen_random_uuid(), '${JSON.stringify(requested)}', '${JSON.stringify(effective)}', 1, now(), now(), 't',
         'waiting', now() from generate_series(1, 3);
       alter table decisions force row level security;
       alter table tenants force row level security`,
    );
    await migrate(carried.href);
    const answers: unknown = await query(
      carried.href,
      `alter table decisions no force row level security;
       alter table role_sets no force row level security;
       select a.roles as requested, e.roles as effective, g.roles as seated
       from decisions d join role_sets a on a.tenant_id = d.tenant_id and a.id = d.requested_id
       join role_sets e on e.tenant_id = d.tenant_id and e.id = d.effective_id
       join role_sets g on g.tenant_id = d.tenant_id and g.id = a.seated_id`,
    );
    const { rows } = (answers as pg.QueryResult[]).at(-1) as pg.QueryResult;
    expect(rows).toEqual(Array(3).fill({ requested, effective, seated: [seated] }));
  });

  it('tells of decisions whose sets stood by their names in the trail (0038)', async () => {
    await query(server.url, 'create database told');
    const told = new URL(server.url);
    told.pathname = '/told';
    await migrateTo(told.href, '0037_revocations');
    const [tenantId, id] = [randomUUID(), randomUUID()];
    const roles = [{ role: 'team_member', billing: 'paid', workspace: 'w', via: 'DEFAULT' }];
    const force = (how: string) =>
      ['tenants', 'role_sets', 'audit_events']
        .map((name) => `alter table ${name} ${how} row level security;`)
        .join('');
    await query(
      told.href,
      `${force('no force')}
       insert into tenants values ('${tenantId}', 's', 'x', now(), 'x');
       insert into role_sets (tenant_id, id, roles, in_blue) values ('${tenantId}', '${id}', '${JSON.stringify(roles)}', gen_random_uuid());
       insert into audit_events (tenant_id, at, actor, action, before, after) values
         ('${tenantId}', now(), '{}', 'decision.changed', null, '{"requestedId": "${id}", "effectiveId": "${id}", "seat": "held"}'),
         ('${tenantId}', now(), '{}', 'mapping.created', null, '{"priority": 1}');
       ${force('force')}`,
    );
    await migrate(told.href);
    const answers: unknown = await query(
      told.href,
      `${force('no force')} select before, after from audit_trail order by seq`,
    );
    expect((answers as pg.QueryResult[]).at(-1)?.rows).toEqual([
      { before: null, after: { requested: roles, effective: roles, seat: 'held' } },
      { before: null, after: { priority: 1 } },
    ]);
  });

  it('numbers events of many behind the trail that is there (0042)', async () => {
    await query(server.url, 'create database numbered');
    const numbered = new URL(server.url);
    numbered.pathname = '/numbered';
    await migrateTo(numbered.href, '0041_signed_ahead');
    const [tenantId, ...ids] = [randomUUID(), randomUUID(), randomUUID()];
    const force = (how: string) =>
      ['tenants', 'audit_events', 'audit_batches']
        .map((name) => `alter table if exists ${name} ${how} row level security;`)
        .join('');
    const event = `insert into audit_events (tenant_id, at, actor, action) values ('${tenantId}', now(), '{}', 'x');`;
    await query(
      numbered.href,
      `${force('no force')} insert into tenants values ('${tenantId}', 's', 'x', now(), 'x'); ${event} ${event} ${force('force')}`,
    );
    await migrate(numbered.href);
    const answers: unknown = await query(
      numbered.href,
      `${force('no force')} ${event}
       insert into audit_batches (tenant_id, at, actor, first_subject, last_subject, subjects, changes)
       values ('${tenantId}', now(), '{}', '${ids[0]}', '${ids[0]}', '{${ids}}', array[row(null, null), row(null, null)]::told_change[]);
       ${event} select seq::integer, subject from audit_trail order by seq`,
    );
    expect((answers as pg.QueryResult[]).at(-1)?.rows).toEqual([
      { seq: 1, subject: null },
      { seq: 2, subject: null },
      { seq: 1002, subject: null },
      { seq: 2002, subject: ids[0] },
      { seq: 2003, subject: ids[1] },
      { seq: 3002, subject: null },
    ]);
  });

  it('gives the trail that is there one transaction, and writes none of it anew (0045)', async () => {
    await query(server.url, 'create database chained');
    const chained = new URL(server.url);
    chained.pathname = '/chained';
    await migrateTo(chained.href, '0044_known_capacity');
    const event = `insert into audit_events (tenant_id, at, actor, action) values ('${randomUUID()}', now(), '{}', 'x');`;
    const told = async (statement: string) => {
      const answers: unknown = await query(
        chained.href,
        `alter table audit_events no force row level security; ${statement}; alter table audit_events force row level security`,
      );
      return (answers as pg.QueryResult[]).at(-2)?.rows;
    };
    const file = `select pg_relation_filenode('audit_events') as file`;
    const before = await told(`${event} ${event} ${file}`);
    await migrate(chained.href);
    expect(await told(file)).toEqual(before);
    const xids = `select xid = min(xid) over () as "isOld" from audit_events order by seq`;
    expect(await told(`${event} ${xids}`)).toEqual([{ isOld: true }, { isOld: true }, { isOld: false }]);
  });

  it('carries over since when somebody is above the capacity, and compares in the nights to come (0024)', async () => {
    await query(server.url, 'create database above');
    const above = new URL(server.url);
    above.pathname = '/above';
    await migrateTo(above.href, '0022_role_sets');
    const tenantId = randomUUID();
    const [claimed, given] = ['2026-03-01T00:00:00.000Z', '2026-03-02T00:00:00.000Z'];
    const row = (tie: string, seat: string, isSpent: boolean) =>
      `('${tenantId}', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, '${claimed}', '${claimed}', '${tie}', '${seat}', '${given}', ${isSpent})`;
    const tables = ['tenants', 'decisions', 'alert_states'];
    const force = (how: string) =>
      tables.map((name) => `alter table ${name} ${how} row level security;`).join('');
    await query(
      above.href,
      `${force('no force')}
       insert into tenants values ('${tenantId}', 's', 'x', now(), 'x');
       insert into alert_states (tenant_id) values ('${tenantId}');
       insert into decisions (tenant_id, user_id, requested_id, effective_id, priority, claimed_at, rank_at, tie, seat, since, overage_spent)
       values ${[row('a', 'overage', false), row('b', 'waiting', true), row('c', 'waiting', false), row('d', 'waiting', true)].join()};
       update decisions set seat = 'none', priority = null, claimed_at = null, kept_claimed_at = claimed_at, kept_until = now()
       where tie = 'd';
       ${force('force')}`,
    );
    await migrate(above.href);
    const answers: unknown = await query(
      above.href,
      `${force('no force')} select tie, overage_since, compare_at > now() as later from decisions, alert_states order by tie`,
    );
    const { rows } = (answers as pg.QueryResult[]).at(-1) as pg.QueryResult;
    expect(rows).toEqual([
      { tie: 'a', overage_since: new Date(given), later: true },
      { tie: 'b', overage_since: new Date(claimed), later: true },
      { tie: 'c', overage_since: null, later: true },
      { tie: 'd', overage_since: new Date(claimed), later: true },
    ]);
  });

  it('has an owner who is no superuser and can’t pass by row-level security', async () => {
    const { rows } = await query(
      server.url,
      'select rolsuper, rolbypassrls from pg_roles where rolname = current_user',
    );
    expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false }]);
  });

  it('compares letters of every alphabet without their case', async () => {
    const { rows } = await query(server.url, `select lower('ÄЖΩ') as lower`);
    expect(rows).toEqual([{ lower: 'äжω' }]);
  });
});

it('a server that is not there is a problem of the configuration', async () => {
  const url = `postgres://x@127.0.0.1:${await freePort()}/x`;
  const problems = [expect.stringContaining('the database cannot be reached')];
  await expect(migrate(url)).rejects.toMatchObject({ name: 'ConfigurationError', problems });
  expect(await checkDatabase(url)).toEqual({ told: ['The database was not reached.'], problems });
});

/** As far as a release of before. */
async function migrateTo(url: string, name: string): Promise<void> {
  await using db = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
  });
  const migrationFolder = fileURLToPath(new URL('../../migrations', import.meta.url));
  const migrator = new Migrator({ db, provider: new FileMigrationProvider({ fs, path, migrationFolder }) });
  const { error } = await migrator.migrateTo(name);
  if (error !== undefined) throw error;
}

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}
