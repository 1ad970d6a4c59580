/** Writes, reads and deletes recorded calls. */

import { type RawBuilder, sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { RecordedRequest } from './recorded-request.ts';

/** Sends all of them as one statement. One that is there already is left as it is: a batch may be written again. */
export function insertRequests(tx: TenantTransaction, records: readonly RecordedRequest[]): void {
  tx.send(sql`
    insert into recorded_requests (tenant_id, id, at, directory_id, token_id, request_id, method, path, query,
      user_agent, request_body, status, response_body, duration_ms, subject, truncated)
    select ${tx.tenantId}, r.*
    from jsonb_to_recordset(${JSON.stringify(records)}::jsonb)
      as r (id uuid, at timestamptz, directory_id uuid, token_id uuid, request_id text, method text, path text,
        query text, user_agent text, request_body text, status integer, response_body text, duration_ms real,
        subject uuid, truncated boolean)
    on conflict do nothing
  `);
}

/** Says of directory tokens when they were last used, to the minute: most flushes then write nothing. */
export function touchTokens(tx: TenantTransaction, uses: readonly { id: string; at: string }[]): void {
  tx.send(sql`
    update directory_tokens t set last_used_at = u.at
    from jsonb_to_recordset(${JSON.stringify(uses)}::jsonb) as u (id uuid, at timestamptz)
    where t.tenant_id = ${tx.tenantId} and t.id = u.id
      and (t.last_used_at is null or t.last_used_at < u.at - interval '60 seconds')
  `);
}

export interface RequestQuery {
  directory?: string | undefined;
  subject?: string | undefined;
  method?: string | undefined;
  /** From, to, both included. */
  status?: readonly [number, number] | undefined;
  requestId?: string | undefined;
  /** What path or query holds, whatever its case; any of these. */
  search?: readonly string[] | undefined;
  /** At or behind this id: ids are in the order of their instants. */
  from: string;
  /** Before this id. */
  to: string;
  /** Older than this one: what comes after it was shown. */
  before: string;
  limit: number;
}

const head = db
  .selectFrom('recorded_requests')
  .select(['id', 'at', 'directory_id', 'token_id', 'request_id', 'method', 'path', 'query', 'user_agent'])
  .select(['status', 'duration_ms', 'subject', 'truncated']);

/** Newest first, without bodies. */
export function selectRequests(tx: TenantTransaction, query: RequestQuery) {
  const { directory, subject, method, status, requestId, search } = query;
  const conditions: RawBuilder<boolean>[] = [
    ...(directory === undefined ? [] : [sql<boolean>`directory_id = ${directory}`]),
    ...(subject === undefined ? [] : [sql<boolean>`subject = ${subject}`]),
    ...(method === undefined ? [] : [sql<boolean>`method = ${method}`]),
    ...(status === undefined ? [] : [sql<boolean>`status between ${status[0]} and ${status[1]}`]),
    ...(requestId === undefined ? [] : [sql<boolean>`request_id = ${requestId}`]),
    ...(search === undefined ? [] : [holds(search)]),
  ];
  return tx.run(
    head
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '>=', query.from)
      .where('id', '<', query.to)
      .where('id', '<', query.before)
      .where((where) => where.and(conditions))
      .orderBy('id', 'desc')
      .limit(query.limit),
  );
}

function holds(search: readonly string[]): RawBuilder<boolean> {
  const places = search.flatMap((text) => [
    sql`position(lower(${text}) in lower(path)) > 0`,
    sql`position(lower(${text}) in lower(query)) > 0`,
  ]);
  return sql<boolean>`(${sql.join(places, sql` or `)})`;
}

/** The whole call. */
export async function selectRequest(tx: TenantTransaction, id: string) {
  const [row] = await tx.run(
    head.select(['request_body', 'response_body']).where('tenant_id', '=', tx.tenantId).where('id', '=', id),
  );
  return row;
}

/** Deletes calls from before an instant, the oldest first. Answers how many. */
export function deleteRequestsBefore(tx: TenantTransaction, at: Date, most: number): Promise<number> {
  return tx.count(sql`
    delete from recorded_requests where tenant_id = ${tx.tenantId} and id = any (array(
      select id from recorded_requests where tenant_id = ${tx.tenantId} and at < ${at} order by at limit ${most}))
  `);
}
