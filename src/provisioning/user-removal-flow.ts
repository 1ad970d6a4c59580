/** The end of a user: one transaction for the directory, the decision, the tombstone, its audit and the mark for Blue. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { leaveGroups } from '../directory/group-store.ts';
import { columnsOf } from '../directory/user.ts';
import { deleteUser, lockUser, updateUser } from '../directory/user-store.ts';
import type { UserId } from '../kernel/ids.ts';
import { deleteSessionsOfUser } from '../sessions/session-store.ts';
import { insertTombstone } from '../sso/tombstone-store.ts';
import { decide } from './decide-flow.ts';
import { deleteDecision } from './decision-store.ts';
import { lockPool } from './pool-store.ts';
import { unknownUser } from './user-flow.ts';

/**
 * Deletes a user, who leaves every group; the seat is given back and the person is taken out of Blue.
 *
 * @param check May refuse the version that is there.
 * @throws Fault `not_found`; whatever `check` throws.
 */
export async function removeUser(
  database: Database,
  door: Door,
  id: UserId,
  check: (version: number) => void = () => {},
): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const [pool, user] = await Promise.all([lockPool(tx), lockUser(tx, id, null)]);
    if (user === undefined) throw unknownUser(id);
    check(user.version);
    const { address, userName } = columnsOf(user.attributes);
    // Inactive first: the decision then gives everything back, also to others of the same address.
    updateUser(tx, user, { ...user, attributes: { ...user.attributes, active: false } });
    const addresses = address === null ? [] : [address];
    const { audit } = await decide(tx, door, pool, { userIds: [id], addresses }, { alsoMark: [id] });
    leaveGroups(tx, id, door.now);
    deleteDecision(tx, id);
    insertTombstone(tx, id, door.now);
    deleteSessionsOfUser(tx, id);
    deleteUser(tx, id);
    appendAudit(tx, door, [{ action: 'user.deleted', subject: id, before: { userName } }, ...audit]);
  });
}
