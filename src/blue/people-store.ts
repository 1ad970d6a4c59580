/** Rows of blue_people, blue_sync and blue_sync_batches: who is marked, the facts of those people, and what became of them. */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { EffectiveRole } from '../licensing/effect.ts';
import { marking, unfolding } from '../provisioning/mark-sql.ts';
import { rolesOf } from '../provisioning/role-set-sql.ts';
import type { Outcome } from './action.ts';
import { isInvitedThere, type KeptPerson, type Person } from './people.ts';
import type { Standing } from './verdict.ts';

/**
 * Marked people whose time has come, those marked first before others. The oldest batch of marks is unfolded where it may be among
 * them: one, so that a look remains a short one.
 */
export async function selectDueMarks(tx: TenantTransaction, now: Date, most: number): Promise<UserId[]> {
  const ahead = sql`
    select from blue_sync s where s.tenant_id = ${tx.tenantId} and s.not_before is null and s.marked_at <= oldest.marked_at limit ${most}`;
  tx.send(
    unfolding(
      tx,
      sql`
        select id from (
          select id, marked_at from blue_sync_batches where tenant_id = ${tx.tenantId} order by marked_at, id limit 1
        ) oldest where (select count(*) from (${ahead}) a) < ${most}`,
    ),
  );
  const rows = await tx.run(sql<{ user_id: UserId }>`
    select user_id from blue_sync
    where tenant_id = ${tx.tenantId} and (not_before is null or not_before <= ${now})
    order by not_before nulls first, marked_at, user_id limit ${most}
  `);
  return rows.map((row) => row.user_id);
}

/** Ids of the people the gateway has, or had, something to do for in Blue, in id order. */
export async function selectOurs(
  tx: TenantTransaction,
  after: UserId | null,
  most: number,
): Promise<UserId[]> {
  const later = sql`tenant_id = ${tx.tenantId} and (${after}::uuid is null or user_id > ${after}::uuid)`;
  const rows = await tx.run(sql<{ user_id: UserId }>`
    (select user_id from blue_people where ${later} order by user_id limit ${most})
    union (select user_id from decisions where ${later} order by user_id limit ${most})
    order by user_id limit ${most}
  `);
  return rows.map((row) => row.user_id);
}

interface PersonRow {
  user_id: UserId;
  user_name: string | null;
  active: boolean;
  address: string | null;
  effective: EffectiveRole[] | null;
  refusal: string | null;
  known_address: string | null;
  blue_user_id: string | null;
  state: Outcome['state'] | null;
  code: string | null;
  detail: string | null;
  given_workspaces: string[] | null;
  desired_version: number | null;
  tries: number | null;
}

/**
 * The facts of these people and of everybody who shares an address or a Blue user with one of them, or with one of those
 * and so on, since only together can it be told whose it is. In the order in which they may take seats: the better claim first.
 */
export async function selectPeople(tx: TenantTransaction, ids: readonly UserId[]): Promise<Person[]> {
  let rows = await selectWithNeighbours(tx, ids);
  for (let asked = ids.length; rows.length > asked; ) {
    asked = rows.length;
    rows = await selectWithNeighbours(
      tx,
      rows.map((row) => row.user_id),
    );
  }
  const claimants = claimantsOf(rows);
  return rows.map((row) => {
    const others = claimants.get(row.known_address)?.some((other) => mayClaim(other, row));
    return toPerson(row, others ?? false);
  });
}

function selectWithNeighbours(tx: TenantTransaction, ids: readonly UserId[]): Promise<PersonRow[]> {
  return tx.run(sql<PersonRow>`
    with everybody as (${everybody(tx, ids)})
    select e.user_id, u.user_name, coalesce(u.active, false) as active,
      case when u.id is null then p.address else u.address end as address, ${rolesOf(sql`d.effective_id`)} as effective, d.refusal,
      p.address as known_address, p.blue_user_id, p.state, p.code, p.detail, p.given_workspaces, s.desired_version,
      case when s.not_before is null then 0 else s.tries end as tries
    from everybody e
    left join users u on u.tenant_id = ${tx.tenantId} and u.id = e.user_id
    left join decisions d on d.tenant_id = ${tx.tenantId} and d.user_id = e.user_id
    left join blue_people p on p.tenant_id = ${tx.tenantId} and p.user_id = e.user_id
    left join blue_sync s on s.tenant_id = ${tx.tenantId} and s.user_id = e.user_id
    order by d.user_id is null, d.refusal is not null, d.priority nulls last, d.claimed_at, d.tie, e.user_id
  `);
}

