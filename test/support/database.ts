/** A migrated database of its own for each test file. */

import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, type DatabaseOptions, openDatabase } from '../../src/db/database.ts';
import { dropDatabase } from './drop-database.ts';

export interface TestDatabase {
  url: string;
  database: Database;
  /** Closes the pool and drops the database. */
  close(): Promise<void>;
}

/** A URL of a fresh, migrated database, and how to drop it. */
export async function cloneDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `${inject('template')}_${randomBytes(6).toString('hex')}`;
  await onServer(`create database ${name} template ${inject('template')}`);
  const url = new URL(inject('serverUrl'));
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => withServer((client) => dropDatabase(client, name)) };
}

export async function testDatabase(options: Omit<DatabaseOptions, 'url'> = {}): Promise<TestDatabase> {
  const { url, drop } = await cloneDatabase();
  const database = openDatabase({ ...options, url });
  return {
    url,
    database,
    close: async () => {
      await database.close();
      await drop();
    },
  };
}

function onServer(statement: string): Promise<void> {
  return withServer(async (client) => {
    await client.query(statement);
  });
}

async function withServer(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: inject('serverUrl') });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
