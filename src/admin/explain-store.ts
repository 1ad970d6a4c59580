/** Reads what an explanation rests on. */

import { sql } from 'kysely';
import { nameOf as actorNameOf } from '../audit/audit-event.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { termsAt } from '../licensing/contract.ts';
import { type ExplainFacts, grantsFrom, type PinNote } from '../licensing/explain-facts.ts';
import { isOverageSpent } from '../licensing/overage.ts';
import { pinPriority } from '../licensing/pin.ts';
import { takingAt } from '../licensing/reclaim.ts';
import { shareOf, sharesOf } from '../licensing/sub-pool.ts';
import { loadPersons } from '../provisioning/person-store.ts';
import { type StoredPin, selectPin } from '../provisioning/pin-store.ts';
import type { Pool } from '../provisioning/pool.ts';
import { readPool } from '../provisioning/pool-store.ts';
import { selectReclaim } from '../provisioning/reclaim-store.ts';
import type { UserView } from '../provisioning/user-view.ts';
import { selectUserView } from '../provisioning/user-view-store.ts';

/** People ahead in the queue that are named. */
const aheadMax = 1000;

/** undefined: there is no such user. */
export async function selectExplainFacts(
  tx: TenantTransaction,
  id: UserId,
  now: Date,
): Promise<ExplainFacts | undefined> {
  const [view, pool, [person], pin, ahead, reclaim] = await Promise.all([
    selectUserView(tx, id, now),
    readPool(tx),
    loadPersons(tx, { userIds: [id] }, null),
    selectPin(tx, id),
    selectAhead(tx, id),
    selectReclaim(tx, id),
  ]);
  if (view === undefined || person === undefined) return undefined;
  const { held, overage, onHold, unmanagedPaid } = pool.usage;
  return {
    name: nameOf(view),
    person,
    groups: view.groups,
    pin: pin === undefined ? null : noteOf(pin),
    rules: pool.rules,
    terms: termsAt(pool.contract, now),
    used: held + overage + onHold + unmanagedPaid,
    decision: view.decision,
    seat: view.seat,
    stagedSince: view.stagedSince,
    share: await selectShare(tx, pool, view, now),
    grantsFrom: grantsFrom(pool.contract, now),
    takenAt: reclaim?.state === 'noticed' && reclaim.noticedAt !== null ? takingAt(reclaim.noticedAt) : null,
    place: isInQueue(view.decision) ? (ahead[0]?.total ?? 0) + 1 : null,
    ahead: ahead.map(({ id: userId, userName }) => ({ id: userId, userName })),
    now,
  };
}

function nameOf({ user: { attributes } }: UserView): string {
  return String(attributes.displayName ?? attributes.userName);
}

function noteOf({ role, workspaces, reason, until, reserved, actor }: StoredPin): PinNote {
  return {
    role,
    workspaces: workspaces === null ? null : [...workspaces],
    reason,
    until: until?.toISOString() ?? null,
    reserved,
    by: actorNameOf(actor),
  };
}

async function selectShare(
  tx: TenantTransaction,
  { subPools, contract, usage }: Pool,
  { user: { id }, decision }: UserView,
  now: Date,
): Promise<ExplainFacts['share']> {
  if (subPools.length === 0) return null;
  const terms = termsAt(contract, now);
  const shares = sharesOf(subPools, terms, usage);
  const name = decision?.subPool ?? null;
  const own = { name, ...shareOf(shares, name) };
  if (!isInQueue(decision)) return { ...own, place: null, others: [] };
  const isSpent = isOverageSpent(terms, decision?.overageSince ?? null, now);
  const lines = new Map((await selectLines(tx, id, isSpent)).map((line) => [line.name, line]));
  const lineOf = (of: string | null) => lines.get(of) ?? { waiting: 0, ahead: 0, takeable: 0 };
  const others = [...shares]
    .filter(([other]) => other !== name)
    .map(([other, share]) => ({ ...lineOf(other), ...share, name: other }));
  return { ...own, place: lineOf(name).ahead + 1, others };
}

function isInQueue(decision: UserView['decision']): boolean {
  return decision?.seat === 'waiting' && decision.approval === null;
}

interface Line {
  name: string | null;
  waiting: number;
  ahead: number;
  takeable: number;
}

/**
 * Of each share who waits, who of them is served before this person, and whose seats may be taken: never those of pins.
 *
 * @param isSpent The person's days above the capacity are over: a seat there is none for them.
 */
function selectLines(tx: TenantTransaction, id: UserId, isSpent: boolean): Promise<Line[]> {
  const seats = isSpent ? ['held'] : ['held', 'overage'];
  const waits = sql`q.seat = 'waiting' and q.approval is null`;
  return tx.run(sql<Line>`
    select q.sub_pool as name, count(*) filter (where ${waits}) as waiting,
      count(*) filter (where ${waits}
        and (q.priority, q.rank_at, q.tie, q.user_id) < (d.priority, d.rank_at, d.tie, d.user_id)) as ahead,
      count(*) filter (where q.seat = any(${seats}::text[]) and q.priority > ${pinPriority}) as takeable
    from decisions d
    join decisions q on q.tenant_id = d.tenant_id
    where d.tenant_id = ${tx.tenantId} and d.user_id = ${id}
    group by q.sub_pool
  `);
}

interface Ahead {
  id: UserId;
  userName: string;
  /** Of all ahead, also of those who are not named. */
  total: number;
}

/** Those who wait and are served before this person, in order; none when the person does not wait. */
function selectAhead(tx: TenantTransaction, id: UserId): Promise<Ahead[]> {
  return tx.run(sql<Ahead>`
    select u.id, u.user_name as "userName", count(*) over () as total
    from decisions d
    join decisions q on q.tenant_id = d.tenant_id and q.seat = 'waiting' and q.approval is null
      and (q.priority, q.rank_at, q.tie, q.user_id) < (d.priority, d.rank_at, d.tie, d.user_id)
    join users u on u.tenant_id = q.tenant_id and u.id = q.user_id
    where d.tenant_id = ${tx.tenantId} and d.user_id = ${id} and d.seat = 'waiting'
    order by q.priority, q.rank_at, q.tie, q.user_id limit ${aheadMax}
  `);
}
