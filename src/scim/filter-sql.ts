/**
 * A filter as a condition in SQL. What identity providers look up goes through an index, by operators that row-level
 * security lets use one; any other attribute is read from the document. RFC 7644 §3.4.2.2.
 */

import { type RawBuilder, sql } from 'kysely';
import { unreachable } from '../kernel/assert.ts';
import { type Fault, invalid } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import { parseId } from '../kernel/ids.ts';
import { type Attribute, type AttributePath, nameOf } from './core/attribute.ts';
import type { Filter, Operator } from './core/filter.ts';
import type { Column, Condition, FilterTarget } from './filter-target-sql.ts';

type Comparison = Filter & { kind: 'compare' };

/** @throws Fault `invalidFilter` for an attribute that is worked out when it is read and can't be searched. */
export function filterSql(filter: Filter, target: FilterTarget): Condition {
  switch (filter.kind) {
    case 'and':
      return sql`(${sql.join(
        filter.filters.map((part) => filterSql(part, target)),
        sql` and `,
      )})`;
    case 'or':
      return sql`(${sql.join(
        filter.filters.map((part) => filterSql(part, target)),
        sql` or `,
      )})`;
    case 'not':
      return negation(filterSql(filter.filter, target));
    case 'present':
      return presence(filter.path, target);
    case 'element':
      return elementCondition(filter.path, filter.filter, target);
    case 'compare':
      return filter.op === 'ne'
        ? negation(comparison({ ...filter, op: 'eq' }, target))
        : comparison(filter, target);
    case 'constant':
      return sql`${filter.holds}`;
    default:
      return unreachable(filter);
  }
}

/** What is unassigned is equal to nothing, so that the opposite holds for it. */
function negation(condition: Condition): Condition {
  return sql`not coalesce(${condition}, false)`;
}

function presence(path: AttributePath, target: FilterTarget): Condition {
  const column = target.columns.get(nameOf(path)) ?? target.columns.get(`${nameOf(path)}.value`);
  if (column !== undefined) return column.kind === 'links' ? column.any : sql`${column.sql} is not null`;
  if (path.attribute.returned === 'always' || path.attribute.name === 'meta') return sql`true`;
  if (path.sub === undefined) return sql`${documentAt(path, target)} is not null`;
  refuseHidden(path.sub);
  return anyElement(path, target, (element) => sql`${element} -> ${path.sub?.name} is not null`);
}

function comparison(filter: Comparison, target: FilterTarget): Condition {
  const column = target.columns.get(nameOf(filter.path));
  if (column !== undefined) return columnCondition(column, filter);
  const { path } = filter;
  if (path.sub === undefined) {
    if (!path.attribute.multiValued) return valueCondition(documentAt(path, target), filter);
    return anyElement(path, target, (element) => valueCondition(element, filter));
  }
  return elementCondition(path, innerOf(filter, path.sub), target);
}

/** That one element (or the only value) of a complex attribute fits the whole filter. */
function elementCondition(path: AttributePath, filter: Filter, target: FilterTarget): Condition {
  const links = linksOf(path, target);
  if (links !== undefined && filter.kind === 'compare' && filter.path.attribute.name === 'value') {
    return columnCondition(links, filter);
  }
  const fast = target.element?.(path, filter);
  if (fast !== undefined) return fast;
  return anyElement(path, target, (element) => conditionIn(element, filter));
}

/** An extension's attribute of the same name is another. */
function linksOf({ extension, attribute }: AttributePath, target: FilterTarget) {
  const column = extension === undefined ? target.columns.get(`${attribute.name}.value`) : undefined;
  return column?.kind === 'links' ? column : undefined;
}

function anyElement(
  path: AttributePath,
  target: FilterTarget,
  test: (element: Condition) => Condition,
): Condition {
  const value = documentAt(path, target);
  // What is unassigned has no element, for which even a negation could hold.
  if (!path.attribute.multiValued) return sql`(${value} is not null and coalesce(${test(value)}, false))`;
  return sql`exists (select from jsonb_array_elements(${value}) as e (element) where ${test(sql.ref('e.element'))})`;
}

/** A filter whose paths start at an element of a list. */
function conditionIn(element: Condition, filter: Filter): Condition {
  switch (filter.kind) {
    case 'and':
      return sql`(${sql.join(
        filter.filters.map((part) => conditionIn(element, part)),
        sql` and `,
      )})`;
    case 'or':
      return sql`(${sql.join(
        filter.filters.map((part) => conditionIn(element, part)),
        sql` or `,
      )})`;
    case 'not':
      return negation(conditionIn(element, filter.filter));
    case 'present':
      refuseHidden(filter.path.attribute);
      return sql`${element} -> ${filter.path.attribute.name} is not null`;
    case 'compare': {
      refuseHidden(filter.path.attribute);
      const value = sql`${element} -> ${filter.path.attribute.name}`;
      if (filter.op === 'ne') return negation(valueCondition(value, { ...filter, op: 'eq' }));
      return valueCondition(value, filter);
    }
    case 'constant':
    case 'element':
      throw invalid('invalidFilter', "The filter can't be read: brackets stand inside brackets.");
    default:
      return unreachable(filter);
  }
}

/** Where an attribute stands in the document, as jsonb. @throws Fault `invalidFilter` as `filterSql`. */
export function documentAt(path: AttributePath, target: FilterTarget): Condition {
  return sql`${holderOf(path, target)} -> ${path.attribute.name}`;
}

