/** Members of Blue who have a paid role without a seat of the gateway's, as they are found; data only. */

import type { UserId } from '../kernel/ids.ts';
import type { ActualMembership } from './actual-state.ts';

/** Of Blue, what tells whose paid role is whose. */
export interface Ownership {
  ownerUserId: string | null;
  managedWorkspaces: readonly string[];
}

/** A member of Blue, with what the gateway knows of whom that is. */
export interface FoundMember {
  blueUserId: string;
  /** Lower-cased; null when Blue hides it. */
  address: string | null;
  memberships: ActualMembership[];
  lastActiveAt: Date | null;
  /** One of those who are counted. */
  isUnmanaged: boolean;
  /** Somebody of ours has a seat for it. */
  isSeated: boolean;
  /** Something was decided for whoever has the address, or the gateway has, or had, something to do for the member. */
  isOurs: boolean;
  /** As somebody else than `user`, the member is left alone. */
  isLeftAlone: boolean;
  /** The directory's person with the address: of several the one whom Blue's account is. */
  user: { id: UserId; userName: string; userNameKey: string; isActive: boolean } | null;
  /** There is no such person, and another has the address as userName. */
  isNameTaken: boolean;
}
