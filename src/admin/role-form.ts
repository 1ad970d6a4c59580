/** What mappings and pins have in common: a role, and the workspaces in which it is given. */

import { Fault } from '../kernel/fault.ts';
import { anyCustomRole, entryKeyOf } from '../licensing/catalogue.ts';
import { everyDefaultWorkspace } from '../licensing/mapping.ts';

/** @throws Fault `invalid` for what is no role that somebody can have: the catalogue's entry of all custom roles is none. */
export function refuseUnknownRole(role: string): void {
  if (entryKeyOf(role) !== undefined && role !== anyCustomRole) return;
  throw new Fault('invalid', `"role" ${role} is no role of Blue.`, { field: 'role' });
}

/** @throws Fault `invalid` for a workspace that is named twice, or beside `*`. */
export function refuseRepeatedWorkspaces(workspaces: readonly string[]): void {
  const isDefault = workspaces.includes(everyDefaultWorkspace);
  if (new Set(workspaces).size === workspaces.length && !(isDefault && workspaces.length > 1)) return;
  const text = '"workspaces" must name each workspace once, or be exactly ["*"].';
  throw new Fault('invalid', text, { field: 'workspaces' });
}
