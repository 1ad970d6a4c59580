/**
 * One PostgreSQL for the whole run: the one of DATABASE_URL, else an embedded one in a folder of its own. In it one
 * database is migrated; each test file clones it.
 */

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { migrate } from '../../src/db/migrate.ts';
import { makeDataFolder } from './data-folder.ts';
import { dropDatabase } from './drop-database.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A database of the server, for a role that may create databases. */
    serverUrl: string;
    /** Name of the migrated database. */
    template: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer(process.env.DATABASE_URL);
  const template = `bgw_test_${randomBytes(6).toString('hex')}`;
  await runOn(server.url, `create database ${template}`);
  const url = new URL(server.url);
  url.pathname = `/${template}`;
  await migrate(url.href);
  project.provide('serverUrl', server.url);
  project.provide('template', template);
  return async () => {
    await dropTestDatabases(server.url, template);
    await server.stop();
  };
}

async function startServer(external: string | undefined): Promise<{ url: string; stop(): Promise<void> }> {
  if (external) return { url: external, stop: async () => {} };
  const dataDir = makeDataFolder('test');
  const embedded = await startEmbeddedPostgres({ dataDir, durable: false });
  return {
    url: embedded.url,
    stop: async () => {
      await embedded.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function runOn(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** Also what a test that was cut off has left. */
async function dropTestDatabases(url: string, template: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('select datname from pg_database where datname like $1', [
    `${template}%`,
  ]);
  for (const { datname } of rows) await dropDatabase(client, datname);
  await client.end();
}
