/**
 * The double's memory: people, workspaces, memberships, invitations, activity. It keeps them consistent
 * and counts seats; who may do what, and which error Blue answers, is the resolvers' business.
 */

import type {
  AccessLevel,
  ActivityRecord,
  BlueSeed,
  Membership,
  OrganizationRecord,
  PendingInvitation,
  Person,
  Token,
  WorkspaceRecord,
} from './types.ts';

/** "Enterprise billing": the roles that are charged for. OWNER is not in that table and is taken as paid. */
const paidLevels: ReadonlySet<AccessLevel> = new Set(['OWNER', 'ADMIN', 'MEMBER']);

export const invitationDays = 7;
const dayMs = 24 * 60 * 60 * 1000;

export class World {
  readonly organization: OrganizationRecord;
  readonly people = new Map<string, Person>();
  readonly workspaces: readonly WorkspaceRecord[];
  readonly memberships: Membership[] = [];
  readonly invitations: PendingInvitation[] = [];
  readonly tokens: readonly Token[];
  readonly activity: ActivityRecord[] = [];
  readonly now: () => Date;
  #serial = 0;

  constructor(seed: BlueSeed, now: () => Date) {
    this.now = now;
    this.organization = { ...seed.organization, isBanned: false };
    this.workspaces = seed.workspaces.map((workspace) => ({
      archived: false,
      customRoles: [],
      ...workspace,
    }));
    this.tokens = seed.tokens.map((token) => ({ expiredAt: null, ...token }));
    for (const person of seed.people) {
      const isOwner = person.id === seed.organization.ownerId;
      const { memberships = [], ...rest } = person;
      const companyLevel = isOwner ? 'OWNER' : rest.companyLevel === undefined ? 'MEMBER' : rest.companyLevel;
      this.people.set(person.id, {
        isAgent: false,
        lastActiveAt: null,
        ...rest,
        companyLevel,
        createdAt: now(),
      });
      for (const { workspaceId, level, roleId } of memberships)
        this.join(person.id, workspaceId, level, roleId);
    }
    for (const workspace of seed.workspaces) {
      if (workspace.ownerIsIn !== false) this.#makeOwner(seed.organization.ownerId, workspace.id);
    }
  }

  /** A new id in the style of Blue's CUIDs; ascending, so that runs can be repeated. */
  nextId(prefix: string): string {
    this.#serial += 1;
    return `c${prefix}${this.#serial.toString().padStart(8, '0')}`;
  }

  workspace(idOrSlug: string): WorkspaceRecord | undefined {
    return this.workspaces.find(({ id, slug }) => id === idOrSlug || slug === idOrSlug);
  }

  personByEmail(email: string): Person | undefined {
    const key = email.toLowerCase();
    return [...this.people.values()].find((person) => person.email.toLowerCase() === key);
  }

  membership(userId: string, workspaceId: string): Membership | undefined {
    return this.memberships.find((one) => one.userId === userId && one.workspaceId === workspaceId);
  }

  membershipsOf(userId: string): Membership[] {
    return this.memberships.filter((one) => one.userId === userId);
  }

  /** Puts a person into a workspace; the organization OWNER always becomes ADMIN there (API docs, invite-user). */
  join(userId: string, workspaceId: string, level: AccessLevel, roleId: string | null = null): void {
    const person = this.people.get(userId);
    const actual = person?.companyLevel === 'OWNER' ? 'ADMIN' : level;
    this.memberships.push({ userId, workspaceId, level: actual, roleId, joinedAt: this.now() });
    const email = person?.email.toLowerCase();
    this.#dropInvitations((one) => one.email === email && one.workspaceId === workspaceId);
  }

  leaveWorkspace(userId: string, workspaceId: string): void {
    const at = this.memberships.findIndex((one) => one.userId === userId && one.workspaceId === workspaceId);
    if (at >= 0) this.memberships.splice(at, 1);
  }

  leaveOrganization(person: Person): void {
    for (const { workspaceId } of this.membershipsOf(person.id)) this.leaveWorkspace(person.id, workspaceId);
    person.companyLevel = null;
  }

  /** A repeat reuses the invitation as it is: that its level or date would change is not documented. */
  invite(
    fields: Pick<PendingInvitation, 'email' | 'level' | 'workspaceId' | 'roleId' | 'invitedById'>,
  ): void {
    const known = this.invitations.some(
      (one) => one.email === fields.email && one.workspaceId === fields.workspaceId,
    );
    if (known) return;
    const now = this.now();
    const id = this.nextId('invitation');
    this.invitations.push({ ...fields, id, createdAt: now, updatedAt: now, expiredAt: this.invitationEnd() });
  }

  invitationEnd(): Date {
    return new Date(this.now().getTime() + invitationDays * dayMs);
  }

  cancel(id: string): void {
    this.#dropInvitations((one) => one.id === id);
  }

  /** People who hold a paid role in any workspace, and the organization's owner. */
  paidPeople(): Set<string> {
    const held = this.memberships.filter(({ level }) => paidLevels.has(level)).map(({ userId }) => userId);
    return new Set([this.organization.ownerId, ...held]);
  }

  /** Addresses with a live paid invitation that are not paid people already. */
  paidInvited(): Set<string> {
    const paid = this.paidPeople();
    const live = this.invitations.filter((one) => paidLevels.has(one.level) && one.expiredAt > this.now());
    const fresh = live.filter(({ email }) => !paid.has(this.personByEmail(email)?.id ?? ''));
    return new Set(fresh.map(({ email }) => email));
  }

  /**
   * Whether giving `email` this level would need a seat that is not there. Blue doesn't document whether free roles
   * or pending invitations count: here paid ones do, pending or not.
   */
  lacksSeat(email: string, level: AccessLevel): boolean {
    const { userLimit } = this.organization;
    if (userLimit === null || !paidLevels.has(level)) return false;
    const paid = this.paidPeople();
    const invited = this.paidInvited();
    if (invited.has(email) || paid.has(this.personByEmail(email)?.id ?? '')) return false;
    return paid.size + invited.size + 1 > userLimit;
  }

  record(entry: Pick<ActivityRecord, 'category' | 'byId'> & Partial<ActivityRecord>): void {
    const blank = { affectedId: null, inviteeEmail: null, workspaceId: null };
    this.activity.push({ id: this.nextId('activity'), at: this.now(), ...blank, ...entry });
  }

  #makeOwner(userId: string, workspaceId: string): void {
    this.leaveWorkspace(userId, workspaceId);
    this.memberships.push({ userId, workspaceId, level: 'OWNER', roleId: null, joinedAt: this.now() });
  }

  #dropInvitations(matches: (one: PendingInvitation) => boolean): void {
    for (let at = this.invitations.length - 1; at >= 0; at -= 1) {
      const one = this.invitations[at];
      if (one !== undefined && matches(one)) this.invitations.splice(at, 1);
    }
  }
}
