/** Rows of where metadata is fetched from, and what came of it. */

import { type RawBuilder, sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId, TenantId } from '../kernel/ids.ts';
import type { MetadataSource } from './connection.ts';

type Times = 'fetchedAt' | 'nextFetchAt';
export type MetadataJson = Omit<MetadataSource, Times | 'failingSince'> &
  Record<Times, string> & { failingSince: string | null };

/** Of the connection that a query selects: a `MetadataSource` once `toSource` has read it. */
export const metadataJson: RawBuilder<MetadataJson | null> = sql<MetadataJson | null>`(
  select jsonb_build_object('url', m.url, 'fetchedAt', m.fetched_at, 'nextFetchAt', m.next_fetch_at,
    'failingSince', m.failing_since, 'error', m.error, 'pending', m.pending)
  from sso_metadata m where m.tenant_id = sso_connections.tenant_id and m.connection_id = sso_connections.id)`;

export function toSource({
  fetchedAt,
  nextFetchAt,
  failingSince,
  pending,
  ...source
}: MetadataJson): MetadataSource {
  return {
    ...source,
    // Rows that were written before there was HTTP-POST lack these.
    pending: pending && { ...{ ssoPostUrl: null, logoutPostUrl: null }, ...pending },
    fetchedAt: new Date(fetchedAt),
    nextFetchAt: new Date(nextFetchAt),
    failingSince: failingSince === null ? null : new Date(failingSince),
  };
}

export interface DueMetadata {
  tenantId: TenantId;
  connectionId: ConnectionId;
}

export async function findDueMetadata(database: Database, now: Date, most: number): Promise<DueMetadata[]> {
  return await database.run(sql<DueMetadata>`
    select tenant_id as "tenantId", connection_id as "connectionId" from find_due_metadata(${now}, ${most})`);
}

/** The address, where it is due still: of several gateways one gets it, and the others not before `until`. */
export async function claimMetadata(
  tx: TenantTransaction,
  id: ConnectionId,
  now: Date,
  until: Date,
): Promise<string | undefined> {
  const [row] = await tx.run(sql<{ url: string }>`
    update sso_metadata set next_fetch_at = ${until}, tried_at = ${now}
    where tenant_id = ${tx.tenantId} and connection_id = ${id} and next_fetch_at <= ${now} returning url`);
  return row?.url;
}

export function writeSource(tx: TenantTransaction, id: ConnectionId, source: MetadataSource): void {
  const columns = {
    url: source.url,
    fetched_at: source.fetchedAt,
    next_fetch_at: source.nextFetchAt,
    failing_since: source.failingSince,
    error: source.error,
    pending: source.pending && JSON.stringify(source.pending),
  };
  const key = { tenant_id: tx.tenantId, connection_id: id, tried_at: source.fetchedAt };
  tx.send(
    db
      .insertInto('sso_metadata')
      .values({ ...key, ...columns })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'connection_id']).doUpdateSet(columns)),
  );
}

export function deleteSource(tx: TenantTransaction, id: ConnectionId): void {
  tx.send(db.deleteFrom('sso_metadata').where('tenant_id', '=', tx.tenantId).where('connection_id', '=', id));
}

/** Sooner than it would be, unless that was tried after `since`. */
export function bringForward(tx: TenantTransaction, id: ConnectionId, now: Date, since: Date): void {
  tx.send(sql`
    update sso_metadata set next_fetch_at = ${now}
    where tenant_id = ${tx.tenantId} and connection_id = ${id} and tried_at < ${since} and next_fetch_at > ${now}`);
}
