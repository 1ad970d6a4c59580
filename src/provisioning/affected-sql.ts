/** Whom a write may have changed the facts of as a query, and who is still to be decided for. */

import { type RawBuilder, sql } from 'kysely';
import { isOneOf } from '../db/one-of-sql.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Affected } from './affected.ts';
import { setsWith } from './role-set-sql.ts';

/** Selects `id`. */
export function affectedIds(tx: TenantTransaction, affected: Affected): RawBuilder<unknown> {
  const own = sql`tenant_id = ${tx.tenantId}`;
  if (affected.anybody === true) return sql`select id from users where ${own}`;
  if (affected.everyone === true) return everyone(own);
  const {
    userIds = [],
    addresses = [],
    groupIds = [],
    roleValues = [],
    claimValues = [],
    seats = [],
    roles = [],
  } = affected;
  const parts = [
    sql`select id from users where ${own} and ${isOneOf('id', userIds)}`,
    ...(addresses.length === 0
      ? []
      : [sql`select id from users where ${own} and address = any(${addresses})`]),
    ...(groupIds.length === 0
      ? []
      : [sql`select user_id from memberships where ${own} and group_id = any(${groupIds}::uuid[])`]),
    ...(roleValues.length === 0
      ? []
      : [sql`select id from users where ${own} and role_values && ${roleValues}::text[]`]),
    ...(claimValues.length === 0
      ? []
      : [sql`select id from users where ${own} and claim_values && ${claimValues}::text[]`]),
    ...(seats.length === 0
      ? []
      : [sql`select user_id from decisions where ${own} and seat = any(${seats}::text[])`]),
    ...(affected.denied === true
      ? [
          sql`select user_id from seat_approvals where ${own} and not is_granted`,
          sql`select user_id from seat_reclaims where ${own} and state = 'taken'`,
        ]
      : []),
    ...(affected.noticed === true
      ? [
          // Of whoever waits to be let through the notice ends then.
          sql`select user_id from decisions where ${own} and notice_until is not null
            and user_id not in (select user_id from evaluation_marks where ${own})`,
        ]
      : []),
    ...(roles.length === 0
      ? []
      : [sql`select user_id from decisions where ${own} and requested_id in ${setsWith(tx, roles)}`]),
    ...(affected.endedBy === undefined
      ? []
      : [sql`select user_id from decisions where ${own} and due_at <= ${affected.endedBy}`]),
  ];
  return sql.join(parts, sql` union `);
}

