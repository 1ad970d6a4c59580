/** What mappings, pins and default workspaces have in common: a role, and the workspaces in which it is given. */

import Type from 'typebox';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { anyCustomRole, entryKeyOf, roleKeys } from '../licensing/catalogue.ts';
import { everyDefaultWorkspace } from '../licensing/mapping.ts';

/** As a role is written. */
const writable = roleKeys.map((key) => (key === anyCustomRole ? 'custom:<its name>' : key));

/** @throws Fault `invalid` for what is no role that somebody can have: the catalogue's entry of all custom roles is none. */
export function refuseUnknownRole(role: string): void {
  if (entryKeyOf(role) !== undefined && role !== anyCustomRole) return;
  throw new Fault('invalid', `"role" "${role}" is no role of Blue: there are ${writable.join(', ')}.`, {
    field: 'role',
  });
}

/** @throws Fault `invalid` for a workspace that is named twice, or beside `*`. */
export function refuseRepeatedWorkspaces(workspaces: readonly string[]): void {
  const isDefault = workspaces.includes(everyDefaultWorkspace);
  if (new Set(workspaces).size === workspaces.length && !(isDefault && workspaces.length > 1)) return;
  const text = '"workspaces" must name each workspace once, or be exactly ["*"].';
  throw new Fault('invalid', text, { field: 'workspaces' });
}

export const DefaultWorkspaces = Type.Array(Type.String({ minLength: 1, maxLength: 500 }), {
  maxItems: limits.workspacesPerMappingMax,
  description: 'What "*" of a mapping stands for.',
});

/** @throws Fault `invalid` naming the field for a workspace that is named twice, or is `*` itself. */
export function refuseNoDefaults(workspaces: readonly string[], field: string): void {
  const isEach = new Set(workspaces).size === workspaces.length;
  if (isEach && !workspaces.includes(everyDefaultWorkspace)) return;
  const text = `"${field}" must name each workspace once, and not "${everyDefaultWorkspace}".`;
  throw new Fault('invalid', text, { field });
}
