/**
 * Rows of groups and memberships. A change of members is a set operation that never reads the members: its cost is
 * that of the request, whatever the size of the group.
 */

import { sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { fold } from '../kernel/fold.ts';
import type { DirectoryId, GroupId, UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { displayNameOf, type Group } from './group.ts';

export interface KnownGroup extends Group {
  /** A mapping names the group: a write to its members can change decisions. */
  mapped: boolean;
  isKnownToDirectory: boolean;
}

export function insertGroup(
  tx: TenantTransaction,
  group: Group,
  directoryId: DirectoryId | null,
  mapped: boolean,
): void {
  const displayName = displayNameOf(group.attributes);
  tx.send(
    db.insertInto('groups').values({
      tenant_id: tx.tenantId,
      id: group.id,
      attributes: JSON.stringify(group.attributes),
      display_name: displayName,
      display_name_key: fold(displayName),
      mapped,
      version: group.version,
      created_at: group.createdAt,
      last_modified: group.lastModified,
    }),
  );
  if (directoryId !== null) upsertGroupSource(tx, group.id, directoryId, group.externalId);
}

export function updateGroup(tx: TenantTransaction, group: Group): void {
  const displayName = displayNameOf(group.attributes);
  tx.send(
    db
      .updateTable('groups')
      .set({
        attributes: JSON.stringify(group.attributes),
        display_name: displayName,
        display_name_key: fold(displayName),
        version: group.version,
        last_modified: group.lastModified,
      })
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', group.id),
  );
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

/** Locks a group's row for a change of anything but its keys. undefined: there is none of that id. */
export async function lockGroup(
  tx: TenantTransaction,
  id: GroupId,
  directoryId: DirectoryId | null,
): Promise<KnownGroup | undefined> {
  const [row] = await tx.run(
    db
      .selectFrom('groups as g')
      .leftJoin('group_sources as s', (join) =>
        join
          .onRef('s.tenant_id', '=', 'g.tenant_id')
          .onRef('s.group_id', '=', 'g.id')
          .on('s.directory_id', '=', directoryId),
      )
      .select(['g.id', 'g.attributes', 'g.mapped', 'g.version', 'g.created_at', 'g.last_modified'])
      .select(['s.external_id', 's.directory_id'])
      .where('g.tenant_id', '=', tx.tenantId)
      .where('g.id', '=', id)
      .forNoKeyUpdate(['g']),
  );
  if (row === undefined) return undefined;
  return {
    id: row.id as GroupId,
    attributes: row.attributes as JsonObject,
    externalId: row.external_id,
    mapped: row.mapped,
    version: row.version,
    createdAt: row.created_at,
    lastModified: row.last_modified,
    isKnownToDirectory: row.directory_id !== null,
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

/** Takes these users out; answers who had been a member. */
export async function removeMembers(
  tx: TenantTransaction,
  groupId: GroupId,
  ids: readonly UserId[],
): Promise<UserId[]> {
  if (ids.length === 0) return [];
  const rows = await tx.run(sql<{ user_id: UserId }>`
    delete from memberships
    where tenant_id = ${tx.tenantId} and group_id = ${groupId} and user_id = any(${ids}::uuid[])
    returning user_id
  `);
  return rows.map((row) => row.user_id);
}

/** Takes everybody out but these; answers who had been a member. */
export async function removeMembersExcept(
  tx: TenantTransaction,
  groupId: GroupId,
  ids: readonly UserId[],
): Promise<UserId[]> {
  const rows = await tx.run(sql<{ user_id: UserId }>`
    delete from memberships
    where tenant_id = ${tx.tenantId} and group_id = ${groupId} and user_id <> all(${ids}::uuid[])
    returning user_id
  `);
  return rows.map((row) => row.user_id);
}
