/**
 * People whom Blue has by itself come under the gateway: of each a person of the directory, and a pin that says what they have in Blue
 * already, so that nothing changes there. The seat that was counted as unmanaged is theirs then.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { notConnected } from '../blue/connection-flow.ts';
import { selectConnection } from '../blue/connection-store.ts';
import type { FoundMember, Ownership } from '../blue/unmanaged.ts';
import { selectMember, selectUnmanaged } from '../blue/unmanaged-store.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { insertUser, lockUser } from '../directory/user-store.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { newId, type TenantId, type UserId } from '../kernel/ids.ts';
import { termsAt } from '../licensing/contract.ts';
import { isSeated } from '../licensing/effect.ts';
import { type Adoption, type AdoptionRules, adoptionOf, type Obstacle, obstacles } from './adoption.ts';
import { lockArrivals } from './arrival-store.ts';
import { decide } from './decide-flow.ts';
import { personOf } from './pin-flow.ts';
import { type StoredPin, writePin } from './pin-store.ts';
import { adoptedMax } from './plan.ts';
import type { Pool } from './pool.ts';
import { lockPool, readPool } from './pool-store.ts';

/** Somebody who could be adopted, or why not. */
export interface Unmanaged extends Adoption {
  member: FoundMember;
}

export interface Adopted {
  blueUserId: string;
  /** `unchanged`: somebody of ours has the seat already. */
  result: 'adopted' | 'unchanged' | 'refused';
  userId: UserId | null;
  seat: 'held' | 'overage' | null;
  why: Obstacle | null;
  /** What they have in Blue, once they are found there. */
  adoption: Adoption | null;
}

/** @throws Fault `not_found` without a connection; `unavailable` while Blue's lists are not known. */
export async function listUnmanaged(
  database: Database,
  tenantId: TenantId,
  page: { after: string; most: number },
  now: Date,
): Promise<Unmanaged[]> {
  return await inTenant(database, tenantId, async (tx) => {
    const rules = await rulesOfAdoption(tx, await readPool(tx), now);
    const members = await selectUnmanaged(tx, rules, page);
    return members.map((member) => ({ member, ...adoptionOf(member, rules) }));
  });
}

/**
 * Adopts each of these people in a transaction of its own, in the order given.
 *
 * @throws Fault as `listUnmanaged`; `conflict` where it was approved, and the approval was decided otherwise meanwhile.
 */
export async function adopt(
  database: Database,
  door: Door,
  blueUserIds: readonly string[],
  reason: string,
): Promise<Adopted[]> {
  const adopted: Adopted[] = [];
  for (const blueUserId of new Set(blueUserIds)) {
    try {
      adopted.push(await adoptOne(database, door, blueUserId, reason));
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'no_seat') throw error;
      adopted.push({ ...nothing, blueUserId, result: 'refused', why: 'no_seat' });
    }
  }
  // Whoever approves is answered with the request, not with what came of it.
  if (door.approval !== undefined) await tellRefused(database, door, adopted);
  return adopted;
}

const nothing = { userId: null, seat: null, why: null, adoption: null };

async function tellRefused(database: Database, door: Door, adopted: readonly Adopted[]): Promise<void> {
  const refused = adopted.filter(({ result }) => result === 'refused');
  if (refused.length === 0) return;
  await inTenant(database, door.tenantId, async (tx) =>
    appendAudit(
      tx,
      door,
      refused.map(
        ({ blueUserId, userId, why }): AuditEvent => ({
          ...{ action: 'adoption.refused', subject: userId, after: { blueUserId, code: why } },
        }),
      ),
    ),
  );
}

