/** Rows of connections. */

import { type RawBuilder, type Selectable, sql } from 'kysely';
import { type Database, db, prepared } from '../db/database.ts';
import type { Tables } from '../db/tables.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId, DirectoryId, TenantId } from '../kernel/ids.ts';
import type {
  Connection,
  ConnectionDraft,
  OidcSettings,
  SamlSettings,
  StandingConnection,
} from './connection.ts';
import { servedDomains } from './connection-domain-store.ts';
import { type KeyJson, keysJson, toKey } from './connection-key-store.ts';
import { type MetadataJson, metadataJson, toSource } from './metadata-store.ts';

const columns = [
  ...(['id', 'protocol', 'name', 'enabled', 'settings', 'directory_id', 'jit_create', 'attributes'] as const),
  ...(['jit_enabled', 'jit_approval', 'groups_claim', 'jit_default_role'] as const),
  'revocation_issuer',
  'created_at',
] as const;

type Row = Pick<Selectable<Tables['sso_connections']>, (typeof columns)[number]> & {
  revision: string;
  domains: string[];
  keys: KeyJson[];
  metadata: MetadataJson | null;
};

/** The tenant of the connection that a path names. */
export async function findConnectionTenant(
  database: Database,
  id: ConnectionId,
): Promise<TenantId | undefined> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_sso_connection(${id})`,
  );
  return rows[0]?.tenant_id;
}

export async function selectConnection(
  tx: TenantTransaction,
  id: ConnectionId,
): Promise<StandingConnection | undefined> {
  const [row] = await tx.run(prepared(select(tx).where('id', '=', id)));
  return row && toConnection(row);
}

/** As `selectConnection`, and nobody changes or removes it until the transaction ends. */
export async function lockConnection(
  tx: TenantTransaction,
  id: ConnectionId,
): Promise<StandingConnection | undefined> {
  const lock = db.selectFrom('sso_connections').select('id').where('tenant_id', '=', tx.tenantId);
  // A statement of its own: one that had to wait for the lock would still see domains and keys as they were before.
  const [, connection] = await Promise.all([
    tx.run(lock.where('id', '=', id).forUpdate()),
    selectConnection(tx, id),
  ]);
  return connection;
}

/**
 * As part of a statement: a row where the connection is as it was, and then it stays so until the transaction ends; others may
 * hold it, too. `xmin` is who wrote the row: locks do not count.
 */
export function heldConnection(
  { tenantId }: TenantTransaction,
  { id, revision }: Pick<StandingConnection, 'id' | 'revision'>,
): RawBuilder<unknown> {
  return sql`
    select session_epoch from sso_connections
    where tenant_id = ${tenantId} and id = ${id} and xmin = ${revision}::xid for key share`;
}

/** As `heldConnection` by itself; false: it was changed or removed. */
export async function holdConnection(
  tx: TenantTransaction,
  connection: Parameters<typeof heldConnection>[1],
): Promise<boolean> {
  return (await tx.run(heldConnection(tx, connection))).length === 1;
}

export async function selectConnections(
  tx: TenantTransaction,
  after: string,
  limit: number,
): Promise<StandingConnection[]> {
  const rows = await tx.run(select(tx).where('id', '>', after).orderBy('id').limit(limit));
  return rows.map(toConnection);
}

export async function countConnections(tx: TenantTransaction): Promise<number> {
  const [row] = await tx.run(
    sql<{
      count: number;
    }>`select count(*) as count from sso_connections where tenant_id = ${tx.tenantId}`,
  );
  return row?.count ?? 0;
}

/** Constraint `sso_connections_directory` refuses a directory that is not there. */
export function insertConnection(tx: TenantTransaction, connection: Connection): void {
  const { id, createdAt } = connection;
  tx.send(
    db.insertInto('sso_connections').values({
      tenant_id: tx.tenantId,
      id,
      protocol: connection.protocol,
      ...changeable(connection),
      created_at: createdAt,
    }),
  );
}

export function updateConnection(tx: TenantTransaction, id: ConnectionId, draft: ConnectionDraft): void {
  tx.send(
    db
      .updateTable('sso_connections')
      .set(changeable(draft))
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id),
  );
}

export function deleteConnection(tx: TenantTransaction, id: ConnectionId): void {
  tx.send(db.deleteFrom('sso_connections').where('tenant_id', '=', tx.tenantId).where('id', '=', id));
}

function changeable({ name, enabled, settings, directoryId, jit, revocationIssuer }: ConnectionDraft) {
  return {
    name,
    enabled,
    settings: JSON.stringify(settings),
    directory_id: directoryId,
    jit_enabled: jit.enabled,
    jit_create: jit.create,
    jit_approval: jit.approval,
    attributes: JSON.stringify(jit.attributes),
    groups_claim: jit.groupsClaim,
    jit_default_role: jit.defaultRole,
    revocation_issuer: revocationIssuer,
  };
}

function select(tx: TenantTransaction) {
  return db
    .selectFrom('sso_connections')
    .select([...columns, sql<string>`sso_connections.xmin`.as('revision')])
    .select([servedDomains.as('domains'), keysJson.as('keys'), metadataJson.as('metadata')])
    .where('tenant_id', '=', tx.tenantId);
}

function toConnection(row: Row): StandingConnection {
  return {
    ...{ id: row.id as ConnectionId, revision: row.revision },
    ...ofProtocol(row),
    name: row.name,
    enabled: row.enabled,
    directoryId: row.directory_id as DirectoryId | null,
    jit: {
      ...{ enabled: row.jit_enabled, create: row.jit_create, approval: row.jit_approval },
      ...{ attributes: row.attributes, groupsClaim: row.groups_claim, defaultRole: row.jit_default_role },
    },
    domains: row.domains,
    revocationIssuer: row.revocation_issuer,
    keys: row.keys.map(toKey),
    metadata: row.metadata && toSource(row.metadata),
    createdAt: row.created_at,
  };
}

/** What rows lack that were written before there was HTTP-POST. */
const writtenBeforePost = { ssoPostUrl: null, logoutPostUrl: null, preferPost: false };

function ofProtocol({ protocol, settings }: Row) {
  return protocol === 'saml'
    ? { protocol, settings: { ...writtenBeforePost, ...(settings as SamlSettings) } }
    : { protocol, settings: settings as OidcSettings };
}

/** Sealed. */
export async function selectClientSecret(
  tx: TenantTransaction,
  id: ConnectionId,
): Promise<Buffer | undefined> {
  const [row] = await tx.run(
    db
      .selectFrom('sso_connections')
      .select('client_secret')
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id),
  );
  return row?.client_secret ?? undefined;
}

/** Sealed: what proves the client of an OpenID provider, or signs SAML requests; undefined: it is not there. */
export async function selectProof(tx: TenantTransaction, id: ConnectionId): Promise<Buffer | undefined> {
  const [row] = await tx.run(sql<{ proof: Buffer | null }>`
    select case when settings ->> 'clientAuthMethod' <> 'private_key_jwt' then client_secret else (
      select private_key from sso_keys k
      where k.tenant_id = c.tenant_id and k.connection_id = c.id and k.use = 'signing' and k.state = 'current') end as proof
    from sso_connections c where tenant_id = ${tx.tenantId} and id = ${id}`);
  return row?.proof ?? undefined;
}

/** @param secret Sealed; null: it is forgotten. */
export function setClientSecret(tx: TenantTransaction, id: ConnectionId, secret: Buffer | null): void {
  tx.send(
    db
      .updateTable('sso_connections')
      .set({ client_secret: secret })
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id),
  );
}
