/**
 * The process and its configuration: every problem at once on stderr and exit 78, `--check` that starts nothing, and a
 * gateway on an external PostgreSQL, with one HTTP process or several.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { migrate, newestMigration } from '../../src/db/migrate.ts';
import { cloneDatabase } from '../support/database.ts';
import { dropDatabase } from '../support/drop-database.ts';
import { freePort } from '../support/gateway.ts';
import {
  dataFolder,
  descendantsOf,
  endLeftovers,
  hasEmbeddedPostgres,
  isAlive,
  runProcess,
  startProcess,
} from './support.ts';

afterEach(endLeftovers);

const keys = {
  OPERATOR_KEY: 'operator-key-of-the-tests-0123456789',
  SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
  LOG_LEVEL: 'warn',
};

describe('a wrong configuration', () => {
  it('is told whole, and nothing is started or written', async () => {
    const folder = dataFolder();
    const dataDir = join(folder.path, 'data');
    const { code, stderr, stdout } = await runProcess({
      env: {
        DATA_DIR: dataDir,
        PORT: '70000',
        PUBLIC_URL: 'gateway.example.com',
        DATABASE_URL: 'mysql://user:hidden@example.com/x',
        OPERATOR_KEY: 'short',
        SECRETS_KEY: 'short',
        BLUE_API_URL: 'ftp://example.com',
        LOG_LEVEL: 'loud',
        WORKERS: '0',
        ALLOW_PRIVATE_NETWORKS: 'yes',
        SCIM_RATE_LIMIT: '10',
        TEST_CLOCK: 'true',
        NODE_ENV: 'production',
      },
    });
    expect(code).toBe(78);
    expect(stdout).toBe('');
    const named = stderr
      .trimEnd()
      .split('\n')
      .map((line) => /^- (\w+) /.exec(line)?.[1]);
    expect(named.sort()).toEqual(
      [
        'ALLOW_PRIVATE_NETWORKS',
        'BLUE_API_URL',
        'DATABASE_URL',
        'LOG_LEVEL',
        'OPERATOR_KEY',
        'PORT',
        'PUBLIC_URL',
      ].concat(['SCIM_RATE_LIMIT', 'SECRETS_KEY', 'TEST_CLOCK', 'WORKERS']),
    );
    expect(stderr).not.toContain('hidden');
    expect(existsSync(dataDir)).toBe(false);
    folder.remove();
  });

  it('asks for the keys that an external database needs', async () => {
    const { code, stderr } = await runProcess({ env: { DATABASE_URL: inject('serverUrl') }, npm: true });
    expect(code).toBe(78);
    expect(stderr).toContain('- OPERATOR_KEY is required with DATABASE_URL');
    expect(stderr).toContain('- SECRETS_KEY is required with DATABASE_URL');
  });

  it.each([
    ['when it is checked', ['--check']],
    ['when it starts', []],
  ])('says %s that the database cannot be reached', async (_when, args) => {
    const DATABASE_URL = `postgres://gateway:hidden@127.0.0.1:${await freePort()}/x`;
    const { code, stderr } = await runProcess({ env: { ...keys, DATABASE_URL }, args });
    expect(code).toBe(78);
    expect(stderr).toMatch(
      /^- DATABASE_URL: the database cannot be reached \(.+\): see that PostgreSQL runs at 127.+\n$/,
    );
    expect(stderr).not.toContain('hidden');
  });

  it('says that the password is wrong, and does not repeat it', async () => {
    const url = new URL(inject('serverUrl'));
    url.username = 'nobody_here';
    url.password = 'hidden';
    const { code, stderr } = await runProcess({
      env: { ...keys, DATABASE_URL: url.href },
      args: ['--check'],
    });
    expect(code).toBe(78);
    expect(stderr).toContain('- DATABASE_URL: the database cannot be reached');
    expect(stderr).toContain('give the role and the password');
    expect(stderr).not.toContain('hidden');
  });
});

describe('a role that may not make roles', () => {
  const role = `bgw_limited_${randomBytes(4).toString('hex')}`;
  let admin: pg.Client;
  let url: string;

  beforeAll(async () => {
    admin = new pg.Client({ connectionString: inject('serverUrl') });
    await admin.connect();
    await admin.query(`create role ${role} login password 'x'`);
    await admin.query(`grant ${role} to current_user`);
    await admin.query(`create database ${role} owner ${role}`);
    const limited = new URL(inject('serverUrl'));
    Object.assign(limited, { username: role, password: 'x', pathname: `/${role}` });
    url = limited.href;
  });

  afterAll(async () => {
    await dropDatabase(admin, role);
    await admin.query(`drop role if exists ${role}`);
    await admin.end();
  });

  it('is told the SQL that an administrator runs, after which it works', async () => {
    const { code, stderr } = await runProcess({ env: { ...keys, DATABASE_URL: url } });
    expect(code).toBe(78);
    expect(stderr).toMatch(
      /^- DATABASE_URL: its role may not create roles \(.+\); run as an administrator:\n/,
    );
    const statements = stderr.split('\n').filter((line) => line.endsWith(';'));
    expect(statements).toEqual(
      ['request', 'finder'].map((name) => `  grant blue_gateway_${name} to ${role};`),
    );
    for (const statement of statements) await admin.query(statement);
    await migrate(url);
    const gateway = await startProcess({ env: { ...keys, DATABASE_URL: url } });
    await gateway.ready();
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toBe(0);
  });
});

describe('--check', () => {
  it('says that all is well, through npm, starts nothing and writes nothing', async () => {
    const folder = dataFolder();
    const { code, stdout, stderr } = await runProcess({
      env: { DATA_DIR: join(folder.path, 'fresh') },
      args: ['--check'],
      npm: true,
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('The configuration is good.');
    if (hasEmbeddedPostgres)
      expect(stdout).toMatch(/There is no database in \S+fresh yet: the start makes one/);
    expect(stdout).toMatch(/The gateway would start at http:\S+\n$/);
    expect(code).toBe(0);
    expect(readdirSync(folder.path)).toEqual([]);
    folder.remove();
  });

  it('tells problems of the configuration, the database and the port together', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const PORT = String((taken.address() as AddressInfo).port);
    const DATABASE_URL = `postgres://gateway@127.0.0.1:${await freePort()}/x`;
    const env = { ...keys, DATABASE_URL, PORT, LOG_LEVEL: 'loud' };
    const { code, stdout, stderr } = await runProcess({ env, args: ['--check'] });
    taken.close();
    expect(code).toBe(78);
    expect(stdout).toBe('The database was not reached.\nThe gateway would not start:\n');
    const [first, ...more] = stderr.trimEnd().split('\n');
    expect(first).toMatch(/^- LOG_LEVEL must be one of/);
    expect(more).toEqual([
      expect.stringMatching(/^- DATABASE_URL: the database cannot be reached/),
      expect.stringMatching(/^- HOST, PORT: can't listen at .*: stop what listens there/),
    ]);
  });

  it('says of a folder that can not be used what to do', async () => {
    const folder = dataFolder();
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    const { code, stderr } = await runProcess({ env: { DATA_DIR: join(file, 'x') }, args: ['--check'] });
    expect([code, stderr]).toEqual([
      78,
      expect.stringMatching(/^- DATA_DIR cannot be used: \S+file is no folder: choose another folder/),
    ]);
    folder.remove();
  });

  it('looks at the external database and leaves it as it is', async () => {
    const client = new pg.Client({ connectionString: inject('serverUrl') });
    await client.connect();
    const name = `${inject('template')}_empty`;
    await client.query(`create database ${name}`);
    await client.end();
    const url = new URL(inject('serverUrl'));
    url.pathname = `/${name}`;
    const { code, stdout } = await runProcess({
      env: { ...keys, DATABASE_URL: url.href },
      args: ['--check'],
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The database was reached: PostgreSQL \d+\S* at /m);
    expect(stdout).toMatch(/^It has no schema yet: the start makes/m);
    const inside = new pg.Client({ connectionString: url.href });
    await inside.connect();
    const { rowCount } = await inside.query(
      `select from pg_class where relnamespace = 'public'::regnamespace`,
    );
    await inside.end();
    expect(rowCount).toBe(0);
  });

  it.each([
    ['this version’s', 'select', 0, `Its schema is this version's (${newestMigration}).`],
    ['older', `delete from kysely_migration where name = '${newestMigration}'`, 0, 'Its schema is older'],
    ['newer', `insert into kysely_migration values ('9999_later', now())`, 78, 'Its schema is newer'],
    [
      'another’s',
      `delete from kysely_migration where name like '0002%'`,
      78,
      "Its schema is another version's",
    ],
  ])('says that the schema is %s', async (_what, edit, expected, sentence) => {
    const { url, drop } = await cloneDatabase();
    await query(url, edit);
    const env = { ...keys, DATABASE_URL: url };
    const { code, stdout, stderr } = await runProcess({ env, args: ['--check'] });
    expect([code, stdout]).toEqual([expected, expect.stringContaining(sentence)]);
    expect(stderr === '').toBe(expected === 0);
    // A start says the same.
    if (expected !== 0) expect(await runProcess({ env })).toMatchObject({ code: 78, stderr });
    await drop();
  });

  it('says whose the tables are, and that nobody lets it make any', async () => {
    const { url, drop } = await cloneDatabase();
    const role = `bgw_stranger_${randomBytes(4).toString('hex')}`;
    await query(url, `create role ${role} login password 'x'`);
    const stranger = new URL(url);
    Object.assign(stranger, { username: role, password: 'x' });
    const checked = async () =>
      (await runProcess({ env: { ...keys, DATABASE_URL: stranger.href }, args: ['--check'] })).stderr;
    expect(await checked()).toMatch(/^- DATABASE_URL: the tables belong to the role \w+, and bgw_stranger/m);
    await query(url, `drop schema public cascade; create schema public`);
    expect(await checked()).toContain(`alter database ${new URL(url).pathname.slice(1)} owner to ${role};`);
    await drop();
    await query(inject('serverUrl'), `drop role ${role}`);
  });
});

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text);
  await client.end();
}

describe('flags', () => {
  it('that are not known are told, with those there are', async () => {
    const { code, stdout, stderr } = await runProcess({ args: ['--chekc', '--check'], npm: true });
    expect([code, stdout.includes('configuration')]).toEqual([2, false]);
    expect(stderr).toMatch(/^unknown: --chekc\n\nnpm start/);
    expect(stderr).toContain('--check ');
  });

  it('can be asked for', async () => {
    const { code, stdout, stderr } = await runProcess({ args: ['--help'] });
    expect([code, stderr, stdout]).toEqual([0, '', expect.stringContaining('--check ')]);
  });
});

describe('on an external PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof cloneDatabase>>;

  beforeAll(async () => {
    database = await cloneDatabase();
  });

  afterAll(() => database.drop());

  it.each([
    ['one HTTP process', '1', 0],
    ['two HTTP processes', '2', 2],
  ])('runs as %s and ends all of them', async (_what, WORKERS, below) => {
    const gateway = await startProcess({ env: { ...keys, DATABASE_URL: database.url, WORKERS } });
    await gateway.ready();
    const children = descendantsOf(gateway.pid);
    expect(children).toHaveLength(below);
    const metrics = await fetch(`${gateway.url}/metrics`);
    expect(await metrics.text()).toContain('http_request_duration_seconds_count');
    for (const pid of [gateway.pid, ...children]) process.kill(pid, 'SIGTERM');
    expect(await gateway.exited).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
  });

  it('has one clock in all HTTP processes', async () => {
    const env = { ...keys, DATABASE_URL: database.url, WORKERS: '2', TEST_CLOCK: 'true', LOG_LEVEL: 'error' };
    const gateway = await startProcess({ env });
    await gateway.ready();
    // A connection each, so that both are asked.
    const headers = { authorization: `Bearer ${keys.OPERATOR_KEY}`, connection: 'close' };
    const clock = `${gateway.url}/api/v1/clock`;
    const year = async () => {
      const { now } = (await (await fetch(clock, { headers })).json()) as { now: string };
      return now.slice(0, 4);
    };
    const put = (now: string | null) =>
      fetch(clock, {
        method: 'PUT',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ now }),
      });
    const years = async () => new Set(await Promise.all(Array.from({ length: 12 }, year)));
    expect((await put('2090-01-01T00:00:00Z')).status).toBe(200);
    // A process that other tests keep from running follows when it runs again.
    await vi.waitFor(async () => expect(await years()).toEqual(new Set(['2090'])), 5000);
    expect((await put(null)).status).toBe(200);
    await vi.waitFor(async () => expect(await years()).not.toContain('2090'), 5000);
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toBe(0);
  });

  it('starts an HTTP process again that died, and leaves none when it is killed itself', async () => {
    const gateway = await startProcess({
      env: { ...keys, DATABASE_URL: database.url, WORKERS: '2', LOG_LEVEL: 'fatal' },
    });
    await gateway.ready();
    const [victim = 0, other = 0] = descendantsOf(gateway.pid);
    process.kill(victim, 'SIGKILL');
    await expect
      .poll(() => descendantsOf(gateway.pid).filter((pid) => isAlive(pid) && pid !== victim), {
        timeout: 5000,
      })
      .toHaveLength(2);
    await gateway.ready();
    const children = descendantsOf(gateway.pid);
    expect(children).toContain(other);
    gateway.kill('SIGKILL');
    expect(await gateway.exited).toBe('SIGKILL');
    await expect.poll(() => children.filter(isAlive), { timeout: 15_000 }).toEqual([]);
  });

  it('is two gateways on one database', async () => {
    const both = await Promise.all(
      [1, 2].map(() => startProcess({ env: { ...keys, DATABASE_URL: database.url } })),
    );
    await Promise.all(both.map((gateway) => gateway.ready()));
    for (const gateway of both) gateway.kill('SIGTERM');
    expect(await Promise.all(both.map(({ exited }) => exited))).toEqual([0, 0]);
  });

  it('is alive but not ready while the database is away', async () => {
    const other = await cloneDatabase();
    const gateway = await startProcess({ env: { ...keys, DATABASE_URL: other.url, LOG_LEVEL: 'fatal' } });
    await gateway.ready();
    await other.drop();
    const ask = (path: string, headers = {}) =>
      fetch(`${gateway.url}${path}`, { headers }).catch(() => {
        throw new Error(`the gateway is gone: ${JSON.stringify(gateway.output())}`);
      });
    const ready = await ask('/readyz');
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'unavailable', cause: 'the database does not answer' },
    ]);
    expect((await ask('/healthz')).status).toBe(200);
    const scim = await ask('/scim/v2/Users', { authorization: 'Bearer x' });
    expect(scim.status).toBe(503);
    expect(scim.headers.get('retry-after')).toMatch(/^\d+$/);
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toBe(0);
  });
});
