/**
 * Edits of mappings: who may be affected is decided again in the same transaction. A group's row is locked when it
 * becomes mapped or stops being so, so that a write to the group that runs meanwhile sees it and begins again.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { unreachable } from '../kernel/assert.ts';
import { Fault } from '../kernel/fault.ts';
import { fold } from '../kernel/fold.ts';
import { type MappingId, newId } from '../kernel/ids.ts';
import { lockArrivals } from './arrival-store.ts';
import { decide } from './decide-flow.ts';
import type { MappingEdit } from './edit.ts';
import { lockFallbacks, requireFreeFallbacks } from './fallback-flow.ts';
import type { MappingDraft, StoredMapping } from './mapping-draft.ts';
import {
  differenceOf,
  findMapping,
  flagsOf,
  type MappingSet,
  withMapping,
  withOrder,
  withoutMapping,
  withReplaced,
} from './mapping-set.ts';
import { findGroups, lockGroupNames, selectMappings, setMapped, writeMappings } from './mapping-store.ts';
import { appendVersion } from './mapping-version-store.ts';
import { refusePassedEnd } from './past.ts';
import { requirePlaces } from './places-flow.ts';
import type { Pool } from './pool.ts';
import { lockPool } from './pool-store.ts';
import { byMappings, refuseUnknownSubPool } from './prospect.ts';

/** @throws Fault `conflict` naming `priority` or `group`; `invalid` for a group that is not there, or one mapping too many. */
export async function createMapping(
  database: Database,
  door: Door,
  mapping: MappingDraft,
): Promise<StoredMapping> {
  const id = newId<MappingId>(door.now.getTime());
  return findMapping(await edit(database, door, { op: 'create', id, mapping }), id);
}

/** @throws Fault `not_found`, or as for create. */
export async function replaceMapping(
  database: Database,
  door: Door,
  id: MappingId,
  mapping: MappingDraft,
): Promise<StoredMapping> {
  return findMapping(await edit(database, door, { op: 'update', id, mapping }), id);
}

/** @throws Fault `not_found`. */
export async function removeMapping(database: Database, door: Door, id: MappingId): Promise<void> {
  await edit(database, door, { op: 'delete', id });
}

/**
 * Numbers the mappings 1..n.
 *
 * @param ids Every mapping exactly once, else Fault `invalid`.
 */
export function reorderMappings(
  database: Database,
  door: Door,
  ids: readonly MappingId[],
): Promise<MappingSet> {
  return edit(database, door, { op: 'reorder', ids });
}

async function edit(database: Database, door: Door, asked: MappingEdit): Promise<MappingSet> {
  return await inTenant(database, door.tenantId, async (tx) => {
    lockNames(tx, 'mapping' in asked ? [asked.mapping] : []);
    if ('mapping' in asked) await lockFallbacks(tx, [asked.mapping.fallbackRole]);
    const [pool, before] = await Promise.all([lockPool(tx), selectMappings(tx)]);
    await checkMapping(tx, pool, before, asked, door.now);
    const after = await mappingsAfter(tx, before, asked, 'locked');
    await installMappings(tx, door, pool, { before, after, event: eventOf(asked, before, after) });
    return after;
  });
}

/** @throws Fault as `requirePlaces`, and naming `subPool`, `validUntil` or `fallbackRole`. */
export async function checkMapping(
  tx: TenantTransaction,
  { rules, subPools }: Pick<Pool, 'rules' | 'subPools'>,
  before: MappingSet,
  asked: MappingEdit,
  now: Date,
): Promise<void> {
  if (!('mapping' in asked)) return;
  const standing = before.find(({ id }) => id === asked.id);
  refusePassedEnd(asked.mapping, standing, now);
  refuseUnknownSubPool({ subPools }, asked.mapping.subPool, 'subPool');
  await requireFreeFallbacks(tx, [{ role: asked.mapping.fallbackRole, field: 'fallbackRole' }]);
  await requirePlaces(tx, rules, asked.mapping, standing);
}

/** What mappings look for by a name must not arrive meanwhile. Before the pool's lock. */
export function lockNames(tx: TenantTransaction, drafts: readonly Pick<MappingDraft, 'group'>[]): void {
  if (drafts.some(({ group }) => !('id' in group))) lockGroupNames(tx, 'mapping');
  if (drafts.some(({ group }) => 'roleValue' in group || 'claim' in group)) lockArrivals(tx, 'rule');
}

/** What the edit makes of the mappings: the one account of it, for whoever makes it and whoever asks first. */
export async function mappingsAfter(
  tx: TenantTransaction,
  before: MappingSet,
  asked: MappingEdit,
  groups: 'locked' | 'asTheyAre',
): Promise<MappingSet> {
  switch (asked.op) {
    case 'create':
      return withMapping(before, { id: asked.id, ...(await bind(tx, asked.mapping, groups)) });
    case 'update':
      findMapping(before, asked.id);
      return withReplaced(before, { id: asked.id, ...(await bind(tx, asked.mapping, groups)) });
    case 'delete':
      return withoutMapping(before, asked.id);
    case 'reorder':
      return withOrder(before, asked.ids);
    default:
      return unreachable(asked);
  }
}

function eventOf(asked: MappingEdit, before: MappingSet, after: MappingSet): AuditEvent {
  const [was, is] = [before, after].map((set) =>
    'id' in asked ? set.find(({ id }) => id === asked.id) : {},
  );
  switch (asked.op) {
    case 'create':
      return { action: 'mapping.created', subject: asked.id, after: is };
    case 'update':
      return { action: 'mapping.updated', subject: asked.id, before: was, after: is };
    case 'delete':
      return { action: 'mapping.deleted', subject: asked.id, before: was };
    case 'reorder':
      return {
        action: 'mapping.reordered',
        subject: null,
        before: before.map(({ id }) => id),
        after: asked.ids,
      };
    default:
      return unreachable(asked);
  }
}

/** Under the pool's lock: writes what differs and the set as a version, flags the groups, and decides for everybody whom a changed mapping names. */
export async function installMappings(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  { before, after, event }: { before: MappingSet; after: MappingSet; event: AuditEvent },
): Promise<void> {
  const prospect = byMappings(pool, before, after);
  writeMappings(tx, differenceOf(before, after), door.now);
  for (const [groupId, mapped] of flagsOf(before, after)) setMapped(tx, groupId, mapped);
  appendVersion(tx, door, event.action, after);
  const { audit } = await decide(tx, door, prospect.pool, prospect.affected);
  appendAudit(tx, door, [event, ...audit]);
}

/** Binds the draft to its group where the group exists. */
export async function bind(
  tx: TenantTransaction,
  { group, ...rest }: MappingDraft,
  groups: 'locked' | 'asTheyAre',
): Promise<Omit<StoredMapping, 'id'>> {
  const nowhere = {
    groupId: null,
    groupDisplayName: null,
    groupExternalId: null,
    roleValue: null,
    claimValue: null,
  };
  if ('roleValue' in group) return { ...rest, ...nowhere, roleValue: fold(group.roleValue) };
  if ('claim' in group) return { ...rest, ...nowhere, claimValue: fold(group.claim) };
  const found = await findGroups(tx, group, groups);
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
