/** People of ours as Blue's side sees them: from what the directory and the decisions say to what is wanted. Pure. */

import { roleOf } from '../licensing/catalogue.ts';
import type { EffectiveRole } from '../licensing/effect.ts';
import type { Action, Outcome } from './action.ts';
import type { ActualState } from './actual-state.ts';
import { type BlueSettings, type DesiredPerson, type DesiredRole, nowhere } from './desired-state.ts';
import { diff } from './diff.ts';

export interface Person {
  userId: string;
  /** Null once the user is deleted. */
  userName: string | null;
  active: boolean;
  /** Lower-cased, of the directory; for a deleted user the last one. */
  address: string | null;
  effective: readonly EffectiveRole[];
  /** Another person has the address. */
  isDuplicate: boolean;
  /** What is kept of the person; null: the gateway never had anything to do for them in Blue. */
  kept: KeptPerson | null;
  /** Null: not marked. */
  mark: { version: number; tries: number } | null;
}

export interface KeptPerson {
  address: string | null;
  blueUserId: string | null;
  state: Outcome['state'];
  code: string | null;
  detail: string | null;
}

/** Whether the gateway has, or had, anything to do for the person in Blue: others are left alone there. */
export function isOurs({ effective, isDuplicate, kept }: Person): boolean {
  return kept !== null || isDuplicate || effective.some(({ workspace }) => workspace !== nowhere);
}

export interface Comparison {
  /** Ours, in the order in which they may take seats. */
  people: readonly Person[];
  /** `down` steps first. */
  actions: readonly Action[];
  /** One a person, in order. */
  outcomes: readonly Outcome[];
}

/** Compares people with Blue; see `diff`. */
export function compare(
  people: readonly Person[],
  actual: ActualState,
  settings: BlueSettings,
  now: Date,
): Comparison {
  const desired = people.flatMap((person) => {
    const wanted = hasNoPlace(person) ? [] : [desiredOf(person, actual)];
    return [...wanted, ...formerOf(person, wanted[0], actual)];
  });
  const result = diff(desired, actual, settings, now);
  const said = new Map(result.outcomes.map((outcome) => [outcome.userId, outcome]));
  return {
    people,
    actions: result.actions.map((action) => ({ ...action, userId: ownerOf(action.userId) })),
    outcomes: people.map((person) => {
      const former = said.get(`${formerPrefix}${person.userId}`);
      return withFormer(outcomeOf(person, said.get(person.userId)), former);
    }),
  };
}

/** The address is another's, and so is whoever has it in Blue. */
function hasNoPlace({ isDuplicate, active, kept }: Person): boolean {
  return isDuplicate && active && (kept?.blueUserId ?? null) === null;
}

function desiredOf(person: Person, actual: ActualState): DesiredPerson {
  const { userId, address, kept, effective, active } = person;
  return {
    userId,
    address,
    blueUserId: kept?.blueUserId ?? formerMember(person, actual) ?? null,
    roles: effective.map(desiredRole),
    leaving: !active,
  };
}

function desiredRole({ role, workspace }: EffectiveRole): DesiredRole {
  const { level, customRole } = roleOf(role);
  return customRole === undefined ? { workspace, level } : { workspace, level, customRole };
}

/** Somebody who accepted under an address that has changed since. */
function formerMember({ address, kept }: Person, { members }: ActualState): string | undefined {
  if (kept === null || kept.address === null || kept.address === address) return undefined;
  return members.find((member) => member.address === kept.address)?.blueUserId;
}

const formerPrefix = 'former:';

/** Invitations to an address that the person no longer has must not be accepted by whoever has it next. */
function formerOf(
  { userId, kept, address }: Person,
  wanted: DesiredPerson | undefined,
  { invitations }: ActualState,
): DesiredPerson[] {
  if (kept === null || kept.address === address || (wanted?.blueUserId ?? null) !== null) return [];
  if (!invitations.some((one) => one.address === kept.address)) return [];
  const nobody = { blueUserId: null, roles: [], leaving: true };
  return [{ userId: `${formerPrefix}${userId}`, address: kept.address, ...nobody }];
}

function ownerOf(userId: string): string {
  return userId.startsWith(formerPrefix) ? userId.slice(formerPrefix.length) : userId;
}

/** Nobody is done while an invitation to a former address is open. */
function withFormer(outcome: Outcome, former: Outcome | undefined): Outcome {
  if (former?.state !== 'waiting' || outcome.code !== undefined) return outcome;
  const { code } = former;
  return { ...outcome, state: 'waiting', ...(code === undefined ? {} : { code }) };
}

/** A decision refused for its address asks for no role; the person is told why. */
function outcomeOf({ userId, isDuplicate, active }: Person, said: Outcome | undefined): Outcome {
  const outcome: Outcome = said ?? { userId, state: 'refused', code: 'DUPLICATE_EMAIL', blueUserId: null };
  const isSettled = outcome.code === undefined && outcome.state !== 'waiting';
  return isDuplicate && active && isSettled
    ? { ...outcome, state: 'refused', code: 'DUPLICATE_EMAIL' }
    : outcome;
}
