/** Which users a list of the admin API shows, as a condition on `u` (users). */

import { type RawBuilder, sql } from 'kysely';
import { fold } from '../kernel/fold.ts';
import type { OveragePolicy } from '../licensing/contract.ts';
import { type SeatView, waitingStates } from '../licensing/effect.ts';

export interface UserQuery {
  after: string;
  /** What userName or the address in Blue begins with, whatever its case. */
  search?: string | undefined;
  /** A role the person has. */
  role?: string | undefined;
  seat?: SeatView['state'] | undefined;
}

/** @param policy Of the contract as it is now: it gives waiting people the name of their state. */
export function userCondition(query: UserQuery, policy: OveragePolicy): RawBuilder<unknown> {
  const conditions = [sql`u.id > ${query.after}`];
  if (query.search !== undefined) conditions.push(beginsWith(fold(query.search)));
  if (query.role !== undefined) {
    const role = JSON.stringify([{ role: query.role }]);
    conditions.push(
      decided(sql`d.effective_id in (
      select s.id from role_sets s where s.tenant_id = u.tenant_id and s.roles @> ${role}::jsonb)`),
    );
  }
  if (query.seat !== undefined) conditions.push(seatCondition(query.seat, policy));
  return sql.join(conditions, sql` and `);
}

function beginsWith(key: string): RawBuilder<unknown> {
  const end = `${key}\u{10ffff}`;
  return sql`((u.user_name_key >= ${key} and u.user_name_key < ${end})
    or (u.address >= ${key} and u.address < ${end}))`;
}

function seatCondition(state: SeatView['state'], policy: OveragePolicy): RawBuilder<unknown> {
  const waitingIs = waitingStates[policy];
  const isNone = sql`not ${decided(sql`d.seat <> 'none'`)}`;
  if (state === 'held' || state === 'overage' || state === 'hold') return decided(sql`d.seat = ${state}`);
  const isWaiting = waitingIs === state ? decided(sql`d.seat = 'waiting'`) : sql`false`;
  return state === 'none' ? sql`(${isNone} or ${isWaiting})` : isWaiting;
}

function decided(condition: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`exists (select from decisions d where d.tenant_id = u.tenant_id and d.user_id = u.id and ${condition})`;
}
