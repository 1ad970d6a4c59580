/** The extension schemas that admins registered: written by flows, read for admins and for each directory's dialect. */

import { type RawBuilder, sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { DirectoryId } from '../kernel/ids.ts';
import type { Attribute } from './core/attribute.ts';
import type { ExtensionSchema } from './dialect.ts';

export interface StoredExtension extends ExtensionSchema {
  id: string;
  /** The directories that see it; null: all. */
  directoryIds: readonly DirectoryId[] | null;
  createdAt: Date;
}

interface Row {
  id: string;
  urn: string;
  resource_type: 'User' | 'Group';
  name: string;
  description: string;
  attributes: Attribute[];
  directory_ids: DirectoryId[] | null;
  created_at: Date;
}

function select(tx: TenantTransaction, where: RawBuilder<unknown>, most: number): Promise<Row[]> {
  return tx.run(sql<Row>`
    select id, urn, resource_type, name, description, attributes, directory_ids, created_at
    from extension_schemas where tenant_id = ${tx.tenantId} and ${where} order by id limit ${most}
  `);
}

/** In id order, after an id, at most so many. */
export async function selectExtensions(
  tx: TenantTransaction,
  after: string,
  most: number,
): Promise<StoredExtension[]> {
  return (await select(tx, sql`id > ${after}::uuid`, most)).map(toExtension);
}

export async function selectExtension(
  tx: TenantTransaction,
  id: string,
): Promise<StoredExtension | undefined> {
  return (await select(tx, sql`id = ${id}::uuid`, 1)).map(toExtension)[0];
}

/** Those that the directory sees, in the order in which they were made. */
export async function selectExtensionsOf(
  tx: TenantTransaction,
  directoryId: DirectoryId,
): Promise<StoredExtension[]> {
  const seen = sql`(directory_ids is null or ${directoryId}::uuid = any(directory_ids))`;
  return (await select(tx, seen, 1000)).map(toExtension);
}

function toExtension(row: Row): StoredExtension {
  return {
    id: row.id,
    resourceType: row.resource_type,
    schema: { id: row.urn, name: row.name, description: row.description, attributes: row.attributes },
    directoryIds: row.directory_ids,
    createdAt: row.created_at,
  };
}

export function insertExtension(tx: TenantTransaction, extension: StoredExtension): void {
  const { id, resourceType, schema, createdAt } = extension;
  tx.send(
    db.insertInto('extension_schemas').values({
      tenant_id: tx.tenantId,
      id,
      urn: schema.id,
      urn_key: schema.id.toLowerCase(),
      resource_type: resourceType,
      created_at: createdAt,
      ...columnsOf(extension),
    }),
  );
}

export function updateExtension(tx: TenantTransaction, extension: StoredExtension): void {
  tx.send(
    db
      .updateTable('extension_schemas')
      .set(columnsOf(extension))
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', extension.id),
  );
}

function columnsOf({ schema, directoryIds }: StoredExtension) {
  return {
    name: schema.name,
    description: schema.description,
    attributes: JSON.stringify(schema.attributes),
    directory_ids: directoryIds === null ? null : [...directoryIds],
  };
}

export function deleteExtension(tx: TenantTransaction, id: string): void {
  tx.send(db.deleteFrom('extension_schemas').where('tenant_id', '=', tx.tenantId).where('id', '=', id));
}

/** Makes every request from now on read the schemas again; writers of schemas follow one another. */
export function raiseSchemaRevision(tx: TenantTransaction): Promise<unknown> {
  return tx.run(sql`
    insert into tenant_settings (tenant_id, schema_revision) values (${tx.tenantId}, 1)
    on conflict (tenant_id) do update set schema_revision = tenant_settings.schema_revision + 1
  `);
}

/** Whether a resource of the type holds a value of the extension. */
export async function isExtensionUsed(
  tx: TenantTransaction,
  { resourceType, schema }: ExtensionSchema,
): Promise<boolean> {
  const table = sql.table(resourceType === 'User' ? 'users' : 'groups');
  const rows = await tx.run(
    sql`select 1 from ${table} where tenant_id = ${tx.tenantId} and attributes ? ${schema.id} limit 1`,
  );
  return rows.length > 0;
}

/** Those of the ids that are directories of the tenant. */
export async function selectDirectoryIds(
  tx: TenantTransaction,
  ids: readonly DirectoryId[],
): Promise<ReadonlySet<DirectoryId>> {
  const rows = await tx.run(
    sql<{
      id: DirectoryId;
    }>`select id from directories where tenant_id = ${tx.tenantId} and id = any(${ids}::uuid[])`,
  );
  return new Set(rows.map(({ id }) => id));
}
