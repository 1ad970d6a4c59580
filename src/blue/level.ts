/** Blue's access levels as facts: which there are, how they rank, and which of them the catalogue has as paid. */

import { anyCustomRole, type Catalogue } from '../licensing/catalogue.ts';

export const levels = ['ADMIN', 'MEMBER', 'CLIENT', 'COMMENT_ONLY', 'VIEW_ONLY'] as const;

/** What the gateway hands out; a custom role is MEMBER with a role id (Blue API docs, invite-user). */
export type Level = (typeof levels)[number];

export const heldLevels = ['OWNER', ...levels] as const;

/** What somebody can have: OWNER is made by Blue alone. */
export type HeldLevel = (typeof heldLevels)[number];

/** Higher may do more. */
export const levelRank: Readonly<Record<HeldLevel, number>> = {
  OWNER: 5,
  ADMIN: 4,
  MEMBER: 3,
  CLIENT: 2,
  COMMENT_ONLY: 1,
  VIEW_ONLY: 0,
};

/** Whether a role is charged for: configuration, as Blue's own pages differ over time. */
export type IsPaid = (level: HeldLevel, customRole: string | null) => boolean;

/** The table of blue.cc "Enterprise billing"; OWNER is not in it and is taken as paid. */
const paidByTable: Readonly<Record<HeldLevel, boolean>> = {
  OWNER: true,
  ADMIN: true,
  MEMBER: true,
  CLIENT: false,
  COMMENT_ONLY: false,
  VIEW_ONLY: false,
};

/** Where no role of the catalogue has a level, the table stands. */
export function isPaidBy({ roles }: Pick<Catalogue, 'roles'>): IsPaid {
  const custom = roles.find(({ key }) => key === anyCustomRole);
  return (level, customRole) => {
    if (customRole !== null && level === custom?.level) return custom.billing === 'paid';
    const role = roles.find((one) => one.key !== anyCustomRole && one.level === level);
    return role === undefined ? paidByTable[level] : role.billing === 'paid';
  };
}

/** Blue tells no custom role of an invitation: it is paid if what is known of it can be. */
export function isPaidInvitation(level: HeldLevel, isPaid: IsPaid): boolean {
  return isPaid(level, null) || isPaid(level, 'any');
}
