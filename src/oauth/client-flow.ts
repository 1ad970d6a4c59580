/** Makes and removes OAuth clients and their secrets. A secret is answered once and kept as its hash. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { type ClientId, type DirectoryId, newId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import { dislocate, locate } from '../tenants/locator-store.ts';
import {
  type ClientDraft,
  countSecrets,
  deleteClient,
  deleteSecret,
  insertClient,
  insertSecret,
  lockClient,
} from './client-store.ts';

/** @throws Fault `not_found` without that directory. */
export async function createClient(
  database: Database,
  door: Door,
  directoryId: DirectoryId,
  draft: ClientDraft,
): Promise<{ id: ClientId; secret: { id: string; secret: string } | undefined }> {
  const id = newId<ClientId>(door.now.getTime());
  const { name, scope, trust } = draft;
  try {
    const secret = await inTenant(database, door.tenantId, async (tx) => {
      insertClient(tx, id, directoryId, draft, door.now);
      locate(tx, 'oauth_client', id);
      const after = { directoryId, name, scope, ...trust };
      appendAudit(tx, door, [{ action: 'client.created', subject: id, after }]);
      return trust === undefined ? addSecret(tx, door, id, null) : undefined;
    });
    return { id, secret };
  } catch (error) {
    if (brokenConstraint(error) !== 'oauth_clients_directory') throw error;
    throw new Fault('not_found', `There is no directory ${directoryId}.`);
  }
}

function addSecret(tx: TenantTransaction, door: Door, clientId: ClientId, expiresAt: Date | null) {
  const [id, secret] = [newId<string>(door.now.getTime()), newToken('client_secret')];
  insertSecret(tx, { id, clientId, hash: hashToken(secret), createdAt: door.now, expiresAt });
  appendAudit(tx, door, [{ action: 'client_secret.created', subject: id, after: { clientId, expiresAt } }]);
  return { id, secret };
}

/** The client, its secrets and its access tokens work no longer from the next request on. @throws Fault `not_found`. */
export async function removeClient(
  database: Database,
  door: Door,
  directoryId: DirectoryId,
  id: ClientId,
): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    // A token that is issued at this moment stands before the lock is had, or meets no client.
    const { name } = await lockedClient(tx, directoryId, id);
    dislocate(tx, 'directory_token', await deleteClient(tx, id));
    dislocate(tx, 'oauth_client', [id]);
    appendAudit(tx, door, [{ action: 'client.deleted', subject: id, before: { directoryId, name } }]);
  });
}

/** @throws Fault `not_found`; `conflict` for a client that shows assertions, or one with too many secrets. */
export async function createSecret(
  database: Database,
  door: Door,
  of: { directoryId: DirectoryId; clientId: ClientId },
  expiresAt: Date | null,
): Promise<{ id: string; secret: string }> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const { issuer } = await lockedClient(tx, of.directoryId, of.clientId);
    if (issuer !== null) {
      throw new Fault('conflict', `This client signs in with assertions of ${issuer}: it has no secrets.`);
    }
    if ((await countSecrets(tx, of.clientId)) >= limits.secretsPerClientMax) {
      const text = `A client has at most ${limits.secretsPerClientMax} secrets: revoke one that nobody uses.`;
      throw new Fault('conflict', text);
    }
    return addSecret(tx, door, of.clientId, expiresAt);
  });
}

/** No further token is had with it; those that were live for their hour. @throws Fault `not_found`. */
export async function revokeSecret(
  database: Database,
  door: Door,
  of: { directoryId: DirectoryId; clientId: ClientId },
  id: string,
): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    await lockedClient(tx, of.directoryId, of.clientId);
    if ((await deleteSecret(tx, of.clientId, id)) === 0) {
      throw new Fault('not_found', `There is no secret ${id} of this client.`);
    }
    const before = { clientId: of.clientId };
    appendAudit(tx, door, [{ action: 'client_secret.revoked', subject: id, before }]);
  });
}

async function lockedClient(tx: TenantTransaction, directoryId: DirectoryId, id: ClientId) {
  const row = await lockClient(tx, directoryId, id);
  if (row === undefined) throw unknownClientOf(id);
  return row;
}

export function unknownClientOf(id: string): Fault {
  return new Fault('not_found', `There is no client ${id} of this directory.`);
}
