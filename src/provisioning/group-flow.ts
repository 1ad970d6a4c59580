/**
 * Every write of a group and its members. An edit is an add-set and a remove-set, and the people decided for are those
 * that the request names; only where it clears the group, or deletes a mapped one, are they all who were in it.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, Restart, type TenantTransaction } from '../db/tenant-transaction.ts';
import { displayNameOf, type Group, type MemberEdit } from '../directory/group.ts';
import {
  addMembers,
  deleteGroup,
  existingUsers,
  insertGroup,
  isDisplayNameTaken,
  type KnownGroup,
  lockGroup,
  removeAllMembers,
  type UserEdit,
  upsertGroupSource,
  writeGroup,
} from '../directory/group-store.ts';
import { Fault, invalid } from '../kernel/fault.ts';
import { Apart } from '../kernel/gathering.ts';
import { type DirectoryId, type GroupId, newId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { sameJson } from '../kernel/same-json.ts';
import { awaitedName, isRename } from './awaited-name.ts';
import { type Creation, insertUnanswered } from './creation-store.ts';
import { decide } from './decide-flow.ts';
import { keepUntilOf, tombstoneUntil } from './kept-places.ts';
import { bindMappings, isAwaited, lockGroupNames, unbindMappings } from './mapping-store.ts';
import { idsAmong, type SettledMembers } from './member-names.ts';
import { memberTrail, type Requests } from './member-trail.ts';
import { writeParked } from './parking-store.ts';
import type { LockedPool } from './pool.ts';
import { lockPoolIfAwaited, lockPoolIfMapped, lockPoolRow, withRules } from './pool-store.ts';
import { settleMembers } from './settle-members-flow.ts';
import { taken } from './user-flow.ts';

export interface GroupDraft {
  attributes: JsonObject;
  externalId: string | null;
}

/**
 * Creates a group with its members; a mapping that waits for a group of this name is bound to it.
 *
 * @param parking Unknown members wait for their people.
 * @throws Fault `conflict` when this directory has a group of that displayName, or externalId is taken in it;
 *   `invalid` for an unknown member.
 */
export async function createGroup(
  database: Database,
  door: Door,
  directoryId: DirectoryId,
  draft: GroupDraft,
  memberIds: readonly string[],
  { creation, parking = false }: { creation?: Creation<GroupId>; parking?: boolean } = {},
): Promise<Group> {
  const id = creation?.id ?? newId<GroupId>(door.now.getTime());
  const group: Group = { ...draft, id, version: 1, createdAt: door.now, lastModified: door.now };
  const displayName = displayNameOf(draft.attributes);
  await refuseTaken(draft, () =>
    inTenant(database, door.tenantId, async (tx) => {
      lockGroupNames(tx, 'group');
      const [pool, isTaken, known] = await Promise.all([
        lockPoolIfAwaited(tx, awaitedName(draft)),
        isDisplayNameTaken(tx, displayName, directoryId),
        existingUsers(tx, idsAmong(memberIds)),
      ]);
      if (isTaken) throw taken('displayName', displayName);
      const edit: MemberEdit = { clear: false, add: memberIds, remove: [] };
      const { add: ids, park } = await settleMembers(tx, { directoryId, edit, parking }, known);
      insertGroup(tx, group, directoryId);
      writeParked(tx, { groupId: id, directoryId, forget: [], park }, door.now);
      if (creation !== undefined) insertUnanswered(tx, creation, directoryId, door.now);
      const bound = pool === null ? null : await bindMappings(tx, pool, id, awaitedName(draft));
      const [, decided] = await Promise.all([
        addMembers(tx, id, ids),
        bound === null ? null : decide(tx, door, bound.pool, { userIds: ids }),
      ]);
      const parked = park.length === 0 ? {} : { parked: park };
      const after = { ...draft, members: ids, ...parked };
      const created: AuditEvent = { action: 'group.created', subject: id, after };
      appendAudit(tx, door, [created, ...(bound?.audit ?? []), ...(decided?.audit ?? [])]);
    }),
  );
  return group;
}

export interface GroupRevision {
  id: GroupId;
  /** Whose externalId the draft holds. */
  directoryId: DirectoryId;
  /** A pure function of what the group is now, and of its version. */
  revise: (current: GroupDraft, version: number) => GroupDraft;
  edit: MemberEdit;
  /** Unknown members wait for their people; `arrival`: of those to add only who still waits joins. */
  parking?: boolean | 'arrival';
  /** Several are carried out as one. */
  requests?: Requests;
}

/**
 * Changes a group's own attributes by a pure function, and its members by an edit. What changes nothing writes
 * nothing.
 *
 * @throws Fault `not_found`; `invalid` for an unknown member; `conflict` for a taken externalId.
 */
export async function reviseGroup(database: Database, door: Door, revision: GroupRevision): Promise<Group> {
  const { id, directoryId, revise, edit } = revision;
  let isPoolNeeded = false;
  let isRenaming = false;
  let draft: GroupDraft | undefined;
  const work = async (tx: TenantTransaction) => {
    if (isRenaming) lockGroupNames(tx, 'group');
    const [pool, current] = await Promise.all([
      isPoolNeeded ? lockPoolRow(tx) : lockPoolIfMapped(tx, id),
      lockGroup(tx, id, directoryId, idsAmong(edit.add)),
    ]);
    if (current === undefined) throw unknownGroup(id);
    const { attributes, externalId, version } = current;
    draft = revise({ attributes, externalId }, version);
    const members = await settleMembers(tx, revision, current.knownUsers);
    if (isRename(current, draft) && !isRenaming) {
      isRenaming = true;
      throw new Restart();
    }
    const isBinding = isRename(current, draft) && (await isAwaited(tx, awaitedName(draft)));
    if ((current.mapped || isBinding) && pool === null) {
      isPoolNeeded = true;
      throw new Restart();
    }
    const { requests } = revision;
    return await writeRevision(tx, {
      door,
      directoryId,
      current,
      draft,
      edit,
      members,
      pool,
      isBinding,
      requests,
    });
  };
  return await refuseTaken(
    () => draft,
    () => inTenant(database, door.tenantId, work),
  );
}

