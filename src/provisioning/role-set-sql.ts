/** Reads and writes the sets of roles that decisions name. */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { anyCustomRole, type RoleKey } from '../licensing/catalogue.ts';
import type { RoleSet } from './role-set.ts';

/** An insert of those that are not known yet. */
export function keepRoleSets(tx: TenantTransaction, sets: readonly RoleSet[]): RawBuilder<unknown> {
  const distinct = [...new Map(sets.map((set) => [set.id, set])).values()];
  return sql`
    insert into role_sets (tenant_id, id, roles, seated_id, in_blue)
    select ${tx.tenantId}, k.* from jsonb_to_recordset(${JSON.stringify(distinct)}::jsonb)
      as k (id uuid, roles jsonb, "seatedId" uuid, "inBlue" uuid)
    order by k.id on conflict do nothing`;
}

/** The roles of the set with this id, of the same tenant as `d`. */
export function rolesOf(id: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select s.roles from role_sets s where s.tenant_id = d.tenant_id and s.id = ${id})`;
}

/** Ids of the sets with one of these roles. */
export function setsWith(tx: TenantTransaction, roles: readonly RoleKey[]): RawBuilder<unknown> {
  return setsWhere(
    tx,
    sql`r ->> 'role' = any(${roles}::text[])
      or (${roles.includes(anyCustomRole)} and starts_with(r ->> 'role', 'custom:'))`,
  );
}

/** Ids of the sets with a role by one of these ways (`MAPPING:<id>`, …). */
export function setsVia(tx: TenantTransaction, vias: readonly string[]): RawBuilder<unknown> {
  return setsWhere(tx, sql`r ->> 'via' = any(${vias}::text[])`);
}

/** @param where Of a role `r`. */
function setsWhere(tx: TenantTransaction, where: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select s.id from role_sets s where s.tenant_id = ${tx.tenantId}
    and exists (select from jsonb_array_elements(s.roles) r where ${where}))`;
}
