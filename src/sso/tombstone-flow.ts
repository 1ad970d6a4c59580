/** An admin lets somebody who was removed be made anew by a login. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { UserId } from '../kernel/ids.ts';
import { deleteTombstone } from './tombstone-store.ts';

/** @throws Fault `not_found` */
export async function readmit(database: Database, door: Door, id: UserId): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const userName = await deleteTombstone(tx, id);
    if (userName === undefined) throw unknownRemovedUser(id);
    appendAudit(tx, door, [{ action: 'user.readmitted', subject: id, before: { userName } }]);
  });
}

export function unknownRemovedUser(id: string): Fault {
  return new Fault('not_found', `No user ${id} was removed, or logins may make them anew already.`);
}
