/** Why a person has these roles and this seat, and what would change it: for admins, in codes and in one sentence. */

import type { UserId } from '../kernel/ids.ts';
import { sameJson } from '../kernel/same-json.ts';
import { desire, matching, type Person, pinAt } from './desire.ts';
import { isSeated } from './effect.ts';
import {
  type ExplainFacts,
  isAnyFree,
  listOf,
  mappingNotNow,
  namedBy,
  namesMax,
  type PinNote,
  type Rule,
  timeOf,
} from './explain-facts.ts';
import { sentenceOf } from './explain-sentence.ts';
import { contractWanting, seatsMore, shareWanting } from './explain-share.ts';
import { type Mapping, workspacesOf } from './mapping.ts';
import { capacityFor, isOverageSpent } from './overage.ts';
import { rankKeptUntil, undoUntil } from './reclaim.ts';

/** What the person would ask for, if one thing were different. */
export interface Counterfactual {
  change: string;
  roles: { role: string; workspace: string }[];
  needsSeat: boolean;
}

export interface Explanation {
  /** Reason codes, the deciding one first. */
  reasons: string[];
  winner: Rule | null;
  losers: (Rule & { because: string })[];
  pin: PinNote | null;
  queue: { position: number | null; ahead: { id: UserId; userName: string }[] };
  counterfactuals: Counterfactual[];
  smallestChange: string | null;
  sentence: string;
}

export function explain(facts: ExplainFacts): Explanation {
  const rules = rulesOf(facts);
  const won = rules.filter(({ because }) => because === null);
  const { catalogue } = facts.rules;
  const best = (won.find(({ rule }) => catalogue.roleOf(rule.role).billing === 'paid') ?? won[0])?.rule;
  return {
    reasons: reasonsOf(facts),
    winner: best ?? null,
    losers: rules.flatMap(({ rule, because }) => (because === null ? [] : [{ ...rule, because }])),
    pin: facts.pin,
    queue: { position: facts.seat.position, ahead: [...facts.ahead] },
    counterfactuals: counterfactualsOf(facts),
    smallestChange: smallestChange(facts),
    sentence: sentenceOf(facts, best),
  };
}

interface Judged {
  rule: Rule;
  /** Why it does not win; null when it does. */
  because: string | null;
}

/** Each matching mapping in each of its workspaces, best priority first. */
function rulesOf(facts: ExplainFacts): Judged[] {
  const { person, rules, now } = facts;
  const taken = new Map<string, number>();
  return matching(person, rules, now).flatMap((mapping) =>
    workspacesOf(mapping, rules).map((workspace) => {
      const rule = toRule(mapping, workspace, facts);
      const idle = idleBecause(facts);
      if (idle !== null) return { rule, because: idle };
      const winner = taken.get(workspace);
      if (winner === undefined) taken.set(workspace, mapping.priority);
      const because =
        winner === undefined ? null : `priority ${winner} wins in this workspace over ${mapping.priority}`;
      return { rule, because };
    }),
  );
}

/** Why no mapping is looked at; null: they are. */
function idleBecause({ person, now }: ExplainFacts): string | null {
  if (!person.active) return 'the person is inactive';
  if (person.isExcluded) return 'the person is on the list of those who are left alone';
  return pinAt(person, now) === undefined ? null : 'a pin stands in place of mappings';
}

function toRule(mapping: Mapping, workspace: string, { groups }: ExplainFacts): Rule {
  const { id, role, priority } = mapping;
  return { mapping: id, group: namedBy(mapping, groups), role, workspace, priority };
}

function reasonsOf({ person, decision, seat, terms }: ExplainFacts): string[] {
  if (!person.active) return ['INACTIVE'];
  if (person.isExcluded) return ['UNMANAGED'];
  const own = seat.reason === null ? [] : [seat.reason];
  if (decision === null) return own;
  const fallbacks = decision.effective
    .filter(({ via }) => via.startsWith('FALLBACK:'))
    .map(({ role }) => `FALLBACK:${role}`);
  const reduced = isSeated(decision.seat) && terms.isReducedLater ? ['TERM_REDUCED'] : [];
  const asked = decision.requested.map(({ via }) => via);
  return [...new Set([...own, ...reduced, ...asked, ...fallbacks])];
}

/** Each thing that, taken away alone, would make the person ask for something else. */
function counterfactualsOf(facts: ExplainFacts): Counterfactual[] {
  const { person, rules, groups, now } = facts;
  const names = new Map(groups.map(({ id, displayName }) => [id, displayName]));
  const askedWith = (other: Partial<Person>) => {
    const { requested, priority } = desire({ ...person, ...other }, rules, now);
    const roles = requested.map(({ role, workspace }) => ({ role, workspace }));
    return { roles, needsSeat: priority !== null };
  };
  const asIs = askedWith({});
  const without = (change: string, other: Partial<Person>): Counterfactual[] => {
    const asked = askedWith(other);
    return sameJson(asked, asIs) ? [] : [{ change, ...asked }];
  };
  if (!person.active) return without('Activate the person in the identity provider', { active: true });
  const rulesNow = matching(person, rules, now);
  const mapped = rulesNow.flatMap(({ groupId }) => groupId ?? []);
  const claimed = rulesNow.flatMap(({ claimValue }) => claimValue ?? []);
  return [
    ...(pinAt(person, now) === undefined ? [] : without('Take the pin away', { pin: null })),
    ...(person.reclaimedAt === null ? [] : without('Undo the taking of the seat', { reclaimedAt: null })),
    ...[...new Set(mapped)].slice(0, namesMax).flatMap((id) =>
      without(`Take the person out of ${names.get(id) ?? id}`, {
        groups: new Set([...person.groups].filter((other) => other !== id)),
      }),
    ),
    ...[...new Set(claimed)].slice(0, namesMax).flatMap((value) =>
      without(`Take the person out of ${value}`, {
        claimValues: person.claimValues.filter((other) => other !== value),
      }),
    ),
  ];
}

