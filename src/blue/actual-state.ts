/** What is known of Blue for some people, in the form that the diff compares with; data and its small indexes. */

import { type HeldLevel, type IsPaid, isPaidInvitation } from './level.ts';

export interface ActualMembership {
  readonly workspace: string;
  readonly level: HeldLevel;
  /** The role's name. */
  readonly customRole: string | null;
}

export interface ActualMember {
  readonly blueUserId: string;
  /** Lower-cased; null when Blue hides it from the token. */
  readonly address: string | null;
  readonly memberships: readonly ActualMembership[];
  /** null: Blue knows none. */
  readonly lastActiveAt: Date | null;
}

export interface ActualInvitation {
  /** Null right after inviting: Blue answers no id, so it must be read before it can be used. */
  readonly id: string | null;
  readonly address: string;
  readonly workspace: string;
  readonly level: HeldLevel;
  readonly expiresAt: Date;
}

export interface ActualState {
  readonly organizationId: string;
  readonly ownerUserId: string | null;
  /** The gateway's own user in Blue. */
  readonly selfUserId: string;
  /** At least the members and invitations of everybody in the batch. */
  readonly members: readonly ActualMember[];
  readonly invitations: readonly ActualInvitation[];
  /** Paid people and paid invitations of Blue that are not in the two lists above. */
  readonly paidElsewhere: number;
  /** Some member's address is hidden, so "not found" does not mean "not there". */
  readonly addressesHidden: boolean;
  /** Ids of the workspaces the token can administer. */
  readonly workspaces: ReadonlySet<string>;
  /** Ids of custom roles by workspace id and name. */
  readonly customRoles: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export interface ActualIndex {
  readonly byId: ReadonlyMap<string, ActualMember>;
  readonly byAddress: ReadonlyMap<string, ActualMember>;
  readonly invitations: ReadonlyMap<string, readonly ActualInvitation[]>;
}

export function indexOf({ members, invitations }: ActualState): ActualIndex {
  const byAddress = new Map<string, ActualMember>();
  for (const member of members) if (member.address !== null) byAddress.set(member.address, member);
  return {
    byId: new Map(members.map((member) => [member.blueUserId, member])),
    byAddress,
    invitations: Map.groupBy(invitations, ({ address }) => address),
  };
}

/** One key a person, so that a paid member with a paid invitation counts once. */
export function personKey(member: ActualMember | undefined, address: string | null): string {
  return member === undefined ? `address:${address}` : `member:${member.blueUserId}`;
}

/** Keys of the people in the state who use a paid seat: members, the owner, and live invitations to a paid role. */
export function paidKeys(state: ActualState, index: ActualIndex, isPaid: IsPaid, now: Date): Set<string> {
  const keys = new Set<string>();
  for (const member of state.members) {
    const pays = member.memberships.some(({ level, customRole }) => isPaid(level, customRole));
    if (pays || member.blueUserId === state.ownerUserId) keys.add(personKey(member, null));
  }
  for (const { address, level, expiresAt } of state.invitations) {
    if (expiresAt > now && isPaidInvitation(level, isPaid))
      keys.add(personKey(index.byAddress.get(address), address));
  }
  return keys;
}
