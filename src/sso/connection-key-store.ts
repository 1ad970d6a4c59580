/** Rows of a connection's keys. A private key comes only to who signs with it. */

import { type RawBuilder, sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId } from '../kernel/ids.ts';
import type { ConnectionKey, KeyUse } from './connection-key.ts';

export type KeyJson = Omit<ConnectionKey, 'createdAt' | 'expiresAt'> &
  Record<'createdAt' | 'expiresAt', string>;

/** Of the connection that a query selects: `ConnectionKey[]` once `toKey` has read each. */
export const keysJson: RawBuilder<KeyJson[]> = sql<KeyJson[]>`(
  select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'use', k.use, 'state', k.state, 'certificate', k.certificate,
    'createdAt', k.created_at, 'expiresAt', k.expires_at) order by k.id), '[]')
  from sso_keys k where k.tenant_id = sso_connections.tenant_id and k.connection_id = sso_connections.id)`;

export function toKey({ createdAt, expiresAt, ...key }: KeyJson): ConnectionKey {
  return { ...key, createdAt: new Date(createdAt), expiresAt: new Date(expiresAt) };
}

/** Sealed: the current one. */
export async function selectPrivateKey(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  use: KeyUse,
): Promise<Buffer | undefined> {
  const [row] = await tx.run(
    db
      .selectFrom('sso_keys')
      .select('private_key')
      .where('tenant_id', '=', tx.tenantId)
      .where('connection_id', '=', connectionId)
      .where('use', '=', use)
      .where('state', '=', 'current'),
  );
  return row?.private_key;
}

/** @param privateKey Sealed. */
export function insertKey(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  { id, use, state, certificate, createdAt, expiresAt }: ConnectionKey,
  privateKey: Buffer,
): void {
  tx.send(
    db.insertInto('sso_keys').values({
      ...{ tenant_id: tx.tenantId, connection_id: connectionId, id, use, state, certificate },
      ...{ private_key: privateKey, created_at: createdAt, expires_at: expiresAt },
    }),
  );
}

/** The key is the current one of its use, and the one that was is the previous one: constraint `sso_keys_state` lets one be. */
export function makeCurrent(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  { id, use }: ConnectionKey,
): void {
  tx.send(sql`
    update sso_keys set state = case when id = ${id} then 'current' else 'previous' end
    where tenant_id = ${tx.tenantId} and connection_id = ${connectionId} and use = ${use} and (id = ${id} or state = 'current')`);
}

export function deleteKey(tx: TenantTransaction, id: string): void {
  tx.send(db.deleteFrom('sso_keys').where('tenant_id', '=', tx.tenantId).where('id', '=', id));
}

/** Sealed: those that may have been told to the identity provider, the current one first. */
export async function selectDecryptionKeys(
  tx: TenantTransaction,
  connectionId: ConnectionId,
): Promise<Buffer[]> {
  const rows = await tx.run(
    db
      .selectFrom('sso_keys')
      .select('private_key')
      .where('tenant_id', '=', tx.tenantId)
      .where('connection_id', '=', connectionId)
      .where('use', '=', 'encryption')
      // current, next, previous.
      .orderBy('state'),
  );
  return rows.map(({ private_key }) => private_key);
}
