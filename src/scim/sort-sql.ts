/** The order of a search, in SQL: `sortBy` and `sortOrder` (RFC 7644 §3.4.2.3), and what comes after a cursor's place. */

import { sql } from 'kysely';
import type { RowOrder } from '../db/row-order.ts';
import { unreachable } from '../kernel/assert.ts';
import { invalid } from '../kernel/fault.ts';
import { type AttributePath, findSubAttribute, nameOf, type ResourceType } from './core/attribute.ts';
import { resolveName } from './core/attribute-name.ts';
import type { Place } from './core/paging.ts';
import { castOf, documentAt, typedValue } from './filter-sql.ts';
import type { Column, Condition, FilterTarget } from './filter-target-sql.ts';

export interface Order extends RowOrder {
  readonly type: 'text' | 'numeric' | 'timestamptz' | 'boolean' | 'uuid';
  /** Whether every resource has a key: an index can then give the order. */
  readonly isTotal: boolean;
}

export const byId: Order = { key: undefined, type: 'text', isDescending: false, isTotal: true };

export interface SortQuery {
  readonly sortBy?: unknown;
  readonly sortOrder?: unknown;
}

/**
 * @throws Fault `invalidPath` for a `sortBy` that is no attribute or can't be sorted by, `invalidValue` for a `sortOrder`
 *   that is none.
 */
export function readOrder(type: ResourceType, target: FilterTarget, query: SortQuery): Order {
  const isDescending = isDescendingOrder(query.sortOrder);
  const { sortBy } = query;
  if (sortBy === undefined || sortBy === null || sortBy === '') return byId;
  const resolved = typeof sortBy === 'string' ? resolveName(type, sortBy) : undefined;
  if (resolved?.kind !== 'attribute') throw unsortable();
  return { ...keyOf(resolved.path, target), isDescending };
}

function isDescendingOrder(sortOrder: unknown): boolean {
  const order = String(sortOrder ?? 'ascending').toLowerCase();
  if (order === 'ascending' || order === 'descending') return order === 'descending';
  throw invalid('invalidValue', '"sortOrder" is "ascending" or "descending".', 'sortOrder');
}

function unsortable() {
  return invalid(
    'invalidPath',
    '"sortBy" must name one attribute that resources can be sorted by.',
    'sortBy',
  );
}

type Key = Omit<Order, 'isDescending'>;

function keyOf(path: AttributePath, target: FilterTarget): Key {
  const whole = wholeOf(path);
  const column = target.columns.get(nameOf(whole));
  if (column !== undefined) return columnKey(column, nameOf(whole));
  if (whole.attribute.mutability === 'readOnly' || whole.attribute.storedApart) throw unsortable();
  return documentKey(whole, target);
}

/** A complex attribute is sorted by its `value`. */
function wholeOf(path: AttributePath): AttributePath {
  const { attribute, sub } = path;
  if (sub !== undefined || attribute.type !== 'complex') return path;
  const value = findSubAttribute(attribute, 'value');
  if (value === undefined) throw unsortable();
  return { ...path, sub: value };
}

function columnKey(column: Column, name: string): Key {
  switch (column.kind) {
    case 'text':
      return { key: sql`(${column.sql} collate "C")`, type: 'text', isTotal: name !== 'externalId' };
    case 'boolean':
      return { key: column.sql, type: 'boolean', isTotal: true };
    case 'time':
      return { key: column.sql, type: 'timestamptz', isTotal: true };
    case 'uuid':
      return { key: column.sql, type: 'uuid', isTotal: true };
    case 'links':
      throw unsortable();
    default:
      return unreachable(column);
  }
}

/** Characters of a text in the document that it is sorted by. */
const sortedLength = 200;

/** Of a list the primary value, else the first. */
function documentKey(path: AttributePath, target: FilterTarget): Key {
  const { attribute, sub } = path;
  const sorted = sub ?? attribute;
  const isHidden = sorted.returned === 'never' || attribute.returned === 'never';
  if (sorted.type === 'binary' || isHidden) throw unsortable();
  const document = documentAt(path, target);
  const holder = attribute.multiValued ? preferred(document) : document;
  const json = sub === undefined ? holder : sql`(${holder} -> ${sub.name})`;
  const cast = castOf(sorted);
  if (cast !== undefined) return { key: typedValue(json, cast), type: cast, isTotal: false };
  const text = sql`left(${json} #>> '{}', ${sortedLength})`;
  const folded = sorted.caseExact || sorted.type === 'boolean' ? text : sql`lower(${text})`;
  return { key: sql`(${folded} collate "C")`, type: 'text', isTotal: false };
}

function preferred(list: Condition): Condition {
  return sql`coalesce(
    (select e.element from jsonb_array_elements(${list}) with ordinality as e (element, ordinal)
     where e.element -> 'primary' = 'true'::jsonb order by e.ordinal limit 1), ${list} -> 0)`;
}

/** Whether a row comes after the place. */
export function afterSql(order: Order, id: Condition, place: Place): Condition {
  const { key, isTotal, isDescending } = order;
  if (key === undefined) return sql`${id} > ${place.id}::uuid`;
  const later = sql`${id} > ${place.id}::uuid`;
  if (place.key === null) {
    return isDescending ? sql`(${key} is not null or ${later})` : sql`(${key} is null and ${later})`;
  }
  const value = sql`${place.key}::${sql.raw(order.type)}`;
  const sign = sql.raw(isDescending ? '<' : '>');
  const beyond = sql`(${key} ${sign} ${value} or (${key} = ${value} and ${later}))`;
  if (isTotal) return sql`(${key} ${sign}= ${value} and ${beyond})`;
  return isDescending ? beyond : sql`(${beyond} or ${key} is null)`;
}
