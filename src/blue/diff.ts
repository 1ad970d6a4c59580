/**
 * What has to be sent to Blue so that it becomes what is wanted, and what to say of everybody meanwhile. Pure and
 * level-triggered: only the two states count, so any step may be lost, repeated or done by hand.
 */

import type { Action, Outcome } from './action.ts';
import {
  type ActualIndex,
  type ActualMember,
  type ActualState,
  indexOf,
  paidKeys,
  personKey,
} from './actual-state.ts';
import type { BlueSettings, DesiredPerson } from './desired-state.ts';
import { diffPerson, type PersonDiff } from './person-diff.ts';

export interface Diff {
  /** `down` steps first. The `up` steps hold for the state as it is: compare again once the `down` steps are applied. */
  readonly actions: readonly Action[];
  /** One a person, in order. */
  readonly outcomes: readonly Outcome[];
}

/**
 * Compares a batch of people, in the order in which they may take free seats.
 * A Blue user whom two people claim belongs to the one who was matched with him before, else to the first; so does an
 * address. Who is leaving claims nothing. The batch must hold all people of an address and of its Blue user.
 */
export function diff(
  desired: readonly DesiredPerson[],
  actual: ActualState,
  settings: BlueSettings,
  now: Date,
): Diff {
  const index = indexOf(actual);
  const paid = paidKeys(actual, index, settings.isPaid, now);
  const claims = claimsOf(desired, index);
  const holders = holdersOf(desired);
  const takeSeat = (key: string): boolean => {
    const { paidCeiling } = settings;
    const fits = paidCeiling === null || paid.size + actual.paidElsewhere + 1 <= paidCeiling;
    if (!paid.has(key) && !fits) return false;
    paid.add(key);
    return true;
  };
  const compared = desired.map((person): PersonDiff => {
    const { member } = matchOf(person, index);
    const key = personKey(member, person.address);
    const early = withoutComparing(person, member, actual, settings, claims.get(key));
    if (early !== undefined) return { actions: [], outcome: early };
    const isHolder = (holders.get(person.address) ?? person.userId) === person.userId;
    const addresses = new Set([isHolder ? person.address : null, member?.address ?? null]);
    const invitations = [...addresses].flatMap((one) => index.invitations.get(one ?? '') ?? []);
    return diffPerson({ person, member, invitations, actual, settings, now, seats: () => takeSeat(key) });
  });
  const actions = compared.flatMap((one) => one.actions);
  return {
    actions: [
      ...actions.filter(({ phase }) => phase === 'down'),
      ...actions.filter(({ phase }) => phase === 'up'),
    ],
    outcomes: compared.map(({ outcome }) => outcome),
  };
}

interface Match {
  member: ActualMember | undefined;
  isProven: boolean;
}

/** Blue's id first, as addresses change; somebody whom Blue no longer lists under his id is looked up by address. */
function matchOf({ blueUserId, guessedBlueUserId, address }: DesiredPerson, index: ActualIndex): Match {
  const proven = index.byId.get(blueUserId ?? '');
  if (proven !== undefined) return { member: proven, isProven: true };
  const guessed = index.byId.get(guessedBlueUserId ?? '') ?? index.byAddress.get(address ?? '');
  return { member: guessed, isProven: false };
}

/**
 * Who stands for each key: of those who stay the first who is proven, else the first; without any, a leaver who is proven,
 * so that nobody is taken for them by an address.
 */
function claimsOf(desired: readonly DesiredPerson[], index: ActualIndex): Map<string, string> {
  const claims = new Map<string, string>();
  for (const proven of [true, false]) {
    for (const person of desired) {
      const { member, isProven } = matchOf(person, index);
      const key = personKey(member, person.address);
      if (isProven === proven && !person.leaving && !claims.has(key)) claims.set(key, person.userId);
    }
  }
  for (const person of desired) {
    const { member, isProven } = matchOf(person, index);
    const key = personKey(member, person.address);
    if (isProven && !claims.has(key)) claims.set(key, person.userId);
  }
  return claims;
}

/** Whose the invitations to an address are: the first's who stays; without any, everybody's who has it. */
function holdersOf(desired: readonly DesiredPerson[]): Map<string | null, string> {
  const holders = new Map<string | null, string>();
  for (const { userId, address, leaving } of desired) {
    if (!leaving && !holders.has(address)) holders.set(address, userId);
  }
  return holders;
}

/** The cases in which a person's roles are not looked at. */
function withoutComparing(
  person: DesiredPerson,
  member: ActualMember | undefined,
  actual: ActualState,
  settings: BlueSettings,
  claimedBy: string | undefined,
): Outcome | undefined {
  const { userId, address, leaving } = person;
  const base = { userId, blueUserId: member?.blueUserId ?? person.blueUserId };
  const wantsNothing = leaving || person.roles.length === 0;
  if (isProtected(person, member, actual, settings)) {
    return { ...base, state: member === undefined ? 'none' : 'active', code: 'PROTECTED' };
  }
  if (member === undefined && address === null) {
    return wantsNothing ? { ...base, state: 'none' } : { ...base, state: 'refused', code: 'NO_EMAIL' };
  }
  if (claimedBy !== undefined && claimedBy !== userId) {
    // Nothing of the other's is kept, and who left loses what was theirs.
    return leaving
      ? { userId, state: 'removed', code: 'DUPLICATE_EMAIL', blueUserId: null }
      : { userId, state: 'refused', code: 'DUPLICATE_EMAIL', blueUserId: person.blueUserId };
  }
  if (member === undefined && actual.addressesHidden) {
    return { ...base, state: 'refused', code: 'EMAIL_NOT_PERMITTED' };
  }
  return undefined;
}

function isProtected(
  { isExcluded, address }: DesiredPerson,
  member: ActualMember | undefined,
  { ownerUserId, selfUserId }: ActualState,
  { exclusions }: BlueSettings,
): boolean {
  const id = member?.blueUserId;
  if (id !== undefined && (id === ownerUserId || id === selfUserId)) return true;
  return isExcluded || [address, member?.address].some((one) => one != null && exclusions.has(one));
}
