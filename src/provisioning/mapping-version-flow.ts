/**
 * Whole sets of mappings: drafts that are written beside what is in force, their activation now or at their time, and the
 * return to an earlier version. A set is put in force in one transaction, as any other edit of mappings.
 */

import { lookForAlerts } from '../alerts/alert-store.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { type GroupId, type MappingDraftId, type MappingId, newId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { lockArrivals } from './arrival-store.ts';
import { lockCatalogue } from './catalogue-store.ts';
import { requireFreeFallbacks } from './fallback-flow.ts';
import type { StoredMapping } from './mapping-draft.ts';
import { bind, installMappings } from './mapping-flow.ts';
import { byPriority, type MappingSet } from './mapping-set.ts';
import { findGroups, lockGroupNames, selectMappings } from './mapping-store.ts';
import {
  checkDraft,
  isSame,
  merged,
  refuseActivated,
  refuseStale,
  type SetDraft,
  type StoredSetDraft,
  unbound,
} from './mapping-version.ts';
import {
  countDrafts,
  deleteDraft,
  lockDraft,
  selectNewestVersion,
  selectVersion,
  writeDraft,
} from './mapping-version-store.ts';
import { refusePassedDay, refusePassedEnd } from './past.ts';
import { requirePlacesOfAll } from './places-flow.ts';
import type { Pool } from './pool.ts';
import { lockPool, lockPoolRow } from './pool-store.ts';

/** @throws Fault naming the field; `conflict` when there are too many drafts. */
export async function createDraft(
  database: Database,
  door: Door,
  written: SetDraft,
): Promise<StoredSetDraft> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const [count, newest] = await Promise.all([countDrafts(tx), selectNewestVersion(tx)]);
    if (count >= limits.mappingDraftsPerTenantMax) {
      throw new Fault('conflict', `There can be at most ${limits.mappingDraftsPerTenantMax} drafts.`);
    }
    refusePassedDay('goLiveOn', written.goLiveOn, door.now);
    const { basedOn = newest } = written;
    const id = newId<MappingDraftId>(door.now.getTime());
    const draft = { ...(await composed(tx, door, written, basedOn)), id, createdAt: door.now };
    writeDraft(tx, draft);
    appendAudit(tx, door, [{ action: 'mapping_draft.created', subject: id, after: draft }]);
    return draft;
  });
}

/** Replaces the draft whole. What was scheduled is so no longer. @throws Fault `not_found`, or as for create. */
export async function replaceDraft(
  database: Database,
  door: Door,
  id: MappingDraftId,
  written: SetDraft,
): Promise<StoredSetDraft> {
  return await inTenant(database, door.tenantId, async (tx) => {
    await lockPoolRow(tx);
    const before = await openDraft(tx, id);
    if (before.failure !== null) lookForAlerts(tx);
    if (written.goLiveOn !== before.goLiveOn) refusePassedDay('goLiveOn', written.goLiveOn, door.now);
    const { basedOn = before.basedOn } = written;
    const draft = { ...(await composed(tx, door, written, basedOn)), id, createdAt: before.createdAt };
    writeDraft(tx, draft);
    appendAudit(tx, door, [{ action: 'mapping_draft.updated', subject: id, before, after: draft }]);
    return draft;
  });
}

/** @throws Fault `not_found`. */
export async function removeDraft(database: Database, door: Door, id: MappingDraftId): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    await lockPoolRow(tx);
    const before = await lockDraft(tx, id);
    if (before === undefined) throw unknownDraft(id);
    if (before.failure !== null) lookForAlerts(tx);
    deleteDraft(tx, id);
    appendAudit(tx, door, [{ action: 'mapping_draft.deleted', subject: id, before }]);
  });
}

/** A draft as it was just written. */
async function composed(
  tx: TenantTransaction,
  door: Door,
  { name, department, goLiveOn, mappings }: SetDraft,
  basedOn: number,
): Promise<Omit<StoredSetDraft, 'id' | 'createdAt'>> {
  const base = await baseOf(tx, basedOn);
  const asked = mappings?.map((mapping) =>
    unbound({ ...mapping, id: mapping.id ?? newId<MappingId>(door.now.getTime()) }),
  );
  if (mappings !== undefined && asked !== undefined) {
    checkDraft(
      asked,
      mappings.map(({ id }) => id),
      base,
    );
    const standing = new Map(base.map((mapping) => [mapping.id, mapping]));
    for (const [index, mapping] of asked.entries()) {
      refusePassedEnd(mapping, standing.get(mapping.id), door.now, `mappings.${index}.validUntil`);
    }
  }
  const rest = {
    activateAt: null,
    rebase: false,
    agreedLosses: 0,
    activated: null,
    touched: [],
    failure: null,
  };
  return { name, department, goLiveOn, basedOn, mappings: byPriority(asked ?? base), ...rest };
}

async function baseOf(tx: TenantTransaction, number: number): Promise<MappingSet> {
  if (number === 0) return [];
  const version = await selectVersion(tx, number);
  if (version !== undefined) return version.mappings;
  throw new Fault('invalid', `There is no version ${number} of the mappings.`, { field: 'basedOn' });
}

