/** How large the bench's world is at a scale, and how its groups are skewed. Pure. */

export interface Size {
  users: number;
  groups: number;
  mappings: number;
  /** In the contract of the large tenant: fewer than are wanted. */
  seats: number;
  /** People of whom one after the other joins a mapped group. */
  joiners: number;
  /** Tenants in which everybody wants one of the last seats. */
  store: Contest;
  http: Contest;
}

export interface Contest {
  seats: number;
  people: number;
}

export const scaleMin = 0.001;
export const scaleMax = 1;

/** Rank of the group whose mapping is edited: it has 6 % of the people, 30,000 of 500,000. */
export const editedRank = 11;

/** Ranks of the large groups, all of them mapped. */
export const largeRanks = 20;

/** @param scale 1: an enterprise of 500,000. */
export function sizeAt(scale: number): Size {
  const part = (whole: number, least = 1) => Math.max(least, Math.round(whole * scale));
  // What costs little stays large enough to be measured.
  const contest = (seats: number): Contest => {
    const scaled = Math.max(40, Math.round(seats * Math.min(1, scale * 10)));
    return { seats: scaled, people: Math.round(scaled * 1.25) };
  };
  const groups = part(50_000);
  return {
    users: part(500_000),
    groups,
    mappings: Math.min(300, Math.floor(groups / 2)),
    seats: part(100_000),
    joiners: Math.min(300, part(6000, 30)),
    store: contest(4000),
    http: contest(2000),
  };
}

/**
 * Members of the group of a rank, by Zipf's law as group sizes in enterprises are: the first has everybody, the eleventh
 * 6 %, the last a handful. Together about eight groups a person.
 */
export function membersAt(rank: number, users: number): number {
  return rank === 1 ? users : Math.max(1, Math.floor((0.66 * users) / rank));
}

export interface MappedGroup {
  rank: number;
  priority: number;
  role: string;
  workspace: string;
}

const paidRoles = ['team_member', 'project_administrator', 'custom:Editor'];
const freeRoles = ['view_only', 'comment_only', 'client'];

/**
 * The mappings: everybody's group as a free role at the lowest priority, the large groups, and a sample of the long tail;
 * the smaller a group, the better its priority. One in three is paid. Each large group has a workspace of its own, so
 * that none hides another's role.
 */
export function mappedGroups({ groups, mappings }: Size): MappedGroup[] {
  const tail = mappings - largeRanks;
  return Array.from({ length: mappings }, (_, at): MappedGroup => {
    const isLarge = at < largeRanks;
    const rank = isLarge
      ? at + 1
      : largeRanks + 1 + Math.floor(((at - largeRanks) * (groups - largeRanks)) / tail);
    const roles = at % 3 === 1 && at > 1 ? paidRoles : freeRoles;
    return {
      rank,
      priority: mappings - at,
      role: roles[Math.floor(at / 3) % roles.length] ?? 'view_only',
      workspace: isLarge ? `workspace-${rank}` : `workspace-${100 + (at % 40)}`,
    };
  });
}
