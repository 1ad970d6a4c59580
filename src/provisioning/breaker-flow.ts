/**
 * The mass-change breaker: what a directory says is stored, but where it takes many seats away at once the decisions wait until
 * an administrator lets them happen. Deactivations and deletions never wait.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import type { Door } from '../audit/door.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { isTripped, lossesAt } from '../licensing/breaker.ts';
import { type Decision, isSeated } from '../licensing/effect.ts';
import type { Affected } from './affected.ts';
import { countSeated, stagedAmong, unstage } from './affected-sql.ts';
import type { DecisionChange, Facts, Planned } from './plan.ts';
import type { Pool } from './pool.ts';

export interface Stage {
  isTripped: boolean;
  losses: Pool['losses'];
  audit: AuditEvent[];
}

/** Nothing is staged. */
export function untripped({ losses }: Pick<Pool, 'losses'>): Stage {
  return { isTripped: false, losses, audit: [] };
}

/**
 * Whether a directory's change takes so many seats away that an administrator is asked first. Of many people those who have a
 * seat are counted, also who would keep it by another group.
 */
export async function breakerOf(
  tx: TenantTransaction,
  { now }: Door,
  { rules, usage, losses }: Pool,
  affected: Affected,
  foreseen: Planned | undefined,
): Promise<Stage> {
  if (rules.breaker === null) return untripped({ losses });
  const lost = foreseen === undefined ? await countSeated(tx, affected) : lossesOf(foreseen);
  if (lost === 0) return untripped({ losses });
  const before = lossesAt(losses, now);
  if (!isTripped(rules.breaker, usage, before, lost)) {
    return { isTripped: false, losses: { ...before, seats: before.seats + lost }, audit: [] };
  }
  const after = { seats: lost, withinTheHour: before.seats, breaker: rules.breaker };
  return { isTripped: true, losses, audit: [{ action: 'breaker.tripped', subject: null, after }] };
}

/** Active people who lose a seat, be its place kept or not. */
function lossesOf(planned: Planned): number {
  return activeOf(planned).filter(({ before, after }) => isHolder(before) && !isHolder(after)).length;
}

/** Those whom it holds back already, and who would lose by this as well what they keep until then: a seat, or a place in the queue. */
export async function stillHeldBack(tx: TenantTransaction, planned: Planned): Promise<ReadonlySet<UserId>> {
  const losers = activeOf(planned).filter(({ before, after }) => worthOf(after) < worthOf(before));
  return await stagedAmong(
    tx,
    losers.map(({ userId }) => userId),
  );
}

function activeOf({ facts, planned }: Planned): readonly DecisionChange[] {
  const active = new Set(facts.persons.filter((person) => person.active).map(({ id }) => id));
  return planned.changes.filter(({ userId }) => active.has(userId));
}

function worthOf(decision: Decision | null): number {
  if (isHolder(decision)) return 2;
  return decision?.seat === 'waiting' ? 1 : 0;
}

function isHolder(decision: Decision | null): boolean {
  return isSeated(decision?.seat ?? 'none');
}

/** Who is decided for now no longer waits to be let through. */
export async function stagedAfter(
  tx: TenantTransaction,
  { now }: Door,
  { stagedSince }: Pool,
  { persons }: Facts,
  isTripping: boolean,
): Promise<Date | null> {
  if (isTripping) return stagedSince ?? now;
  if (stagedSince === null || persons.length === 0) return stagedSince;
  const areLeft = await unstage(
    tx,
    persons.map(({ id }) => id),
  );
  return areLeft ? stagedSince : null;
}
