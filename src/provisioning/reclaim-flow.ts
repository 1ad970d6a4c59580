/**
 * Seats that lie idle: looks at a tenant's seats and takes each open case one step on, and what administrators say of a case. A
 * seat that is taken goes to the head of the queue in the same transaction.
 */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import type { UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { termsAt } from '../licensing/contract.ts';
import { isSeated } from '../licensing/effect.ts';
import {
  afterStep,
  inState,
  type Reclaim,
  type ReclaimStep,
  reclaimStep,
  undoUntil,
} from '../licensing/reclaim.ts';
import { decide } from './decide-flow.ts';
import type { Pool } from './pool.ts';
import { lockPool } from './pool-store.ts';
import {
  findCases,
  findDueReclaims,
  lookNow,
  lookNowIfSeen,
  type ReclaimCase,
  type ReclaimView,
  selectCases,
  selectLook,
  selectReclaim,
  writeNextLook,
  writeReclaims,
} from './reclaim-store.ts';
import { unknownUser } from './user-flow.ts';

/** Blue's lists are read every quarter of an hour: older ones say that Blue is silent, or that the gateway was down. */
const freshMs = 3_600_000;
/** Of one look: what it finds takes as long as there are people, and so serves several batches. */
const batchesMax = 10;
const most = limits.peoplePerDecision;

/**
 * Looks at the seats of the tenants for whom it is time, some batches of each. Answers how many tenants there were.
 *
 * @param realNow By the clock that Blue's lists were read by, which is not moved.
 * @throws AggregateError of the tenants for which it failed, after the others were looked at.
 */
export async function reclaimDue(
  database: Database,
  { now, realNow }: { now: Date; realNow: Date },
  tenants: number,
): Promise<number> {
  const readSince = new Date(realNow.getTime() - freshMs);
  const due = await findDueReclaims(database, now, readSince, tenants);
  const failures: unknown[] = [];
  for (const tenantId of due) {
    const door: Door = { tenantId, actor: { kind: 'system', rule: 'idle seats' }, now, requestId: null };
    await look(database, door).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) {
    throw new AggregateError(
      failures,
      `the seats of ${failures.length} of ${due.length} tenants were not looked at`,
    );
  }
  return due.length;
}

/** Who may be concerned is looked for before the pool is locked, since it takes as long as there are people. */
async function look(database: Database, door: Door): Promise<void> {
  const found = await inTenant(database, door.tenantId, async (tx) => {
    const plan = await selectLook(tx);
    const userIds = await findCases(tx, plan, door.now, batchesMax * most);
    if (userIds.length === 0) writeNextLook(tx, plan, door.now);
    return userIds;
  });
  for (let from = 0; from < found.length; from += most) {
    const batch = found.slice(from, from + most);
    await inTenant(database, door.tenantId, (tx) => stepOn(tx, door, batch));
  }
}

/** Where anything was done it stays due, so that the next look takes the next step, or finds nothing. */
async function stepOn(tx: TenantTransaction, door: Door, userIds: readonly UserId[]): Promise<void> {
  const { now } = door;
  const [pool, plan, cases] = await Promise.all([
    lockPool(tx),
    selectLook(tx),
    selectCases(tx, userIds, now),
  ]);
  // A frozen evaluation keeps its seats: nobody can use them, and a contract restores what was.
  const isFrozen = termsAt(pool.contract, now).phase === 'frozen';
  const changes = isFrozen
    ? []
    : cases.flatMap((one) => changeOf(one, reclaimStep(one, plan.idleDays, now), now));
  if (changes.length === 0) writeNextLook(tx, plan, now);
  else await write(tx, door, pool, changes);
}

interface ReclaimChange {
  userId: UserId;
  action: string;
  before: Reclaim | null;
  after: Reclaim;
}

const actions = {
  notice: 'reclaim.noticed',
  remind: 'reclaim.reminded',
  take: 'reclaim.taken',
  withdraw: 'reclaim.withdrawn',
  return: 'reclaim.returned',
} as const satisfies Record<ReclaimStep, string>;

function changeOf(one: ReclaimCase, step: ReclaimStep | null, now: Date): ReclaimChange[] {
  if (step === null) return [];
  const { userId, reclaim: before } = one;
  return [{ userId, action: actions[step], before, after: afterStep(one, step, now) }];
}

async function write(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  changes: readonly ReclaimChange[],
): Promise<void> {
  writeReclaims(tx, changes);
  const events = changes.map(({ userId: subject, ...event }) => ({ subject, ...event }));
  const turned = changes.filter(({ before, after }) => isTaken(before) !== isTaken(after));
  const userIds = turned.map(({ userId }) => userId);
  const decisions = userIds.length === 0 ? [] : (await decide(tx, door, pool, { userIds })).audit;
  appendAudit(tx, door, [...events, ...decisions]);
}

function isTaken(reclaim: Reclaim | null): boolean {
  return reclaim?.state === 'taken';
}

/**
 * Says that a person keeps the seat, or claims one again if it was taken: idleness is counted from now on.
 *
 * @throws Fault `not_found` for an unknown person; `conflict` for one who has no seat and of whom none was taken.
 */
export function keepSeat(database: Database, door: Door, userId: UserId): Promise<ReclaimView> {
  return change(database, door, userId, 'reclaim.kept', ({ reclaim, seat, seenAt }) => {
    const isOpen = reclaim !== null && (reclaim.state === 'noticed' || isTaken(reclaim));
    if (!isTaken(reclaim) && (seat === null || !isSeated(seat))) {
      throw new Fault('conflict', 'This person has no seat to keep.');
    }
    return inState(isOpen ? reclaim : null, 'kept', seenAt, door.now);
  });
}

/**
 * Takes the taking of a seat back: the person has it again if one is free, else waits with the rank of the old claim.
 *
 * @throws Fault `not_found` for an unknown person, or one of whom no seat was taken; `conflict` when it is too late.
 */
export function undoReclaim(database: Database, door: Door, userId: UserId): Promise<ReclaimView> {
  return change(database, door, userId, 'reclaim.undone', ({ reclaim, seenAt }) => {
    if (reclaim === null || reclaim.state !== 'taken' || reclaim.takenAt === null) {
      throw new Fault('not_found', 'No seat of this person was taken.');
    }
    const until = undoUntil(reclaim.takenAt);
    if (until <= door.now) {
      const late = `That could be undone until ${until.toISOString()}.`;
      throw new Fault('conflict', `${late} Say that the seat is kept, and the person claims one again.`);
    }
    return inState(reclaim, 'undone', seenAt, door.now);
  });
}

async function change(
  database: Database,
  door: Door,
  userId: UserId,
  action: string,
  next: (facts: ReclaimCase) => Reclaim,
): Promise<ReclaimView> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const [pool, [facts]] = await Promise.all([lockPool(tx), selectCases(tx, [userId], door.now)]);
    if (facts === undefined) throw unknownUser(userId);
    await write(tx, door, pool, [{ userId, action, before: facts.reclaim, after: next(facts) }]);
    const view = await selectReclaim(tx, userId);
    assert(view !== undefined, 'the case was just written');
    return view;
  });
}

/** People were seen: those of whom a case is open are looked at soon. */
export async function noteActivity(database: Database, door: Door): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => lookNowIfSeen(tx, door.now));
}

/** Where the clock went back, the next look is too far ahead. */
export async function lookAgain(database: Database, door: Door): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => lookNow(tx, door.now));
}
