/** Whom a write may have changed the facts of. */

import type { GroupId, UserId } from '../kernel/ids.ts';
import type { RoleKey } from '../licensing/catalogue.ts';

export interface Affected {
  userIds?: readonly UserId[];
  /** Everybody who has one of these addresses in Blue. */
  addresses?: readonly string[];
  /** Everybody who is in one of these groups. */
  groupIds?: readonly GroupId[];
  /** Everybody for whom the identity provider pushed one of these roles, folded. */
  roleValues?: readonly string[];
  /** Everybody whose groups claim held one of these values, folded. */
  claimValues?: readonly string[];
  /** Everybody with a seat of this kind. */
  seats?: readonly ('held' | 'overage' | 'waiting')[];
  /** Everybody who asks for a seat and was denied it: somebody refused the claim, or the seat was taken because it lay idle. */
  denied?: boolean;
  /** Everybody who was told that the seat goes to another. */
  noticed?: boolean;
  /** Everybody who asks for one of these roles. */
  roles?: readonly RoleKey[];
  /** Everybody of whose decision something has ended by then. */
  endedBy?: Date;
  /** Everybody of whom something is decided, or asked by the rules as they are written. */
  everyone?: boolean;
  /** Everybody who is there. */
  anybody?: boolean;
}

/** How many they can be at most, where the request tells; undefined: only the database knows. */
export function knownCount({ userIds = [], addresses = [], ...others }: Affected): number | undefined {
  const isUnknown = Object.values(others).some((value) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false,
  );
  // Of the people with one address only the first has a claim.
  return isUnknown ? undefined : userIds.length + addresses.length;
}
