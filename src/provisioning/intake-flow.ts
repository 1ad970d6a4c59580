/**
 * People from an administrator's file, some at a time: the directory and their pins are written, and what is decided for them
 * follows for all of the file together, as of any large edit, so that the order of its rows makes no difference.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { columnsOf } from '../directory/user.ts';
import { insertUser, updateUser } from '../directory/user-store.ts';
import { Fault } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import type { UserId } from '../kernel/ids.ts';
import { sameJson } from '../kernel/same-json.ts';
import { termsAt } from '../licensing/contract.ts';
import type { Rules } from '../licensing/mapping.ts';
import { deleteSessionsOfUser } from '../sessions/session-store.ts';
import { writeMarks } from './affected-sql.ts';
import { lockArrivals } from './arrival-store.ts';
import { decide } from './decide-flow.ts';
import { markForBlue } from './decision-store.ts';
import {
  type Accepted,
  type Intake,
  type KnownPerson,
  type Refused,
  type Taken,
  takeInto,
} from './intake.ts';
import {
  foreseeDuplicates,
  type StoredPerson,
  selectArrivalFacts,
  selectPeopleNamed,
  selectWaiting,
} from './intake-store.ts';
import { endReservedPin, writePin } from './pin-store.ts';
import { placesCheck } from './places-flow.ts';
import type { Pool } from './pool.ts';
import { lockPool, writePool } from './pool-store.ts';
import type { Prospect } from './prospect.ts';
import { evaluateRest } from './rest-flow.ts';
import type { PersonFacts } from './standing.ts';
import { revisionEvent } from './user-flow.ts';

/**
 * Locks what the next people of a file may change: in a transaction that begins with it.
 *
 * @returns The pool.
 */
export async function lockForIntake(tx: TenantTransaction): Promise<Pool> {
  lockArrivals(tx, 'user');
  return await lockPool(tx);
}

/**
 * Writes people of a file, for whom is decided with all the others of it; whoever becomes inactive holds nothing from now on (I2). Whoever
 * can't be taken in is refused alone.
 *
 * @param pool As it is locked.
 * @param reason Of their pins.
 * @returns Also the pool, as it is written.
 */
export async function takeIn(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  intakes: readonly Intake[],
  reason: string,
): Promise<{ taken: Taken[]; pool: Pool }> {
  const people = await selectPeopleNamed(tx, namesOf(intakes), true);
  const taken = await takenOf(tx, door, pool.rules, intakes, people);
  const events: AuditEvent[] = [];
  const left: string[] = [];
  const moved: UserId[] = [];
  const gone: UserId[] = [];
  for (const one of taken) {
    if (one.outcome === 'refused' || one.outcome === 'unchanged') continue;
    const before = people.get(nameKeyOf(one));
    events.push(...write(tx, door, one, before, reason));
    if (before === undefined || !arrivalOf(one).isArrival) continue;
    moved.push(one.userId);
    const { active, address } = columnsOf(before.attributes);
    if (address !== null) left.push(address);
    if (active && !columnsOf(one.attributes).active) gone.push(one.userId);
  }
  // Whoever has it too comes to be the first.
  if (left.length > 0) writeMarks(tx, { addresses: left }, unstaged);
  const after = gone.length === 0 ? pool : await release(tx, door, pool, gone, events);
  // The queue asks nobody whether the address is still theirs: a seat that comes free before the end would be theirs.
  if (moved.length > 0) markIntake(tx, door, after, await selectWaiting(tx, moved));
  markForBlue(tx, moved, door.now);
  appendAudit(tx, door, events);
  return { taken, pool: after };
}

/** Takes the seats of people who are inactive now; to whom they go is decided with the others. */
async function release(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  userIds: readonly UserId[],
  events: AuditEvent[],
): Promise<Pool> {
  const evaluating = { ...pool, evaluating: true };
  const { plan, audit } = await decide(tx, door, evaluating, { userIds });
  events.push(...audit);
  return { ...evaluating, usage: plan.usage, subPools: plan.subPools, batch: plan.batch };
}

const unstaged = { keepUntil: null, staged: false, areStagedKept: false } as const;

/** Marks people to be decided for, before anybody is given a seat: everybody in a file once all of it is written. `finishIntake` does that. */
export function markIntake(tx: TenantTransaction, door: Door, pool: Pool, userIds: readonly UserId[]): void {
  if (userIds.length === 0) return;
  writeMarks(tx, { userIds }, unstaged);
  const terms = termsAt(pool.contract, door.now);
  writePool(tx, pool, { ...pool, terms, evaluating: true, isSettled: false }, door.now);
}

/** Decides for everybody who is marked, once the caller's transaction is over and before it answers. */
export function finishIntake(tx: TenantTransaction, door: Door): void {
  tx.afterCommit((database) => evaluateRest(database, door));
}

/**
 * What a file would make of what decisions rest on, and of each of its people; `duplicates` would have somebody else's address. Nothing is
 * written or locked.
 */
