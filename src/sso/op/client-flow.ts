/** Makes, changes and removes OpenID clients. A secret is answered once and kept as its hash. */

import { appendAudit } from '../../audit/audit-store.ts';
import type { Door } from '../../audit/door.ts';
import type { Database } from '../../db/database.ts';
import { inTenant, type TenantTransaction } from '../../db/tenant-transaction.ts';
import { Fault } from '../../kernel/fault.ts';
import { newId, type OpenIdClientId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import { hashToken, newToken } from '../../kernel/token.ts';
import { dislocate, locate } from '../../tenants/locator-store.ts';
import {
  countOpenIdClients,
  deleteOpenIdClient,
  insertOpenIdClient,
  lockOpenIdClient,
  type OpenIdClient,
  type OpenIdClientDraft,
  updateOpenIdClient,
} from './client-store.ts';

/** @throws Fault `conflict` when there are too many. */
export async function createOpenIdClient(
  database: Database,
  door: Door,
  draft: OpenIdClientDraft,
): Promise<{ client: OpenIdClient; secret: string }> {
  const client = { ...draft, id: newId<OpenIdClientId>(door.now.getTime()), createdAt: door.now };
  const secret = newToken('client_secret');
  await inTenant(database, door.tenantId, async (tx) => {
    if ((await countOpenIdClients(tx)) >= limits.openIdClientsPerTenantMax) {
      const most = `A tenant has at most ${limits.openIdClientsPerTenantMax} OpenID clients`;
      throw new Fault('conflict', `${most}: remove one that nobody uses.`);
    }
    insertOpenIdClient(tx, client, hashToken(secret));
    locate(tx, 'openid_client', client.id);
    appendAudit(tx, door, [{ action: 'openid_client.created', subject: client.id, after: draft }]);
  });
  return { client, secret };
}

/** @param revise What is to become of it. @throws Fault `not_found`. */
export async function reviseOpenIdClient(
  database: Database,
  door: Door,
  id: OpenIdClientId,
  revise: (before: OpenIdClientDraft) => OpenIdClientDraft,
): Promise<OpenIdClient> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const { createdAt, id: _id, ...before } = await lockedClient(tx, id);
    const after = revise(before);
    updateOpenIdClient(tx, id, after);
    appendAudit(tx, door, [{ action: 'openid_client.updated', subject: id, before, after }]);
    return { ...after, id, createdAt };
  });
}

/** Its grants and tokens go with it. @throws Fault `not_found`. */
export async function removeOpenIdClient(database: Database, door: Door, id: OpenIdClientId): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const { name } = await lockedClient(tx, id);
    deleteOpenIdClient(tx, id);
    dislocate(tx, 'openid_client', [id]);
    appendAudit(tx, door, [{ action: 'openid_client.deleted', subject: id, before: { name } }]);
  });
}

async function lockedClient(tx: TenantTransaction, id: OpenIdClientId): Promise<OpenIdClient> {
  const found = await lockOpenIdClient(tx, id);
  if (found === undefined) throw unknownOpenIdClient(id);
  return found;
}

export function unknownOpenIdClient(id: string): Fault {
  return new Fault('not_found', `There is no OpenID client ${id}.`);
}
