/** The facts of an explanation, as a test tells them. */

import { termsAt } from '../../src/licensing/contract.ts';
import { desire, type Person } from '../../src/licensing/desire.ts';
import { type Decision, effect, type Seat, seatView } from '../../src/licensing/effect.ts';
import type { ExplainFacts } from '../../src/licensing/explain-facts.ts';
import type { Rules } from '../../src/licensing/mapping.ts';
import { contract, groupId, person, usual } from './support.ts';

export const now = new Date('2026-06-01T00:00:00Z');
export const terms = termsAt(contract({ policy: 'queue', fallbackRole: 'view_only' }), now);

/** Ann in these groups, as the core decides for her. */
export function facts(
  groups: string[],
  all: Rules,
  seat: Seat,
  change: Partial<Omit<ExplainFacts, 'pin'>> & Partial<Pick<Person, 'isDuplicate' | 'active' | 'pin'>> = {},
): ExplainFacts {
  const { isDuplicate = false, active = true, pin = null, ...rest } = change;
  const who = person(groups, { active, isDuplicate, pin });
  const wish = desire(who, all, now);
  const inForce = rest.terms ?? terms;
  const decision: Decision | null =
    wish.requested.length === 0
      ? null
      : {
          requested: wish.requested,
          effective: effect(wish, seat, inForce),
          claim:
            wish.priority === null ? null : { priority: wish.priority, claimedAt: now, mayPreempt: false },
          seat,
          since: now,
          refusal: wish.refusal,
          ...usual,
        };
  const place = rest.place ?? null;
  return {
    name: 'Ann',
    person: who,
    pin: null,
    now,
    groups: groups.map((name) => ({ id: groupId(name), displayName: name.toUpperCase() })),
    rules: all,
    terms: inForce,
    used: 3,
    decision,
    share: null,
    grantsFrom: null,
    seat: seatView(decision, place, {
      ...inForce,
      ...{ batch: null, share: null, excessUntil: null, isStaged: rest.stagedSince != null },
    }),
    stagedSince: null,
    takenAt: null,
    place,
    ahead: [],
    ...rest,
  };
}