export async function intakeProspect(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  intakes: readonly Intake[],
): Promise<Prospect & { taken: readonly Taken[]; duplicates: ReadonlySet<UserId> }> {
  const people = await selectPeopleNamed(tx, namesOf(intakes), false);
  const taken = await takenOf(tx, door, pool.rules, intakes, people);
  const written = taken.filter(isWritten);
  const arrivals = written.flatMap((one) => {
    const { isArrival, addresses } = arrivalOf(one);
    return isArrival ? [{ id: one.userId, attributes: one.attributes, addresses }] : [];
  });
  const [facts, foreseen] = await Promise.all([
    selectArrivalFacts(tx, arrivals),
    foreseeDuplicates(tx, arrivals),
  ]);
  const changes = new Map<UserId, Partial<PersonFacts>>(
    [...foreseen].map(([id, isDuplicate]) => [id, { isDuplicate }]),
  );
  const duplicates = new Set([...foreseen].flatMap(([id, isDuplicate]) => (isDuplicate ? [id] : [])));
  const newcomers: PersonFacts[] = [];
  for (const { userId, attributes, pin, known } of written) {
    const { active, address, roleValues } = columnsOf(attributes);
    const { tie = '', ...arrival } = facts.get(userId) ?? {};
    const change = {
      ...{ active, address, roleValues },
      ...arrival,
      ...changes.get(userId),
      ...(pin === null ? {} : { pin: { ...pin, reserved: false } }),
    };
    if (known === undefined) newcomers.push({ ...nobody, ...change, id: userId, tie });
    else changes.set(userId, change);
  }
  const names = new Map(written.map(({ userId, attributes }) => [userId, String(attributes.userName)]));
  const affected = { userIds: [...new Set([...changes.keys(), ...names.keys()])] };
  return { pool, affected, intake: { changes, newcomers, names }, taken, duplicates };
}

const nobody: Omit<PersonFacts, 'id' | 'tie' | 'active' | 'address' | 'roleValues'> = {
  isDuplicate: false,
  isExcluded: false,
  isPaidInBlue: false,
  groups: new Set(),
  claimValues: [],
  defaultRole: null,
  verdict: null,
  pin: null,
  reclaimedAt: null,
  seenAt: null,
  decision: null,
  keepUntil: null,
};

async function takenOf(
  tx: TenantTransaction,
  { now }: Door,
  rules: Rules,
  intakes: readonly Intake[],
  people: ReadonlyMap<string, KnownPerson>,
): Promise<Taken[]> {
  const check = placesCheck(tx, rules);
  const taken: Taken[] = [];
  for (const intake of intakes) {
    const one = takeInto(intake, people.get(fold(intake.userName)));
    taken.push(isWritten(one) && one.pin !== null ? await withPlaces(one, now, check) : one);
  }
  return taken;
}

async function withPlaces(
  accepted: Accepted,
  now: Date,
  check: ReturnType<typeof placesCheck>,
): Promise<Taken> {
  const { pin, known, userId } = accepted;
  if (pin === null) return accepted;
  if (pin.until !== null && pin.until <= now) {
    return refusal(known === undefined ? null : userId, '"until" must lie in the future.');
  }
  const fault = await faultOf(check({ placed: pin, standing: known?.pin ?? undefined }));
  return fault === undefined ? accepted : refusal(known === undefined ? null : userId, fault.message);
}

async function faultOf(work: Promise<void>): Promise<Fault | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

function refusal(userId: UserId | null, detail: string): Refused {
  return { outcome: 'refused', userId, code: 'invalid', detail };
}

function write(
  tx: TenantTransaction,
  door: Door,
  { userId, attributes, pin, known }: Accepted,
  before: StoredPerson | undefined,
  reason: string,
): AuditEvent[] {
  const events: AuditEvent[] = [];
  if (before === undefined) {
    const { now } = door;
    const user = { id: userId, attributes, externalId: null, version: 1, createdAt: now, lastModified: now };
    insertUser(tx, user, null, fold(String(attributes.userName)));
    events.push({ action: 'user.created', subject: userId, after: { attributes, externalId: null } });
  } else if (!sameJson(before.attributes, attributes)) {
    const after = { ...before, attributes, version: before.version + 1, lastModified: door.now };
    updateUser(tx, before, after);
    events.push(revisionEvent(before, after));
    if (columnsOf(before.attributes).active && !columnsOf(attributes).active) {
      endReservedPin(tx, userId);
      deleteSessionsOfUser(tx, userId);
    }
  }
  if (pin !== null) {
    const set = { ...pin, reserved: false, reason, actor: door.actor, createdAt: door.now };
    writePin(tx, userId, set);
    events.push({ action: 'pin.set', subject: userId, before: known?.pin ?? null, after: set });
  }
  return events;
}

/** Whether the person comes, goes, or comes under another address; and the addresses whose others that concerns. */
function arrivalOf({ attributes, known }: Accepted): { isArrival: boolean; addresses: string[] } {
  const is = columnsOf(attributes);
  const was = known === undefined ? undefined : columnsOf(known.attributes);
  const isArrival = was === undefined || was.active !== is.active || was.address !== is.address;
  const addresses = isArrival ? [was?.address, is.address].flatMap((address) => address ?? []) : [];
  return { isArrival, addresses };
}

function isWritten(one: Taken): one is Accepted {
  return one.outcome === 'created' || one.outcome === 'updated';
}

function namesOf(intakes: readonly Intake[]): string[] {
  return intakes.map(({ userName }) => userName);
}

function nameKeyOf({ attributes }: Accepted): string {
  return fold(String(attributes.userName));
}