/** Locked. @throws Fault `not_found`, or `conflict` for one that was activated already. */
export async function openDraft(tx: TenantTransaction, id: MappingDraftId): Promise<StoredSetDraft> {
  const draft = await lockDraft(tx, id);
  if (draft === undefined) throw unknownDraft(id);
  refuseActivated(draft);
  return draft;
}

export function unknownDraft(id: string): Fault {
  return new Fault('not_found', `There is no draft ${id}.`);
}

/** The pool, after all that a set may look for and before any row. */
export async function lockForSet(tx: TenantTransaction): Promise<Pool> {
  lockGroupNames(tx, 'mapping');
  lockArrivals(tx, 'rule');
  const [, pool] = await Promise.all([lockCatalogue(tx, 'use'), lockPool(tx)]);
  return pool;
}

/**
 * What would be in force with the draft. What it adds or changes must have its places in Blue, as where it is written alone; a
 * rollback is not asked that: the way back must not depend on Blue.
 *
 * @throws as for its activation.
 */
export async function draftTarget(
  tx: TenantTransaction,
  { rules }: Pick<Pool, 'rules'>,
  draft: StoredSetDraft,
  now: MappingSet,
  groups: 'locked' | 'asTheyAre',
): Promise<MappingSet> {
  refuseStale(draft, await selectNewestVersion(tx), draft.rebase);
  const after = await bound(tx, merged(await baseOf(tx, draft.basedOn), draft.mappings, now), now, groups);
  const standing = new Map(now.map((mapping) => [mapping.id, mapping]));
  const placed = after.map((mapping, index) => ({
    placed: mapping,
    standing: standing.get(mapping.id),
    within: `mappings.${index}.`,
  }));
  await requirePlacesOfAll(tx, rules, placed);
  await requireFreeFallbacksOfAll(tx, after);
  return after;
}

/** What a role costs may have changed since the set was written. */
async function requireFreeFallbacksOfAll(tx: TenantTransaction, mappings: MappingSet): Promise<void> {
  const named = mappings.map(({ fallbackRole: role }, index) => ({
    role,
    field: `mappings.${index}.fallbackRole`,
  }));
  await requireFreeFallbacks(tx, named);
}

/** Each mapping with its group as it is today: those that stand keep theirs. */
async function bound(
  tx: TenantTransaction,
  wanted: MappingSet,
  now: MappingSet,
  groups: 'locked' | 'asTheyAre',
): Promise<MappingSet> {
  const standing = new Map(now.map((mapping) => [mapping.id, mapping]));
  return await Promise.all(
    wanted.map(async (mapping, index) => {
      const current = standing.get(mapping.id);
      if (current !== undefined && isSame(current, mapping)) return current;
      return await boundOne(tx, mapping, groups).catch((error: unknown) => {
        if (!(error instanceof Fault)) throw error;
        throw new Fault(error.code, error.message, { field: `mappings.${index}.${error.field ?? 'group'}` });
      });
    }),
  );
}

/** By the id it was bound to; where that group is gone, by the names by which it is waited for. */
async function boundOne(
  tx: TenantTransaction,
  mapping: StoredMapping,
  groups: 'locked' | 'asTheyAre',
): Promise<StoredMapping> {
  const { groupId, groupDisplayName, groupExternalId, roleValue, claimValue } = mapping;
  if (roleValue !== null || claimValue !== null) return mapping;
  const found = groupId === null ? [] : await findGroups(tx, { id: groupId }, groups);
  if (found.length > 0) return mapping;
  const names = [
    ...(groupDisplayName === null ? [] : [{ displayName: groupDisplayName }]),
    ...(groupExternalId === null ? [] : [{ externalId: groupExternalId }]),
  ];
  for (const group of names.length === 0 ? [{ id: groupId as GroupId }] : names) {
    const there = await bind(tx, { ...mapping, group }, groups);
    if (there.groupId !== null) return { ...mapping, groupId: there.groupId };
  }
  return { ...mapping, groupId: null };
}

/** Puts the set of an earlier version in force again, as a new version. @throws Fault `not_found`, or as for a draft. */
export async function rollBack(database: Database, door: Door, number: number): Promise<number> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockForSet(tx);
    const [before, newest] = await Promise.all([selectMappings(tx), selectNewestVersion(tx)]);
    const after = await versionTarget(tx, number, before, 'locked');
    const versions = { before: { version: newest }, after: { version: newest + 1, asOf: number } };
    const event = { action: 'mapping_version.rolled_back', subject: null, ...versions };
    await installMappings(tx, door, pool, { before, after, event });
    return newest + 1;
  });
}

/** What the mappings are once the version is in force again. @throws Fault `not_found`. */
export async function versionTarget(
  tx: TenantTransaction,
  number: number,
  before: MappingSet,
  groups: 'locked' | 'asTheyAre',
): Promise<MappingSet> {
  const version = await selectVersion(tx, number);
  if (version === undefined) throw unknownVersion(number);
  const after = await bound(tx, version.mappings, before, groups);
  await requireFreeFallbacksOfAll(tx, after);
  return after;
}

export function unknownVersion(number: number | string): Fault {
  return new Fault('not_found', `There is no version ${number} of the mappings.`);
}
