/** What an application is told of a person, scope by scope. */

import { columnsOf } from '../../directory/user.ts';
import { isObject, type JsonObject } from '../../kernel/json.ts';
import type { UserView } from '../../provisioning/user-view.ts';

/** The claims of each scope; `openid` has those that are always told. */
export const claimsOfScopes = {
  openid: ['sub', 'auth_time', 'acr'],
  profile: ['name', 'given_name', 'family_name', 'preferred_username', 'updated_at'],
  email: ['email'],
  groups: ['groups'],
  blue: ['tenant', 'roles', 'workspaces', 'seat'],
};

/** Whoever may be signed in to an application: active, and with at least one role. */
export function hasAccess({ user, decision }: UserView): boolean {
  return columnsOf(user.attributes).active && (decision?.effective.length ?? 0) > 0;
}

export function claimsOf(
  { user, address, groups, decision, seat }: UserView,
  tenantSlug: string,
): JsonObject {
  const { userName, displayName } = columnsOf(user.attributes);
  const name = isObject(user.attributes.name) ? user.attributes.name : {};
  const roles = decision?.effective ?? [];
  const given = {
    name: displayName ?? userName,
    given_name: name.givenName,
    family_name: name.familyName,
    email: address,
  };
  return {
    sub: user.id,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => typeof value === 'string')),
    preferred_username: userName,
    updated_at: Math.floor(user.lastModified.getTime() / 1000),
    groups: groups.map(({ displayName: group }) => group),
    tenant: tenantSlug,
    roles: roles.map(({ role, billing, workspace }) => ({ role, billing, workspace })),
    workspaces: [...new Set(roles.map(({ workspace }) => workspace))],
    seat: { state: seat.state, position: seat.position },
  };
}
