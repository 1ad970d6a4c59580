/** Who has a paid role in Blue without a seat of the gateway's: counted, listed, and looked at one by one. */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { FoundMember, Ownership } from './unmanaged.ts';

/** Of members `m`: nobody of ours has a seat for what they have in Blue. Two conditions, each of which the database can join by. */
const isSeatless = sql<boolean>`not exists (
    select from blue_people p join decisions d on d.tenant_id = p.tenant_id and d.user_id = p.user_id
    where p.tenant_id = m.tenant_id and p.blue_user_id = m.blue_user_id and d.seat in ('held', 'overage'))
  and not exists (
    select from users u join decisions d on d.tenant_id = u.tenant_id and d.user_id = u.id
    where u.tenant_id = m.tenant_id and u.address = m.address and d.seat in ('held', 'overage'))`;

/**
 * Of members `m`: they have a paid role in Blue without a seat of the gateway's, and keep it. Those are strangers, also those whom
 * the directory knows and nothing was decided for; who is left alone, also where the gateway gave the role before; the owner; and
 * people of ours whose paid role stands in a workspace that the gateway does not manage.
 */
function isUnmanaged({ ownerUserId, managedWorkspaces }: Ownership): RawBuilder<boolean> {
  return sql`((m.paid_workspaces <> '{}' or m.blue_user_id = ${ownerUserId}) and ${isSeatless}
    and (m.blue_user_id = ${ownerUserId} or not m.paid_workspaces <@ ${managedWorkspaces}::text[] or not (
      exists (select from blue_people p where p.tenant_id = m.tenant_id and p.blue_user_id = m.blue_user_id
        and p.code is distinct from 'PROTECTED')
      or exists (select from blue_people p where p.tenant_id = m.tenant_id and p.address = m.address
        and p.code is distinct from 'PROTECTED')
      or exists (
        select from users u join decisions d on d.tenant_id = u.tenant_id and d.user_id = u.id
        where u.tenant_id = m.tenant_id and u.address = m.address))))`;
}

/**
 * By how many those people are another number than the pool has at that moment: whom the gateway adopts meanwhile is taken off by
 * whoever does it. While a large edit is evaluated by no fewer: who comes to be left alone by it has a seat until then, and is
 * counted already.
 */
export async function compareUnmanagedPaid(tx: TenantTransaction, ownership: Ownership): Promise<number> {
  const [row] = await tx.run(sql<{ change: number }>`
    select greatest(counted.people - p.unmanaged_paid, case when p.evaluating then 0 end) as change
    from seat_pools p cross join (
      select count(*) as people from blue_members m where m.tenant_id = ${tx.tenantId} and ${isUnmanaged(ownership)}
    ) counted
    where p.tenant_id = ${tx.tenantId}
  `);
  return row?.change ?? 0;
}

/** Those people in the order of their ids in Blue, at most `most` after `after`. */
export function selectUnmanaged(
  tx: TenantTransaction,
  ownership: Ownership,
  { after, most }: { after: string; most: number },
): Promise<FoundMember[]> {
  const where = sql<boolean>`m.blue_user_id > ${after} and ${isUnmanaged(ownership)}`;
  return selectMembers(tx, where, most, { isUnmanaged: sql`true`, isSeated: sql`false` });
}

/** undefined: Blue lists nobody of that id. */
export async function selectMember(
  tx: TenantTransaction,
  ownership: Ownership,
  blueUserId: string,
): Promise<FoundMember | undefined> {
  const [member] = await selectMembers(tx, sql`m.blue_user_id = ${blueUserId}`, 1, {
    isUnmanaged: sql`coalesce(${isUnmanaged(ownership)}, false)`,
    isSeated: sql`not (${isSeatless})`,
  });
  return member;
}

function selectMembers(
  tx: TenantTransaction,
  where: RawBuilder<boolean>,
  most: number,
  known: Record<'isUnmanaged' | 'isSeated', RawBuilder<boolean>>,
): Promise<FoundMember[]> {
  // Found before they are put in order: with the limit in mind the database would look at one after the other.
  return tx.run(sql<FoundMember>`
    with found as materialized (select * from blue_members m where m.tenant_id = ${tx.tenantId} and ${where})
    select m.blue_user_id as "blueUserId", m.address, m.memberships, m.last_active_at as "lastActiveAt",
      ${known.isUnmanaged} as "isUnmanaged", ${known.isSeated} as "isSeated",
      exists (select from users o join decisions d on d.tenant_id = o.tenant_id and d.user_id = o.id
          where o.tenant_id = m.tenant_id and o.address = m.address)
        or exists (select from blue_people k where k.tenant_id = m.tenant_id
          and (k.blue_user_id = m.blue_user_id or k.address = m.address) and k.code is distinct from 'PROTECTED') as "isOurs",
      exists (select from blue_people k where k.tenant_id = m.tenant_id
        and (k.blue_user_id = m.blue_user_id or k.address = m.address) and k.user_id is distinct from u.id
        and k.code = 'PROTECTED') as "isLeftAlone",
      case when u.id is not null then jsonb_build_object('id', u.id, 'userName', u.user_name, 'userNameKey', u.user_name_key,
        'isActive', u.active) end as "user",
      u.id is null and exists (select from users o where o.tenant_id = m.tenant_id and o.user_name_key = m.address) as "isNameTaken"
    from (select * from found order by blue_user_id limit ${most}) m
    left join lateral (
      select o.id, o.user_name, o.user_name_key, o.active from users o
      where o.tenant_id = m.tenant_id and o.address = m.address order by o.active desc, o.address_order limit 1) u on true
    order by m.blue_user_id
  `);
}
