/** Makes, changes and removes connections. A key of its own is made for each (connection-key-flow.ts). */

import { X509Certificate } from 'node:crypto';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { holdVerifiedDomains } from '../domains/domain-store.ts';
import { Fault } from '../kernel/fault.ts';
import { type ConnectionId, newId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { everyDefaultWorkspace } from '../licensing/mapping.ts';
import { reviseSaid } from '../provisioning/claimed-groups-flow.ts';
import { type Placed, requirePlaces } from '../provisioning/places-flow.ts';
import { lockPool, readPool } from '../provisioning/pool-store.ts';
import { endSessionsOfConnection } from '../sessions/session-flow.ts';
import { deleteSessionsOfConnection } from '../sessions/session-store.ts';
import { dislocate, locate } from '../tenants/locator-store.ts';
import {
  type Connection,
  type ConnectionDraft,
  defaultRoleOf,
  groupsClaimOf,
  type MetadataSource,
  providerOf,
  type StandingConnection,
} from './connection.ts';
import { writeConnectionDomains } from './connection-domain-store.ts';
import { insertKey } from './connection-key-store.ts';
import {
  countConnections,
  deleteConnection,
  insertConnection,
  lockConnection,
  selectClientSecret,
  setClientSecret,
  updateConnection,
} from './connection-store.ts';
import type { IdentityProvider } from './core/metadata.ts';
import { deleteSource, writeSource } from './metadata-store.ts';
import { newKey } from './new-key-flow.ts';

/** What of a connection is written beside its row. */
interface Beside {
  /** Sealed. */
  clientSecret?: Buffer;
  /** Where its metadata is fetched from; null: it was given. */
  metadata?: MetadataSource | null;
}

/** @throws Fault `conflict` when there are too many, `invalid` for an unknown directory or a certificate that is none. */
export async function createConnection(
  database: Database,
  secrets: SecretBox,
  door: Door,
  draft: ConnectionDraft,
  { clientSecret, metadata = null }: Beside = {},
): Promise<Connection> {
  checkProvider(draft, metadata === null ? 'metadataXml' : 'metadataUrl');
  checkSecret(draft, clientSecret !== undefined);
  const { key, privateKey } = await newKey('signing', 'current', door.now);
  const id = newId<ConnectionId>(door.now.getTime());
  const connection: Connection = { ...draft, id, keys: [key], metadata, createdAt: door.now };
  await knowingDirectory(draft, () =>
    inTenant(database, door.tenantId, async (tx) => {
      if ((await countConnections(tx)) >= limits.connectionsPerTenantMax) {
        const most = `A tenant has at most ${limits.connectionsPerTenantMax} connections`;
        throw new Fault('conflict', `${most}: remove one that nobody uses.`);
      }
      await requirePlaces(tx, (await readPool(tx)).rules, defaultOf(draft));
      await checkDomains(tx, draft.domains);
      insertConnection(tx, connection);
      insertKey(tx, id, key, secrets.seal(privateKey));
      if (clientSecret !== undefined) setClientSecret(tx, id, clientSecret);
      if (metadata !== null) writeSource(tx, id, metadata);
      writeConnectionDomains(tx, id, draft.domains);
      locate(tx, 'sso_connection', id);
      const after = { ...draft, metadataUrl: metadata?.url ?? null };
      appendAudit(tx, door, [{ action: 'connection.created', subject: id, after }]);
    }),
  );
  return connection;
}

/**
 * Whoever changes the identity provider, or switches the connection off, ends its sessions. What another provider, or another
 * attribute, said of groups is forgotten: the pool is locked first, in case that decides anything. So is the secret that another
 * provider gave: it is sent to none but that one.
 *
 * @param revise What is to become of it.
 * @param beside What is left out stays. @throws Fault as for create; `not_found`.
 */
export async function reviseConnection(
  database: Database,
  door: Door,
  id: ConnectionId,
  revise: (before: Connection) => ConnectionDraft,
  { clientSecret, metadata: source }: Beside = {},
): Promise<Connection> {
  let draft: ConnectionDraft | undefined;
  return await knowingDirectory(
    () => draft,
    () =>
      inTenant(database, door.tenantId, async (tx) => {
        const [pool, before] = await Promise.all([lockPool(tx), lockedConnection(tx, id)]);
        draft = revise(before);
        checkProvider(draft, source ? 'metadataUrl' : 'metadataXml');
        const isAnother = providerOf(draft) !== providerOf(before);
        const kept = isAnother ? undefined : await selectClientSecret(tx, id);
        checkSecret(draft, (clientSecret ?? kept) !== undefined);
        await checkDomains(tx, draft.domains, before.domains);
        await requirePlaces(tx, pool.rules, defaultOf(draft), defaultOf(before));
        updateConnection(tx, id, draft);
        if (clientSecret !== undefined || isAnother) setClientSecret(tx, id, clientSecret ?? null);
        if (source === null) deleteSource(tx, id);
        else if (source !== undefined) writeSource(tx, id, source);
        writeConnectionDomains(tx, id, draft.domains);
        if (isAnother || !draft.enabled) endSessionsOfConnection(tx, id);
        const roleNow = defaultRoleOf(draft.jit);
        await reviseSaid(tx, door, pool, {
          connectionId: id,
          areForgotten: isAnother || groupsClaimOf(draft.jit) !== groupsClaimOf(before.jit),
          defaultRole: roleNow === defaultRoleOf(before.jit) ? undefined : roleNow,
        });
        const {
          keys: _keys,
          metadata: fetched,
          createdAt: _at,
          id: _id,
          revision: _revision,
          ...was
        } = before;
        const metadata = source === undefined ? fetched : source;
        const told = [
          { ...was, metadataUrl: fetched?.url ?? null },
          { ...draft, metadataUrl: metadata?.url ?? null },
        ];
        appendAudit(tx, door, [
          { action: 'connection.updated', subject: id, before: told[0], after: told[1] },
        ]);
        return { ...before, ...draft, metadata };
      }),
  );
}

/** Its sessions are ended first, bit by bit; then its links and logins under way go with it. @throws Fault `not_found`. */
export async function removeConnection(database: Database, door: Door, id: ConnectionId): Promise<void> {
  await endSessions(database, door, id);
  await inTenant(database, door.tenantId, async (tx) => {
    const [pool, { name }] = await Promise.all([lockPool(tx), lockedConnection(tx, id)]);
    await reviseSaid(tx, door, pool, { connectionId: id, areForgotten: true, defaultRole: null });
    // Before the connection's row takes along who signed in meanwhile: receivers of signals are told.
    deleteSessionsOfConnection(tx, id);
    deleteConnection(tx, id);
    dislocate(tx, 'sso_connection', [id]);
    appendAudit(tx, door, [{ action: 'connection.deleted', subject: id, before: { name } }]);
  });
}

/** @throws Fault `not_found`. */
export async function endSessions(database: Database, door: Door, id: ConnectionId): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    await lockedConnection(tx, id);
    endSessionsOfConnection(tx, id);
    appendAudit(tx, door, [{ action: 'connection.sessions_ended', subject: id }]);
  });
}

