/**
 * Blue's roles: which are paid, and what each is called in Blue. Which roles there are is fixed; what is said of each is data
 * that operators change, and comes as a value. A role by any other name than these, or `custom:<role name>`, does not exist.
 */

export type Billing = 'paid' | 'free';
/** Blue's `UserAccessLevel`, without OWNER, which the gateway never assigns. */
export type Level = 'ADMIN' | 'MEMBER' | 'CLIENT' | 'COMMENT_ONLY' | 'VIEW_ONLY';
/** What a person can get instead of a paid role without a seat, where the catalogue has it as free; `none` is no role at all. */
export type FallbackRole = 'client' | 'comment_only' | 'view_only' | 'none';

export const fallbackRoles = [
  'client',
  'comment_only',
  'view_only',
  'none',
] as const satisfies readonly FallbackRole[];

/** Stands for every role that was made in a workspace by hand. */
export const anyCustomRole = 'custom:*';
export const roleKeys = [
  'project_administrator',
  'team_member',
  anyCustomRole,
  'client',
  'comment_only',
  'view_only',
] as const;
export type RoleKey = (typeof roleKeys)[number];

/** What the catalogue says of a role. */
export interface RoleEntry {
  key: RoleKey;
  billing: Billing;
  level: Level;
  /** What it is called for people. */
  label: string;
}

export interface Role extends Omit<RoleEntry, 'key'> {
  key: string;
  /** Name of the custom role, resolved in each workspace; only for `custom:<name>`. */
  customRole?: string;
}

export interface Catalogue {
  version: number;
  /** Each of `roleKeys` once. */
  roles: readonly RoleEntry[];
  /** The role of a key as the API writes it, or undefined when there is none. */
  find(key: string): Role | undefined;
  /** As `find`, for keys that were checked when they were written. */
  roleOf(key: string): Role;
}

const customPrefix = 'custom:';

/** Name of the custom role that a key means; undefined: it means none. */
export function customRoleOf(key: string): string | undefined {
  const name = key.startsWith(customPrefix) ? key.slice(customPrefix.length).trim() : '';
  return name === '' ? undefined : name;
}

/** The entry that a role's key falls under, or undefined when there is no such role. */
export function entryKeyOf(key: string): RoleKey | undefined {
  if (customRoleOf(key) !== undefined) return anyCustomRole;
  return roleKeys.find((one) => one === key);
}

export function catalogueOf({ version, roles }: Pick<Catalogue, 'version' | 'roles'>): Catalogue {
  const byKey = new Map(roles.map((role) => [role.key, role]));
  const find = (key: string): Role | undefined => {
    const entryKey = entryKeyOf(key);
    const entry = entryKey === undefined ? undefined : byKey.get(entryKey);
    const customRole = customRoleOf(key);
    return entry === undefined
      ? undefined
      : { ...entry, key, ...(customRole === undefined ? {} : { customRole }) };
  };
  const roleOf = (key: string): Role => {
    const role = find(key);
    if (role === undefined) throw new Error(`no role ${key}`);
    return role;
  };
  return { version, roles, find, roleOf };
}

/** What every gateway begins with: the table of blue.cc "Enterprise billing". */
export const firstCatalogue = catalogueOf({
  version: 1,
  roles: [
    { key: 'project_administrator', billing: 'paid', level: 'ADMIN', label: 'Project Administrator' },
    { key: 'team_member', billing: 'paid', level: 'MEMBER', label: 'Team Member' },
    { key: anyCustomRole, billing: 'paid', level: 'MEMBER', label: 'Custom User Role' },
    { key: 'client', billing: 'free', level: 'CLIENT', label: 'Client' },
    { key: 'comment_only', billing: 'free', level: 'COMMENT_ONLY', label: 'Comment Only' },
    { key: 'view_only', billing: 'free', level: 'VIEW_ONLY', label: 'View Only' },
  ],
});

/** The roles of which another version says something else; what they are called decides nothing. */
export function changedRoles(
  before: Pick<Catalogue, 'roles'>,
  after: Pick<Catalogue, 'roles'>,
): { billing: RoleKey[]; level: RoleKey[] } {
  const was = new Map(before.roles.map((role) => [role.key, role]));
  const differing = (what: 'billing' | 'level') =>
    after.roles.filter((role) => was.get(role.key)?.[what] !== role[what]).map(({ key }) => key);
  return { billing: differing('billing'), level: differing('level') };
}
