/** Reads and writes OAuth clients, their secrets and their access tokens. A secret is kept as its hash. */

import { sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ClientId, DirectoryId, TenantId } from '../kernel/ids.ts';
import type { Trust } from './assertion-client.ts';

/** A client as the token endpoint knows it. */
export interface KnownClient {
  tenantId: TenantId;
  directoryId: DirectoryId;
  id: ClientId;
  /** Words between spaces. */
  scope: string;
  /** Whose assertions it shows; undefined: it has secrets. */
  trust: Trust | undefined;
  /** Those that have not expired. */
  secrets: { id: string; hash: string }[];
}

interface FoundRow {
  tenant_id: TenantId;
  directory_id: DirectoryId;
  scope: string;
  issuer: string | null;
  audience: string | null;
  subject: string | null;
  secret_id: string | null;
  secret_hash: string | null;
}

/** Looks in all tenants. */
export async function findOauthClient(
  database: Database,
  id: ClientId,
  now: Date,
): Promise<KnownClient | undefined> {
  const rows = await database.run(sql<FoundRow>`select * from find_oauth_client(${id}::uuid, ${now})`);
  const [row] = rows;
  if (row === undefined) return undefined;
  const { tenant_id: tenantId, directory_id: directoryId, scope, issuer, audience, subject } = row;
  const secrets = rows.flatMap(({ secret_id: secretId, secret_hash: hash }) =>
    secretId === null || hash === null ? [] : [{ id: secretId, hash }],
  );
  const isTrusting = issuer !== null && audience !== null && subject !== null;
  const trust = isTrusting ? { issuer, audience, subject } : undefined;
  return { tenantId, directoryId, id, scope, trust, secrets };
}

export interface ClientDraft {
  name: string;
  scope: string;
  trust: Trust | undefined;
}

export function insertClient(
  tx: TenantTransaction,
  id: ClientId,
  directoryId: DirectoryId,
  { name, scope, trust }: ClientDraft,
  now: Date,
): void {
  tx.send(
    db.insertInto('oauth_clients').values({
      ...{ tenant_id: tx.tenantId, id, directory_id: directoryId, name, scope },
      ...(trust ?? { issuer: null, audience: null, subject: null }),
      created_at: now,
    }),
  );
}

/** The client's row, locked: nothing of it is made or taken away meanwhile. */
export async function lockClient(tx: TenantTransaction, directoryId: DirectoryId, id: ClientId) {
  const rows = await tx.run(
    db
      .selectFrom('oauth_clients')
      .select(['name', 'issuer'])
      .where('tenant_id', '=', tx.tenantId)
      .where('directory_id', '=', directoryId)
      .where('id', '=', id)
      .forUpdate(),
  );
  return rows[0];
}

/** With its secrets and access tokens; the latter's hashes are answered. */
export async function deleteClient(tx: TenantTransaction, id: ClientId): Promise<string[]> {
  const tokens = tx.run(
    db
      .deleteFrom('directory_tokens')
      .where('tenant_id', '=', tx.tenantId)
      .where('client_id', '=', id)
      .returning('token_hash'),
  );
  tx.send(db.deleteFrom('oauth_clients').where('tenant_id', '=', tx.tenantId).where('id', '=', id));
  return (await tokens).map((row) => row.token_hash);
}

export interface NewSecret {
  id: string;
  clientId: ClientId;
  hash: string;
  createdAt: Date;
  expiresAt: Date | null;
}

export function insertSecret(tx: TenantTransaction, secret: NewSecret): void {
  tx.send(
    db.insertInto('oauth_client_secrets').values({
      ...{ tenant_id: tx.tenantId, id: secret.id, client_id: secret.clientId, secret_hash: secret.hash },
      ...{ created_at: secret.createdAt, expires_at: secret.expiresAt },
    }),
  );
}

export async function countSecrets(tx: TenantTransaction, clientId: ClientId): Promise<number> {
  return (await tx.run(secrets(tx, [clientId]))).length;
}

/** Answers how many there were: one or none. */
export function deleteSecret(tx: TenantTransaction, clientId: ClientId, id: string): Promise<number> {
  return tx.count(
    db
      .deleteFrom('oauth_client_secrets')
      .where('tenant_id', '=', tx.tenantId)
      .where('client_id', '=', clientId)
      .where('id', '=', id),
  );
}

export function noteSecretUse(tx: TenantTransaction, id: string, now: Date): void {
  tx.send(
    db
      .updateTable('oauth_client_secrets')
      .set({ last_used_at: now })
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id),
  );
}

export interface NewAccessToken {
  id: string;
  hash: string;
  scope: string;
  createdAt: Date;
  expiresAt: Date;
}

export function insertAccessToken(tx: TenantTransaction, client: KnownClient, token: NewAccessToken): void {
  tx.send(
    db.insertInto('directory_tokens').values({
      ...{ tenant_id: tx.tenantId, id: token.id, directory_id: client.directoryId, client_id: client.id },
      ...{ name: 'access token', token_hash: token.hash, scope: token.scope },
      ...{ created_at: token.createdAt, expires_at: token.expiresAt },
    }),
  );
}

/** Takes the client's expired access tokens away, and where they are found. */
export function deleteExpiredTokens(tx: TenantTransaction, clientId: ClientId, now: Date): void {
  tx.send(sql`
    with gone as (
      delete from directory_tokens
      where tenant_id = ${tx.tenantId} and client_id = ${clientId} and expires_at <= ${now}
      returning token_hash
    )
    delete from tenant_locators l using gone
    where l.tenant_id = ${tx.tenantId} and l.kind = 'directory_token' and l.key = gone.token_hash
  `);
}

function clients(tx: TenantTransaction, directoryId: DirectoryId) {
  return db
    .selectFrom('oauth_clients')
    .select(['id', 'name', 'scope', 'issuer', 'audience', 'subject', 'created_at'])
    .where('tenant_id', '=', tx.tenantId)
    .where('directory_id', '=', directoryId);
}

/** In id order, those after `after`. */
export function selectClients(tx: TenantTransaction, directoryId: DirectoryId, after: string, most: number) {
  return tx.run(clients(tx, directoryId).where('id', '>', after).orderBy('id').limit(most));
}

export async function selectClient(tx: TenantTransaction, directoryId: DirectoryId, id: string) {
  return (await tx.run(clients(tx, directoryId).where('id', '=', id)))[0];
}

function secrets(tx: TenantTransaction, clientIds: readonly string[]) {
  return db
    .selectFrom('oauth_client_secrets')
    .select(['client_id', 'id', 'created_at', 'expires_at', 'last_used_at'])
    .where('tenant_id', '=', tx.tenantId)
    .where('client_id', 'in', clientIds)
    .orderBy('client_id')
    .orderBy('id');
}

export async function selectSecrets(tx: TenantTransaction, clientIds: readonly string[]) {
  return clientIds.length === 0 ? [] : await tx.run(secrets(tx, clientIds));
}
