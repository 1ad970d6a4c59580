/**
 * Which attributes of users and groups are kept in columns, and which tables lead to them: what a filter and an order
 * can use besides the document. RFC 7644 §3.4.2.2.
 */

import { type RawBuilder, sql } from 'kysely';
import { fold } from '../kernel/fold.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { AttributePath } from './core/attribute.ts';
import type { Filter } from './core/filter.ts';

export type Condition = RawBuilder<unknown>;

/** How an attribute is kept outside the document. */
export type Column =
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
      ...common('u', 'User'),
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
      path.extension === undefined && path.attribute.name === 'emails'
        ? emailCondition(tenantId, filter)
        : undefined,
  };
}

/** Groups as `g`, with the asking directory's group_sources as `s`. */
export function groupTarget(tenantId: TenantId): FilterTarget {
  return {
    alias: 'g',
    columns: new Map<string, Column>([
      ...common('g', 'Group'),
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

function common(alias: string, type: string): [string, Column][] {
  return [
    ['meta.version', { kind: 'text', sql: sql`('W/"' || ${sql.ref(`${alias}.version`)} || '"')` }],
    ['meta.resourceType', { kind: 'text', sql: sql`${type}::text` }],
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
