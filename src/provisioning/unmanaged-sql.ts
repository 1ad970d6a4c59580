/** Who has a paid role in Blue that the gateway did not give. */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';

/**
 * Of users `u` of whom nothing was decided: Blue lists a member with the address who has a paid role, and was never one of ours, or
 * is left alone. So blue/unmanaged-store.ts counts them.
 */
export function isPaidInBlue(u: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`exists (
    select from blue_members b where b.tenant_id = ${u}.tenant_id and b.address = ${u}.address and b.paid_workspaces <> '{}'
      and not exists (select from blue_people k where k.tenant_id = b.tenant_id and (k.blue_user_id = b.blue_user_id or k.address = b.address)
        and k.code is distinct from 'PROTECTED'))`;
}

/** How many of these people have a seat and, as Blue was last read, a paid role there. */
export async function countPaidHolders(tx: TenantTransaction, userIds: readonly UserId[]): Promise<number> {
  const [row] = await tx.run(sql<{ people: number }>`
    select count(*) as people from users u
    join decisions d on d.tenant_id = u.tenant_id and d.user_id = u.id and d.seat in ('held', 'overage')
    left join blue_people k on k.tenant_id = u.tenant_id and k.user_id = u.id
    where u.tenant_id = ${tx.tenantId} and u.id = any(${userIds}::uuid[]) and exists (
      select from blue_members b where b.tenant_id = u.tenant_id and b.paid_workspaces <> '{}'
        and (b.blue_user_id = k.blue_user_id or b.address = u.address))
  `);
  return row?.people ?? 0;
}

/** Sends that those of them who are on the list are left alone in Blue: from now on, and not when Blue is next compared. */
export function markLeftAlone(
  tx: TenantTransaction,
  userIds: readonly UserId[],
  exclusions: readonly string[],
): void {
  if (userIds.length === 0) return;
  tx.send(sql`
    update blue_people k set code = 'PROTECTED' from users u
    where k.tenant_id = ${tx.tenantId} and u.tenant_id = k.tenant_id and u.id = k.user_id and u.id = any(${userIds}::uuid[])
      and (u.user_name_key = any(${exclusions}::text[]) or u.address = any(${exclusions}::text[]))
  `);
}
