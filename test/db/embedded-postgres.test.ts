/** The embedded PostgreSQL comes up again after a person has removed part of its folder, and throws no data away. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts';
import { hasEmbeddedPostgres } from '../process/support.ts';
import { makeDataFolder } from '../support/data-folder.ts';

let dataDir: string;
let running: EmbeddedPostgres;

const start = async () => {
  running = await startEmbeddedPostgres({ dataDir, durable: false });
  const client = new pg.Client({ connectionString: running.url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(`select to_regclass('public.mark')::text as name`);
  await client.query('create table if not exists mark ()');
  await client.end();
  await running.stop();
  return { hadTable: rows[0]?.name === 'mark', notes: running.notes.join('\n') };
};

beforeEach(async () => {
  dataDir = makeDataFolder('embedded');
  expect((await start()).hadTable).toBe(false);
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Where the cluster really is: as root it may stand outside the folder. */
const clusterOf = (notes: string) => /the database is in (\S+)/.exec(notes)?.[1] ?? join(dataDir, 'postgres');

describe.skipIf(!hasEmbeddedPostgres)('the embedded PostgreSQL', () => {
  it('keeps its data', async () => {
    expect((await start()).hadTable).toBe(true);
  });

  it('begins anew when its cluster was removed and the rest of the folder was not', async () => {
    rmSync(clusterOf(running.notes.join('\n')), { recursive: true });
    expect((await start()).hadTable).toBe(false);
    expect((await start()).hadTable).toBe(true);
  });

  it('sets a cluster aside whose folder was emptied', async () => {
    rmSync(join(dataDir, 'postgres-password'));
    const { hadTable, notes } = await start();
    expect(hadTable).toBe(false);
    const kept = /it is kept in (\S+)/.exec(notes)?.[1] ?? '';
    expect(kept).not.toBe('');
    expect((await start()).hadTable).toBe(true);
    rmSync(kept, { recursive: true });
  });
});
