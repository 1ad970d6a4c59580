/** An administrator's word on the claim of a person, where mapping or role ask for it. */

import { sql } from 'kysely';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Decision } from '../licensing/effect.ts';
import { decide } from './decide-flow.ts';
import { loadPersons } from './person-store.ts';
import { lockPool } from './pool-store.ts';
import { unknownUser } from './user-flow.ts';

export interface VerdictDraft {
  isGranted: boolean;
  reason: string | null;
}

/**
 * Approves a claim, which then has the rank of the time it was made; or refuses it: paid roles stay their fallback. The word holds
 * for the rule that was asked about.
 *
 * @throws Fault `not_found`; `conflict` for a person whose claim needs no word.
 */
export async function giveVerdict(
  database: Database,
  door: Door,
  userId: UserId,
  draft: VerdictDraft,
): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const [pool, [person]] = await Promise.all([lockPool(tx), loadPersons(tx, { userIds: [userId] }, null)]);
    if (person === undefined) throw unknownUser(userId);
    const via = askedBy(person.decision);
    if (via === undefined)
      throw new Fault('conflict', 'No claim of this person waits for an approval, or was refused one.');
    writeVerdict(tx, door, userId, via, draft);
    const { audit } = await decide(tx, door, pool, { userIds: [userId] });
    const action = draft.isGranted ? 'claim.approved' : 'claim.refused';
    appendAudit(tx, door, [{ action, subject: userId, after: { via, reason: draft.reason } }, ...audit]);
  });
}

/** The rule of the best paid role; undefined: nobody is asked about it. */
function askedBy(decision: Decision | null): string | undefined {
  if (decision?.approval == null) return undefined;
  return decision.requested.find(({ billing }) => billing === 'paid')?.via;
}

function writeVerdict(
  tx: TenantTransaction,
  door: Door,
  userId: UserId,
  via: string,
  { isGranted, reason }: VerdictDraft,
): void {
  tx.send(sql`
    insert into seat_approvals (tenant_id, user_id, via, is_granted, reason, actor, created_at)
    values (${tx.tenantId}, ${userId}, ${via}, ${isGranted}, ${reason}, ${JSON.stringify(door.actor)}, ${door.now})
    on conflict (tenant_id, user_id) do update set via = excluded.via, is_granted = excluded.is_granted,
      reason = excluded.reason, actor = excluded.actor, created_at = excluded.created_at
  `);
}
