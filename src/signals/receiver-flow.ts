/** Admits receivers of signals, and dismisses them. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { newId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import { dislocate, locate } from '../tenants/locator-store.ts';
import { countReceivers, deleteReceiver, insertReceiver } from './stream-store.ts';

/** Its token is shown this once. @throws Fault `conflict` when there are too many. */
export async function createReceiver(
  database: Database,
  door: Door,
  { name, audience }: { name: string; audience: string },
): Promise<{ id: string; token: string }> {
  const [id, token] = [newId<string>(door.now.getTime()), newToken('signals')];
  await inTenant(database, door.tenantId, async (tx) => {
    if ((await countReceivers(tx)) >= limits.signalReceiversPerTenantMax) {
      const most = `A tenant has at most ${limits.signalReceiversPerTenantMax} receivers of signals`;
      throw new Fault('conflict', `${most}: remove one that nobody uses.`);
    }
    const hash = hashToken(token);
    insertReceiver(tx, { id, name, audience, hash, createdAt: door.now });
    locate(tx, 'signal_receiver', hash);
    appendAudit(tx, door, [{ action: 'signal_receiver.created', subject: id, after: { name, audience } }]);
  });
  return { id, token };
}

/** @throws Fault `not_found` */
export async function removeReceiver(database: Database, door: Door, id: string): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const gone = await deleteReceiver(tx, id);
    if (gone === undefined) throw unknownReceiver(id);
    dislocate(tx, 'signal_receiver', [gone.hash]);
    appendAudit(tx, door, [{ action: 'signal_receiver.deleted', subject: id, before: { name: gone.name } }]);
  });
}

export function unknownReceiver(id: string): Fault {
  return new Fault('not_found', `There is no receiver of signals ${id}.`);
}
