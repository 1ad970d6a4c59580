/**
 * People for whom an edit of mappings or roles does the same: of whom the same was decided, by the same mappings, and nothing else is
 * to be said. The rules are asked once for all of them. Pure.
 */

import type { GroupId, UserId } from '../kernel/ids.ts';
import { type Terms, termsAt } from '../licensing/contract.ts';
import type { Traits } from '../licensing/desire.ts';
import { type Decision, effect, type Seat } from '../licensing/effect.ts';
import { isValid, type Mapping, type Rules } from '../licensing/mapping.ts';
import { basisOf } from './basis.ts';
import type { Pool } from './pool.ts';
import type { PersonFacts } from './standing.ts';

export interface Crowd {
  /** One of them, for all: the times of the decision are nobody's. */
  person: PersonFacts;
  people: readonly UserId[];
}

/** As they are stored. */
export interface StoredCrowd {
  people: readonly [UserId, ...UserId[]];
  /** Of the mappings that name them, as basis.ts prints it. */
  basis: string;
  requested: Decision['requested'];
  seat: Seat;
  /** null: they want no seat. */
  priority: number | null;
  mayPreempt: boolean;
}

/**
 * Whether every decision is what the rules say, and nobody loses a seat to somebody else: then what becomes of whoever has a
 * seat, or wants none, follows from the person alone.
 */
export function isQuiet(pool: Pool, now: Date): boolean {
  const { evaluating, stagedSince, settledAt, dueAt, rules, batch, subPools, usage } = pool;
  const isDecided =
    !evaluating && stagedSince === null && settledAt <= now && (dueAt === null || now < dueAt);
  const isAtOnce = rules.settlement === 'immediate' && batch === null;
  const isSticky = rules.order === 'sticky' && subPools.length === 0;
  const isWithin = termsAt(pool.contract, now).allowance === 0 && usage.overage === 0;
  return isDecided && isAtOnce && isSticky && isWithin;
}

/** What mappings name people by. */
export interface Keys {
  groupIds: readonly GroupId[];
  roleValues: readonly string[];
  claimValues: readonly string[];
}

/** By which no mapping names anybody that counts before the edit: prints do not tell who is named by them. */
export function untoldKeys(before: Rules['mappings'], after: Rules['mappings'], now: Date): Keys {
  const told = new Set(before.filter((mapping) => isValid(mapping, now)).map(keyOf));
  const untold = [...before, ...after].filter((mapping) => !told.has(keyOf(mapping)));
  return {
    groupIds: untold.flatMap(({ groupId }) => groupId ?? []),
    roleValues: untold.flatMap(({ roleValue }) => roleValue ?? []),
    claimValues: untold.flatMap(({ claimValue }) => claimValue ?? []),
  };
}

function keyOf({ groupId, roleValue, claimValue }: Mapping): string {
  return JSON.stringify([groupId, roleValue, claimValue]);
}

/** What they were decided by. */
export interface Grounds {
  /** Without the edit. */
  before: Rules;
  terms: Terms;
  now: Date;
}

/**
 * @param traits Of the first of them.
 * @returns undefined when something else is to be said of them than which mappings name them.
 */
export function crowdOf(
  stored: StoredCrowd,
  traits: Traits,
  { before, terms, now }: Grounds,
): Crowd | undefined {
  const { people, basis } = stored;
  const decision = decisionOf(stored, terms, now);
  const person: PersonFacts = { ...unremarkable, ...traits, id: people[0], decision };
  return String(basisOf(person, before, now)) === basis ? { person, people } : undefined;
}

/** @param at In place of the times, which are not the same for all of them. */
export function decisionOf(
  { requested, seat, priority, mayPreempt }: StoredCrowd,
  terms: Terms,
  at: Date,
): Decision {
  const claim = priority === null ? null : { priority, claimedAt: at, mayPreempt };
  const effective = effect({ requested, refusal: null }, seat, terms);
  return { ...undisturbed, requested, effective, seat, claim, since: at };
}

const undisturbed = {
  refusal: null,
  kept: null,
  overageSince: null,
  approval: null,
  isUnasked: false,
  subPool: null,
  noticeUntil: null,
  endsAt: null,
};

const unremarkable = {
  seenAt: null,
  isPaidInBlue: false,
  active: true,
  address: null,
  tie: '',
  isDuplicate: false,
  isExcluded: false,
  defaultRole: null,
  pin: null,
  verdict: null,
  reclaimedAt: null,
  keepUntil: null,
};
