/**
 * Finds the dialect of the directory that asks. Most tenants have registered no schema, and are answered without a
 * look; the others are read once for each revision, which comes with the token.
 */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { DirectoryCaller, DirectoryKind } from '../tenants/tenant.ts';
import { type Dialect, dialectOf } from './dialect.ts';
import { selectExtensionsOf } from './extension-store.ts';

const plain: Record<DirectoryKind, Dialect> = {
  entra: dialectOf('entra'),
  okta: dialectOf('okta'),
  generic: dialectOf('generic'),
  strict: dialectOf('strict'),
};

/** Dialects that are remembered. */
const rememberedMax = 500;

export class Dialects {
  readonly #database: Database;
  readonly #known = new Map<string, Dialect>();

  constructor(database: Database) {
    this.#database = database;
  }

  async find({ tenantId, directoryId, directoryKind, schemaRevision }: DirectoryCaller): Promise<Dialect> {
    if (schemaRevision === 0) return plain[directoryKind];
    const key = `${tenantId} ${directoryId} ${schemaRevision}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const extensions = await inTenant(this.#database, tenantId, (tx) => selectExtensionsOf(tx, directoryId));
    const dialect = dialectOf(directoryKind, extensions);
    this.#known.set(key, dialect);
    const [oldest] = this.#known.keys();
    if (this.#known.size > rememberedMax && oldest !== undefined) this.#known.delete(oldest);
    return dialect;
  }
}
