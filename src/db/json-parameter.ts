/** Values for statements that are sent as JSON. */

import { type RawBuilder, sql } from 'kysely';

/**
 * A value as `jsonb` whose text is made when the statement is sent, and forgotten then: a text would be kept until it is answered,
 * and of large ones the process would keep many.
 */
export function jsonParameter(value: unknown): RawBuilder<unknown> {
  // What `pg` asks for the text of a parameter.
  return sql`${{ toPostgres: () => JSON.stringify(value) }}::jsonb`;
}
