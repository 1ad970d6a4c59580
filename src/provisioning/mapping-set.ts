/** What becomes of a tenant's mappings by an edit, and whom the difference concerns. Pure. */

import { Fault } from '../kernel/fault.ts';
import type { GroupId, MappingId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { Affected } from './affected.ts';
import { namedBy } from './due.ts';
import type { StoredMapping } from './mapping-draft.ts';

/** All mappings of a tenant, best priority first. */
export type MappingSet = readonly StoredMapping[];

/** @throws Fault `invalid` when there are too many, `conflict` when the priority is taken. */
export function withMapping(before: MappingSet, mapping: StoredMapping): MappingSet {
  return asSet([...before, mapping]);
}

/** @throws Fault `not_found`, or `conflict` when the priority is taken. */
export function withReplaced(before: MappingSet, mapping: StoredMapping): MappingSet {
  findMapping(before, mapping.id);
  return asSet(before.map((one) => (one.id === mapping.id ? mapping : one)));
}

/** @throws Fault `not_found`. */
export function withoutMapping(before: MappingSet, id: MappingId): MappingSet {
  findMapping(before, id);
  return before.filter((one) => one.id !== id);
}

/** Numbers them 1..n. @throws Fault `invalid` unless `ids` names each exactly once. */
export function withOrder(before: MappingSet, ids: readonly MappingId[]): MappingSet {
  const byId = new Map(before.map((mapping) => [mapping.id, mapping]));
  const ordered = [...new Set(ids)].flatMap((id) => byId.get(id) ?? []);
  if (ids.length !== before.length || ordered.length !== before.length) {
    throw new Fault('invalid', `ids must name each of the ${before.length} mappings exactly once.`, {
      field: 'ids',
    });
  }
  return ordered.map((mapping, index) => ({ ...mapping, priority: index + 1 }));
}

export function findMapping(mappings: MappingSet, id: MappingId): StoredMapping {
  const mapping = mappings.find((one) => one.id === id);
  if (mapping === undefined) throw new Fault('not_found', `There is no mapping ${id}.`);
  return mapping;
}

/** @throws Fault `invalid` when there are too many, `conflict` when two have one priority. */
export function asSet(mappings: MappingSet): MappingSet {
  if (mappings.length > limits.mappingsPerTenantMax) {
    throw new Fault('invalid', `There can be at most ${limits.mappingsPerTenantMax} mappings.`);
  }
  const sorted = byPriority(mappings);
  if (sorted.some(({ priority }, index) => priority === sorted[index + 1]?.priority)) {
    throw new Fault('conflict', 'priority is taken by another mapping: choose a free one, or reorder.', {
      field: 'priority',
    });
  }
  return sorted;
}

export function byPriority(mappings: MappingSet): StoredMapping[] {
  return mappings.toSorted((a, b) => a.priority - b.priority);
}

/** What differs between two sets: mappings that are gone, and those that are new or not what they were. */
export interface MappingDifference {
  gone: StoredMapping[];
  written: StoredMapping[];
}

export function differenceOf(before: MappingSet, after: MappingSet): MappingDifference {
  const [was, is] = [printsOf(before), printsOf(after)];
  return {
    gone: before.filter(({ id }) => !is.has(id)),
    written: after.filter(({ id }) => was.get(id) !== is.get(id)),
  };
}

/** Mappings are made by a few functions whose fields stand in different orders. */
export function printOf(mapping: StoredMapping): string {
  return JSON.stringify(Object.entries(mapping).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function printsOf(mappings: MappingSet): Map<MappingId, string> {
  return new Map(mappings.map((mapping) => [mapping.id, printOf(mapping)]));
}

/** Whoever a mapping names or named that is not what it was. */
export function affectedByMappings(before: MappingSet, after: MappingSet): Affected {
  const { gone, written } = differenceOf(before, after);
  const ids = new Set(written.map(({ id }) => id));
  return namedBy([...gone, ...written, ...before.filter(({ id }) => ids.has(id))]);
}

/** Groups that become mapped or stop being so, in id order, as every writer locks groups. */
export function flagsOf(before: MappingSet, after: MappingSet): [GroupId, boolean][] {
  const [was, is] = [groupsOf(before), groupsOf(after)];
  return [...was.symmetricDifference(is)].sort().map((groupId) => [groupId, is.has(groupId)]);
}

function groupsOf(mappings: MappingSet): Set<GroupId> {
  return new Set(mappings.flatMap(({ groupId }) => groupId ?? []));
}
