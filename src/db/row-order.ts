/** The order in which the rows of a search come: by a key where there is one, then by id. */

import { type RawBuilder, sql } from 'kysely';

export interface RowOrder {
  /** undefined: by id alone. */
  readonly key: RawBuilder<unknown> | undefined;
  readonly isDescending: boolean;
}

export const byId: RowOrder = { key: undefined, isDescending: false };

/** For ORDER BY. Rows without a key come last, and first when descending: PostgreSQL's way and RFC 7644's (§3.4.2.3). */
export function orderSql({ key, isDescending }: RowOrder, id: RawBuilder<unknown>): RawBuilder<unknown> {
  const direction = sql.raw(isDescending ? 'desc' : 'asc');
  return key === undefined ? id : sql`${key} ${direction}, ${id}`;
}
