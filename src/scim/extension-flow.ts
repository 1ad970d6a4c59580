/** Registers extension schemas of a tenant: what its directories may send and find under a URN of its own. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { type DirectoryId, newId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import {
  defineSchema,
  definitionLength,
  refuseLoss,
  refuseOverlap,
  type SchemaDefinition,
} from './core/schema-definition.ts';
import { groupType, userType } from './core/schemas.ts';
import {
  deleteExtension,
  insertExtension,
  isExtensionUsed,
  raiseSchemaRevision,
  type StoredExtension,
  selectDirectoryIds,
  selectExtension,
  selectExtensions,
  updateExtension,
} from './extension-store.ts';

export interface ExtensionDraft {
  resourceType: 'User' | 'Group';
  definition: SchemaDefinition;
  /** The directories that see it; null: all. */
  directoryIds: DirectoryId[] | null;
}

const firstId = '00000000-0000-0000-0000-000000000000';

/** @throws Fault `invalid` naming the field; `conflict` for a URN that is taken; `too_large` past the limit. */
export async function createExtension(
  database: Database,
  door: Door,
  draft: ExtensionDraft,
): Promise<StoredExtension> {
  const extension = toStored(newId<string>(door.now.getTime()), door.now, draft);
  try {
    await inTenant(database, door.tenantId, async (tx) => {
      await raiseSchemaRevision(tx);
      const others = await selectExtensions(tx, firstId, limits.extensionSchemasMax);
      if (others.length >= limits.extensionSchemasMax) {
        throw new Fault('too_large', `A tenant has at most ${limits.extensionSchemasMax} extension schemas.`);
      }
      refuseOverlap(
        extension.schema.id,
        others.map(({ schema }) => schema.id).filter((urn) => !isSame(urn, extension.schema.id)),
      );
      refuseBulk([...others, extension]);
      await refuseStrangers(tx, draft.directoryIds);
      insertExtension(tx, extension);
      appendAudit(tx, door, [
        { action: 'schema.created', subject: extension.id, after: describe(extension) },
      ]);
    });
  } catch (error) {
    if (brokenConstraint(error) !== 'extension_schemas_urn') throw error;
    throw new Fault('conflict', `urn "${extension.schema.id}" is taken by another schema.`, { field: 'urn' });
  }
  return extension;
}

/**
 * Attributes may be added, and described in another way; none goes away.
 *
 * @throws Fault as `createExtension`; `not_found`; `invalid` for another URN, resource type, or a lost attribute.
 */
export async function replaceExtension(
  database: Database,
  door: Door,
  id: string,
  draft: ExtensionDraft,
): Promise<StoredExtension> {
  return await inTenant(database, door.tenantId, async (tx) => {
    await raiseSchemaRevision(tx);
    const before = await selectExtension(tx, id);
    if (before === undefined) throw unknownExtension(id);
    const after = toStored(id, before.createdAt, draft);
    if (after.schema.id !== before.schema.id || after.resourceType !== before.resourceType) {
      throw new Fault('invalid', 'urn and resourceType stay as they are: register another schema instead.', {
        field: after.schema.id === before.schema.id ? 'resourceType' : 'urn',
      });
    }
    refuseLoss(before.schema.attributes, after.schema.attributes);
    const all = await selectExtensions(tx, firstId, limits.extensionSchemasMax);
    refuseBulk([...all.filter((one) => one.id !== id), after]);
    await refuseStrangers(tx, draft.directoryIds);
    updateExtension(tx, after);
    const event = { action: 'schema.updated', subject: id, before: describe(before), after: describe(after) };
    appendAudit(tx, door, [event]);
    return after;
  });
}

/** @throws Fault `not_found`; `conflict` while somebody holds a value of it. */
export async function removeExtension(database: Database, door: Door, id: string): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    await raiseSchemaRevision(tx);
    const before = await selectExtension(tx, id);
    if (before === undefined) throw unknownExtension(id);
    if (await isExtensionUsed(tx, before)) {
      throw new Fault('conflict', `Resources hold values of ${before.schema.id}: clear them first.`);
    }
    deleteExtension(tx, id);
    appendAudit(tx, door, [{ action: 'schema.deleted', subject: id, before: describe(before) }]);
  });
}

export function unknownExtension(id: string): Fault {
  return new Fault('not_found', `There is no schema ${id}.`);
}

function toStored(id: string, createdAt: Date, { resourceType, definition, directoryIds }: ExtensionDraft) {
  const schema = defineSchema(resourceType === 'User' ? userType : groupType, definition);
  return { id, createdAt, resourceType, schema, directoryIds } satisfies StoredExtension;
}

function describe({ resourceType, schema, directoryIds }: StoredExtension) {
  return { resourceType, schema, directoryIds };
}

function isSame(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Each directory's requests go by all of them, so that they have to fit into memory many times. */
function refuseBulk(extensions: readonly StoredExtension[]): void {
  const length = extensions.reduce((sum, { schema }) => sum + definitionLength(schema), 0);
  if (length <= limits.schemasLengthMax) return;
  throw new Fault(
    'too_large',
    `The extension schemas of a tenant have at most ${limits.schemasLengthMax} characters together.`,
  );
}

async function refuseStrangers(tx: TenantTransaction, ids: readonly DirectoryId[] | null): Promise<void> {
  if (ids === null) return;
  const known = await selectDirectoryIds(tx, ids);
  const stranger = ids.find((id) => !known.has(id));
  if (stranger !== undefined) {
    throw new Fault('invalid', `directories: there is no directory ${stranger}.`, { field: 'directories' });
  }
}
