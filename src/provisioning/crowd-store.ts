/**
 * The facts of everybody an edit would concern, for a look at what it would do. Of a large group most people are alike:
 * those come as one row with a list of ids, which spares the reading of thousands of equal rows. Tells the same as
 * `loadPersons`, with what is to stand in place of what is written.
 */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { GroupId, UserId } from '../kernel/ids.ts';
import type { Affected } from './affected.ts';
import { affectedIds } from './affected-sql.ts';
import { decisionColumns, type PersonRow, toDecision } from './decision-store.ts';
import type { PersonFacts } from './standing.ts';

/** What is to stand in place of what is written. */
export interface Instead {
  mappedGroups: readonly GroupId[];
  /** undefined: as they are written. */
  exclusions?: readonly string[] | undefined;
}

interface AlikeRow extends Omit<PersonRow, 'id' | 'tie' | 'address'> {
  people: [id: UserId, tie: string, address: string | null][];
}

/** In the order of their ids. */
export async function loadCrowd(
  tx: TenantTransaction,
  affected: Affected,
  instead: Instead,
): Promise<PersonFacts[]> {
  const rows = await tx.run(sql<AlikeRow>`
    ${personsSql(tx, affected, instead)}
    select json_agg(json_build_array(p.id, p.tie, p.address)) as people, p.active, p.role_values, p.claim_values,
      p.is_duplicate, p.is_excluded, p.groups, p.pin, ${decisionColumns}
    from persons p
    left join decisions d on d.tenant_id = ${tx.tenantId} and d.user_id = p.id
    group by p.active, p.role_values, p.claim_values, p.is_duplicate, p.is_excluded, p.groups, p.pin, ${decisionColumns}
  `);
  return rows.flatMap(personsOf).sort((a, b) => (a.id < b.id ? -1 : 1));
}

function personsSql(
  tx: TenantTransaction,
  affected: Affected,
  { mappedGroups, exclusions }: Instead,
): RawBuilder<unknown> {
  const excluded = exclusions === undefined ? sql`s.exclusions` : sql`${exclusions}::text[]`;
  return sql`
    with affected (id) as materialized (${affectedIds(tx, affected)}),
    grouped as (
      select m.user_id, array_agg(m.group_id order by m.group_id) as groups
      from affected a join memberships m on m.tenant_id = ${tx.tenantId} and m.user_id = a.id
      where m.group_id = any(${mappedGroups}::uuid[])
      group by m.user_id
    ),
    duplicates as (
      select distinct u.id
      from affected a join users u on u.tenant_id = ${tx.tenantId} and u.id = a.id
      join users o on o.tenant_id = ${tx.tenantId} and o.address = u.address and o.active
        and o.address_order < u.address_order
      where u.active
    ),
    persons as (
      select u.id, u.active, u.address, md5(t.tie_salt || ' ' || u.tie_key) as tie, u.role_values, u.claim_values,
        x.id is not null as is_duplicate,
        coalesce(u.user_name_key = any(${excluded}) or u.address = any(${excluded}), false) as is_excluded,
        g.groups, case when n.user_id is not null then jsonb_build_object('role', n.role, 'workspaces', n.workspaces,
          'until', n.until, 'reserved', n.reserved) end as pin
      from affected a
      join users u on u.tenant_id = ${tx.tenantId} and u.id = a.id
      join tenants t on t.tenant_id = ${tx.tenantId}
      left join tenant_settings s on s.tenant_id = ${tx.tenantId}
      left join grouped g on g.user_id = u.id
      left join duplicates x on x.id = u.id
      left join pins n on n.tenant_id = ${tx.tenantId} and n.user_id = u.id
    )`;
}

function personsOf({ people, ...row }: AlikeRow): PersonFacts[] {
  const alike = {
    active: row.active,
    isDuplicate: row.is_duplicate,
    isExcluded: row.is_excluded,
    groups: new Set(row.groups ?? []),
    roleValues: row.role_values,
    claimValues: row.claim_values,
    pin:
      row.pin === null
        ? null
        : { ...row.pin, until: row.pin.until === null ? null : new Date(row.pin.until) },
    decision: toDecision(row),
    keepUntil: null,
  };
  return people.map(([id, tie, address]) => ({ ...alike, id, tie, address }));
}
