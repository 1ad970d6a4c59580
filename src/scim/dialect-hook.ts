/**
 * Finds the dialect of the directory that asks. Most tenants have registered no schema, and are answered without a
 * look; the others are read once for each revision, which comes with the token.
 */

import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { limits } from '../kernel/limits.ts';
import type { DirectoryCaller, DirectoryKind } from '../tenants/tenant.ts';
import { definitionLength } from './core/schema-definition.ts';
import { type Dialect, dialectOf, type ExtensionSchema } from './dialect.ts';
import { selectExtensionsOf } from './extension-store.ts';

const plain: Record<DirectoryKind, Dialect> = {
  entra: dialectOf('entra'),
  okta: dialectOf('okta'),
  generic: dialectOf('generic'),
  strict: dialectOf('strict'),
};

/** Directories whose dialects are remembered. */
const rememberedMax = 500;

interface Known {
  readonly revision: number;
  readonly dialect: Promise<Dialect>;
  /** Characters of its extensions' definitions; 0 until they are read. */
  length: number;
}

export class Dialects {
  readonly #database: Database;
  /** One for each directory: who asks under a newer revision makes the older one forgotten. */
  readonly #known = new Map<string, Known>();
  #length = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  async find(caller: DirectoryCaller): Promise<Dialect> {
    const { tenantId, directoryId, directoryKind, schemaRevision: revision } = caller;
    if (revision === 0) return plain[directoryKind];
    const key = `${tenantId} ${directoryId}`;
    const known = this.#known.get(key);
    // What is read comes after the revision, so that a newer one's schemas are never older.
    if (known !== undefined && known.revision >= revision) return await known.dialect;
    this.#forget(key);
    const entry: Known = { revision, length: 0, dialect: this.#read(key, caller, () => entry) };
    this.#known.set(key, entry);
    return await entry.dialect;
  }

  async #read(key: string, caller: DirectoryCaller, entry: () => Known): Promise<Dialect> {
    const { tenantId, directoryId, directoryKind } = caller;
    try {
      const extensions = await inTenant(this.#database, tenantId, (tx) =>
        selectExtensionsOf(tx, directoryId),
      );
      this.#weigh(key, entry(), lengthOf(extensions));
      return dialectOf(directoryKind, extensions);
    } catch (error) {
      if (this.#known.get(key) === entry()) this.#forget(key);
      throw error;
    }
  }

  /** The oldest go where there are too many, or too long ones. */
  #weigh(key: string, entry: Known, length: number): void {
    if (this.#known.get(key) !== entry) return;
    entry.length = length;
    this.#length += length;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= rememberedMax && this.#length <= limits.schemasRememberedLengthMax) return;
      if (oldest !== key) this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#length -= this.#known.get(key)?.length ?? 0;
    this.#known.delete(key);
  }
}

function lengthOf(extensions: readonly ExtensionSchema[]): number {
  return extensions.reduce((sum, { schema }) => sum + definitionLength(schema), 0);
}
