/** Whether a column is one of some ids. */

import { type RawBuilder, sql } from 'kysely';

/** Of one id it is said that it is one: else the planner takes any number for many, and plans anew each time. */
export function isOneOf(column: string, ids: readonly string[]): RawBuilder<boolean> {
  const [id] = ids;
  return ids.length === 1
    ? sql`${sql.ref(column)} = ${id}::uuid`
    : sql`${sql.ref(column)} = any(${ids}::uuid[])`;
}