interface Revision {
  door: Door;
  directoryId: DirectoryId;
  current: KnownGroup;
  draft: GroupDraft;
  edit: MemberEdit;
  members: SettledMembers;
  pool: LockedPool | null;
  isBinding: boolean;
  requests: Requests | undefined;
}

async function writeRevision(tx: TenantTransaction, revision: Revision): Promise<Group> {
  const { door, directoryId, current, draft, requests } = revision;
  const isSame = current.externalId === draft.externalId && sameJson(current.attributes, draft.attributes);
  const next: Group = { ...current, ...draft, lastModified: door.now };
  const { added, removed, version, audit } = await writeAndDecide(tx, revision, next, !isSame);

  if (!current.isKnownToDirectory || current.externalId !== draft.externalId) {
    upsertGroupSource(tx, current.id, directoryId, draft.externalId);
  }
  const events: AuditEvent[] = [];
  if (!current.isKnownToDirectory) {
    events.push({ action: 'group.linked', subject: current.id, after: { directoryId } });
  }
  if (!isSame) {
    const { attributes: before, externalId } = current;
    events.push({
      action: 'group.updated',
      subject: current.id,
      before: { attributes: before, externalId },
      after: draft,
    });
  }
  appendAudit(tx, door, [...events, ...memberTrail(current.id, { added, removed }, audit, requests)]);
  return version === null ? current : { ...next, version };
}

/** The group with its members first, then the decisions that rest on it. */
async function writeAndDecide(
  tx: TenantTransaction,
  { door, directoryId, current, draft, edit, members: settled, pool: locked, isBinding, requests }: Revision,
  group: Group,
  isChanged: boolean,
) {
  const { add, remove: named, park } = settled;
  const members: UserEdit = {
    add,
    remove: edit.clear ? 'all' : named,
    isOfEach: requests !== undefined,
  };
  if (settled.forget !== undefined) {
    writeParked(tx, { groupId: group.id, directoryId, forget: settled.forget, park }, door.now);
  }
  const writing = writeGroup(tx, group, isChanged, members);
  // It is awaited below, unless something fails before.
  writing.catch(() => {});
  const isDecisive = locked !== null && (current.mapped || isBinding || locked.evaluating);
  const pool = isDecisive ? await withRules(tx, locked) : null;
  if (pool === null) return { ...(await writing), audit: [] };
  // Who is to be decided for is known before the members are written, unless all go: then both are one round trip.
  const userIds = [...(edit.clear ? (await writing).removed : named), ...add];
  if (userIds.length === 0 && !isBinding) return { ...(await writing), audit: [] };
  const rebound = isBinding
    ? await bindMappings(tx, pool, group.id, awaitedName(draft))
    : { pool, audit: [] };
  const affected = { userIds, groupIds: isBinding ? [group.id] : [] };
  const decided = await decide(tx, door, rebound.pool, affected, {
    keepUntil: keepUntilOf(door, pool),
    isSync: door.actor.kind === 'directory',
  });
  // Nobody waits for an administrator because of what another request asked.
  if (decided.isStaged && requests !== undefined && requests.size > 1) throw new Apart();
  return { ...(await writing), audit: [...rebound.audit, ...decided.audit] };
}

/**
 * Deletes a group; its members stay. Its mappings wait for a group of its name or externalId.
 *
 * @param check May refuse the version that is there.
 * @throws Fault `not_found`; whatever `check` throws.
 */
export async function removeGroup(
  database: Database,
  door: Door,
  id: GroupId,
  check: (version: number) => void = () => {},
): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    // A group of the name that is being made meanwhile finds the mapping waiting.
    lockGroupNames(tx, 'mapping');
    const [locked, group] = await Promise.all([lockPoolIfMapped(tx, id), lockGroup(tx, id, null)]);
    if (group === undefined) throw unknownGroup(id);
    check(group.version);
    if (group.mapped && locked === null) throw new Restart();
    const displayName = displayNameOf(group.attributes);
    const audit: AuditEvent[] = [{ action: 'group.deleted', subject: id, before: { displayName } }];
    if (locked === null) {
      deleteGroup(tx, id);
    } else {
      const [members, pool] = await Promise.all([removeAllMembers(tx, id), withRules(tx, locked)]);
      const unbound = await unbindMappings(tx, pool, id, displayName);
      deleteGroup(tx, id);
      const keepUntil = tombstoneUntil(door, pool);
      const decided = await decide(
        tx,
        door,
        unbound.pool,
        { userIds: members },
        { keepUntil, isSync: door.actor.kind === 'directory' },
      );
      audit.push(...unbound.audit, ...decided.audit);
    }
    appendAudit(tx, door, audit);
  });
}

export function unknownGroup(id: string): Fault {
  return new Fault('not_found', `There is no group ${id}.`);
}

async function refuseTaken<T>(
  draft: GroupDraft | (() => GroupDraft | undefined),
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    switch (brokenConstraint(error)) {
      case 'group_sources_external_id':
        throw taken('externalId', (typeof draft === 'function' ? draft() : draft)?.externalId);
      case 'memberships_user':
        // Deleted between the check and the write.
        throw invalid(
          'invalidValue',
          'members: a user was deleted meanwhile; nothing was changed.',
          'members',
        );
      default:
        throw error;
    }
  }
}
