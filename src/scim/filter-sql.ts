/**
 * A filter as a condition in SQL. What identity providers look up goes through an index, by operators that row-level
 * security lets use one; any other attribute is read from the document. RFC 7644 §3.4.2.2.
 */

import { type RawBuilder, sql } from 'kysely';
import { unreachable } from '../kernel/assert.ts';
import { invalid } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import { parseId, type TenantId } from '../kernel/ids.ts';
import { type AttributePath, nameOf } from './core/attribute.ts';
import type { Filter, Operator } from './core/filter.ts';

type Condition = RawBuilder<unknown>;
type Comparison = Filter & { kind: 'compare' };

/** How an attribute is kept outside the document. */
type Column =
  /** Folded unless the attribute is exact. */
  | { kind: 'text'; sql: RawBuilder<unknown> }
  | { kind: 'boolean' | 'time' | 'uuid'; sql: RawBuilder<unknown> }
  /** Rows that lead from the resource to others, by the id of the other. */
  | { kind: 'links'; to: (id: string) => Condition; any: Condition };

/** A table of resources, by its alias in the statement. */
export interface FilterTarget {
  alias: 'u' | 'g';
  columns: ReadonlyMap<string, Column>;
  /** A faster form of a condition on elements of a list, where there is one. */
  element?: (path: AttributePath, filter: Filter) => Condition | undefined;
}

/** Users as `u`, with the asking directory's user_sources as `s`. */
export function userTarget(tenantId: TenantId): FilterTarget {
  const inGroup = (condition: Condition) =>
    sql`u.id in (select user_id from memberships where tenant_id = ${tenantId} and ${condition})`;
  return {
    alias: 'u',
    columns: new Map<string, Column>([
      ...common('u'),
      ['userName', { kind: 'text', sql: sql.ref('u.user_name_key') }],
      ['active', { kind: 'boolean', sql: sql.ref('u.active') }],
      [
        'groups.value',
        {
          kind: 'links',
          to: (id) => inGroup(sql`group_id = ${id}`),
          any: sql`exists (select from memberships m where m.tenant_id = ${tenantId} and m.user_id = u.id)`,
        },
      ],
    ]),
    element: (path, filter) =>
      path.attribute.name === 'emails' ? emailCondition(tenantId, filter) : undefined,
  };
}

/** Groups as `g`, with the asking directory's group_sources as `s`. */
export function groupTarget(tenantId: TenantId): FilterTarget {
  return {
    alias: 'g',
    columns: new Map<string, Column>([
      ...common('g'),
      ['displayName', { kind: 'text', sql: sql.ref('g.display_name_key') }],
      [
        'members.value',
        {
          kind: 'links',
          to: (id) =>
            sql`g.id in (select group_id from memberships where tenant_id = ${tenantId} and user_id = ${id})`,
          any: sql`exists (select from memberships m where m.tenant_id = ${tenantId} and m.group_id = g.id)`,
        },
      ],
    ]),
  };
}

function common(alias: string): [string, Column][] {
  return [
    ['id', { kind: 'uuid', sql: sql.ref(`${alias}.id`) }],
    ['externalId', { kind: 'text', sql: sql.ref('s.external_id') }],
    ['meta.created', { kind: 'time', sql: sql.ref(`${alias}.created_at`) }],
    ['meta.lastModified', { kind: 'time', sql: sql.ref(`${alias}.last_modified`) }],
  ];
}

/** `value eq`, alone or together with `type eq`, looks e-mails up by their index. */
function emailCondition(tenantId: TenantId, filter: Filter): Condition | undefined {
  const parts = filter.kind === 'and' ? filter.filters : [filter];
  const wanted = new Map<string, string>();
  for (const part of parts) {
    if (part.kind !== 'compare' || part.op !== 'eq' || typeof part.value !== 'string') return undefined;
    wanted.set(part.path.attribute.name, fold(part.value));
  }
  const [value, type] = [wanted.get('value'), wanted.get('type')];
  const isPlain = wanted.size === parts.length && value !== undefined;
  if (!isPlain || wanted.size !== (type === undefined ? 1 : 2)) return undefined;
  const ofType = type === undefined ? sql`true` : sql`type_key = ${type}`;
  return sql`u.id in (select user_id from user_emails
    where tenant_id = ${tenantId} and value_key = ${value} and ${ofType})`;
}

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
  return anyElement(path, target, (element) => sql`${element} -> ${path.sub?.name} is not null`);
}

function comparison(filter: Comparison, target: FilterTarget): Condition {
  const column = target.columns.get(nameOf(filter.path));
  if (column !== undefined) return columnCondition(column, filter);
  const { path } = filter;
  if (path.sub === undefined)
    return textCondition(sql`${holderOf(path, target)} ->> ${path.attribute.name}`, filter);
  const inner: Filter = { ...filter, path: { extension: undefined, attribute: path.sub, sub: undefined } };
  return elementCondition(path, inner, target);
}

/** That one element (or the only value) of a complex attribute fits the whole filter. */
function elementCondition(path: AttributePath, filter: Filter, target: FilterTarget): Condition {
  const links = target.columns.get(`${path.attribute.name}.value`);
  if (links?.kind === 'links' && filter.kind === 'compare' && filter.path.attribute.name === 'value') {
    return columnCondition(links, filter);
  }
  const fast = target.element?.(path, filter);
  if (fast !== undefined) return fast;
  return anyElement(path, target, (element) => conditionIn(element, filter));
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
      return sql`${element} -> ${filter.path.attribute.name} is not null`;
    case 'compare': {
      const value = sql`${element} ->> ${filter.path.attribute.name}`;
      if (filter.op === 'ne') return negation(textCondition(value, { ...filter, op: 'eq' }));
      return textCondition(value, filter);
    }
    case 'element':
      throw invalid('invalidFilter', "The filter can't be read: brackets stand inside brackets.");
    default:
      return unreachable(filter);
  }
}

function documentAt(path: AttributePath, target: FilterTarget): Condition {
  return sql`${holderOf(path, target)} -> ${path.attribute.name}`;
}

/** The document, or the extension's part of it. */
function holderOf({ extension, attribute }: AttributePath, { alias }: FilterTarget): Condition {
  const isWorkedOut =
    attribute.mutability === 'readOnly' || attribute.storedApart || attribute.name === 'meta';
  if (isWorkedOut) {
    throw invalid(
      'invalidFilter',
      `Resources can't be searched by "${attribute.name}" in this way.`,
      'filter',
    );
  }
  const document = sql.ref(`${alias}.attributes`);
  return extension === undefined ? document : sql`${document} -> ${extension.id}`;
}

/**
 * A value of the document, read as text. Booleans compare as the words they are written with. The database takes away
 * the case on both sides: its rules for it are its locale's, not ours.
 */
function textCondition(text: Condition, { path, op, value }: Comparison): Condition {
  const attribute = path.sub ?? path.attribute;
  if (typeof value !== 'string' || attribute.caseExact || attribute.type === 'binary') {
    return textTest(text, op, sql`${String(value)}::text`);
  }
  return textTest(sql`lower(${text})`, op, sql`lower(${value}::text)`);
}

function columnCondition(column: Column, { path, op, value }: Comparison): Condition {
  switch (column.kind) {
    case 'text':
      return textTest(column.sql, op, sql`${path.attribute.caseExact ? value : fold(String(value))}::text`);
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
