/** People whom a connection made: the link that says so, and their default role, which is the connection's. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId, UserId } from '../kernel/ids.ts';
import type { Link } from './claimed-groups-store.ts';

/** What the connection that makes a person says of them. */
export interface Making {
  /** Groups that the identity provider named, folded. */
  claimValues: readonly string[];
  /** null: the tenant's. */
  defaultRole: string | null;
}

/** Sends that the link is the one by which the person was made, in these groups. */
export function markMaker(
  tx: TenantTransaction,
  { connectionId, userId }: Link,
  { claimValues }: Making,
): void {
  tx.send(sql`
    update sso_links set is_maker = true, claimed_groups = ${claimValues}::text[]
    where tenant_id = ${tx.tenantId} and connection_id = ${connectionId} and user_id = ${userId}
  `);
}

/** Gives everybody whom the connection made this default role; answers for whom it is another than before. */
export async function updateDefaultRole(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  role: string | null,
): Promise<UserId[]> {
  const rows = await tx.run(sql<{ id: UserId }>`
    update users u set default_role = ${role} from sso_links l
    where l.tenant_id = ${tx.tenantId} and l.connection_id = ${connectionId} and l.is_maker
      and u.tenant_id = ${tx.tenantId} and u.id = l.user_id and u.default_role is distinct from ${role}
    returning u.id
  `);
  return rows.map(({ id }) => id);
}
