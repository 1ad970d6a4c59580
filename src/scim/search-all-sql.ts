/** A search that covers users and groups: which of both match, in one order. RFC 7644 §3.4.2.1. */

import { type RawBuilder, sql } from 'kysely';
import { weighedSql } from '../db/page-weight.ts';
import { orderSql } from '../db/row-order.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { invalid } from '../kernel/fault.ts';
import type { DirectoryId, TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { ResourceType } from './core/attribute.ts';
import { resolveName } from './core/attribute-name.ts';
import { type Paging, readPaging } from './core/paging.ts';
import { type Projection, readProjection } from './core/project.ts';
import type { SearchQuery } from './core/search-request.ts';
import type { Dialect } from './dialect.ts';
import { filterSql, isIndexed } from './filter-sql.ts';
import { type Condition, type FilterTarget, groupTarget, userTarget } from './filter-target-sql.ts';
import { type Found, readFilter, type Search, searchMark, windowOf } from './search-sql.ts';
import { afterSql, byId, type Order, readOrder } from './sort-sql.ts';

/** The part of the search that one type of resource has. */
interface Arm {
  readonly projection: Projection;
  readonly where: Condition;
  /** What it is sorted by. */
  readonly key: Condition;
}

export interface MixedSearch
  extends Pick<Search, 'paging' | 'mark' | 'offset' | 'limit' | 'withTotal' | 'isScan'> {
  readonly order: Order;
  readonly user: Arm;
  readonly group: Arm;
}

export interface Hit {
  readonly type: 'User' | 'Group';
  readonly id: string;
}

/** @throws Fault as `readSearch`. */
export function readMixedSearch(
  { user, group }: Dialect,
  tenantId: TenantId,
  query: SearchQuery,
): MixedSearch {
  const mark = searchMark([user.id, group.id], query);
  const paging = readPaging(query, mark);
  const targets = [userTarget(tenantId), groupTarget(tenantId)] as const;
  const orders = [orderOf(user, group, targets[0], query), orderOf(group, user, targets[1], query)] as const;
  const order = orders[0] ?? orders[1];
  if (order === undefined)
    throw invalid('invalidPath', '"sortBy" must name an attribute of users or groups.', 'sortBy');
  const one = readArm(user, group, targets[0], query, paging, orders[0], order);
  const other = readArm(group, user, targets[1], query, paging, orders[1], order);
  const isScan = one.isScan || other.isScan || order.key !== undefined;
  return { mark, paging, order, user: one, group: other, isScan, ...windowOf(paging) };
}

/** undefined: only the other type has the attribute that is sorted by. */
function orderOf(
  type: ResourceType,
  other: ResourceType,
  target: FilterTarget,
  query: SearchQuery,
): Order | undefined {
  const name = typeof query.sortBy === 'string' ? query.sortBy : '';
  const isTheirs =
    resolveName(type, name).kind !== 'attribute' && resolveName(other, name).kind === 'attribute';
  return isTheirs ? undefined : readOrder(type, target, query);
}

function readArm(
  type: ResourceType,
  other: ResourceType,
  target: FilterTarget,
  query: SearchQuery,
  paging: Paging,
  own: Order | undefined,
  order: Order,
): Arm & { isScan: boolean } {
  const filter = readFilter(type, query.filter, [other]);
  const condition = filter === undefined ? sql`true` : filterSql(filter, target);
  const key = sql`(${own?.key ?? sql`null`})::${sql.raw(order.type)}`;
  // What has no key in one type may have one in the other.
  const mixed: Order = order.key === undefined ? byId : { ...order, key, isTotal: false };
  const after = paging.kind === 'cursor' ? paging.after : undefined;
  const id = sql.ref(`${target.alias}.id`);
  return {
    projection: readProjection(type, query),
    where: after === undefined ? condition : sql`${condition} and ${afterSql(mixed, id, after)}`,
    key,
    isScan: filter !== undefined && !isIndexed(filter, target),
  };
}

/** Which resources match, in order; the place of each. */
export async function selectHits(
  tx: TenantTransaction,
  { user, group, order, offset, limit, withTotal }: MixedSearch,
  directoryId: DirectoryId,
): Promise<Found<Hit>> {
  // Of what is not counted each arm reads no more than the page may show, by an index where there is one.
  const end = (key: Condition, id: Condition) =>
    withTotal ? sql`` : sql`order by ${orderSql({ ...order, key: order.key && key }, id)} limit ${limit}`;
  const found = sql`(
    (select 'User' as type, u.id, ${user.key} as sort_value from users u
    left join user_sources s on s.tenant_id = u.tenant_id and s.user_id = u.id and s.directory_id = ${directoryId}
    where u.tenant_id = ${tx.tenantId} and ${user.where} ${end(user.key, sql`u.id`)})
    union all
    (select 'Group' as type, g.id, ${group.key} as sort_value from groups g
    left join group_sources s on s.tenant_id = g.tenant_id and s.group_id = g.id and s.directory_id = ${directoryId}
    where g.tenant_id = ${tx.tenantId} and ${group.where} ${end(group.key, sql`g.id`)}))`;
  const rows = await tx.run(sql<Hit & { total: number; found: number; key: string | null }>`
    with hits as (
      select f.type, f.id, f.sort_value, ${withTotal ? sql`count(*) over ()` : sql`0`} as total
      from ${found} f order by ${placeSql(order, 'f')} limit ${limit} offset ${offset}
    ), weighed as (
      select h.*, ${weighedSql(sql`coalesce(u.attributes, g.attributes)`, placeSql(order, 'h'))}
      from hits h
      left join users u on u.tenant_id = ${tx.tenantId} and u.id = h.id
      left join groups g on g.tenant_id = ${tx.tenantId} and g.id = h.id
    )
    select h.type, h.id, h.sort_value::text as key, h.total, h.found
    from weighed h where h.before < ${limits.pageBytesMax} order by ${placeSql(order, 'h')}
  `);
  return {
    resources: rows,
    keys: rows.map(({ key }) => key),
    total: await totalOf(tx, rows[0]?.total, withTotal, found),
    isCut: rows.length < (rows[0]?.found ?? 0),
  };
}

function placeSql(order: Order, alias: string): RawBuilder<unknown> {
  const key = order.key && sql.ref(`${alias}.sort_value`);
  return orderSql({ ...order, key }, sql.ref(`${alias}.id`));
}

/** A page past the end, or of nothing, still tells how many there are. */
async function totalOf(
  tx: TenantTransaction,
  counted: number | undefined,
  isWanted: boolean,
  found: RawBuilder<unknown>,
): Promise<number> {
  if (counted !== undefined || !isWanted) return counted ?? 0;
  const [row] = await tx.run(sql<{ total: number }>`select count(*) as total from ${found} f`);
  return row?.total ?? 0;
}
