/** The open invitation of an address, as far as Blue's lists have told its id. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';

/** undefined: there is none, or its id was not read yet. */
export async function selectInvitationId(
  tx: TenantTransaction,
  address: string,
  now: Date,
): Promise<string | undefined> {
  const [row] = await tx.run(sql<{ id: string }>`
    select invitation_id as id from blue_invitations
    where tenant_id = ${tx.tenantId} and address = ${address} and invitation_id is not null and expires_at > ${now}
    order by expires_at desc limit 1
  `);
  return row?.id;
}
