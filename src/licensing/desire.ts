/** Step A of a decision: what a person's memberships ask for, before anybody looks at seats. */

import type { GroupId, MappingId, UserId } from '../kernel/ids.ts';
import { type FallbackRole, roleOf } from './catalogue.ts';
import { type Mapping, type Rules, workspacesOf } from './mapping.ts';

export interface Person {
  id: UserId;
  active: boolean;
  /** Address in Blue, lower-cased; null when no attribute holds one. */
  address: string | null;
  /** An earlier active user has the same address: Blue can hold only one of them. */
  isDuplicate: boolean;
  /** The mapped groups the person is in. */
  groups: ReadonlySet<GroupId>;
}

export interface RequestedRole {
  role: string;
  workspace: string;
  mapping: MappingId;
  fallbackRole: FallbackRole | null;
}

/** Why memberships ask for a role that is not even considered. */
export type Refusal = 'DUPLICATE_EMAIL';

export interface Desire {
  /** At most one for a workspace, best priority first. */
  requested: RequestedRole[];
  /** Best priority among the paid ones; null: no seat is wanted. */
  priority: number | null;
  refusal: Refusal | null;
}

export const nothing: Desire = { requested: [], priority: null, refusal: null };

/** In each workspace the mapping of best priority wins. An inactive person asks for nothing. */
export function desire(person: Person, rules: Rules): Desire {
  if (!person.active) return nothing;
  const requested: RequestedRole[] = [];
  const taken = new Set<string>();
  let priority: number | null = null;
  for (const mapping of matching(person, rules)) {
    for (const workspace of workspacesOf(mapping, rules)) {
      if (taken.has(workspace)) continue;
      taken.add(workspace);
      requested.push({
        role: mapping.role,
        workspace,
        mapping: mapping.id,
        fallbackRole: mapping.fallbackRole,
      });
      if (roleOf(mapping.role).billing === 'paid') priority ??= mapping.priority;
    }
  }
  const refused = person.isDuplicate && requested.length > 0;
  return refused
    ? { requested, priority: null, refusal: 'DUPLICATE_EMAIL' }
    : { requested, priority, refusal: null };
}

/** The mappings whose group the person is in, best priority first. */
export function matching(person: Pick<Person, 'groups'>, rules: Rules): Mapping[] {
  return rules.mappings.filter(({ groupId }) => groupId !== null && person.groups.has(groupId));
}
