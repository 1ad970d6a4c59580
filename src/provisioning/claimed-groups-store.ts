/** Groups that an identity provider named at a login: of each link, and of a person those of all links together. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId, DirectoryId, UserId } from '../kernel/ids.ts';

/** A person as one connection knows them. */
export interface Link {
  connectionId: ConnectionId;
  userId: UserId;
}

/** What a subject's link has, and whether a directory pushes groups. */
export async function selectLinkGroups(
  tx: TenantTransaction,
  {
    connectionId,
    subject,
    directoryId,
  }: {
    connectionId: ConnectionId;
    subject: string;
    directoryId: DirectoryId | null;
  },
): Promise<{ groups: string[] | null; isPushed: boolean }> {
  const [row] = await tx.run(sql<{ groups: string[] | null; isPushed: boolean }>`
    select (select claimed_groups from sso_links where tenant_id = ${tx.tenantId}
        and connection_id = ${connectionId} and subject = ${subject}) as groups,
      exists (select from group_sources where tenant_id = ${tx.tenantId}
        and directory_id = ${directoryId}::uuid) as "isPushed"
  `);
  return row ?? { groups: null, isPushed: false };
}

/**
 * Answers false where the link no longer has the groups that it is said to have.
 *
 * @param before null: nobody told them yet.
 */
export async function updateLinkGroups(
  tx: TenantTransaction,
  { connectionId, userId }: Link,
  before: readonly string[] | null,
  after: readonly string[],
): Promise<boolean> {
  const written = await tx.count(sql`
    update sso_links set claimed_groups = ${after}::text[]
    where tenant_id = ${tx.tenantId} and connection_id = ${connectionId} and user_id = ${userId}
      and claimed_groups is not distinct from ${before}::text[]
  `);
  return written === 1;
}

/** Forgets what a connection said; answers of whom that was something. */
export async function clearLinkGroups(tx: TenantTransaction, connectionId: ConnectionId): Promise<UserId[]> {
  const rows = await tx.run(sql<{ userId: UserId }>`
    with gone as (
      select user_id, claimed_groups from sso_links
      where tenant_id = ${tx.tenantId} and connection_id = ${connectionId} and claimed_groups is not null
    ), cleared as (
      update sso_links l set claimed_groups = null from gone g
      where l.tenant_id = ${tx.tenantId} and l.connection_id = ${connectionId} and l.user_id = g.user_id
    )
    select user_id as "userId" from gone where claimed_groups <> '{}'
  `);
  return rows.map(({ userId }) => userId);
}

/** Sends that these people are in the groups that their links name. */
export function updateClaimValues(tx: TenantTransaction, userIds: readonly UserId[]): void {
  tx.send(sql`
    update users u set claim_values = array(
      select distinct g.value from sso_links l, unnest(l.claimed_groups) as g (value)
      where l.tenant_id = ${tx.tenantId} and l.user_id = u.id order by 1)
    where u.tenant_id = ${tx.tenantId} and u.id = any(${userIds}::uuid[])
  `);
}
