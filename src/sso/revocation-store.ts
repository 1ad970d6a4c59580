/** Whom an identity provider names when it wants sessions ended. */

import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId, UserId } from '../kernel/ids.ts';

/** @param subjects As links have them. */
export async function selectUserOfSubject(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  subjects: readonly string[],
): Promise<UserId | undefined> {
  const [row] = await tx.run(
    db
      .selectFrom('sso_links')
      .select('user_id')
      .where('tenant_id', '=', tx.tenantId)
      .where('connection_id', '=', connectionId)
      .where('subject', 'in', [...subjects])
      .limit(1),
  );
  return row?.user_id as UserId | undefined;
}

/** Of those who signed in through the connection. @param address Folded. */
export async function selectUserOfAddress(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  address: string,
): Promise<UserId | undefined> {
  const [row] = await tx.run(
    db
      .selectFrom('users')
      .innerJoin('sso_links', (join) =>
        join
          .onRef('sso_links.tenant_id', '=', 'users.tenant_id')
          .onRef('sso_links.user_id', '=', 'users.id')
          .on('sso_links.connection_id', '=', connectionId),
      )
      .select('users.id')
      .where('users.tenant_id', '=', tx.tenantId)
      .where('users.address', '=', address)
      .limit(1),
  );
  return row?.id as UserId | undefined;
}
