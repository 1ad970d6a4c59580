/** Reads groups for lists, with what maps them. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { fold } from '../kernel/fold.ts';
import type { GroupId, MappingId } from '../kernel/ids.ts';

export interface ListedGroup {
  id: GroupId;
  displayName: string;
  /** Of the directory named, when there is one. */
  externalId: string | null;
  directory: string | null;
  memberCount: number;
  mappings: MappingId[];
}

export interface GroupQuery {
  after: string;
  most: number;
  /** What the name begins with, whatever its case. */
  search?: string | undefined;
  mapped?: boolean | undefined;
}

/** In id order. */
export function selectGroupList(
  tx: TenantTransaction,
  { after, most, search, mapped }: GroupQuery,
): Promise<ListedGroup[]> {
  const key = search === undefined ? undefined : fold(search);
  const named =
    key === undefined
      ? sql`true`
      : sql`(g.display_name_key >= ${key} and g.display_name_key < ${`${key}\u{10ffff}`})`;
  return tx.run(sql<ListedGroup>`
    select g.id, g.display_name as "displayName", s.external_id as "externalId", y.name as directory,
      (select count(*) from memberships m where m.tenant_id = g.tenant_id and m.group_id = g.id) as "memberCount",
      array(select p.id from mappings p where p.tenant_id = g.tenant_id and p.group_id = g.id
            order by p.priority) as mappings
    from groups g
    left join lateral (
      select external_id, directory_id from group_sources x
      where x.tenant_id = g.tenant_id and x.group_id = g.id order by directory_id limit 1
    ) s on true
    left join directories y on y.tenant_id = g.tenant_id and y.id = s.directory_id
    where g.tenant_id = ${tx.tenantId} and g.id > ${after} and ${named}
      and (${mapped ?? null}::boolean is null or g.mapped = ${mapped ?? null}::boolean)
    order by g.id limit ${most}
  `);
}
