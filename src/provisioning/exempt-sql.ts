/** Who of those at whom a comparison looks has no decision, or has what is asked for refused: another has the address. */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';

/** At whom is looked. */
export interface Looked {
  /** `scope (id)` has them. */
  isScoped: boolean;
  /** A condition that begins with `and`, where it is a part of them. @param id The column of the id. */
  within(id: string): RawBuilder<unknown>;
}

/** `exempt (user_id)` have no decision. */
export function exempt(tx: TenantTransaction, { within }: Looked): RawBuilder<unknown> {
  const own = sql`tenant_id = ${tx.tenantId}`;
  return sql`exempt (user_id) as materialized (
    select id from users where ${own} ${within('id')} and not active
    union
    select u.id from tenant_settings s join users u on u.tenant_id = s.tenant_id
      and (u.user_name_key = any(s.exclusions) or u.address = any(s.exclusions))
    where s.${own} and s.exclusions <> '{}'
  )`;
}

/** Of a user `u`: another active one has the address, and comes first. */
const isSecond = sql`u.active and exists (select from users o where o.tenant_id = u.tenant_id and o.address = u.address
  and o.active and o.address_order < u.address_order)`;

/** Of everybody `duplicates (user_id)`, what they ask for is refused: few share an address, as the index alone tells. */
export function duplicates(tx: TenantTransaction): RawBuilder<unknown> {
  const own = sql`tenant_id = ${tx.tenantId}`;
  return sql`shared (address) as materialized (
      select address from users where ${own} and address is not null group by address having count(*) > 1
    ), duplicates (user_id) as materialized (
      select u.id from shared join users u on u.${own} and u.address = shared.address where ${isSecond})`;
}

/**
 * To `a` and `d` the duplicate `t`, if the person is one. Of some only those are looked up who have no decision, or are refused as such:
 * whoever writes an address decides for all who have it.
 */
export function joinDuplicate(tx: TenantTransaction, { isScoped }: Looked): RawBuilder<unknown> {
  if (!isScoped) return sql`left join duplicates t on t.user_id = coalesce(a.user_id, d.user_id)`;
  // Under row-level security COALESCE in a condition keeps an index from being used, since it may leak; CASE doesn't.
  return sql`left join lateral (
      select u.id as user_id from users u where u.tenant_id = ${tx.tenantId}
        and u.id = case when d.user_id is null then a.user_id else d.user_id end
        and (d.user_id is null or d.refusal = 'DUPLICATE_EMAIL') and ${isSecond} offset 0) t on true`;
}
