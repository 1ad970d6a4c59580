/**
 * Every write of a user but the last (user-removal-flow.ts), whichever door it comes through: one transaction for the directory,
 * the decision, its audit and the mark for Blue.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, Restart, type TenantTransaction } from '../db/tenant-transaction.ts';
import { columnsOf, type User } from '../directory/user.ts';
import { insertUser, type KnownUser, lockUser, updateUser, upsertSource } from '../directory/user-store.ts';
import { assert } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import { type DirectoryId, newId, type UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { sameJson } from '../kernel/same-json.ts';
import { termsAt } from '../licensing/contract.ts';
import { seatView } from '../licensing/effect.ts';
import { deleteSessionsOfUser } from '../sessions/session-store.ts';
import { liftTombstonesOf } from '../sso/tombstone-store.ts';
import { lockArrivals } from './arrival-store.ts';
import { type Creation, insertUnanswered } from './creation-store.ts';
import { type Decided, decide } from './decide-flow.ts';
import { keepUntilOf } from './kept-places.ts';
import type { Making } from './made-people-store.ts';
import { endReservedPin } from './pin-store.ts';
import type { Pool } from './pool.ts';
import {
  type ForeseenUser,
  lockPool,
  lockPoolIfArrivalsDecide,
  lockPoolIfUserDiffers,
} from './pool-store.ts';
import { seatRefusal, withRefusals } from './refusal-flow.ts';
import type { UserView } from './user-view.ts';
import { selectUserView } from './user-view-store.ts';

export interface UserDraft {
  attributes: JsonObject;
  externalId: string | null;
}

/**
 * Whether a change can touch what a decision rests on, as far as the request tells before the user is read. A wrong
 * `never` costs a second try, a wrong `always` a wait for the pool.
 */
export type Foresight = 'never' | 'always' | ForeseenUser;

export interface CreationExtras {
  creation?: Creation<UserId>;
  making?: Making;
  also?: (tx: TenantTransaction, id: UserId) => Promise<void>;
}

const nobodys: Making = { claimValues: [], defaultRole: null };

/**
 * A new user is in no group yet, so that nothing is decided and the seat pool is not locked, unless the tenant has a default
 * role or maps a role that the identity provider pushed, or a group that it claims, or has a
 * default role of their own.
 *
 * @param directory Whose externalId the draft holds; null: nobody's.
 * @param creation The id it is to have, written down until its answer is out.
 * @param making Where a connection makes the person.
 * @param also What else is written in the same transaction.
 * @throws Fault `conflict` when userName, or externalId in this directory, is taken; `no_seat` when policy `block` refuses a directory: whom a
 *   connection makes waits, as whoever joins a group does.
 */
export async function createUser(
  database: Database,
  door: Door,
  directory: { id: DirectoryId; name: string } | null,
  draft: UserDraft,
  { creation, making = nobodys, also }: CreationExtras = {},
): Promise<UserView> {
  const user: User = {
    ...draft,
    id: creation?.id ?? newId<UserId>(door.now.getTime()),
    version: 1,
    createdAt: door.now,
    lastModified: door.now,
  };
  const { userName, address, roleValues } = columnsOf(draft.attributes);
  const tieKey = draft.externalId ?? fold(userName);
  const work = async (tx: TenantTransaction) => {
    lockArrivals(tx, 'user');
    const deciding = lockPoolIfArrivalsDecide(tx, { ...making, roleValues });
    insertUser(tx, user, directory?.id ?? null, tieKey, making);
    if (directory !== null) {
      const names = [fold(userName), ...(address === null ? [] : [address])];
      liftTombstonesOf(tx, directory.id, { names, externalId: draft.externalId });
    }
    if (creation !== undefined && directory !== null) insertUnanswered(tx, creation, directory.id, door.now);
    const pool = await deciding;
    const decided = pool === null ? null : await decideArrival(tx, door, pool, user.id, address);
    if (directory !== null && pool !== null && decided !== null)
      seatRefusal(door, user.id, decided.plan, pool);
    await also?.(tx, user.id);
    appendAudit(tx, door, [
      { action: 'user.created', subject: user.id, after: draft },
      ...(decided?.audit ?? []),
    ]);
    return pool === null ? undefined : await selectUserView(tx, user.id, door.now, viewed);
  };
  const viewed = { directoryId: directory?.id ?? null, withGroups: false };
  const view = await withRefusals(database, door, () =>
    refuseTaken(draft, () => inTenant(database, door.tenantId, work)),
  );
  return view ?? undecided(user, address, directory);
}

async function decideArrival(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  id: UserId,
  address: string | null,
): Promise<Decided> {
  return await decide(tx, door, pool, { userIds: [id], addresses: address === null ? [] : [address] });
}

function undecided(user: User, address: string | null, directory: { name: string } | null): UserView {
  return {
    user,
    address,
    sources: directory === null ? [] : [directory.name],
    groups: [],
    decision: null,
    stagedSince: null,
    seat: seatView(null, null, {
      ...termsAt(undefined, user.createdAt),
      ...{ batch: null, share: null, excessUntil: null, isStaged: false },
    }),
    blue: { state: 'none', code: null, detail: null },
  };
}