function smallestChange(facts: ExplainFacts): string | null {
  const { person, decision, seat, terms, used, place, groups } = facts;
  if (!person.active)
    return `Activate the person in the identity provider${isRefusedNow(facts) ? ', once a seat is free' : ''}.`;
  if (person.isExcluded) return "Take the person off the tenant's list of those who are left alone.";
  if (facts.stagedSince !== null) return 'An administrator who lets the change of the directory happen.';
  if (decision === null || decision.requested.length === 0) {
    if (decision?.kept != null) return putBack;
    const other = mappingNotNow(facts);
    if (other !== undefined) return `Other days for the mapping of "${namedBy(other, groups)}".`;
    return groups.length === 0
      ? 'Put the person into a mapped group.'
      : `Map one of the person's groups: ${listOf(groups.map(({ displayName }) => `"${displayName}"`))}.`;
  }
  if (decision.refusal === 'DUPLICATE_EMAIL') return 'Give one of the two people another e-mail address.';
  if (decision.refusal === 'SEAT_RECLAIMED') return comeBack(facts);
  if (isSeated(decision.seat) && terms.phase === 'frozen') return restoring(facts);
  if (decision.approval !== null)
    return `An administrator's approval${isAnyFree(facts) ? '' : ', and a seat that is free'}.`;
  if (decision.kept !== null) return putBack;
  if (isSeated(decision.seat) && facts.takenAt !== null)
    return 'The person signs in or is active in Blue; or an administrator keeps the seat.';
  if ((timeOf(seat, 'SEAT_EXCESS_UNTIL:') ?? timeOf(seat, 'PREEMPTED_AT:')) !== undefined)
    return 'More seats, or somebody who gives one back, before it goes.';
  if (decision.seat !== 'waiting' || place === null) return null;
  // Whose days above the capacity are over gets a seat within it alone.
  const isWithin = isOverageSpent(terms, decision.overageSince, facts.now);
  const capacityAt = (at: number) => capacityFor(used + at, isWithin ? 0 : terms.allowancePercent);
  if (!terms.grants) {
    if (facts.share !== null) return contractWanting(facts, facts.share);
    const seats = used + place;
    return `A contract that is in force today${seats === 1 ? '' : `, for ${seats} seats or more`}.`;
  }
  if (facts.share !== null) return shareWanting(facts, facts.share);
  const { capacity } = terms;
  return capacity === null ? null : seatsWanting(capacityAt(place) - capacity, capacityAt(1) - capacity);
}

function restoring({ grantsFrom }: ExplainFacts): string {
  return grantsFrom === null
    ? 'A contract: it restores what the evaluation had.'
    : `An earlier first day of what is signed ahead: at ${grantsFrom.toISOString()} it restores what the evaluation had.`;
}

const putBack = 'Put the person into a mapped group before the place lapses.';

/** Policy `block` lets nobody come back for whom no seat is free. */
function isRefusedNow(facts: ExplainFacts): boolean {
  const { person, rules, now, terms } = facts;
  return (
    terms.policy === 'block' &&
    !isAnyFree(facts) &&
    desire({ ...person, active: true }, rules, now).priority !== null
  );
}

function comeBack({ person: { reclaimedAt }, now }: ExplainFacts): string {
  const seen = 'The person signs in or is active in Blue';
  if (reclaimedAt === null || rankKeptUntil(reclaimedAt) <= now) return `${seen}: that is a new claim.`;
  if (undoUntil(reclaimedAt) <= now) return `${seen}: that is the old claim, with its rank.`;
  return `Undo the taking of the seat, until ${undoUntil(reclaimedAt).toISOString()}; or the person signs in or is active in Blue.`;
}

/**
 * Seats that are used above the capacity, which a smaller contract or people whom Blue has by itself leave, are made up for before
 * anybody is served.
 *
 * @param asTheQueueIs How many more there must be; none or less: seats are free.
 * @param atItsHead How many for whoever is served first.
 */
function seatsWanting(asTheQueueIs: number, atItsHead: number): string | null {
  if (asTheQueueIs <= 0) return null;
  const seats = seatsMore(asTheQueueIs);
  if (asTheQueueIs === atItsHead || atItsHead <= 0) return `${seats}.`;
  return `${seats}, or ${atItsHead === 1 ? 'one' : atItsHead} and a mapping of better priority than those ahead.`;
}
