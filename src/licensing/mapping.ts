/** The rule "who is in this group has this role in these workspaces", and the order among such rules. */

import type { GroupId, MappingId } from '../kernel/ids.ts';
import type { FallbackRole } from './catalogue.ts';

export interface Mapping {
  id: MappingId;
  /** Unique in the tenant; 1 beats 2. */
  priority: number;
  /** null until a group of the awaited name exists: then nobody is in it. */
  groupId: GroupId | null;
  role: string;
  /** Workspace ids, or exactly `["*"]`: the tenant's default workspaces. */
  workspaces: readonly string[];
  /** Instead of the contract's, when the role is paid and no seat is free. */
  fallbackRole: FallbackRole | null;
}

/** A tenant's mappings, best priority first, and what `*` stands for. */
export interface Rules {
  mappings: readonly Mapping[];
  defaultWorkspaces: readonly string[];
}

export const everyDefaultWorkspace = '*';

/** With no default workspaces `*` stays as it is: a role that counts for the seat and sends nothing to Blue. */
export function workspacesOf(mapping: Mapping, rules: Rules): readonly string[] {
  const isDefault = mapping.workspaces.includes(everyDefaultWorkspace);
  return isDefault && rules.defaultWorkspaces.length > 0 ? rules.defaultWorkspaces : mapping.workspaces;
}
