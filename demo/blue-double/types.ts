/** The records of the Blue double and the seed it starts from; no behaviour. */

export type AccessLevel = 'OWNER' | 'ADMIN' | 'MEMBER' | 'CLIENT' | 'COMMENT_ONLY' | 'VIEW_ONLY';

export interface Person {
  readonly id: string;
  email: string;
  firstName: string;
  lastName: string;
  isAgent: boolean;
  /** Null until he was active. */
  lastActiveAt: Date | null;
  /** Null for somebody who has an account in Blue but is not in this organization. */
  companyLevel: AccessLevel | null;
  createdAt: Date;
}

export interface Membership {
  readonly userId: string;
  readonly workspaceId: string;
  level: AccessLevel;
  roleId: string | null;
  joinedAt: Date;
}

export interface PendingInvitation {
  readonly id: string;
  readonly email: string;
  readonly level: AccessLevel;
  readonly workspaceId: string;
  readonly roleId: string | null;
  readonly invitedById: string;
  readonly createdAt: Date;
  updatedAt: Date;
  expiredAt: Date;
}

export interface WorkspaceRecord {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly archived: boolean;
  readonly customRoles: readonly { readonly id: string; readonly name: string }[];
}

export interface OrganizationRecord {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly ownerId: string;
  /** Null means unlimited. */
  userLimit: number | null;
  isBanned: boolean;
}

export interface Token {
  readonly uid: string;
  readonly secret: string;
  readonly userId: string;
  expiredAt: Date | null;
}

export interface ActivityRecord {
  readonly id: string;
  readonly category: string;
  readonly at: Date;
  readonly byId: string;
  readonly affectedId: string | null;
  readonly inviteeEmail: string | null;
  readonly workspaceId: string | null;
}

/** Requests a minute for the three layers that Blue checks (API docs, rate-limits). */
export interface RateTier {
  readonly key: number;
  readonly user: number;
  readonly organization: number;
}

export interface SeedPerson {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  isAgent?: boolean;
  lastActiveAt?: Date | null;
  companyLevel?: AccessLevel | null;
  memberships?: readonly { workspaceId: string; level: AccessLevel; roleId?: string }[];
}

export interface BlueSeed {
  organization: { id: string; slug: string; name: string; ownerId: string; userLimit: number | null };
  /** The owner among them. */
  people: readonly SeedPerson[];
  workspaces: readonly {
    id: string;
    slug: string;
    name: string;
    archived?: boolean;
    customRoles?: readonly { id: string; name: string }[];
    /** The organization's owner made the workspace and is its OWNER, unless this is false. */
    ownerIsIn?: boolean;
  }[];
  tokens: readonly { uid: string; secret: string; userId: string; expiredAt?: Date }[];
  /** Default: the Scale tier. */
  rate?: RateTier;
}