/** The document, or the extension's part of it. */
function holderOf({ extension, attribute }: AttributePath, { alias }: FilterTarget): Condition {
  const isWorkedOut =
    attribute.mutability === 'readOnly' || attribute.storedApart || attribute.name === 'meta';
  if (isWorkedOut) throw unsearchable(attribute);
  refuseHidden(attribute);
  const document = sql.ref(`${alias}.attributes`);
  return extension === undefined ? document : sql`${document} -> ${extension.id}`;
}

/** Whoever may ask whether a value is this or that is told the value (RFC 7643 §7 `returned`). */
function refuseHidden(attribute: Attribute): void {
  if (attribute.returned === 'never') throw unsearchable(attribute);
}

function unsearchable({ name }: Attribute): Fault {
  return invalid('invalidFilter', `Resources can't be searched by "${name}" in this way.`, 'filter');
}

/**
 * A value of the document, as jsonb. Booleans compare as the words they are written with. The database takes away
 * the case on both sides: its rules for it are its locale's, not ours.
 */
function valueCondition(json: Condition, { path, op, value }: Comparison): Condition {
  const attribute = path.sub ?? path.attribute;
  const text = sql`(${json} #>> '{}')`;
  const cast = castOf(attribute);
  if (cast !== undefined)
    return sql`${typedValue(json, cast)} ${operatorOf(op)} ${String(value)}::${sql.raw(cast)}`;
  if (typeof value !== 'string' || attribute.caseExact || attribute.type === 'binary') {
    return textTest(text, op, sql`${String(value)}::text`);
  }
  return textTest(sql`lower(${text})`, op, sql`lower(${value}::text)`);
}

/** What values of the attribute are compared and sorted as; undefined: text. */
export function castOf({ type }: Attribute): 'numeric' | 'timestamptz' | undefined {
  if (type === 'dateTime') return 'timestamptz';
  return type === 'integer' || type === 'decimal' ? 'numeric' : undefined;
}

/** Null where the document holds something else, from before the schema said so. */
export function typedValue(json: Condition, cast: 'numeric' | 'timestamptz'): Condition {
  const form = cast === 'numeric' ? 'number' : 'string';
  return sql`case when jsonb_typeof(${json}) = ${form} then (${json} #>> '{}')::${sql.raw(cast)} end`;
}

function columnCondition(column: Column, { path, op, value }: Comparison): Condition {
  switch (column.kind) {
    case 'text':
      return textTest(
        column.sql,
        op,
        sql`${(path.sub ?? path.attribute).caseExact ? value : fold(String(value))}::text`,
      );
    case 'boolean':
      return sql`${column.sql} = ${value}`;
    case 'time':
      return sql`${column.sql} ${operatorOf(op)} ${value}::timestamptz`;
    case 'uuid':
      return op === 'eq'
        ? withId(value, (id) => sql`${column.sql} = ${id}`)
        : textTest(sql`${column.sql}::text`, op, sql`${value}::text`);
    case 'links':
      if (op !== 'eq')
        throw invalid('invalidFilter', `"${nameOf(path)}" is searched by "eq" only.`, 'filter');
      return withId(value, column.to);
    default:
      return unreachable(column);
  }
}

/** What is no id leads nowhere. */
function withId(value: string | number | boolean, condition: (id: string) => Condition): Condition {
  const id = parseId<string>(String(value));
  return id === undefined ? sql`false` : condition(id);
}

/** A prefix is a range: on a column in code-point order it uses the column's index. */
function textTest(text: Condition, op: Operator, value: Condition): Condition {
  switch (op) {
    case 'co':
      return sql`position(${value} in ${text}) > 0`;
    case 'ew':
      return sql`right(${text}, char_length(${value})) = ${value}`;
    case 'sw':
      return sql`(${text} collate "C" >= ${value} and ${text} collate "C" < ${value} || ${'\u{10ffff}'})`;
    default:
      return sql`${text} collate "C" ${operatorOf(op)} ${value}`;
  }
}

function operatorOf(op: Operator): RawBuilder<unknown> {
  const signs: Partial<Record<Operator, string>> = { eq: '=', gt: '>', ge: '>=', lt: '<', le: '<=' };
  const sign = signs[op];
  if (sign === undefined)
    throw invalid('invalidFilter', `"${op}" does not go with this attribute.`, 'filter');
  return sql.raw(sign);
}

/** Whether an index leads to what the filter finds, so that its cost does not grow with the tenant. */
export function isIndexed(filter: Filter, target: FilterTarget): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.filters.some((part) => isIndexed(part, target));
    case 'or':
      return filter.filters.every((part) => isIndexed(part, target));
    case 'constant':
      return !filter.holds;
    case 'element':
      return isIndexedElement(filter.path, filter.filter, target);
    case 'compare':
      return isIndexedComparison(filter, target);
    case 'not':
    case 'present':
      return false;
    default:
      return unreachable(filter);
  }
}

function isIndexedElement(path: AttributePath, filter: Filter, target: FilterTarget): boolean {
  if (target.element?.(path, filter) !== undefined) return true;
  return (
    linksOf(path, target) !== undefined && filter.kind === 'compare' && filter.path.attribute.name === 'value'
  );
}

function isIndexedComparison(filter: Comparison, target: FilterTarget): boolean {
  const { path, op } = filter;
  const column = target.columns.get(nameOf(path));
  if (column === undefined) {
    return path.sub !== undefined && target.element?.(path, innerOf(filter, path.sub)) !== undefined;
  }
  switch (column.kind) {
    case 'text':
      return path.attribute.name !== 'meta' && (op === 'eq' || op === 'sw');
    case 'uuid':
    case 'links':
      return op === 'eq';
    default:
      return false;
  }
}

/** The comparison as it reads inside the brackets. */
function innerOf(filter: Comparison, sub: Attribute): Comparison {
  return { ...filter, path: { extension: undefined, attribute: sub, sub: undefined } };
}
