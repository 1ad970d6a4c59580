/** Whom the breaker holds back, as SQL. */

import { type RawBuilder, sql } from 'kysely';

/** A time as answers show it. */
export function isoSql(time: RawBuilder<unknown>): RawBuilder<string> {
  return sql`to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** How many wait since when, of a seat pool `p`; null: nobody. Where nothing was stopped no mark is looked at. */
export const stagedJson = sql`case when p.staged_since is not null then (
  select jsonb_build_object('people', count(*),
    'since', ${isoSql(sql`p.staged_since`)})
  from evaluation_marks m where m.tenant_id = p.tenant_id and m.staged having count(*) > 0) end`;

/** Whether the user `u`, of a seat pool `p`, is one of them. */
export const isStagedSql = sql`(p.staged_since is not null and exists (
  select from evaluation_marks m where m.tenant_id = u.tenant_id and m.user_id = u.id and m.staged))`;