/** @throws Fault `not_found`. */
export async function lockedConnection(tx: TenantTransaction, id: ConnectionId): Promise<StandingConnection> {
  const found = await lockConnection(tx, id);
  if (found === undefined) throw unknownConnection(id);
  return found;
}

function defaultOf({ jit }: ConnectionDraft): Placed {
  return { role: jit.defaultRole ?? 'none', workspaces: [everyDefaultWorkspace], field: 'jit.defaultRole' };
}

export function unknownConnection(id: string): Fault {
  return new Fault('not_found', `There is no connection ${id}.`);
}

function checkSecret({ protocol, settings }: ConnectionDraft, hasSecret: boolean): void {
  if (protocol === 'oidc' && settings.clientAuthMethod !== 'private_key_jwt' && !hasSecret) {
    const text = `clientSecret is missing: ${settings.clientAuthMethod} needs one, and another issuer another one.`;
    throw new Fault('invalid', text, { field: 'clientSecret' });
  }
}

/** @param before One that it served already may have lapsed. @throws Fault `invalid` */
async function checkDomains(
  tx: TenantTransaction,
  domains: readonly string[],
  before: readonly string[] = [],
): Promise<void> {
  const added = domains.filter((domain) => !before.includes(domain));
  if (added.length === 0) return;
  const verified = await holdVerifiedDomains(tx, added);
  const wrong = added.find((domain) => !verified.includes(domain));
  if (wrong !== undefined) {
    const text = `${wrong} is no verified domain of the tenant: verify it first.`;
    throw new Fault('invalid', text, { field: 'domains' });
  }
}

function checkProvider({ protocol, settings }: ConnectionDraft, field: string): void {
  if (protocol === 'saml') checkCertificates(settings, field);
}

/** @throws Fault `invalid` naming the field. */
export function checkCertificates({ certificates }: IdentityProvider, field = 'metadataXml'): void {
  if (certificates.every(isRsa)) return;
  const text = 'A signing certificate in the metadata is none of RSA with at least 2048 bits.';
  throw new Fault('invalid', text, { field });
}

function isRsa(certificate: string): boolean {
  try {
    const { publicKey } = new X509Certificate(Buffer.from(certificate, 'base64'));
    const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
    return publicKey.asymmetricKeyType === 'rsa' && bits >= 2048;
  } catch {
    return false;
  }
}

async function knowingDirectory<T>(
  draft: ConnectionDraft | (() => ConnectionDraft | undefined),
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (brokenConstraint(error) !== 'sso_connections_directory') throw error;
    const { directoryId } = (typeof draft === 'function' ? draft() : draft) ?? {};
    throw new Fault('invalid', `There is no directory ${directoryId}.`, { field: 'directoryId' });
  }
}
