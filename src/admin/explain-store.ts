/** Reads what an explanation rests on. */

import { sql } from 'kysely';
import { nameOf as actorNameOf } from '../audit/audit-event.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { termsAt } from '../licensing/contract.ts';
import type { ExplainFacts, PinNote } from '../licensing/explain-facts.ts';
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
  const isWaiting = view.decision?.seat === 'waiting' && view.decision.approval === null;
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
    share: shareNoteOf(pool, view.decision?.subPool ?? null, {
      place: isWaiting ? (ahead[0]?.ofShare ?? 0) + 1 : null,
      now,
    }),
    takenAt: reclaim?.state === 'noticed' && reclaim.noticedAt !== null ? takingAt(reclaim.noticedAt) : null,
    place: isWaiting ? (ahead[0]?.total ?? 0) + 1 : null,
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

function shareNoteOf(
  { subPools, contract, usage }: Pool,
  name: string | null,
  { place, now }: Pick<ExplainFacts, 'place' | 'now'>,
): ExplainFacts['share'] {
  if (subPools.length === 0) return null;
  return { name, place, ...shareOf(sharesOf(subPools, termsAt(contract, now), usage), name) };
}

interface Ahead {
  id: UserId;
  userName: string;
  /** Of all ahead, also of those who are not named. */
  total: number;
  /** Of those the ones whose claims are served from the same share. */
  ofShare: number;
}

/** Those who wait and are served before this person, in order; none when the person does not wait. */
function selectAhead(tx: TenantTransaction, id: UserId): Promise<Ahead[]> {
  return tx.run(sql<Ahead>`
    select u.id, u.user_name as "userName", count(*) over () as total,
      count(*) filter (where q.sub_pool is not distinct from d.sub_pool) over () as "ofShare"
    from decisions d
    join decisions q on q.tenant_id = d.tenant_id and q.seat = 'waiting' and q.approval is null
      and (q.priority, q.rank_at, q.tie, q.user_id) < (d.priority, d.rank_at, d.tie, d.user_id)
    join users u on u.tenant_id = q.tenant_id and u.id = q.user_id
    where d.tenant_id = ${tx.tenantId} and d.user_id = ${id} and d.seat = 'waiting'
    order by q.priority, q.rank_at, q.tie, q.user_id limit ${aheadMax}
  `);
}
