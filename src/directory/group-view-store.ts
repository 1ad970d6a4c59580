/** Reads groups, and their members in pages, so that a large group never stands in memory as a whole. */

import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { weighedSql } from '../db/page-weight.ts';
import { byId, orderSql, type RowOrder } from '../db/row-order.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { DirectoryId, GroupId, TenantId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { limits } from '../kernel/limits.ts';
import type { Group, Member } from './group.ts';

export interface GroupSelection {
  /** On `g` (groups) and `s` (the asking directory's group_sources). */
  where: RawBuilder<unknown>;
  /** Whose externalId is shown. */
  directoryId: DirectoryId | null;
  offset: number;
  limit: number;
  /** By id where it is left out. */
  order?: RowOrder;
  /** false: for a page that goes on behind another, and so never looks at what comes after it. */
  withTotal?: boolean;
  /** Bytes of the groups' documents after which the page ends; undefined: it does not. */
  bytesMax?: number;
}

export interface GroupPage {
  /** Of all that match, wherever the page stands; 0 when it was not asked for. */
  total: number;
  groups: Group[];
  /** The key of each in the order, as text. */
  keys: (string | null)[];
  /** It ended early, because of its bytes. */
  isCut: boolean;
}

interface Row {
  total: number;
  found: number;
  id: GroupId;
  attributes: JsonObject;
  external_id: string | null;
  version: number;
  created_at: Date;
  last_modified: Date;
  sort_key: string | null;
}

/** A page of the groups that match, without members. */
export async function selectGroups(tx: TenantTransaction, selection: GroupSelection): Promise<GroupPage> {
  const { where, directoryId, offset, limit, order = byId, withTotal = true, bytesMax } = selection;
  const matching = sql`
    from groups g
    left join group_sources s on s.tenant_id = g.tenant_id and s.group_id = g.id and s.directory_id = ${directoryId}::uuid
    where g.tenant_id = ${tx.tenantId} and ${where}
  `;
  const place = orderSql({ ...order, key: order.key && sql`h.sort_value` }, sql`h.id`);
  const weighed =
    bytesMax === undefined ? sql`0 as found, 0 as before` : weighedSql(sql`h.attributes`, place);
  const rows = await tx.run(sql<Row>`
    with hits as (
      select ${withTotal ? sql`count(*) over ()` : sql`0`} as total, g.id, g.attributes, s.external_id, g.version,
        g.created_at, g.last_modified, ${order.key ?? sql`null`} as sort_value
      ${matching} order by ${orderSql(order, sql`g.id`)} limit ${limit} offset ${offset}
    ), weighed as (select h.*, ${weighed} from hits h)
    select h.total, h.found, h.id, h.attributes, h.external_id, h.version, h.created_at, h.last_modified,
      h.sort_value::text as sort_key
    from weighed h where h.before < ${bytesMax ?? 1} order by ${place}
  `);
  const groups = rows.map(
    (row): Group => ({
      id: row.id,
      attributes: row.attributes,
      externalId: row.external_id,
      version: row.version,
      createdAt: row.created_at,
      lastModified: row.last_modified,
    }),
  );
  const keys = rows.map((row) => row.sort_key);
  if (rows[0] === undefined && withTotal && (offset > 0 || limit === 0)) {
    const [count] = await tx.run(sql<{ total: number }>`select count(*) as total ${matching}`);
    return { total: count?.total ?? 0, groups, keys, isCut: false };
  }
  return { total: rows[0]?.total ?? 0, groups, keys, isCut: groups.length < (rows[0]?.found ?? 0) };
}

/** The members of these groups, page by page, in the order of group and user ids; a page is a transaction. */
export async function* memberPages(
  database: Database,
  tenantId: TenantId,
  groupIds: readonly GroupId[],
): AsyncGenerator<Member[]> {
  let last: Member | undefined;
  for (;;) {
    const from = last;
    const page = await inTenant(database, tenantId, (tx) => selectMembers(tx, groupIds, from));
    if (page.length > 0) yield page;
    if (page.length < limits.membersPerPage) return;
    last = page.at(-1);
  }
}

function selectMembers(
  tx: TenantTransaction,
  groupIds: readonly GroupId[],
  after: Member | undefined,
): Promise<Member[]> {
  const start =
    after === undefined ? sql`true` : sql`(m.group_id, m.user_id) > (${after.groupId}, ${after.userId})`;
  return tx.run(sql<Member>`
    select m.group_id as "groupId", m.user_id as "userId", coalesce(u.display_name, u.user_name) as display
    from memberships m join users u on u.tenant_id = m.tenant_id and u.id = m.user_id
    where m.tenant_id = ${tx.tenantId} and m.group_id = any(${groupIds}::uuid[]) and ${start}
    order by m.group_id, m.user_id limit ${limits.membersPerPage}
  `);
}
