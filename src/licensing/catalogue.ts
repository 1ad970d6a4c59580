/**
 * Blue's roles: which are paid, and what each is called in Blue. The table is data; a role by any other name than
 * these, or `custom:<role name>`, does not exist.
 */

export type Billing = 'paid' | 'free';
/** Blue's `UserAccessLevel`, without OWNER, which the gateway never assigns. */
export type Level = 'ADMIN' | 'MEMBER' | 'CLIENT' | 'COMMENT_ONLY' | 'VIEW_ONLY';
export type FreeRole = 'client' | 'comment_only' | 'view_only';
/** What a person gets instead of a paid role without a seat; `none` is no role at all. */
export type FallbackRole = FreeRole | 'none';

export interface Role {
  key: string;
  billing: Billing;
  level: Level;
  /** Name of the custom role, resolved in each workspace; only for `custom:<name>`. */
  customRole?: string;
}

export const freeRoles = ['client', 'comment_only', 'view_only'] as const satisfies readonly FreeRole[];
export const fallbackRoles = [...freeRoles, 'none'] as const satisfies readonly FallbackRole[];

const catalogue: readonly Role[] = [
  { key: 'project_administrator', billing: 'paid', level: 'ADMIN' },
  { key: 'team_member', billing: 'paid', level: 'MEMBER' },
  { key: 'client', billing: 'free', level: 'CLIENT' },
  { key: 'comment_only', billing: 'free', level: 'COMMENT_ONLY' },
  { key: 'view_only', billing: 'free', level: 'VIEW_ONLY' },
];

const byKey = new Map(catalogue.map((role) => [role.key, role]));
const customPrefix = 'custom:';

/** The role of a key as the API writes it, or undefined when there is none. */
export function findRole(key: string): Role | undefined {
  if (!key.startsWith(customPrefix)) return byKey.get(key);
  const customRole = key.slice(customPrefix.length).trim();
  return customRole === '' ? undefined : { key, billing: 'paid', level: 'MEMBER', customRole };
}

/** As `findRole`, for keys that were checked when they were written. */
export function roleOf(key: string): Role {
  const role = findRole(key);
  if (role === undefined) throw new Error(`no role ${key}`);
  return role;
}
