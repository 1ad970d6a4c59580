/** A refusal is decided inside a transaction that then keeps nothing; its audit row is committed before it is told. */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { UserId } from '../kernel/ids.ts';
import { roomIn } from '../licensing/admit.ts';
import { hasPlace, shareOf, sharesOf } from '../licensing/sub-pool.ts';
import { guardedSince } from './block-guard-flow.ts';
import { countRefusal } from './block-guard-store.ts';
import type { Plan } from './plan.ts';
import type { Pool } from './pool.ts';

class Refused extends Error {
  readonly fault: Fault;
  readonly event: AuditEvent;

  constructor(fault: Fault, event: AuditEvent) {
    super(fault.message);
    this.fault = fault;
    this.event = event;
  }
}

/** Runs `work`; a refusal in it is written to the audit trail and then thrown as its fault. */
export async function withRefusals<T>(database: Database, door: Door, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    await inTenant(database, door.tenantId, async (tx) => {
      appendAudit(tx, door, [error.event]);
      const { actor, now } = door;
      if (actor.kind === 'directory') countRefusal(tx, actor.id, now, guardedSince(now));
    });
    throw error.fault;
  }
}

/**
 * Under policy `block`, refuses a person who comes (back) and would have to wait for a seat; who only waits for the end of a
 * batch, or for an approval, is not refused.
 *
 * @param pool As it was before.
 */
export function seatRefusal(
  { requestId }: Pick<Door, 'requestId'>,
  id: UserId,
  { changes, terms, usage: after, subPools }: Plan,
  { usage }: Pick<Pool, 'usage'>,
): void {
  const wish = changes.find(({ userId }) => userId === id)?.after;
  if (terms.policy !== 'block' || wish?.seat !== 'waiting' || wish.approval !== null || wish.isUnasked)
    return;
  const share = shareOf(sharesOf(subPools, terms, after), wish.subPool);
  if (terms.grants && roomIn(terms, after).held > 0 && hasPlace(share)) return;
  const { held, overage, onHold, unmanagedPaid } = usage;
  const used = held + overage + onHold + unmanagedPaid;
  const tier = terms.tier === null ? '' : ` of tier ${terms.tier}`;
  const own = hasPlace(share)
    ? ''
    : `the sub-pool "${wish.subPool}" has the ${share.limit} that it may have, and `;
  const seats = `${own}${used} of ${terms.capacity ?? 'unlimited'} seats${tier} are in use`;
  // Groups, pushed roles, a pin or the default role may ask for it: the sentence holds for all.
  const why = `No seat is free for the paid role that this person is to have: ${seats}`;
  const reference = requestId === null ? '' : ` (reference ${requestId})`;
  const fault = new Fault('no_seat', `${why}; free one or extend the contract, then try again${reference}.`);
  throw new Refused(fault, {
    action: 'user.refused',
    subject: id,
    after: { requested: wish.requested },
    inputs: { usage, capacity: terms.capacity, policy: terms.policy },
  });
}
