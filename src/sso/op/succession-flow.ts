/** A person who signs in again in the same browser, or somebody else who does: one session follows the other, so that none is left behind. */

import type { Database } from '../../db/database.ts';
import { inTenant } from '../../db/tenant-transaction.ts';
import type { TenantId, UserId } from '../../kernel/ids.ts';
import { endSession } from '../../sessions/session-flow.ts';
import { moveArtefacts, moveSignIns } from './artefact-store.ts';

export interface HeldSession {
  tenantId: TenantId;
  userId: UserId;
  /** Of the session's row. */
  hash: string;
}

/** Of the same person, what applications were given goes on; another's ends. */
export async function succeed(database: Database, before: HeldSession, after: HeldSession): Promise<void> {
  const { tenantId, userId, hash } = before;
  if (tenantId === after.tenantId && userId === after.userId) {
    await moveArtefacts(database, { tenantId, sessionHash: hash }, after.hash);
    await inTenant(database, tenantId, async (tx) => moveSignIns(tx, hash, after.hash));
  }
  await endSession(database, tenantId, hash);
}
