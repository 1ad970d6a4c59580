/** Reads and writes the OpenID clients of a tenant. A secret is kept as its hash. */

import { sql } from 'kysely';
import { type Database, db } from '../../db/database.ts';
import type { TenantTransaction } from '../../db/tenant-transaction.ts';
import { type OpenIdClientId, parseId, type TenantId } from '../../kernel/ids.ts';

export interface OpenIdClientDraft {
  name: string;
  redirectUris: string[];
  postLogoutRedirectUris: string[];
  /** null: it is not told of logouts. */
  backchannelLogoutUri: string | null;
}

export interface OpenIdClient extends OpenIdClientDraft {
  id: OpenIdClientId;
  createdAt: Date;
}

/** A client as the provider knows it. */
export interface KnownOpenIdClient extends OpenIdClientDraft {
  tenantId: TenantId;
  tenantSlug: string;
  secretHash: string;
}

/** Looks in all tenants. */
export async function findOpenIdClient(
  database: Database,
  id: string,
): Promise<KnownOpenIdClient | undefined> {
  const wanted = parseId<OpenIdClientId>(id);
  if (wanted === undefined) return undefined;
  const [row] = await database.run(
    sql<KnownOpenIdClient>`
      select tenant_id as "tenantId", tenant_slug as "tenantSlug", name, secret_hash as "secretHash",
        redirect_uris as "redirectUris", post_logout_redirect_uris as "postLogoutRedirectUris",
        backchannel_logout_uri as "backchannelLogoutUri"
      from find_openid_client(${wanted}::uuid)`,
  );
  return row;
}

export function insertOpenIdClient(
  tx: TenantTransaction,
  { id, createdAt, ...draft }: OpenIdClient,
  secretHash: string,
): void {
  tx.send(
    db.insertInto('openid_clients').values({
      ...{ tenant_id: tx.tenantId, id, secret_hash: secretHash, created_at: createdAt },
      ...columnsOf(draft),
    }),
  );
}

export function updateOpenIdClient(
  tx: TenantTransaction,
  id: OpenIdClientId,
  draft: OpenIdClientDraft,
): void {
  tx.send(
    db
      .updateTable('openid_clients')
      .set(columnsOf(draft))
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id),
  );
}

/** With all that was issued for it. */
export function deleteOpenIdClient(tx: TenantTransaction, id: OpenIdClientId): void {
  tx.send(db.deleteFrom('openid_clients').where('tenant_id', '=', tx.tenantId).where('id', '=', id));
}

export async function countOpenIdClients(tx: TenantTransaction): Promise<number> {
  return (await tx.run(select(tx))).length;
}

export async function lockOpenIdClient(
  tx: TenantTransaction,
  id: OpenIdClientId,
): Promise<OpenIdClient | undefined> {
  const [row] = await tx.run(select(tx).where('id', '=', id).forUpdate());
  return row && toClient(row);
}

export async function selectOpenIdClient(
  tx: TenantTransaction,
  id: OpenIdClientId,
): Promise<OpenIdClient | undefined> {
  const [row] = await tx.run(select(tx).where('id', '=', id));
  return row && toClient(row);
}

/** In id order, those after `after`. */
export async function selectOpenIdClients(
  tx: TenantTransaction,
  after: string,
  most: number,
): Promise<OpenIdClient[]> {
  const rows = await tx.run(select(tx).where('id', '>', after).orderBy('id').limit(most));
  return rows.map(toClient);
}

const columns = [
  ...(['id', 'name', 'redirect_uris as redirectUris', 'created_at as createdAt'] as const),
  'post_logout_redirect_uris as postLogoutRedirectUris',
  'backchannel_logout_uri as backchannelLogoutUri',
] as const;

function select(tx: TenantTransaction) {
  return db.selectFrom('openid_clients').select(columns).where('tenant_id', '=', tx.tenantId);
}

function toClient(row: OpenIdClientDraft & { id: string; createdAt: Date }): OpenIdClient {
  return { ...row, id: row.id as OpenIdClientId };
}

function columnsOf({ name, redirectUris, postLogoutRedirectUris, backchannelLogoutUri }: OpenIdClientDraft) {
  return {
    name,
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
    backchannel_logout_uri: backchannelLogoutUri,
  };
}
