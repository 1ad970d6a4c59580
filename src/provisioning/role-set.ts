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

/** The set that is asked for, what is in effect of it with a seat, and what is in effect otherwise. */
export function roleSetsOf(
  requested: readonly RequestedRole[],
  ...effective: readonly (readonly EffectiveRole[])[]
): RoleSet[] {
  const seated = effect({ requested: [...requested], refusal: null }, 'held', seating);
  const asked = { ...inEffect(requested), id: requestedId(requested), seatedId: effectiveId(seated) };
  return [asked, ...[seated, ...effective].map(inEffect)];
}

/** What a fallback is, is not asked where there is a seat. */
const seating = { phase: 'running', fallbackRole: 'none' } as const;

export function requestedId(roles: readonly RequestedRole[]): string {
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

function inEffect(roles: readonly EffectiveRole[]): RoleSet {
  const inBlue = nameOf(roles.map(({ workspace, role }) => `${workspace} ${role}`).sort());
  return { id: effectiveId(roles), roles, seatedId: null, inBlue };
}

function nameOf(parts: unknown): string {
  return digest(JSON.stringify(parts))
    .slice(0, 32)
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
