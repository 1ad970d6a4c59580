/** What a bench ran on. */

import { cpus, totalmem } from 'node:os';
import pg from 'pg';

/** @param databaseUrl Of the PostgreSQL of the run. */
export async function machineOf(databaseUrl: string): Promise<Record<string, number | string>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query('show server_version').finally(() => client.end());
  return {
    processors: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    node: process.versions.node,
    postgres: rows[0]?.server_version ?? 'unknown',
  };
}
