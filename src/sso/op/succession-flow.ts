/** A person who signs in again in the same browser, or somebody else who does: one session follows the other, so that none is left behind. */

import { appendAudit } from '../../audit/audit-store.ts';
import type { Door } from '../../audit/door.ts';
import type { Database } from '../../db/database.ts';
import { inTenant } from '../../db/tenant-transaction.ts';
import { areOfOnePerson, deleteSession } from '../../sessions/session-store.ts';
import type { HeldSession } from '../core/held-session.ts';
import { moveArtefacts, moveSignIns } from './artefact-store.ts';

/** Of the same person, what applications were given goes on; another's ends, also in another tenant, and its trail says so. */
export async function succeed(
  database: Database,
  { tenantId, hash }: HeldSession,
  after: HeldSession,
  { now, requestId }: Pick<Door, 'now' | 'requestId'>,
): Promise<void> {
  const isTheirs =
    tenantId === after.tenantId &&
    (await inTenant(database, tenantId, (tx) => areOfOnePerson(tx, hash, after.hash, now)));
  if (!isTheirs) return await leave(database, { tenantId, hash }, { now, requestId });
  await moveArtefacts(database, { tenantId, sessionHash: hash }, after.hash);
  await inTenant(database, tenantId, async (tx) => {
    moveSignIns(tx, hash, after.hash);
    await deleteSession(tx, hash);
  });
}

/** Ends a session that another one takes the place of, and its trail says so. */
export async function leave(
  database: Database,
  { tenantId, hash }: HeldSession,
  { now, requestId }: Pick<Door, 'now' | 'requestId'>,
): Promise<void> {
  await inTenant(database, tenantId, async (tx) => {
    const ended = await deleteSession(tx, hash);
    if (ended === undefined) return;
    const door: Door = {
      tenantId,
      now,
      requestId,
      actor: { kind: 'system', rule: 'one session in a browser' },
    };
    const { userId, connectionId: connection } = ended;
    appendAudit(tx, door, [{ action: 'user.session_replaced', subject: userId, before: { connection } }]);
  });
}
