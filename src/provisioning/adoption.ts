/**
 * What adopting somebody would come to who has a paid role in Blue without the gateway: the pin that says what is there, or why there
 * can be none. Whoever is adopted keeps in Blue all that they have. Pure.
 */

import type { ActualMembership } from '../blue/actual-state.ts';
import { isPaidBy, levelRank } from '../blue/level.ts';
import type { FoundMember } from '../blue/unmanaged.ts';
import { limits } from '../kernel/limits.ts';
import { anyCustomRole, type Catalogue, customRoleOf } from '../licensing/catalogue.ts';

/** What of the tenant bears on it. */
export interface AdoptionRules {
  ownerUserId: string | null;
  /** The gateway's own user in Blue. */
  selfUserId: string;
  managedWorkspaces: readonly string[];
  /** Names and addresses, folded. */
  exclusions: readonly string[];
  catalogue: Catalogue;
  /** How many more may be adopted: the contract's seats must reach for them too. */
  room: number;
}

export const obstacles = {
  unknown: 'Blue lists nobody of that id, as it was last read.',
  not_paid: 'This person has no paid role in Blue that the gateway did not give.',
  owner: 'This person owns the organization in Blue, whose role is not the gateway’s to give.',
  self: 'This is the gateway’s own user in Blue.',
  no_address: 'Blue hides the address of this person, by which the directory would know them.',
  excluded: 'This person is left alone: take the name off the list of exclusions first.',
  ours: 'The gateway has decided for this person already, or has given them roles in Blue: write a mapping or a pin.',
  inactive: 'The directory has this person as inactive.',
  no_role: 'The gateway can’t give the role that this person has in Blue.',
  several_roles:
    'A pin gives one role, and the gateway would take away what this person has besides it in workspaces that it manages: give the roles by mappings, or make them one role in Blue.',
  too_many_workspaces: `A pin gives a role in at most ${limits.workspacesPerMappingMax} workspaces.`,
  name_taken: 'Another person has this address as userName, and none or another as e-mail address.',
  no_seat: 'The contract has no seat for this person: those of the gateway’s own people are all that it has.',
} as const;

/** Why somebody can't be adopted. */
export type Obstacle = keyof typeof obstacles;

/** What somebody has in a workspace, by the gateway's name of the role; null: it has none for it. */
export interface RoleInBlue {
  workspace: string;
  role: string | null;
}

export interface Adoption {
  memberships: readonly RoleInBlue[];
  /** The highest paid one; null: none that the gateway could give. */
  role: string | null;
  /** Where they have it. */
  workspaces: readonly string[];
  /** What they have beside it in workspaces that the gateway does not manage: it stays. */
  leftAlone: readonly RoleInBlue[];
  /** The same in those that it manages: it would be taken away. */
  endangered: readonly RoleInBlue[];
  why: Obstacle | null;
}

export function adoptionOf(member: FoundMember, rules: AdoptionRules): Adoption {
  const { catalogue } = rules;
  const memberships = member.memberships.map((row) => ({
    workspace: row.workspace,
    role: roleIn(row, catalogue),
  }));
  const role = highestOf(member.memberships, catalogue);
  const workspaces = memberships.filter((one) => one.role === role).map(({ workspace }) => workspace);
  const isManaged = ({ workspace }: RoleInBlue) => rules.managedWorkspaces.includes(workspace);
  const besides = memberships.filter((one) => one.role !== role);
  const leftAlone = besides.filter((one) => !isManaged(one));
  const adoption = { memberships, role, workspaces, leftAlone, endangered: besides.filter(isManaged) };
  return { ...adoption, why: obstacleTo(member, adoption, rules) };
}

function obstacleTo(
  member: FoundMember,
  { role, workspaces, endangered }: Omit<Adoption, 'why'>,
  { ownerUserId, selfUserId, exclusions, room }: AdoptionRules,
): Obstacle | null {
  const { blueUserId, address, user } = member;
  if (!member.isUnmanaged) return member.isOurs ? 'ours' : 'not_paid';
  if (blueUserId === ownerUserId) return 'owner';
  if (blueUserId === selfUserId) return 'self';
  if (address === null) return 'no_address';
  const names = [address, user?.userNameKey ?? address];
  if (member.isLeftAlone || names.some((name) => exclusions.includes(name))) return 'excluded';
  if (member.isOurs) return 'ours';
  if (user !== null && !user.isActive) return 'inactive';
  if (member.isNameTaken) return 'name_taken';
  if (role === null) return 'no_role';
  if (endangered.length > 0) return 'several_roles';
  if (workspaces.length > limits.workspacesPerMappingMax) return 'too_many_workspaces';
  return room < 1 ? 'no_seat' : null;
}

/** The obstacle for a person who reads it. */
export function obstacleText(why: Obstacle, { endangered }: Pick<Adoption, 'endangered'>): string {
  const names = endangered.map(({ workspace, role }) => `${role ?? 'another role'} in ${workspace}`);
  return why === 'several_roles' ? `${obstacles[why]} It would be: ${names.join(', ')}.` : obstacles[why];
}

/** Of what is paid, and can be given. */
function highestOf(memberships: readonly ActualMembership[], catalogue: Catalogue): string | null {
  const isPaid = isPaidBy(catalogue);
  const paid = memberships
    .filter(({ level, customRole }) => isPaid(level, customRole))
    .toSorted((a, b) => levelRank[b.level] - levelRank[a.level] || byName(a.customRole, b.customRole));
  const roles = paid.flatMap((row) => roleIn(row, catalogue) ?? []);
  return roles.find((role) => catalogue.roleOf(role).billing === 'paid') ?? null;
}

/** A plain role before custom ones of its level. */
function byName(a: string | null, b: string | null): number {
  const [x, y] = [a ?? '', b ?? ''];
  return x === y ? 0 : x < y ? -1 : 1;
}

/** A workspace's OWNER has what an ADMIN has. */
function roleIn({ level, customRole }: ActualMembership, { roles }: Catalogue): string | null {
  const given = level === 'OWNER' ? 'ADMIN' : level;
  const custom = roles.find(({ key }) => key === anyCustomRole);
  if (customRole !== null && level === custom?.level) {
    const key = `custom:${customRole}`;
    return customRoleOf(key) === customRole ? key : null;
  }
  return roles.find((one) => one.key !== anyCustomRole && one.level === given)?.key ?? null;
}
