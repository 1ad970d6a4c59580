/** A directory as if it called with a token of its own, for what is done in its name without one. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { DirectoryId } from '../kernel/ids.ts';
import type { DirectoryCaller, DirectoryKind } from './tenant.ts';

/** undefined: there is no such directory. */
export async function selectDirectoryCaller(
  tx: TenantTransaction,
  directoryId: DirectoryId,
  tokenId: string,
): Promise<DirectoryCaller | undefined> {
  const [row] = await tx.run(sql<{
    name: string;
    kind: DirectoryKind;
    parking: boolean;
    schemaRevision: number;
  }>`
    select d.name, d.kind, coalesce(s.parking, false) as parking, coalesce(s.schema_revision, 0) as "schemaRevision"
    from directories d left join tenant_settings s on s.tenant_id = d.tenant_id
    where d.tenant_id = ${tx.tenantId} and d.id = ${directoryId}
  `);
  if (row === undefined) return undefined;
  return {
    tenantId: tx.tenantId,
    directoryId,
    directoryName: row.name,
    directoryKind: row.kind,
    tokenId,
    clientId: null,
    scope: 'scim',
    parking: row.parking,
    schemaRevision: row.schemaRevision,
  };
}
