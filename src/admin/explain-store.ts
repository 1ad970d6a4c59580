/** Reads what an explanation rests on. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { termsAt } from '../licensing/contract.ts';
import type { ExplainFacts } from '../licensing/explain.ts';
import { selectMappings } from '../provisioning/mapping-store.ts';
import type { UserView } from '../provisioning/user-view.ts';
import { selectUserView } from '../provisioning/user-view-store.ts';
import { selectContractInForce, selectSeats } from './contract-store.ts';

/** People ahead in the queue that are named. */
const aheadMax = 1000;

/** undefined: there is no such user. */
export async function selectExplainFacts(
  tx: TenantTransaction,
  id: UserId,
  now: Date,
): Promise<ExplainFacts | undefined> {
  const [view, mappings, contract, seats, workspaces, ahead] = await Promise.all([
    selectUserView(tx, id, now),
    selectMappings(tx),
    selectContractInForce(tx),
    selectSeats(tx),
    selectDefaultWorkspaces(tx),
    selectAhead(tx, id),
  ]);
  if (view === undefined) return undefined;
  const isWaiting = view.decision?.seat === 'waiting';
  return {
    name: nameOf(view),
    active: view.user.attributes.active !== false,
    groups: view.groups,
    rules: { mappings, defaultWorkspaces: workspaces },
    terms: termsAt(contract, now),
    used: seats.held + seats.unmanagedPaid,
    decision: view.decision,
    seat: view.seat,
    place: isWaiting ? (ahead[0]?.total ?? 0) + 1 : null,
    ahead: ahead.map(({ id: userId, userName }) => ({ id: userId, userName })),
  };
}

function nameOf({ user: { attributes } }: UserView): string {
  return String(attributes.displayName ?? attributes.userName);
}

async function selectDefaultWorkspaces(tx: TenantTransaction): Promise<string[]> {
  const [row] = await tx.run(sql<{ default_workspaces: string[] }>`
    select default_workspaces from blue_connections where tenant_id = ${tx.tenantId}
  `);
  return row?.default_workspaces ?? [];
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
    join decisions q on q.tenant_id = d.tenant_id and q.seat = 'waiting'
      and (q.priority, q.claimed_at, q.tie, q.user_id) < (d.priority, d.claimed_at, d.tie, d.user_id)
    join users u on u.tenant_id = q.tenant_id and u.id = q.user_id
    where d.tenant_id = ${tx.tenantId} and d.user_id = ${id} and d.seat = 'waiting'
    order by q.priority, q.claimed_at, q.tie, q.user_id limit ${aheadMax}
  `);
}
