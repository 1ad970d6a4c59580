/** Migration of a server that has never seen a gateway: by two at once, twice, and refused where it can't work. */

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { checkDatabase, migrate, newestMigration } from '../../src/db/migrate.ts';
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
  await expect(checkDatabase(url)).rejects.toMatchObject({
    name: 'ConfigurationError',
    problems: [expect.stringContaining('the database cannot be reached')],
  });
});

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}
