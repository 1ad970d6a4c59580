/** The shares of a tenant in memory, counted anew from its people: what each has, what it has of others, and who sits on that. */

import type { UserId } from '../../src/kernel/ids.ts';
import { termsAt } from '../../src/licensing/contract.ts';
import { isSeated } from '../../src/licensing/effect.ts';
import { isOverageSpent } from '../../src/licensing/overage.ts';
import { type Member, ranked, type World } from './world.ts';

export interface WorldShare {
  name: string | null;
  seats: number;
  limit: number;
  used: number;
}

/** Each sub-pool, then the common rest; none where there are no sub-pools. */
export function sharesOf({ subPools, members, contract, usage, now }: World): WorldShare[] {
  if (subPools.length === 0) return [];
  const usedBy = (name: string | null) =>
    members.filter(({ decision }) => decision?.subPool === name && hasPlace(decision.seat)).length;
  const { capacity } = termsAt(contract, now);
  const promised = subPools.reduce((sum, { seats }) => sum + seats, 0);
  const limit = Number.POSITIVE_INFINITY;
  return [
    ...subPools.map(({ name, seats, borrowLimit }) => ({
      ...{ name, seats, used: usedBy(name) },
      limit: borrowLimit === null ? limit : seats + borrowLimit,
    })),
    {
      ...{ name: null, limit, used: usedBy(null) + usage.unmanagedPaid },
      seats: capacity === null ? limit : Math.max(0, capacity - promised),
    },
  ];
}

function hasPlace(seat: string): boolean {
  return ['held', 'overage', 'hold'].includes(seat);
}

/** Who holds what a share has of others: its lowest ranked, without pins. */
export function borrowersOf(world: World): Set<UserId> {
  const seated = ranked(world, 'held', 'overage').filter(({ decision }) => decision?.claim?.priority !== 0);
  const ids = sharesOf(world).flatMap(({ name, seats, used }) =>
    seated
      .filter(({ decision }) => decision?.subPool === name)
      .toReversed()
      .slice(0, Math.max(0, used - seats))
      .map(({ id }) => id),
  );
  return new Set(ids);
}

/** How many seats shares can claim back now: of those who wait within a share, and of what others have above theirs. */
export function claimedBack(world: World): number {
  const wanted = sharesOf(world).reduce((sum, { name, seats, used }) => {
    const waiting = ranked(world, 'waiting').filter(({ decision }) => decision?.subPool === name);
    return sum + Math.min(waiting.length, Math.max(0, seats - used));
  }, 0);
  return Math.min(wanted, borrowersOf(world).size);
}

/** Everybody who got a seat by a plan: who had none before, or one above the capacity whose time is over. */
export function arrived(before: World, after: World): Member[] {
  const terms = termsAt(after.contract, after.now);
  return after.members.filter(({ decision }, at) => {
    const { seat = 'none', overageSince = null } = before.members[at]?.decision ?? {};
    const isOver = seat === 'overage' && isOverageSpent(terms, overageSince, after.now);
    return isSeated(decision?.seat ?? 'none') && (!isSeated(seat) || isOver);
  });
}
