/**
 * Rows of seat_reclaims, the facts that the next step of a case rests on, and when a tenant's seats are looked at next. Cases are
 * written while the tenant's seat pool row is locked.
 */

import { type RawBuilder, sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId, UserId } from '../kernel/ids.ts';
import type { Seat } from '../licensing/effect.ts';
import type { Reclaim, ReclaimFacts, ReclaimState } from '../licensing/reclaim.ts';
import { joinMember, seenAtSql } from './reclaim-sql.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** Tenants whose seats are to be looked at. @param readSince Where Blue is connected, its lists were read since. */
export async function findDueReclaims(
  database: Database,
  now: Date,
  readSince: Date,
  most: number,
): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_due_reclaims(${now}, ${readSince}, ${most})`,
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

export interface Look {
  dueAt: Date | null;
  /** null: nobody is asked. */
  idleDays: number | null;
}

export async function selectLook(tx: TenantTransaction): Promise<Look> {
  const [row] = await tx.run(
    db
      .selectFrom('tenant_settings')
      .select(['reclaim_due_at as dueAt', 'reclaim_days as idleDays'])
      .where('tenant_id', '=', tx.tenantId),
  );
  return row ?? { dueAt: null, idleDays: null };
}

/** Sends that the tenant's seats are looked at now. */
export function lookNow(tx: TenantTransaction, now: Date): void {
  tx.send(
    db.updateTable('tenant_settings').set({ reclaim_due_at: now }).where('tenant_id', '=', tx.tenantId),
  );
}

/** Sends the same where anybody was seen of whom a case is open. */
export function lookNowIfSeen(tx: TenantTransaction, now: Date): void {
  tx.send(sql`
    update tenant_settings s set reclaim_due_at = ${now}
    where s.tenant_id = ${tx.tenantId} and s.reclaim_due_at > ${now} and exists (
      select from seat_reclaims r join users u on u.tenant_id = r.tenant_id and u.id = r.user_id ${joinMember}
      where r.tenant_id = s.tenant_id and r.state in ('noticed', 'taken') and ${isSeenSince})
  `);
}

/**
 * Sends when the next look is: in an hour, or when a step is due before; never where nobody is asked and no case is open. Not
 * where somebody has asked for a look since this one began.
 */
export function writeNextLook(tx: TenantTransaction, { dueAt, idleDays }: Look, now: Date): void {
  const open = sql`seat_reclaims r where r.tenant_id = s.tenant_id and r.state in ('noticed', 'taken')`;
  const inAnHour = new Date(now.getTime() + hourMs);
  tx.send(sql`
    update tenant_settings s set reclaim_due_at =
      case when ${idleDays}::integer is not null or exists (select from ${open})
        then least(${inAnHour}::timestamptz, (select min(r.due_at) from ${open} and r.due_at > ${now})) end
    where s.tenant_id = ${tx.tenantId} and s.reclaim_due_at is not distinct from ${dueAt}::timestamptz
  `);
}

const isSeenSince = sql`${seenAtSql} > coalesce(r.seen_at, '-infinity')`;

/** People of whom a step may be due: the pure rule (licensing/reclaim.ts) as a query, and it has the last word. */
export async function findCases(
  tx: TenantTransaction,
  { idleDays }: Look,
  now: Date,
  most: number,
): Promise<UserId[]> {
  const idle = idleDays === null ? sql`false` : isIdle(new Date(now.getTime() - idleDays * dayMs), now);
  const parts = [
    sql`r.state = 'taken' and (${isSeenSince} or r.taken_at > ${now})`,
    sql`r.state = 'noticed' and (r.due_at <= ${now} or ${isSeenSince} or not coalesce(${idle}, false))`,
    sql`d.seat in ('held', 'overage') and (r.state is null or r.state not in ('noticed', 'taken')) and ${idle}`,
  ].map((where) => sql`select u.id ${casesWhere(tx, where)}`);
  // Materialized: with the limit inside, each of many people would be looked up one by one.
  const rows = await tx.run(sql<{ id: UserId }>`
    with found as materialized (${sql.join(parts, sql` union all `)}) select id from found limit ${most}
  `);
  return rows.map(({ id }) => id);
}

function isIdle(since: Date, now: Date): RawBuilder<unknown> {
  return sql`(d.seat in ('held', 'overage') and not ${isPinned(now)}
    and greatest(d.since, ${seenAtSql}, case when r.state <> 'noticed' then r.changed_at end) <= ${since})`;
}

function isPinned(now: Date): RawBuilder<unknown> {
  return sql`exists (select from pins p where p.tenant_id = u.tenant_id and p.user_id = u.id
    and (p.until is null or p.until > ${now}))`;
}

function casesWhere(tx: TenantTransaction, where: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`from users u
    left join decisions d on d.tenant_id = u.tenant_id and d.user_id = u.id
    left join seat_reclaims r on r.tenant_id = u.tenant_id and r.user_id = u.id
    ${joinMember}
    where u.tenant_id = ${tx.tenantId} and ${where}`;
}

export interface ReclaimCase extends ReclaimFacts {
  userId: UserId;
}

type NoReclaim = { [name in keyof Reclaim]: null };
type ReclaimRow = Reclaim | NoReclaim;
type CaseRow = ReclaimRow & {
  userId: UserId;
  seat: Seat | null;
  since: Date | null;
  seenNow: Date | null;
  isPinned: boolean;
};

const reclaimColumns = sql`r.state, r.noticed_at as "noticedAt", r.reminders, r.due_at as "dueAt", r.taken_at as "takenAt",
  r.seen_at as "seenAt", r.changed_at as "changedAt"`;

/** What is known of these people; of who is no user nothing. */
export async function selectCases(
  tx: TenantTransaction,
  userIds: readonly UserId[],
  now: Date,
): Promise<ReclaimCase[]> {
  const rows = await tx.run(sql<CaseRow>`
    select u.id as "userId", d.seat, d.since, ${seenAtSql} as "seenNow", ${isPinned(now)} as "isPinned", ${reclaimColumns}
    ${casesWhere(tx, sql`u.id = any(${userIds}::uuid[])`)} order by u.id
  `);
  return rows.map(({ userId, seat, since, seenNow, isPinned: pinned, ...reclaim }) => ({
    ...{ userId, seat, since, seenAt: seenNow, isPinned: pinned },
    reclaim: reclaim.state === null ? null : reclaim,
  }));
}

/** Sends cases in place of those that were. */
export function writeReclaims(
  tx: TenantTransaction,
  reclaims: readonly { userId: UserId; after: Reclaim }[],
): void {
  const rows = reclaims.map(({ userId, after }) => ({
    ...{ user_id: userId, state: after.state, noticed_at: after.noticedAt, reminders: after.reminders },
    ...{ due_at: after.dueAt, taken_at: after.takenAt, seen_at: after.seenAt, changed_at: after.changedAt },
  }));
  tx.send(sql`
    insert into seat_reclaims (tenant_id, user_id, state, noticed_at, reminders, due_at, taken_at, seen_at, changed_at)
    select ${tx.tenantId}, r.* from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r (user_id uuid, state text, noticed_at timestamptz, reminders integer, due_at timestamptz,
            taken_at timestamptz, seen_at timestamptz, changed_at timestamptz)
    on conflict (tenant_id, user_id) do update set state = excluded.state, noticed_at = excluded.noticed_at,
      reminders = excluded.reminders, due_at = excluded.due_at, taken_at = excluded.taken_at,
      seen_at = excluded.seen_at, changed_at = excluded.changed_at
  `);
}

export interface ReclaimView extends Reclaim {
  id: UserId;
  userName: string;
  /** The latest of signing on here and being active in Blue; null: not known. */
  lastSeenAt: Date | null;
}

/** The cases in the order of their people's ids. */
export function selectReclaims(
  tx: TenantTransaction,
  { after, state, most }: { after: string; state?: ReclaimState | undefined; most: number },
): Promise<ReclaimView[]> {
  const isAsked = state === undefined ? sql`true` : sql`r.state = ${state}`;
  return readViews(tx, sql`r.user_id > ${after} and ${isAsked}`, most);
}

/** undefined: the person has none. */
export async function selectReclaim(tx: TenantTransaction, id: UserId): Promise<ReclaimView | undefined> {
  const [view] = await readViews(tx, sql`r.user_id = ${id}`, 1);
  return view;
}

function readViews(tx: TenantTransaction, where: RawBuilder<unknown>, most: number): Promise<ReclaimView[]> {
  return tx.run(sql<ReclaimView>`
    select u.id, u.user_name as "userName", ${seenAtSql} as "lastSeenAt", ${reclaimColumns}
    from seat_reclaims r join users u on u.tenant_id = r.tenant_id and u.id = r.user_id ${joinMember}
    where r.tenant_id = ${tx.tenantId} and ${where}
    order by r.user_id limit ${most}
  `);
}