function everybody(tx: TenantTransaction, ids: readonly UserId[]): RawBuilder<unknown> {
  const asked = sql`any(${ids}::uuid[])`;
  const users = sql`select address from users where tenant_id = ${tx.tenantId} and id = ${asked}`;
  const people = sql`select address from blue_people where tenant_id = ${tx.tenantId} and user_id = ${asked}`;
  const own = sql`select blue_user_id from blue_people where tenant_id = ${tx.tenantId} and user_id = ${asked}`;
  const known = sql`
    select address from blue_members where tenant_id = ${tx.tenantId} and blue_user_id = any(array(${own}))
  `;
  const addresses = sql`any(array(${users} union ${people} union ${known}))`;
  const members = sql`
    select blue_user_id from blue_members where tenant_id = ${tx.tenantId} and address = ${addresses}
  `;
  return sql`
    select unnest(${ids}::uuid[]) as user_id
    union select id from users where tenant_id = ${tx.tenantId} and address = ${addresses}
    union select user_id from blue_people where tenant_id = ${tx.tenantId} and address = ${addresses}
    union select user_id from blue_people where tenant_id = ${tx.tenantId} and blue_user_id = any(array(
      ${own} union ${members}))
  `;
}

/** Against a leaver somebody inactive claims nothing: neither of the two is to stay in Blue. */
function mayClaim(other: PersonRow, row: PersonRow): boolean {
  return other.user_id !== row.user_id && (row.active || other.active);
}

/** By address, who has it in the directory or was invited to it. */
function claimantsOf(rows: readonly PersonRow[]): Map<string | null, PersonRow[]> {
  const present = rows
    .filter(({ user_name }) => user_name !== null)
    .map((row) => [row.address, row] as const);
  const invited = rows.flatMap((row) => {
    const kept = keptOf(row);
    return kept !== null && isInvitedThere(kept) ? [[kept.address, row] as const] : [];
  });
  const claims = Map.groupBy([...present, ...invited], ([address]) => address);
  return new Map([...claims].map(([address, own]) => [address, own.map(([, row]) => row)]));
}

function toPerson(row: PersonRow, isKeptAddressTaken: boolean): Person {
  const { desired_version: version, tries } = row;
  return {
    userId: row.user_id,
    userName: row.user_name,
    active: row.active,
    address: row.address,
    effective: row.effective ?? [],
    isDuplicate: row.refusal === 'DUPLICATE_EMAIL',
    isKeptAddressTaken,
    kept: keptOf(row),
    mark: version === null ? null : { version, tries: tries ?? 0 },
  };
}

function keptOf(row: PersonRow): KeptPerson | null {
  const { known_address: address, blue_user_id: blueUserId, state, code, detail } = row;
  return state === null
    ? null
    : { address, blueUserId, state, code, detail, given: row.given_workspaces ?? [] };
}

/** Sends what differs from what is kept. */
export function writeStandings(tx: TenantTransaction, standings: readonly Standing[], now: Date): void {
  if (standings.length === 0) return;
  const rows = standings.map(({ userId, blueUserId, given, ...rest }) => ({
    user_id: userId,
    blue_user_id: blueUserId,
    given_workspaces: given,
    ...rest,
  }));
  tx.send(sql`
    insert into blue_people (tenant_id, user_id, address, blue_user_id, state, code, detail, given_workspaces, changed_at)
    select ${tx.tenantId}, r.user_id, r.address, r.blue_user_id, r.state, r.code, r.detail, r.given_workspaces, ${now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r (user_id uuid, address text, blue_user_id text, state text, code text, detail text, given_workspaces text[])
    on conflict (tenant_id, user_id) do update set
      address = excluded.address, blue_user_id = excluded.blue_user_id, state = excluded.state,
      code = excluded.code, detail = excluded.detail, given_workspaces = excluded.given_workspaces,
      changed_at = excluded.changed_at
  `);
}

/** Forgets deleted users with whom nothing is left to do. */
export function forgetPeople(tx: TenantTransaction, userIds: readonly string[]): void {
  if (userIds.length === 0) return;
  tx.send(
    sql`delete from blue_people where tenant_id = ${tx.tenantId} and user_id = any(${userIds}::uuid[])`,
  );
}

