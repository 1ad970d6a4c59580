/**
 * Rows of groups and memberships. A change of members is a set operation that never reads the members: its cost is
 * that of the request, whatever the size of the group.
 */

import { sql } from 'kysely';
import { db, prepared } from '../db/database.ts';
import { isOneOf } from '../db/one-of-sql.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { fold } from '../kernel/fold.ts';
import { type DirectoryId, type GroupId, parseId, type UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { displayNameOf, type Group } from './group.ts';

export interface KnownGroup extends Group {
  /** A mapping names the group: a write to its members can change decisions. */
  mapped: boolean;
  isKnownToDirectory: boolean;
  /** Those of the ids asked about that are users of this tenant. */
  knownUsers: ReadonlySet<UserId>;
}

export function insertGroup(tx: TenantTransaction, group: Group, directoryId: DirectoryId | null): void {
  const displayName = displayNameOf(group.attributes);
  tx.send(
    db.insertInto('groups').values({
      tenant_id: tx.tenantId,
      id: group.id,
      attributes: JSON.stringify(group.attributes),
      display_name: displayName,
      display_name_key: fold(displayName),
      version: group.version,
      created_at: group.createdAt,
      last_modified: group.lastModified,
    }),
  );
  if (directoryId !== null) upsertGroupSource(tx, group.id, directoryId, group.externalId);
}

/** An edit of members whose ids are known to be such. */
export interface UserEdit {
  /** `all`: everybody but those to add. */
  remove: readonly UserId[] | 'all';
  add: readonly UserId[];
  /** One request for each person to add, carried out as one: whoever is new makes a version of the group. */
  isOfEach: boolean;
}

export interface WrittenGroup {
  added: UserId[];
  removed: UserId[];
  version: number | null;
}

/**
 * Writes members and the group itself in one statement; the group's row only when its own attributes or a member
 * changed. Answers who is new, who had been a member, and the version that it has by it; null: it was not written.
 */
export async function writeGroup(
  tx: TenantTransaction,
  group: Group,
  isChanged: boolean,
  { add, remove, isOfEach }: UserEdit,
): Promise<WrittenGroup> {
  const displayName = displayNameOf(group.attributes);
  const steps = isOfEach ? sql`(select count(*) from new)` : sql`1`;
  const staying = new Set(add);
  const leaving =
    remove === 'all'
      ? sql`user_id <> all(${add}::uuid[])`
      : sql`user_id = any(${remove.filter((id) => !staying.has(id))}::uuid[])`;
  const [row] = await tx.run(
    prepared(sql<WrittenGroup>`
    with gone as (
      delete from memberships where tenant_id = ${tx.tenantId} and group_id = ${group.id} and ${leaving}
      returning user_id
    ), new as (
      insert into memberships (tenant_id, group_id, user_id)
      select ${tx.tenantId}, ${group.id}, m.user_id from unnest(${add}::uuid[]) as m (user_id)
      on conflict do nothing
      returning user_id
    ), written as (
      update groups set attributes = ${JSON.stringify(group.attributes)}, display_name = ${displayName},
        display_name_key = ${fold(displayName)}, version = version + ${steps}, last_modified = ${group.lastModified}
      where tenant_id = ${tx.tenantId} and id = ${group.id}
        and (${isChanged} or exists (select from gone) or exists (select from new))
      returning version
    )
    select array(select user_id from new) as added, array(select user_id from gone) as removed,
      (select version from written) as version
  `),
  );
  return row ?? { added: [], removed: [], version: null };
}

export function upsertGroupSource(
  tx: TenantTransaction,
  groupId: GroupId,
  directoryId: DirectoryId,
  externalId: string | null,
): void {
  tx.send(
    db
      .insertInto('group_sources')
      .values({
        tenant_id: tx.tenantId,
        group_id: groupId,
        directory_id: directoryId,
        external_id: externalId,
      })
      .onConflict((conflict) =>
        conflict.columns(['tenant_id', 'group_id', 'directory_id']).doUpdateSet({ external_id: externalId }),
      ),
  );
}

export function deleteGroup(tx: TenantTransaction, id: GroupId): void {
  tx.send(db.deleteFrom('groups').where('tenant_id', '=', tx.tenantId).where('id', '=', id));
}

/**
 * Locks a group's row for a change of anything but its keys. undefined: there is none of that id.
 *
 * @param userIds Asks in the same statement which of them are users.
 */
export async function lockGroup(
  tx: TenantTransaction,
  id: GroupId,
  directoryId: DirectoryId | null,
  userIds: readonly UserId[] = [],
): Promise<KnownGroup | undefined> {
  const locking = tx.run(
    prepared(
      db
        .selectFrom('groups as g')
        .select(['g.id', 'g.attributes', 'g.mapped', 'g.version', 'g.created_at', 'g.last_modified'])
        .select(
          sql<UserId[]>`array(
          select id from users where tenant_id = ${tx.tenantId} and ${isOneOf('id', userIds)}
        )`.as('known_users'),
        )
        .where('g.tenant_id', '=', tx.tenantId)
        .where('g.id', '=', id)
        .forNoKeyUpdate(['g']),
    ),
  );
  // A statement of its own: one that had to wait for the lock would still see the source as it was before.
  const reading = tx.run(
    prepared(
      db
        .selectFrom('group_sources')
        .select('external_id')
        .where('tenant_id', '=', tx.tenantId)
        .where('group_id', '=', id)
        .where('directory_id', '=', directoryId),
    ),
  );
  const [[row], [source]] = await Promise.all([locking, reading]);
  if (row === undefined) return undefined;
  return {
    id: row.id as GroupId,
    attributes: row.attributes as JsonObject,
    externalId: source?.external_id ?? null,
    mapped: row.mapped,
    version: row.version,
    createdAt: row.created_at,
    lastModified: row.last_modified,
    isKnownToDirectory: source !== undefined,
    knownUsers: new Set(row.known_users),
  };
}

/**
 * Makes writers of one displayName in one directory follow one another, then tells whether it is taken there.
 * Only POST asks: a rename may repeat a name.
 */
export async function isDisplayNameTaken(
  tx: TenantTransaction,
  displayName: string,
  directoryId: DirectoryId,
): Promise<boolean> {
  const key = fold(displayName);
  tx.send(sql`select pg_advisory_xact_lock(hashtextextended(${`${tx.tenantId} ${directoryId} ${key}`}, 0))`);
  const rows = await tx.run(
    db
      .selectFrom('groups as g')
      .innerJoin('group_sources as s', (join) =>
        join.onRef('s.tenant_id', '=', 'g.tenant_id').onRef('s.group_id', '=', 'g.id'),
      )
      .select('g.id')
      .where('g.tenant_id', '=', tx.tenantId)
      .where('g.display_name_key', '=', key)
      .where('s.directory_id', '=', directoryId)
      .limit(1),
  );
  return rows.length > 0;
}

/** Which of the ids are users of this tenant. */
export async function existingUsers(tx: TenantTransaction, ids: readonly UserId[]): Promise<Set<UserId>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.run(
    sql<{ id: UserId }>`select id from users where tenant_id = ${tx.tenantId} and id = any(${ids}::uuid[])`,
  );
  return new Set(rows.map((row) => row.id));
}

