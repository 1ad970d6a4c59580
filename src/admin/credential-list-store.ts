/** Reads operators, keys, directories and their tokens for lists: names and times, never a secret. */

import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';

const operators = db.selectFrom('operators').select(['id', 'name', 'created_at']);

/** In id order, those after `after`. */
export function selectOperators(database: Database, after: string, most: number) {
  return database.run(operators.where('id', '>', after).orderBy('id').limit(most));
}

export async function selectOperator(database: Database, id: string) {
  return (await database.run(operators.where('id', '=', id)))[0];
}

function keys(tx: TenantTransaction) {
  return db
    .selectFrom('api_keys')
    .select(['id', 'name', 'role', 'created_at', 'expires_at'])
    .where('tenant_id', '=', tx.tenantId);
}

export function selectKeys(tx: TenantTransaction, after: string, most: number) {
  return tx.run(keys(tx).where('id', '>', after).orderBy('id').limit(most));
}

export async function selectKey(tx: TenantTransaction, id: string) {
  return (await tx.run(keys(tx).where('id', '=', id)))[0];
}

function directories(tx: TenantTransaction) {
  return db
    .selectFrom('directories')
    .select(['id', 'name', 'kind', 'created_at'])
    .where('tenant_id', '=', tx.tenantId);
}

export function selectDirectories(tx: TenantTransaction, after: string, most: number) {
  return tx.run(directories(tx).where('id', '>', after).orderBy('id').limit(most));
}

export async function selectDirectory(tx: TenantTransaction, id: string) {
  return (await tx.run(directories(tx).where('id', '=', id)))[0];
}

function tokens(tx: TenantTransaction, directoryId: string) {
  return (
    db
      .selectFrom('directory_tokens')
      .select(['id', 'name', 'scope', 'created_at', 'expires_at', 'last_used_at'])
      .where('tenant_id', '=', tx.tenantId)
      .where('directory_id', '=', directoryId)
      // Those that admins issued: access tokens come and go with their client.
      .where('client_id', 'is', null)
  );
}

export function selectTokens(tx: TenantTransaction, directoryId: string, after: string, most: number) {
  return tx.run(tokens(tx, directoryId).where('id', '>', after).orderBy('id').limit(most));
}

export async function selectToken(tx: TenantTransaction, directoryId: string, id: string) {
  return (await tx.run(tokens(tx, directoryId).where('id', '=', id)))[0];
}
