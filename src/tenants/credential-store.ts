/** Finds who holds a token or key, and which tenant a reference means: the look-ups that cross tenants, each a named
 * function of the database. They are read on every request, so that a revocation holds at once. */

import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { type ClientId, type DirectoryId, parseId, type TenantId } from '../kernel/ids.ts';
import { hashToken } from '../kernel/token.ts';
import {
  type Caller,
  type DirectoryCaller,
  type DirectoryKind,
  type KeyRole,
  slugPattern,
  type Tenant,
} from './tenant.ts';

/** undefined: no such token, or it has expired. */
export async function findDirectoryCaller(
  database: Database,
  token: string,
  now: Date,
): Promise<DirectoryCaller | undefined> {
  const [row] = await database.run(
    sql<{
      tenant_id: TenantId;
      token_id: string;
      directory_id: DirectoryId;
      directory_name: string;
      directory_kind: DirectoryKind;
      expires_at: Date | null;
      parking: boolean;
      schema_revision: number;
      scope: string;
      client_id: ClientId | null;
    }>`select * from find_directory_token(${hashToken(token)})`,
  );
  if (row === undefined || (row.expires_at !== null && row.expires_at <= now)) return undefined;
  return {
    tenantId: row.tenant_id,
    directoryId: row.directory_id,
    directoryName: row.directory_name,
    directoryKind: row.directory_kind,
    tokenId: row.token_id,
    parking: row.parking,
    schemaRevision: row.schema_revision,
    clientId: row.client_id,
    scope: row.scope,
  };
}

/** undefined: no such key, or it has expired. */
export async function findCaller(database: Database, key: string, now: Date): Promise<Caller | undefined> {
  const [row] = await database.run(
    sql<{
      tenant_id: TenantId | null;
      key_id: string;
      name: string;
      role: KeyRole | 'operator';
      expires_at: Date | null;
      made_by: string[];
    }>`select tenant_id, key_id, name, role, expires_at, made_by::text[] from find_api_key(${hashToken(key)})`,
  );
  if (row === undefined || (row.expires_at !== null && row.expires_at <= now)) return undefined;
  const { tenant_id: tenantId, key_id: id, name, role } = row;
  const lineage = [...row.made_by, id];
  if (role === 'operator') return { kind: 'operator', id, name, lineage };
  return tenantId === null ? undefined : { kind: 'key', id, name, role, tenantId, lineage };
}

/** How many keys may write in the tenant: operators' and its own. */
export async function countWriters(database: Database, tenantId: TenantId, now: Date): Promise<number> {
  const [operators] = await database.run(sql<{ keys: number }>`select count(*) as keys from operators`);
  const [own] = await inTenant(database, tenantId, (tx) =>
    tx.run(sql<{ keys: number }>`
      select count(*) as keys from api_keys
      where tenant_id = ${tx.tenantId} and role in ('owner', 'admin') and (expires_at is null or expires_at > ${now})
    `),
  );
  return (operators?.keys ?? 0) + (own?.keys ?? 0);
}

interface TenantRow {
  tenant_id: TenantId;
  slug: string;
  name: string;
  created_at: Date;
}

/** @param reference The tenant's id or slug. */
export async function findTenant(database: Database, reference: string): Promise<Tenant | undefined> {
  const id = parseId<TenantId>(reference) ?? null;
  if (id === null && !new RegExp(slugPattern).test(reference)) return undefined;
  const [row] = await database.run(sql<TenantRow>`select * from find_tenant(${id}::uuid, ${reference})`);
  return row === undefined ? undefined : toTenant(row);
}

/** In slug order, those after `afterSlug`. */
export async function listTenants(database: Database, afterSlug: string, most: number): Promise<Tenant[]> {
  return (await database.run(sql<TenantRow>`select * from list_tenants(${afterSlug}, ${most})`)).map(
    toTenant,
  );
}

function toTenant(row: TenantRow): Tenant {
  return { id: row.tenant_id, slug: row.slug, name: row.name, createdAt: row.created_at };
}