export interface UserRevision {
  id: UserId;
  /** Whose externalId the draft holds; null: nobody's. */
  directoryId: DirectoryId | null;
  /** A pure function of what the user is now, and of its version. */
  revise: (current: UserDraft, version: number) => UserDraft;
  foresight: Foresight;
  /** Whether the answer holds the user's groups. */
  withGroups: boolean;
}

/**
 * Changes a user and answers what has become of it. What changes nothing writes nothing.
 *
 * @throws Fault `not_found`; `conflict` as for create; `no_seat` when policy `block` refuses a reactivation;
 *   whatever `revise` throws.
 */
export async function reviseUser(database: Database, door: Door, revision: UserRevision): Promise<UserView> {
  const { id, directoryId } = revision;
  let { foresight } = revision;
  let draft: UserDraft | undefined;
  const work = async (tx: TenantTransaction) => {
    const [pool, current] = await Promise.all([poolFor(tx, id, foresight), lockUser(tx, id, directoryId)]);
    if (current === undefined) throw unknownUser(id);
    const { attributes, externalId, version } = current;
    draft = revision.revise({ attributes, externalId }, version);
    const after = next(current, draft, door.now);
    if (isDecisive(current, after) && pool === null) {
      foresight = 'always';
      throw new Restart();
    }
    await writeRevision(tx, door, directoryId, pool, current, after);
    const view = await selectUserView(tx, id, door.now, revision);
    assert(view !== undefined, 'a locked user is there');
    return view;
  };
  return await withRefusals(database, door, () =>
    refuseTaken(
      () => draft,
      () => inTenant(database, door.tenantId, work),
    ),
  );
}

function poolFor(tx: TenantTransaction, id: UserId, foresight: Foresight): Promise<Pool | null> {
  if (foresight === 'never') return Promise.resolve(null);
  return foresight === 'always' ? lockPool(tx) : lockPoolIfUserDiffers(tx, id, foresight);
}

function next(current: KnownUser, draft: UserDraft, now: Date): User {
  const same = current.externalId === draft.externalId && sameJson(current.attributes, draft.attributes);
  return same ? current : { ...current, ...draft, version: current.version + 1, lastModified: now };
}

/** Exclusions go by userName, too. */
const decisive = ['active', 'address', 'userNameKey'] as const;

function isDecisive(before: User, after: User): boolean {
  const [a, b] = [columnsOf(before.attributes), columnsOf(after.attributes)];
  return decisive.some((name) => a[name] !== b[name]) || a.roleValues.join('\n') !== b.roleValues.join('\n');
}

async function writeRevision(
  tx: TenantTransaction,
  door: Door,
  directoryId: DirectoryId | null,
  pool: Pool | null,
  before: KnownUser,
  after: User,
): Promise<void> {
  if (after !== before) updateUser(tx, before, after);
  const isNewSource =
    directoryId !== null && (!before.isKnownToDirectory || before.externalId !== after.externalId);
  if (isNewSource) upsertSource(tx, after.id, directoryId, after.externalId);
  const events: AuditEvent[] = after === before ? [] : [revisionEvent(before, after)];
  if (isNewSource && after === before) {
    events.push({
      action: 'user.linked',
      subject: after.id,
      after: { directoryId, externalId: after.externalId },
    });
  }
  if (pool !== null && isDecisive(before, after)) {
    const [was, is] = [columnsOf(before.attributes), columnsOf(after.attributes)];
    const addresses = [was.address, is.address].filter((address) => address !== null);
    if (was.active && !is.active) {
      endReservedPin(tx, after.id);
      deleteSessionsOfUser(tx, after.id);
    }
    const alsoMark = was.active === is.active && was.address === is.address ? [] : [after.id];
    const keepUntil = keepUntilOf(door, pool);
    const circumstances = { alsoMark, keepUntil, isSync: door.actor.kind === 'directory' };
    const decided = await decide(tx, door, pool, { userIds: [after.id], addresses }, circumstances);
    if (!was.active && is.active) seatRefusal(door, after.id, decided.plan, pool);
    events.push(...decided.audit);
  }
  appendAudit(tx, door, events);
}

/** Only what differs, so that the trail reads as the change it was. */
export function revisionEvent(before: User, after: User): AuditEvent {
  const names = [...new Set([...Object.keys(before.attributes), ...Object.keys(after.attributes)])].filter(
    (name) => !sameJson(before.attributes[name], after.attributes[name]),
  );
  const pick = ({ attributes, externalId }: User) => ({
    ...Object.fromEntries(names.map((name) => [name, attributes[name] ?? null])),
    ...(before.externalId === after.externalId ? {} : { externalId }),
  });
  return { action: 'user.updated', subject: after.id, before: pick(before), after: pick(after) };
}

export function unknownUser(id: string): Fault {
  return new Fault('not_found', `There is no user ${id}.`);
}

/** Turns a broken unique constraint into the conflict it means. */
async function refuseTaken<T>(
  draft: UserDraft | (() => UserDraft | undefined),
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { attributes, externalId } = (typeof draft === 'function' ? draft() : draft) ?? {};
    switch (brokenConstraint(error)) {
      case 'users_user_name':
        throw taken('userName', attributes?.userName);
      case 'user_sources_external_id':
        throw taken('externalId', externalId);
      default:
        throw error;
    }
  }
}

export function taken(field: string, value: unknown): Fault {
  return new Fault('conflict', `${field} "${String(value)}" is taken by another resource.`, {
    scimType: 'uniqueness',
    field,
  });
}
