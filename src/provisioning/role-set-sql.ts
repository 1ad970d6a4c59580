/**
 * The roles of decisions. Many people ask for the same and have the same: each set of roles is stored once, and decisions name
 * it by an id that follows from its roles (migrations/0022).
 */

import { type RawBuilder, sql } from 'kysely';
import { prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { anyCustomRole, type RoleKey } from '../licensing/catalogue.ts';
import type { EffectiveRole } from '../licensing/effect.ts';

/** @param roles jsonb. */
export function idOfRoles(roles: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`role_set_id(${roles})`;
}

export const noRoles = idOfRoles(sql`'[]'::jsonb`);

/** The roles of the set with this id, of the same tenant as `d`. */
export function rolesOf(id: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(select s.roles from role_sets s where s.tenant_id = d.tenant_id and s.id = ${id})`;
}

/** An insert of the sets that are not known yet, and of what is in effect of each with a seat. @param source Selects `roles` (jsonb). */
export function keepSets(tx: TenantTransaction, source: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    insert into role_sets (tenant_id, roles)
    select ${tx.tenantId}, k.roles from (
      select roles from (${source}) s union select seated_roles(roles) from (${source}) s
    ) k order by role_set_id(k.roles) on conflict do nothing`;
}

/** Stores the sets of roles; answers their ids, in order. */
export async function keepRoleSets(
  tx: TenantTransaction,
  sets: readonly (readonly EffectiveRole[])[],
): Promise<string[]> {
  const rows = await tx.run(
    prepared(sql<{ id: string }>`
    with named as materialized (
      select n, r.roles from jsonb_array_elements(${JSON.stringify(sets)}::jsonb) with ordinality as r (roles, n)
    ), kept as (${keepSets(tx, sql`select roles from named`)})
    select ${idOfRoles(sql`n.roles`)} as id from named n order by n.n
  `),
  );
  return rows.map(({ id }) => id);
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