/** Adds users, in the order given; those who are members already stay so. Answers who is new. */
export async function addMembers(
  tx: TenantTransaction,
  groupId: GroupId,
  ids: readonly UserId[],
): Promise<UserId[]> {
  if (ids.length === 0) return [];
  const rows = await tx.run(sql<{ user_id: UserId }>`
    insert into memberships (tenant_id, group_id, user_id)
    select ${tx.tenantId}, ${groupId}, m.user_id from unnest(${ids}::uuid[]) as m (user_id)
    on conflict do nothing
    returning user_id
  `);
  return rows.map((row) => row.user_id);
}

/** Takes everybody out; answers who had been a member. */
export async function removeAllMembers(tx: TenantTransaction, groupId: GroupId): Promise<UserId[]> {
  const rows = await tx.run(sql<{ user_id: UserId }>`
    delete from memberships
    where tenant_id = ${tx.tenantId} and group_id = ${groupId}
    returning user_id
  `);
  return rows.map((row) => row.user_id);
}

/**
 * Sends that a user leaves every group, each of which changes by it (RFC 7643 §3.1 `meta.version`). The groups are
 * locked first, in id order: their other writers lock a group before its members.
 */
export function leaveGroups(tx: TenantTransaction, userId: UserId, now: Date): void {
  tx.send(sql`
    select from groups where tenant_id = ${tx.tenantId}
      and id in (select group_id from memberships where tenant_id = ${tx.tenantId} and user_id = ${userId})
    order by id for no key update
  `);
  tx.send(sql`
    with gone as (
      delete from memberships where tenant_id = ${tx.tenantId} and user_id = ${userId} returning group_id
    )
    update groups set version = version + 1, last_modified = ${now}
    where tenant_id = ${tx.tenantId} and id in (select group_id from gone)
  `);
}

/** The first of the names that is the id of a group. */
export async function groupAmong(
  tx: TenantTransaction,
  names: readonly string[],
): Promise<string | undefined> {
  const ids = names.flatMap((name) => parseId<GroupId>(name) ?? []);
  if (ids.length === 0) return undefined;
  const rows = await tx.run(
    sql<{ id: GroupId }>`select id from groups where tenant_id = ${tx.tenantId} and id = any(${ids}::uuid[])`,
  );
  const found = new Set(rows.map(({ id }) => id));
  return ids.find((id) => found.has(id));
}
