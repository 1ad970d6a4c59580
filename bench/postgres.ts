/** A PostgreSQL of the bench's own, durable as the gateway's is, in a folder that goes when the bench ends. */

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../src/db/embedded-postgres.ts';
import { migrate } from '../src/db/migrate.ts';

export interface BenchDatabase {
  /** As the gateway connects. */
  url: string;
  /** The same database for its superuser, who sees every tenant and loads without checks. */
  superuserUrl: string;
}

/** Migrated and empty. */
export async function startPostgres(ending: AsyncDisposableStack): Promise<BenchDatabase> {
  const dataDir = mkdtempSync(join(tmpdir(), 'blue-gateway-bench-'));
  ending.defer(async () => rmSync(dataDir, { recursive: true, force: true }));
  // As root the database's account must reach it: else its files would go elsewhere, and stay.
  chmodSync(dataDir, 0o711);
  const starting = startEmbeddedPostgres({ dataDir, durable: true });
  // Also one that is still starting when the bench is ended.
  ending.defer(() => starting.then(({ stop }) => stop()).catch(() => {}));
  const postgres = await starting;
  await migrate(postgres.url);
  const superuserUrl = new URL(postgres.superuserUrl);
  superuserUrl.pathname = new URL(postgres.url).pathname;
  return { url: postgres.url, superuserUrl: superuserUrl.href };
}