async function adoptOne(
  database: Database,
  door: Door,
  blueUserId: string,
  reason: string,
): Promise<Adopted> {
  return await inTenant(database, door.tenantId, async (tx) => {
    // Whoever comes at the same time under the address is seen, or sees this one.
    lockArrivals(tx, 'rule');
    const pool = await lockPool(tx);
    const rules = await rulesOfAdoption(tx, pool, door.now);
    const member = await selectMember(tx, rules, blueUserId);
    if (member === undefined) return { ...nothing, blueUserId, result: 'refused', why: 'unknown' };
    const known = { ...nothing, blueUserId, userId: member.user?.id ?? null };
    if (member.isSeated) return { ...known, result: 'unchanged', seat: await seatOf(tx, known.userId) };
    const adoption = adoptionOf(member, rules);
    if (adoption.why !== null) return { ...known, result: 'refused', why: adoption.why, adoption };
    const given = await give(tx, door, pool, member, adoption, reason);
    return { ...known, ...given, result: 'adopted', adoption };
  });
}

async function give(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  { blueUserId, address, user }: FoundMember,
  { role, workspaces, memberships }: Adoption,
  reason: string,
): Promise<Pick<Adopted, 'userId' | 'seat'>> {
  assert(address !== null && role !== null, 'who can be adopted has an address and a role');
  if (user !== null) await lockUser(tx, user.id, null);
  const made = user === null ? insertPerson(tx, door, address) : null;
  const userId = user?.id ?? made?.id;
  assert(userId !== undefined, 'there is a person by now');
  const pin: StoredPin = {
    ...{ role, workspaces, until: null, reserved: false, reason },
    ...{ actor: door.actor, createdAt: door.now },
  };
  writePin(tx, userId, pin);
  const { audit } = await decide(tx, door, pool, { userIds: [userId], addresses: [address] });
  const { decision } = await personOf(tx, userId);
  const seat = decision?.seat ?? 'none';
  const isKept = decision?.effective.every((given) => given.role === role) ?? false;
  if (!isSeated(seat) || !isKept) throw new Fault('no_seat', obstacles.no_seat);
  const events: AuditEvent[] = [
    ...(made === null ? [] : [made.event]),
    { action: 'user.adopted', subject: userId, after: { blueUserId, address, memberships, reason } },
    { action: 'pin.set', subject: userId, after: pin },
  ];
  appendAudit(tx, door, [...events, ...audit]);
  return { userId, seat };
}

/** Nobody's: a directory that pushes the person later finds it by userName, as any other. */
function insertPerson(
  tx: TenantTransaction,
  { now }: Door,
  address: string,
): { id: UserId; event: AuditEvent } {
  const draft = {
    attributes: { userName: address, active: true, emails: [{ value: address, primary: true }] },
    externalId: null,
  };
  const id = newId<UserId>(now.getTime());
  const user = { ...draft, id, version: 1, createdAt: now, lastModified: now };
  insertUser(tx, user, null, address);
  return { id, event: { action: 'user.created', subject: id, after: draft } };
}

async function seatOf(tx: TenantTransaction, userId: UserId | null): Promise<Adopted['seat']> {
  if (userId === null) return null;
  const seat = (await personOf(tx, userId)).decision?.seat ?? 'none';
  return isSeated(seat) ? seat : null;
}

/** @throws Fault `not_found` without a connection; `unavailable` while Blue's lists are not known. */
export async function rulesOfAdoption(
  tx: TenantTransaction,
  { usage, contract }: Pool,
  now: Date,
): Promise<AdoptionRules & Ownership> {
  const connection = await selectConnection(tx);
  if (connection === undefined) throw notConnected();
  const { organization, readAt, managedWorkspaces, exclusions, catalogue } = connection;
  if (organization === null || readAt === null)
    throw new Fault('unavailable', connection.cause ?? 'Blue’s lists are being read: try again in a moment.');
  const terms = termsAt(contract, now);
  const { ownerUserId, selfUserId } = organization;
  // Where an evaluation is over for good paid roles fall back, also of who has a seat.
  const room = terms.phase === 'frozen' ? 0 : adoptedMax(usage, terms);
  return { ownerUserId, selfUserId, managedWorkspaces, exclusions, catalogue, room };
}
