/** Cuts a page of rows where their documents come to too many bytes, so that no answer stands in memory as a whole. */

import { type RawBuilder, sql } from 'kysely';

/** Bytes of a document as text, about: to know those of a compressed one it is read. */
function weightOf(document: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`case when pg_column_compression(${document}) is null then pg_column_size(${document})
    else octet_length(${document}::text) end`;
}

/**
 * The columns `found`, how many rows there were before the cut, and `before`, the bytes of the rows in front. Rows whose
 * `before` is below the limit are the page: the first one always is.
 *
 * @param place The order of the rows, for ORDER BY.
 */
export function weighedSql(document: RawBuilder<unknown>, place: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`count(*) over () as found,
    coalesce(sum(${weightOf(document)}) over (order by ${place} rows between unbounded preceding and 1 preceding), 0)
      as before`;
}
