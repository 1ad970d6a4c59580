/**
 * Drafts of the mappings come into force, now or at their time. What a scheduled one does then is looked at once more: others may
 * have edited meanwhile, so that it takes more seats away than whoever scheduled it was told.
 */

import { lookForAlerts } from '../alerts/alert-store.ts';
import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { MappingDraftId } from '../kernel/ids.ts';
import { isTripped } from '../licensing/breaker.ts';
import { decide } from './decide-flow.ts';
import { installMappings } from './mapping-flow.ts';
import { differenceOf } from './mapping-set.ts';
import { selectMappings } from './mapping-store.ts';
import { activationOf, type StoredSetDraft } from './mapping-version.ts';
import { draftTarget, lockForSet, openDraft } from './mapping-version-flow.ts';
import {
  lockDueDraft,
  selectDraft,
  selectDueDraft,
  selectNewestVersion,
  writeDraft,
} from './mapping-version-store.ts';
import { refusePassed } from './past.ts';
import type { Pool } from './pool.ts';
import { lockPool, readPool } from './pool-store.ts';
import { lossesBy } from './preview-flow.ts';

export interface Activation {
  /** null: now, or at the beginning of the draft's day, if that is ahead. */
  at: Date | null;
  /** Over what was activated since the draft's base. */
  rebase: boolean;
}

/**
 * @throws Fault `not_found`; `conflict` for a stale draft, or one that collides; `invalid` naming `at` for a time that has passed; or as
 *   for edits of mappings.
 */
export async function activateDraft(
  database: Database,
  door: Door,
  id: MappingDraftId,
  { at, rebase }: Activation,
): Promise<StoredSetDraft> {
  // Whoever mistakes the year would have it in force at once.
  refusePassed('at', at, door.now);
  const agreedLosses = await lossesAgreedTo(database, door, id, { at, rebase });
  return await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockForSet(tx);
    const before = await openDraft(tx, id);
    if (before.failure !== null) lookForAlerts(tx);
    const draft = { ...before, rebase, failure: null };
    const activateAt = activationOf(draft, at, door.now);
    if (activateAt === null) return await putInForce(tx, door, pool, draft);
    // What is wrong with it already is told now, not at its time.
    await draftTarget(tx, pool, draft, await selectMappings(tx), 'asTheyAre');
    const scheduled = { ...draft, activateAt, agreedLosses };
    writeDraft(tx, scheduled);
    await noteDue(tx, door, pool, {
      action: 'mapping_draft.scheduled',
      subject: id,
      after: { activateAt, rebase },
    });
    return scheduled;
  });
}

/** The seats that a draft which is to be scheduled would take away now: whoever lets it pass knows of them. */
async function lossesAgreedTo(
  database: Database,
  door: Door,
  id: MappingDraftId,
  { at, rebase }: Activation,
): Promise<number> {
  const draft = await inTenant(database, door.tenantId, (tx) => selectDraft(tx, id));
  if (draft === undefined || activationOf(draft, at, door.now) === null) return 0;
  return (await lossesBy(database, door, { op: 'draft', id, rebase })).seatsLost;
}

async function putInForce(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  draft: StoredSetDraft,
): Promise<StoredSetDraft> {
  const [before, newest] = await Promise.all([selectMappings(tx), selectNewestVersion(tx)]);
  const after = await draftTarget(tx, pool, draft, before, 'locked');
  const touched = differenceOf(before, after).written.map(({ id }) => id);
  const activated = { version: newest + 1, at: door.now };
  const done: StoredSetDraft = { ...draft, activateAt: null, activated, touched };
  writeDraft(tx, done);
  const event = { action: 'mapping_draft.activated', subject: draft.id, after: { ...activated, touched } };
  await installMappings(tx, door, pool, { before, after, event });
  return done;
}

/** Activates one draft whose time has come. What stands against it is written down, and nothing of it is done. */
export async function activateDue(database: Database, door: Door): Promise<boolean> {
  const first = await inTenant(database, door.tenantId, (tx) => selectDueDraft(tx, door.now));
  if (first === undefined) return false;
  try {
    await refuseMoreLosses(database, door, first);
    await inTenant(database, door.tenantId, async (tx) => {
      const pool = await lockForSet(tx);
      const due = await lockDueDraft(tx, door.now);
      if (due?.id === first.id) await putInForce(tx, door, pool, due);
    });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    await noteFailure(database, door, error);
  }
  return true;
}

/** @throws Fault `above_breaker` where it takes so many more seats than were agreed to that somebody must be asked. */
async function refuseMoreLosses(
  database: Database,
  door: Door,
  { id, rebase, agreedLosses }: StoredSetDraft,
): Promise<void> {
  const { rules, usage } = await inTenant(database, door.tenantId, readPool);
  if (rules.breaker === null) return;
  const { seatsLost } = await lossesBy(database, door, { op: 'draft', id, rebase });
  const known = { since: door.now, seats: 0 };
  if (!isTripped(rules.breaker, usage, known, seatsLost - agreedLosses)) return;
  const text = `It would take the seats of ${seatsLost} people, and when it was scheduled it was ${agreedLosses}: activate it again.`;
  throw new Fault('above_breaker', text, { field: 'confirm' });
}

async function noteFailure(database: Database, door: Door, { message, field }: Fault): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    const due = await lockDueDraft(tx, door.now);
    if (due === undefined) return;
    writeDraft(tx, { ...due, activateAt: null, failure: message });
    lookForAlerts(tx);
    const event = { action: 'mapping_draft.failed', subject: due.id, after: { message, field } };
    await noteDue(tx, door, pool, event);
  });
}

/** The pool knows when something is due next. */
async function noteDue(tx: TenantTransaction, door: Door, pool: Pool, event: AuditEvent): Promise<void> {
  const { audit } = await decide(tx, door, pool, {});
  appendAudit(tx, door, [event, ...audit]);
}