/** Ids of a connection that pointed elsewhere mean nothing here. */
export function forgetBlueUsers(tx: TenantTransaction): void {
  tx.send(sql`update blue_people set blue_user_id = null where tenant_id = ${tx.tenantId}`);
}

/** Unfolds the oldest batch of marks, one so that nobody waits long for them. Answers of how many people it was. */
export function unfoldOldest(tx: TenantTransaction): Promise<number> {
  const oldest = sql`
    select id from blue_sync_batches where tenant_id = ${tx.tenantId} order by marked_at, id limit 1`;
  return tx.count(unfolding(tx, oldest));
}

/** Whose marks are in batches. */
export async function selectFolded(tx: TenantTransaction): Promise<Set<string>> {
  const rows = await tx.run(sql<{ user_id: string }>`
    select unnest(user_ids) as user_id from blue_sync_batches where tenant_id = ${tx.tenantId}
  `);
  return new Set(rows.map((row) => row.user_id));
}

interface ReadMark {
  userId: string;
  /** As it was read: a newer mark stays as it is. */
  version: number;
}

export function clearMarks(tx: TenantTransaction, marks: readonly ReadMark[]): void {
  if (marks.length === 0) return;
  tx.send(sql`
    delete from blue_sync s using jsonb_to_recordset(${JSON.stringify(marks)}::jsonb) as r ("userId" uuid, version bigint)
    where s.tenant_id = ${tx.tenantId} and s.user_id = r."userId" and s.desired_version = r.version
  `);
}

/** Lets marks wait. @param isTry Whether something was tried in vain. */
export function postponeMarks(
  tx: TenantTransaction,
  marks: readonly (ReadMark & { notBefore: Date; isTry: boolean })[],
): void {
  if (marks.length === 0) return;
  tx.send(sql`
    update blue_sync s set not_before = r."notBefore",
      tries = case when s.not_before is null then 0 else s.tries end + r."isTry"::integer
    from jsonb_to_recordset(${JSON.stringify(marks)}::jsonb)
      as r ("userId" uuid, version bigint, "notBefore" timestamptz, "isTry" boolean)
    where s.tenant_id = ${tx.tenantId} and s.user_id = r."userId" and s.desired_version = r.version
  `);
}

/** Nobody waits any longer. */
export function wakeMarks(tx: TenantTransaction): void {
  tx.send(sql`
    update blue_sync set not_before = null where tenant_id = ${tx.tenantId} and not_before is not null
  `);
}

/** Those whose paid role waits for a seat in Blue are looked at again: one was given back. */
export function wakeSeatless(tx: TenantTransaction): void {
  tx.send(sql`
    update blue_sync s set not_before = null from blue_people p
    where s.tenant_id = ${tx.tenantId} and s.not_before is not null
      and p.tenant_id = s.tenant_id and p.user_id = s.user_id and p.state = 'waiting' and p.code = 'SEATS_IN_BLUE'
  `);
}

/** Marks people who are not marked yet. */
export function markUnmarked(tx: TenantTransaction, userIds: readonly string[], now: Date): void {
  if (userIds.length === 0) return;
  tx.send(sql`
    insert into blue_sync (tenant_id, user_id, marked_at)
    select ${tx.tenantId}, m.user_id, ${now} from unnest(${userIds}::uuid[]) as m (user_id)
    on conflict (tenant_id, user_id) do nothing
  `);
}

/** Marks everybody the gateway has, or had, something to do for in Blue. */
export function markOurs(tx: TenantTransaction, now: Date): void {
  const people = sql`
    select user_id from decisions where tenant_id = ${tx.tenantId}
    union select user_id from blue_people where tenant_id = ${tx.tenantId}`;
  tx.send(marking(tx, people, now));
}

/** How many people are not yet known to have in Blue what was decided. */
export async function countPending(tx: TenantTransaction): Promise<number> {
  const [row] = await tx.run(sql<{ people: number }>`
    select count(*) as people from (
      select user_id from blue_sync where tenant_id = ${tx.tenantId}
      union select unnest(user_ids) from blue_sync_batches where tenant_id = ${tx.tenantId}
      union select user_id from blue_people where tenant_id = ${tx.tenantId} and state = 'waiting'
    ) pending
  `);
  return row?.people ?? 0;
}
