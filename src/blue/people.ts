/** People of ours as Blue's side sees them: from what the directory and the decisions say to what is wanted. Pure. */

import { fold } from '../kernel/fold.ts';
import type { Catalogue } from '../licensing/catalogue.ts';
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
  /** Another person has the address that is kept, or was invited to it as well. */
  isKeptAddressTaken: boolean;
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
  /** Where else than in the tenant's own workspaces the person was given roles: what they have there may be taken away again. */
  given: readonly string[];
}

/** Invited at the kept address and not known to have accepted; also while it is in doubt whether that still holds. */
export function isInvitedThere({ blueUserId, state, code }: KeptPerson): boolean {
  if (blueUserId !== null) return false;
  return state === 'invited' || (state === 'waiting' && code !== null && doubtCodes.has(code));
}

const doubtCodes: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'INVITATION_NOT_FOUND',
  'INVITATION_EXPIRED',
]);

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
  outcomes: readonly Told[];
}

export interface Told extends Outcome {
  /** To be kept of the person: the present address, or the former one until no invitation to it is left. */
  readonly address: string | null;
  /** To be kept of the person, as `KeptPerson.given`. */
  readonly given: readonly string[];
}

/** Compares people with Blue; see `diff`. */
export function compare(
  people: readonly Person[],
  actual: ActualState,
  settings: BlueSettings,
  now: Date,
): Comparison {
  const proven = new Set(people.flatMap(({ kept }) => kept?.blueUserId ?? []));
  const desired = people.flatMap((person) => {
    const guess = formerMember(person, actual, proven);
    const wanted = guess === null && hasNoPlace(person) ? [] : [desiredOf(person, guess, settings)];
    const former = formerOf(person, guess, actual).map((one) => ({
      ...one,
      isExcluded: isLeftAlone(person, settings),
    }));
    return [...wanted, ...former];
  });
  const result = diff(desired, actual, settings, now);
  const said = new Map(result.outcomes.map((outcome) => [outcome.userId, outcome]));
  return {
    people,
    actions: result.actions.map((action) => ({ ...action, userId: ownerOf(action.userId) })),
    outcomes: people.map((person) => {
      const former = said.get(`${formerPrefix}${person.userId}`);
      const outcome = withFormer(outcomeOf(person, said.get(person.userId)), former);
      const { address, kept } = person;
      const given = givenTo(person, settings);
      return { ...outcome, given, address: former?.state === 'waiting' ? (kept?.address ?? null) : address };
    }),
  };
}

function givenTo({ effective, kept }: Person, { isObserving, managedWorkspaces }: BlueSettings): string[] {
  if (isObserving) return [...(kept?.given ?? [])];
  const own = effective.map(({ workspace }) => workspace);
  const elsewhere = own.filter((one) => one !== nowhere && !managedWorkspaces.has(one));
  return [...new Set([...(kept?.given ?? []), ...elsewhere])].sort();
}

/** The address is another's, and so is whoever has it in Blue; also for whom it was refused until they left. */
function hasNoPlace({ isDuplicate, active, kept, address }: Person): boolean {
  if (kept !== null && kept.blueUserId !== null) return false;
  if (active) return isDuplicate;
  // A deleted user's address is the kept one: while something waits there, it is their own invitation.
  const isOwn = kept?.state === 'waiting' && kept.address === address;
  return kept?.code === 'DUPLICATE_EMAIL' && !isOwn;
}

/** Of whom the directory deleted the name is gone: who was left alone then stays so. */
function isLeftAlone({ userName, address, kept }: Person, { exclusions }: BlueSettings): boolean {
  if (userName === null && kept?.code === 'PROTECTED') return true;
  return [userName && fold(userName), address].some((one) => one !== null && exclusions.has(one));
}

function desiredOf(person: Person, guessedBlueUserId: string | null, settings: BlueSettings): DesiredPerson {
  const { userId, address, kept, effective, active, isDuplicate } = person;
  return {
    userId,
    address: isDuplicate ? null : address,
    blueUserId: kept?.blueUserId ?? null,
    guessedBlueUserId,
    roles: effective.map((role) => desiredRole(role, settings.catalogue)),
    given: kept?.given ?? [],
    leaving: !active,
    isExcluded: isLeftAlone(person, settings),
  };
}

function desiredRole({ role, workspace }: EffectiveRole, catalogue: Catalogue): DesiredRole {
  const { level, customRole } = catalogue.roleOf(role);
  return customRole === undefined ? { workspace, level } : { workspace, level, customRole };
}

/** Somebody who accepted under an address that has changed since: only where it can be nobody else. */
function formerMember(
  { address, kept, isKeptAddressTaken }: Person,
  { members }: ActualState,
  proven: ReadonlySet<string>,
): string | null {
  if (kept === null || kept.address === null || kept.address === address) return null;
  if (isKeptAddressTaken || !isInvitedThere(kept)) return null;
  const id = members.find((member) => member.address === kept.address)?.blueUserId;
  return id === undefined || proven.has(id) ? null : id;
}

const formerPrefix = 'former:';

/** Invitations to an address that the person no longer has must not be accepted by whoever has it next. */
function formerOf(
  { userId, kept, address }: Person,
  guess: string | null,
  { invitations, members }: ActualState,
): Omit<DesiredPerson, 'isExcluded'>[] {
  if (kept === null || kept.address === address || guess !== null) return [];
  // Whoever is a member has no invitation open; an id alone is kept also when the account has left.
  if (members.some(({ blueUserId }) => blueUserId === kept.blueUserId)) return [];
  if (!invitations.some((one) => one.address === kept.address)) return [];
  const nobody = { blueUserId: null, guessedBlueUserId: null, roles: [], given: [], leaving: true };
  return [{ userId: `${formerPrefix}${userId}`, address: kept.address, ...nobody }];
}

function ownerOf(userId: string): string {
  return userId.startsWith(formerPrefix) ? userId.slice(formerPrefix.length) : userId;
}

/** Nobody is done while an invitation to a former address is open. */
function withFormer(outcome: Outcome, former: Outcome | undefined): Outcome {
  if (former?.state !== 'waiting') return outcome;
  const { userId, blueUserId } = outcome;
  // An invitation that must be read first: told before anything else, since it is what makes it read.
  if (former.code !== undefined) return { ...former, userId, blueUserId };
  return outcome.code === undefined ? { ...outcome, state: 'waiting' } : outcome;
}

/** A decision refused for its address asks for no role; the person is told why. */
function outcomeOf({ userId, isDuplicate, active }: Person, said: Outcome | undefined): Outcome {
  const state = active ? 'refused' : 'removed';
  const outcome: Outcome = said ?? { userId, state, code: 'DUPLICATE_EMAIL', blueUserId: null };
  const isSettled = outcome.code === undefined && outcome.state !== 'waiting';
  return isDuplicate && active && isSettled
    ? { ...outcome, state: 'refused', code: 'DUPLICATE_EMAIL' }
    : outcome;
}
