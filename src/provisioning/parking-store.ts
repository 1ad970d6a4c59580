/**
 * Members of groups that a directory named before their people arrived. Such a name is no id of ours (those are given
 * out at arrival) but the person's externalId in that directory, or the userName.
 */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import type { DirectoryId, GroupId, UserId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';

/** Which people are meant by which names, as far as they are there. */
export async function resolveNames(
  tx: TenantTransaction,
  directoryId: DirectoryId,
  names: readonly string[],
): Promise<ReadonlyMap<string, UserId>> {
  if (names.length === 0) return new Map();
  const rows = await tx.run(sql<{ name: string; id: UserId }>`
    select n.name, coalesce(s.user_id, u.id) as id
    from unnest(${names}::text[], ${names.map(fold)}::text[]) as n (name, key)
    left join user_sources s
      on s.tenant_id = ${tx.tenantId} and s.directory_id = ${directoryId} and s.external_id = n.name
    left join users u on u.tenant_id = ${tx.tenantId} and u.user_name_key = n.key
    where coalesce(s.user_id, u.id) is not null
  `);
  return new Map(rows.map(({ name, id }) => [name, id]));
}

export interface ParkedEdit {
  groupId: GroupId;
  directoryId: DirectoryId;
  /** `all`: whoever waits for the group. */
  forget: readonly string[] | 'all';
  park: readonly string[];
}

/** Sends who no longer waits, then who waits from now on. */
export function writeParked(tx: TenantTransaction, edit: ParkedEdit, now: Date): void {
  const { groupId, directoryId, forget, park } = edit;
  if (forget === 'all' || forget.length > 0) {
    const named = forget === 'all' ? sql`true` : sql`value_key = any(${forget.map(fold)}::text[])`;
    tx.send(
      sql`delete from parked_members where tenant_id = ${tx.tenantId} and group_id = ${groupId} and ${named}`,
    );
  }
  if (park.length === 0) return;
  tx.send(sql`
    insert into parked_members (tenant_id, group_id, directory_id, value, value_key, since)
    select ${tx.tenantId}, ${groupId}, ${directoryId}, n.name, n.key, ${now}
    from unnest(${park}::text[], ${park.map(fold)}::text[]) as n (name, key)
    on conflict do nothing
  `);
}

/**
 * Before these are written for a group; who waits for it already is not counted twice.
 *
 * @throws Fault `too_large` when more would wait than a tenant may have waiting.
 */
export async function refuseCrowd(
  tx: TenantTransaction,
  { groupId, forget, park }: Pick<ParkedEdit, 'forget' | 'park'> & { groupId: GroupId | undefined },
): Promise<void> {
  if (park.length === 0) return;
  const goes = forget === 'all' ? sql`true` : sql`value = any(${park}::text[])`;
  const stays = groupId === undefined ? sql`true` : sql`not (group_id = ${groupId} and ${goes})`;
  const [row] = await tx.run(
    sql<{ count: number }>`
      select count(*) as count from parked_members where tenant_id = ${tx.tenantId} and ${stays}`,
  );
  if ((row?.count ?? 0) + park.length <= limits.parkedMembersMax) return;
  throw new Fault(
    'too_large',
    `More than ${limits.parkedMembersMax} members would wait for their people: push the people first.`,
  );
}

/**
 * Whether parking is on, as the settings are now: whoever ends it waits until this transaction has parked, and then
 * forgets who waits.
 */
export async function isParkingOn(tx: TenantTransaction): Promise<boolean> {
  const rows = await tx.run(
    sql`select 1 from tenant_settings where tenant_id = ${tx.tenantId} and parking for share`,
  );
  return rows.length > 0;
}

/** Those of the names that still wait for the group. */
export async function selectStillParked(
  tx: TenantTransaction,
  groupId: GroupId,
  names: readonly string[],
): Promise<string[]> {
  const rows = await tx.run(sql<{ value: string }>`
    select value from parked_members
    where tenant_id = ${tx.tenantId} and group_id = ${groupId} and value = any(${names}::text[])
  `);
  return rows.map(({ value }) => value);
}

export interface Arrivals {
  groupId: GroupId;
  directoryId: DirectoryId;
  names: string[];
}

/** Whose people are there by now: of all, or those who wait for one user. */
export function selectArrivals(tx: TenantTransaction, userId?: UserId): Promise<Arrivals[]> {
  const isThem = userId === undefined ? sql`true` : namesOf(tx, userId);
  return tx.run(sql<Arrivals>`
    select p.group_id as "groupId", p.directory_id as "directoryId", array_agg(p.value) as names
    from parked_members p
    where p.tenant_id = ${tx.tenantId} and ${isThem} and (
      exists (select from users u where u.tenant_id = p.tenant_id and u.user_name_key = p.value_key)
      or exists (select from user_sources s where s.tenant_id = p.tenant_id and s.directory_id = p.directory_id
        and s.external_id = p.value))
    group by p.group_id, p.directory_id order by p.group_id
  `);
}

function namesOf(tx: TenantTransaction, userId: UserId): RawBuilder<unknown> {
  return sql`p.value_key in (
    select u.user_name_key from users u where u.tenant_id = ${tx.tenantId} and u.id = ${userId}
    union all
    select lower(s.external_id) from user_sources s where s.tenant_id = ${tx.tenantId} and s.user_id = ${userId})`;
}

export interface ParkedMember {
  groupId: GroupId;
  group: string;
  directoryId: DirectoryId;
  directory: string;
  value: string;
  since: Date;
}

export interface ParkedPlace {
  since: Date;
  groupId: string;
  value: string;
}

/** Who waits, the longest first, after a place; at most so many. */
export function selectParked(
  tx: TenantTransaction,
  after: ParkedPlace | undefined,
  most: number,
): Promise<ParkedMember[]> {
  const isLater =
    after === undefined
      ? sql`true`
      : sql`(p.since, p.group_id, p.value) > (${after.since}, ${after.groupId}::uuid, ${after.value}::text collate "C")`;
  return tx.run(sql<ParkedMember>`
    select p.group_id as "groupId", g.display_name as group, p.directory_id as "directoryId", d.name as directory,
      p.value, p.since
    from parked_members p
    join groups g on g.tenant_id = p.tenant_id and g.id = p.group_id
    join directories d on d.tenant_id = p.tenant_id and d.id = p.directory_id
    where p.tenant_id = ${tx.tenantId} and ${isLater}
    order by p.since, p.group_id, p.value limit ${most}
  `);
}
