/** Ends a session that its person signs out of, and all of a connection. */

import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId, TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import {
  beginEpoch,
  deleteSession,
  deleteSessionsOfEpochsBefore,
  type EndedSession,
} from './session-store.ts';

/** Answers what a logout at the identity provider would name; undefined: the session was over already. */
export async function endSession(
  database: Database,
  tenantId: TenantId,
  hash: string,
): Promise<EndedSession | undefined> {
  return await inTenant(database, tenantId, (tx) => deleteSession(tx, hash));
}

/**
 * With COMMIT nobody is signed in by them any more, and no login that was begun before makes one. What applications hold by them goes
 * with their rows, before the call answers; what a process that died leaves of it the housekeeping takes.
 *
 * @param id Of a connection whose row is locked, so that no login is being written.
 */
export function endSessionsOfConnection(tx: TenantTransaction, id: ConnectionId): void {
  beginEpoch(tx, id);
  tx.afterCommit(async (database) => {
    const some = (of: TenantTransaction) =>
      deleteSessionsOfEpochsBefore(of, limits.sessionsEndedPerStatement);
    while ((await inTenant(database, tx.tenantId, some)) > 0);
  });
}
