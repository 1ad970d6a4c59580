/**
 * The middle of every write that can change a decision: load the facts as the transaction now sees them, plan, write
 * the decisions with their audit, and mark for Blue whoever's roles changed.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import type { Door } from '../audit/door.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { freeSeats, termsAt } from '../licensing/contract.ts';
import {
  type Affected,
  loadPersons,
  loadQueue,
  markForBlue,
  type Pool,
  writePlan,
} from './decision-store.ts';
import { type DecisionChange, type PersonFacts, type Plan, plan, type Waiting } from './plan.ts';

export interface Decided {
  plan: Plan;
  /** For the caller to append with its own entries, so that all go in one statement. */
  audit: AuditEvent[];
}

/**
 * Decides for everybody affected, after the directory was written. Sends its writes, to travel with COMMIT.
 *
 * @param alsoMark People whose roles in Blue may differ for another reason than a decision (a new address).
 */
export async function decide(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  affected: Affected,
  alsoMark: readonly UserId[] = [],
): Promise<Decided> {
  const decided = await planFor(tx, door, pool, affected);
  writePlan(tx, pool, decided.plan, door.now, affected.everyone === true);
  const changed = decided.plan.changes.filter(changesRoles).map(({ userId }) => userId);
  markForBlue(tx, [...changed, ...alsoMark], door.now);
  return decided;
}

/** As `decide`, writing nothing. */
async function planFor(tx: TenantTransaction, door: Door, pool: Pool, affected: Affected): Promise<Decided> {
  const [persons, queue] = await loadFacts(
    tx,
    affected,
    freeSeats(termsAt(pool.contract, door.now), pool.used + pool.unmanagedPaid),
  );
  const ids = new Set(persons.map(({ id }) => id));
  const planned = plan({ ...pool, persons, queue: queue.filter(({ id }) => !ids.has(id)) }, door.now);
  const inputs = {
    used: pool.used,
    unmanagedPaid: pool.unmanagedPaid,
    capacity: planned.terms.capacity,
    policy: planned.terms.policy,
  };
  return { plan: planned, audit: planned.changes.map((change) => auditOf(change, inputs)) };
}

/**
 * Everybody affected, and enough of the queue for every seat that is free or may be given back. Each person affected
 * either gives back a seat or stands in the queue, so that one more row for each is enough: where their number is
 * known beforehand, both are read in one round trip.
 */
async function loadFacts(
  tx: TenantTransaction,
  affected: Affected,
  free: number,
): Promise<[PersonFacts[], Waiting[]]> {
  const { userIds = [], addresses = [], groupIds = [], everyone = false } = affected;
  if (groupIds.length === 0 && !everyone) {
    // Of the people with one address only the first has a claim.
    return await Promise.all([
      loadPersons(tx, affected),
      loadQueue(tx, free + userIds.length + addresses.length),
    ]);
  }
  const persons = await loadPersons(tx, affected);
  // Whoever waits is among everyone.
  if (everyone) return [persons, []];
  return [persons, await loadQueue(tx, free + persons.length)];
}

function auditOf({ userId, before, after }: DecisionChange, inputs: object): AuditEvent {
  return { action: 'decision.changed', subject: userId, before, after, inputs };
}

/** Seats alone mean nothing to Blue: only a change of roles does. */
function changesRoles({ before, after }: DecisionChange): boolean {
  return JSON.stringify(rolesOf(before)) !== JSON.stringify(rolesOf(after));
}

function rolesOf(decision: DecisionChange['after']): string[] {
  return (decision?.effective ?? []).map(({ workspace, role }) => `${workspace} ${role}`).sort();
}
