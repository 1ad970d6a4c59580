/**
 * Sets of roles as they are stored: what a decision asks for and gives is the same for many people, so each set is kept once, and
 * decisions name it. Pure.
 */

import { digest } from '../kernel/digest.ts';
import type { RequestedRole } from '../licensing/desire.ts';
import { type EffectiveRole, effect } from '../licensing/effect.ts';

export interface RoleSet {
  /** A UUID that follows from the roles. */
  id: string;
  roles: readonly EffectiveRole[];
  /** Of roles that are asked for: the set that is in effect with a seat. */
  seatedId: string | null;
  /** Alike for sets of which Blue sees the same. */
  inBlue: string;
}

export interface NamedRoles {
  requestedId: string;
  /** In the order in which they were told. */
  effective: RoleSet[];
  /** All of them, and what is in effect of the requested with a seat. */
  sets: RoleSet[];
}

/** The names of the roles that a decision asks for, and of those that it gives or may give. */
export function nameRoles(
  requested: readonly RequestedRole[],
  ...effective: readonly (readonly EffectiveRole[])[]
): NamedRoles {
  const seated = effectiveSet(effect({ requested: [...requested], refusal: null }, 'held', seating));
  const asked = {
    ...{ id: requestedId(requested), roles: requested },
    ...{ seatedId: seated.id, inBlue: seated.inBlue },
  };
  const given = effective.map((roles) => (isSame(roles, seated.roles) ? seated : effectiveSet(roles)));
  return {
    requestedId: asked.id,
    effective: given,
    sets: [asked, seated, ...given.filter((set) => set !== seated)],
  };
}

/** Names cost more than to look whether there is one: mostly what is given is what a seat gives. */
function isSame(some: readonly EffectiveRole[], others: readonly EffectiveRole[]): boolean {
  return some.length === others.length && some.every((role, at) => isSameRole(role, others[at]));
}

function isSameRole(one: EffectiveRole, other: EffectiveRole | undefined): boolean {
  return (
    one.role === other?.role &&
    one.billing === other.billing &&
    one.workspace === other.workspace &&
    one.via === other.via
  );
}

/** What a fallback is, is not asked where there is a seat. */
const seating = { phase: 'running', fallbackRole: 'none' } as const;

function requestedId(roles: readonly RequestedRole[]): string {
  return nameOf(
    roles.map(({ role, billing, workspace, via, fallbackRole }) => [
      ...[role, billing, workspace, via],
      fallbackRole,
    ]),
  );
}

export function effectiveId(roles: readonly EffectiveRole[]): string {
  return nameOf(roles.map(({ role, billing, workspace, via }) => [role, billing, workspace, via]));
}

/** Whether the id still follows from the roles; those that 0022 found standing have another one (`standingId`). */
export function isNameOf(id: string, roles: readonly RequestedRole[], standingId: string): boolean {
  return id === effectiveId(roles) || id === requestedId(roles) || id === standingId;
}

function effectiveSet(roles: readonly EffectiveRole[]): RoleSet {
  const inBlue = nameOf(roles.map(({ workspace, role }) => `${workspace} ${role}`).sort());
  return { id: effectiveId(roles), roles, seatedId: null, inBlue };
}

function nameOf(parts: unknown): string {
  return digest(JSON.stringify(parts))
    .slice(0, 32)
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
