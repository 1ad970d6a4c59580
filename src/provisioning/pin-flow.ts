/** What an administrator decides for one person by hand: pins, and kept places that are given back. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { lockUser } from '../directory/user-store.ts';
import { Fault } from '../kernel/fault.ts';
import type { UserId } from '../kernel/ids.ts';
import { termsAt } from '../licensing/contract.ts';
import type { Person } from '../licensing/desire.ts';
import { type Decision, isSeated } from '../licensing/effect.ts';
import type { Rules } from '../licensing/mapping.ts';
import { waitForBatches } from './batch-store.ts';
import { decide } from './decide-flow.ts';
import { writeDecisions } from './decision-store.ts';
import type { PinDraft } from './edit.ts';
import { loadPersons } from './person-store.ts';
import { deletePin, type StoredPin, selectPin, writePin } from './pin-store.ts';
import { requirePlaces } from './places-flow.ts';
import { lockPool } from './pool-store.ts';
import { unknownUser } from './user-flow.ts';

/**
 * Sets or replaces the pin of a person.
 *
 * @throws Fault `not_found`; `invalid` for an end that has passed, a reserved pin that can take no seat, or what Blue does not have; `no_seat` for a
 *   reserved pin when no seat is free.
 */
export async function setPin(
  database: Database,
  door: Door,
  userId: UserId,
  draft: PinDraft,
): Promise<StoredPin> {
  refusePast(draft, door.now);
  const pin: StoredPin = { ...draft, actor: door.actor, createdAt: door.now };
  return await inTenant(database, door.tenantId, async (tx) => {
    const [pool, user] = await Promise.all([lockPool(tx), lockUser(tx, userId, null)]);
    if (user === undefined) throw unknownUser(userId);
    refuseInactive(pin, user.attributes.active !== false);
    if (pin.reserved) refuseVain(pin, await personOf(tx, userId), pool.rules);
    const before = await selectPin(tx, userId);
    await requirePlaces(tx, pool.rules, draft, before);
    writePin(tx, userId, pin);
    const reserving = pin.reserved ? userId : null;
    const { audit } = await decide(tx, door, pool, { userIds: [userId] }, { reserving });
    if (pin.reserved) refuseWithoutSeat((await personOf(tx, userId)).decision);
    appendAudit(tx, door, [
      { action: 'pin.set', subject: userId, before: before ?? null, after: pin },
      ...audit,
    ]);
    return pin;
  });
}

export function refusePast({ until }: PinDraft, now: Date): void {
  if (until === null || now < until) return;
  throw new Fault('invalid', '"until" must lie in the future.', { field: 'until' });
}

export function refuseInactive({ reserved }: PinDraft, isActive: boolean): void {
  if (!reserved || isActive) return;
  throw new Fault('invalid', 'A reserved pin needs an active person.', { field: 'reserved' });
}

/** @throws Fault `invalid` for a reserved pin that makes no claim: it would be told as reserved, and have no seat. */
export function refuseVain(
  { reserved, role }: PinDraft,
  { isExcluded, isDuplicate }: Pick<Person, 'isExcluded' | 'isDuplicate'>,
  { catalogue }: Pick<Rules, 'catalogue'>,
): void {
  if (!reserved) return;
  const isFree = catalogue.roleOf(role).billing === 'free';
  const why = isFree
    ? `${role} is free, and takes none`
    : isExcluded
      ? "this person is on the tenant's list of exclusions"
      : isDuplicate
        ? 'another person has this address'
        : undefined;
  if (why === undefined) return;
  throw new Fault('invalid', `"reserved" has no seat to take: ${why}.`, { field: 'reserved' });
}

/** @throws Fault `not_found`. */
export async function personOf(tx: TenantTransaction, userId: UserId) {
  const [person] = await loadPersons(tx, { userIds: [userId] }, null);
  if (person === undefined) throw unknownUser(userId);
  return person;
}

/** A reserved pin takes its seat when it is set. */
export function refuseWithoutSeat(decision: Decision | null): void {
  if (decision?.claim == null || isSeated(decision.seat)) return;
  throw new Fault('no_seat', 'No seat is free to be reserved: free one, or pin without reserving.');
}

/** Takes the pin away. @throws Fault `not_found` for an unknown person, or one without a pin. */
export async function removePin(database: Database, door: Door, userId: UserId): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const [pool, user] = await Promise.all([lockPool(tx), lockUser(tx, userId, null)]);
    if (user === undefined) throw unknownUser(userId);
    const before = await pinOf(tx, userId);
    deletePin(tx, userId);
    const { audit } = await decide(tx, door, pool, { userIds: [userId] });
    appendAudit(tx, door, [{ action: 'pin.removed', subject: userId, before }, ...audit]);
  });
}

/** @throws Fault `not_found`. */
export async function pinOf(tx: TenantTransaction, userId: UserId): Promise<StoredPin> {
  const pin = await selectPin(tx, userId);
  if (pin === undefined) throw new Fault('not_found', 'This person has no pin.');
  return pin;
}

/** Gives a kept place back now. @throws Fault `not_found` for an unknown person, or one for whom none is kept. */
export async function releaseHold(database: Database, door: Door, userId: UserId): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const [pool, [person]] = await Promise.all([lockPool(tx), loadPersons(tx, { userIds: [userId] }, null)]);
    if (person === undefined) throw unknownUser(userId);
    const { decision, tie } = person;
    if (decision?.kept == null) throw new Fault('not_found', 'No place is kept for this person.');
    // It ends now: the decision then is what it is once its time is over.
    const kept = { ...decision.kept, until: door.now };
    const after = { ...decision, kept };
    const terms = termsAt(pool.contract, door.now);
    if (pool.evaluating) await waitForBatches(tx, [userId]);
    const grounds = { persons: [person], rules: pool.rules, terms, now: door.now };
    writeDecisions(tx, [{ userId, tie, before: decision, after }], grounds);
    const { audit } = await decide(tx, door, pool, { userIds: [userId] });
    appendAudit(tx, door, [{ action: 'hold.released', subject: userId, before: decision.kept }, ...audit]);
  });
}
