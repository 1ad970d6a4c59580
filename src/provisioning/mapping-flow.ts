/**
 * Edits of mappings: who may be affected is decided again in the same transaction. A group's row is locked when it
 * becomes mapped or stops being so, so that a write to the group that runs meanwhile sees it and begins again.
 */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import { type GroupId, type MappingId, newId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import type { Affected } from './affected.ts';
import { lockArrivals } from './arrival-store.ts';
import { decide } from './decide-flow.ts';
import { namedBy } from './due.ts';
import { requireFreeFallback } from './fallback-flow.ts';
import type { MappingDraft, StoredMapping } from './mapping-draft.ts';
import {
  deleteMapping,
  findGroups,
  insertMapping,
  lockGroupNames,
  renumberMappings,
  selectMappings,
  setMapped,
  updateMapping,
} from './mapping-store.ts';
import { requirePlaces } from './places-flow.ts';
import type { Pool } from './pool.ts';
import { lockPool } from './pool-store.ts';

/** @throws Fault `conflict` for a taken priority or an ambiguous group name; `invalid` for an unknown group id, a paid fallback, or what Blue does not have. */
export async function createMapping(
  database: Database,
  door: Door,
  draft: MappingDraft,
): Promise<StoredMapping> {
  return await edit(
    database,
    door,
    async (tx, pool, before) => {
      await requirePlaces(tx, pool.rules, draft);
      if (before.length >= limits.mappingsPerTenantMax) {
        throw new Fault('invalid', `There can be at most ${limits.mappingsPerTenantMax} mappings.`);
      }
      const mapping = { id: newId<MappingId>(door.now.getTime()), ...(await resolve(tx, draft)) };
      insertMapping(tx, mapping, door.now);
      return {
        result: mapping,
        after: [...before, mapping],
        event: { action: 'mapping.created', subject: mapping.id, after: mapping },
      };
    },
    draft,
  );
}

/** @throws Fault `not_found`, or as for create. */
export async function replaceMapping(
  database: Database,
  door: Door,
  id: MappingId,
  draft: MappingDraft,
): Promise<StoredMapping> {
  return await edit(
    database,
    door,
    async (tx, pool, before) => {
      const old = find(before, id);
      await requirePlaces(tx, pool.rules, draft, old);
      const mapping = { id, ...(await resolve(tx, draft)) };
      updateMapping(tx, mapping);
      return {
        result: mapping,
        after: before.map((one) => (one.id === id ? mapping : one)),
        event: { action: 'mapping.updated', subject: id, before: old, after: mapping },
      };
    },
    draft,
  );
}

/** @throws Fault `not_found`. */
export async function removeMapping(database: Database, door: Door, id: MappingId): Promise<void> {
  await edit(database, door, async (tx, _pool, before) => {
    const old = find(before, id);
    deleteMapping(tx, id);
    return {
      result: undefined,
      after: before.filter((one) => one.id !== id),
      event: { action: 'mapping.deleted', subject: id, before: old },
    };
  });
}

/**
 * Numbers the mappings 1..n.
 *
 * @param ids Every mapping exactly once, else Fault `invalid`.
 */
export async function reorderMappings(
  database: Database,
  door: Door,
  ids: readonly MappingId[],
): Promise<StoredMapping[]> {
  return await edit(database, door, async (tx, _pool, before) => {
    const isComplete = ids.length === before.length && new Set(ids).size === ids.length;
    const named = new Set(ids);
    if (!isComplete || !before.every(({ id }) => named.has(id))) {
      throw new Fault('invalid', `ids must name each of the ${before.length} mappings exactly once.`, {
        field: 'ids',
      });
    }
    renumberMappings(tx, ids);
    const byId = new Map(before.map((mapping) => [mapping.id, mapping]));
    const after = ids.flatMap((id, index) => {
      const mapping = byId.get(id);
      return mapping === undefined ? [] : [{ ...mapping, priority: index + 1 }];
    });
    return {
      result: after,
      after,
      event: { action: 'mapping.reordered', subject: null, before: before.map(({ id }) => id), after: ids },
    };
  });
}

interface Edit<T> {
  result: T;
  after: StoredMapping[];
  event: { action: string; subject: string | null; before?: unknown; after?: unknown };
}

/** One edit of the mapping set: lock, change, re-flag the groups, decide for the members of every changed mapping. */
async function edit<T>(
  database: Database,
  door: Door,
  change: (tx: TenantTransaction, pool: Pool, before: StoredMapping[]) => Promise<Edit<T>>,
  draft?: MappingDraft,
): Promise<T> {
  try {
    return await inTenant(database, door.tenantId, async (tx) => {
      if (draft !== undefined && !('id' in draft.group)) lockGroupNames(tx, 'mapping');
      if (draft !== undefined) await requireFreeFallback(tx, draft.fallbackRole);
      if (draft !== undefined && 'roleValue' in draft.group) lockArrivals(tx, 'rule');
      const [pool, before] = await Promise.all([lockPool(tx), selectMappings(tx)]);
      const { result, after, event } = await change(tx, pool, before);
      for (const [groupId, mapped] of flagsOf(before, after)) setMapped(tx, groupId, mapped);
      const mappings = after.toSorted((a, b) => a.priority - b.priority);
      const { audit } = await decide(
        tx,
        door,
        { ...pool, rules: { ...pool.rules, mappings } },
        affected(before, after),
      );
      appendAudit(tx, door, [event, ...audit]);
      return result;
    });
  } catch (error) {
    if (brokenConstraint(error) !== 'mappings_priority') throw error;
    throw new Fault('conflict', 'priority is taken by another mapping: choose a free one, or reorder.', {
      field: 'priority',
    });
  }
}

/** Groups that become mapped or stop being so, in id order, as every writer locks groups. */
function flagsOf(before: StoredMapping[], after: StoredMapping[]): [GroupId, boolean][] {
  const [was, is] = [groupsOf(before), groupsOf(after)];
  return [...was.symmetricDifference(is)].sort().map((groupId) => [groupId, is.has(groupId)]);
}

function groupsOf(mappings: readonly StoredMapping[]): Set<GroupId> {
  return new Set(mappings.flatMap(({ groupId }) => groupId ?? []));
}

/** The members of every group whose mappings are not what they were. */
function affected(before: StoredMapping[], after: StoredMapping[]): Affected {
  const [was, is] = [printsOf(before), printsOf(after)];
  const changed = [...before, ...after].filter(({ id }) => was.get(id) !== is.get(id));
  return namedBy(changed);
}

function printsOf(mappings: readonly StoredMapping[]): Map<MappingId, string> {
  return new Map(mappings.map((mapping) => [mapping.id, JSON.stringify(mapping)]));
}

function find(mappings: StoredMapping[], id: MappingId): StoredMapping {
  const mapping = mappings.find((one) => one.id === id);
  if (mapping === undefined) throw new Fault('not_found', `There is no mapping ${id}.`);
  return mapping;
}

/** Binds the draft to its group where the group exists. */
async function resolve(tx: TenantTransaction, draft: MappingDraft): Promise<Omit<StoredMapping, 'id'>> {
  const { group, ...rest } = draft;
  const nowhere = {
    groupId: null,
    groupDisplayName: null,
    groupExternalId: null,
    roleValue: null,
    claimValue: null,
  };
  if ('roleValue' in group) return { ...rest, ...nowhere, roleValue: fold(group.roleValue) };
  if ('claim' in group) return { ...rest, ...nowhere, claimValue: fold(group.claim) };
  const found = await findGroups(tx, group);
  if (found.length > 1) {
    throw new Fault('conflict', 'Several groups have this name: name the group by its id.', {
      field: 'group',
    });
  }
  if ('id' in group && found.length === 0) {
    throw new Fault('invalid', `There is no group ${group.id}.`, { field: 'group' });
  }
  return {
    ...rest,
    ...nowhere,
    groupId: found[0] ?? null,
    groupDisplayName: 'displayName' in group ? group.displayName : null,
    groupExternalId: 'externalId' in group ? group.externalId : null,
  };
}