/** Whoever something is decided for, or may be. */
function everyone(own: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select user_id as id from decisions where ${own}
    union select user_id from pins where ${own}
    union select user_id from memberships where ${own} and group_id in (select group_id from mappings where ${own})
    union select id from users where ${own} and (role_values <> '{}' or claim_values <> '{}' or default_role is not null
      or exists (select from tenant_settings where ${own} and default_role <> 'none'))`;
}

/** Whether there are more than that. */
export async function areMoreThan(tx: TenantTransaction, affected: Affected, most: number): Promise<boolean> {
  // Of everybody the union of all would be made before its first row is known.
  const ids =
    affected.everyone === true
      ? sql`select id from users where tenant_id = ${tx.tenantId}`
      : affectedIds(tx, affected);
  const [row] = await tx.run(sql<{ count: number }>`
    select count(*) from (select from (${ids}) a limit ${most + 1}) few
  `);
  return (row?.count ?? 0) > most;
}

/**
 * Sends that everybody affected is to be decided for; `staged`: once an administrator lets it happen. With `areStagedKept` who waits
 * for that already still does.
 */
export function writeMarks(
  tx: TenantTransaction,
  affected: Affected,
  { keepUntil, staged, areStagedKept }: { keepUntil: Date | null; staged: boolean; areStagedKept: boolean },
): void {
  tx.send(sql`
    insert into evaluation_marks as m (tenant_id, user_id, keep_until, staged)
    select ${tx.tenantId}, a.id, ${keepUntil}::timestamptz, ${staged} from (${affectedIds(tx, affected)}) a
    join users u on u.tenant_id = ${tx.tenantId} and u.id = a.id
    on conflict (tenant_id, user_id) do update
      set keep_until = coalesce(m.keep_until, excluded.keep_until), staged = m.staged and ${staged || areStagedKept}
  `);
}

/** Who of these is marked, also those who are staged. */
export async function marksAmong(tx: TenantTransaction, userIds: readonly UserId[]): Promise<Set<UserId>> {
  const rows = await tx.run(sql<{ id: UserId }>`
    select user_id as id from evaluation_marks where tenant_id = ${tx.tenantId} and user_id = any(${userIds}::uuid[])
  `);
  return new Set(rows.map(({ id }) => id));
}

/** Who of these waits to be let through. */
export async function stagedAmong(tx: TenantTransaction, userIds: readonly UserId[]): Promise<Set<UserId>> {
  if (userIds.length === 0) return new Set();
  const rows = await tx.run(sql<{ id: UserId }>`
    select user_id as id from evaluation_marks
    where tenant_id = ${tx.tenantId} and staged and user_id = any(${userIds}::uuid[])
  `);
  return new Set(rows.map(({ id }) => id));
}

/** How many of those affected have a seat. */
export async function countSeated(tx: TenantTransaction, affected: Affected): Promise<number> {
  const [row] = await tx.run(sql<{ seated: number }>`
    select count(*) as seated from (${affectedIds(tx, affected)}) a
    join decisions d on d.tenant_id = ${tx.tenantId} and d.user_id = a.id and d.seat in ('held', 'overage')
  `);
  return row?.seated ?? 0;
}

/** Forgets that these people wait to be let through: they have been decided for. Answers whether others still do. */
export async function unstage(tx: TenantTransaction, userIds: readonly UserId[]): Promise<boolean> {
  const ids = sql`${userIds}::uuid[]`;
  tx.send(sql`
    delete from evaluation_marks where tenant_id = ${tx.tenantId} and staged and user_id = any(${ids})
  `);
  const rows = await tx.run(sql`
    select from evaluation_marks where tenant_id = ${tx.tenantId} and staged and user_id <> all(${ids}) limit 1
  `);
  return rows.length > 0;
}

/** Whether anybody still waits to be let through. */
export async function isAnyStaged(tx: TenantTransaction): Promise<boolean> {
  const rows = await tx.run(sql`
    select from evaluation_marks where tenant_id = ${tx.tenantId} and staged limit 1
  `);
  return rows.length > 0;
}

/** Sends that everybody who is staged is to be decided for now. */
export function releaseStaged(tx: TenantTransaction): void {
  tx.send(sql`update evaluation_marks set staged = false where tenant_id = ${tx.tenantId} and staged`);
}

/** How many are marked still, as far as `most`. */
export async function countMarks(tx: TenantTransaction, most: number): Promise<number> {
  const [row] = await tx.run(sql<{ count: number }>`
    select count(*) from (
      select from evaluation_marks where tenant_id = ${tx.tenantId} and not staged limit ${most}) few
  `);
  return row?.count ?? 0;
}

/** Takes up to `most` of those who are marked: each is found by its key, also where statistics tell of an empty table, as they do between edits. */
export function takeMarks(
  tx: TenantTransaction,
  most: number,
): Promise<{ userId: UserId; keepUntil: Date | null }[]> {
  return tx.run(sql<{ userId: UserId; keepUntil: Date | null }>`
    delete from evaluation_marks m where m.tenant_id = ${tx.tenantId} and m.user_id = any(array(
      select user_id from evaluation_marks where tenant_id = ${tx.tenantId} and not staged
      order by user_id limit ${most}))
    returning m.user_id as "userId", m.keep_until as "keepUntil"
  `);
}
