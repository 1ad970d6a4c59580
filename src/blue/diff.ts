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
 * An address or Blue user that two people claim belongs to the first who is not leaving: the batch must hold all
 * people of an address.
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
  const takeSeat = (key: string): boolean => {
    const { paidCeiling } = settings;
    const fits = paidCeiling === null || paid.size + actual.paidElsewhere + 1 <= paidCeiling;
    if (!paid.has(key) && !fits) return false;
    paid.add(key);
    return true;
  };
  const compared = desired.map((person): PersonDiff => {
    const member = memberOf(person, index);
    const key = personKey(member, person.address);
    const early = withoutComparing(person, member, actual, settings, claims.get(key));
    if (early !== undefined) return { actions: [], outcome: early };
    const addresses = new Set([person.address, member?.address ?? null]);
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

/** Blue's id first, as addresses change; somebody whom Blue no longer lists under his id is looked up by address. */
function memberOf({ blueUserId, address }: DesiredPerson, index: ActualIndex): ActualMember | undefined {
  return index.byId.get(blueUserId ?? '') ?? index.byAddress.get(address ?? '');
}

/** Who stands for each key: the first who stays. */
function claimsOf(desired: readonly DesiredPerson[], index: ActualIndex): Map<string, string> {
  const claims = new Map<string, string>();
  for (const person of desired) {
    const key = personKey(memberOf(person, index), person.address);
    if (!person.leaving && !claims.has(key)) claims.set(key, person.userId);
  }
  return claims;
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
  if (isProtected(address, member, actual, settings)) {
    return { ...base, state: member === undefined ? 'none' : 'active', code: 'PROTECTED' };
  }
  if (member === undefined && address === null) {
    return wantsNothing ? { ...base, state: 'none' } : { ...base, state: 'refused', code: 'NO_EMAIL' };
  }
  if (claimedBy !== undefined && claimedBy !== userId) {
    return leaving
      ? { ...base, state: 'removed', code: 'DUPLICATE_EMAIL' }
      : { ...base, state: 'refused', code: 'DUPLICATE_EMAIL' };
  }
  if (member === undefined && actual.addressesHidden) {
    return { ...base, state: 'refused', code: 'EMAIL_NOT_PERMITTED' };
  }
  return undefined;
}

function isProtected(
  address: string | null,
  member: ActualMember | undefined,
  { ownerUserId, selfUserId }: ActualState,
  { exclusions }: BlueSettings,
): boolean {
  const id = member?.blueUserId;
  if (id !== undefined && (id === ownerUserId || id === selfUserId)) return true;
  return [address, member?.address].some((one) => one != null && exclusions.has(one));
}
