/**
 * What an edit would do, told before anybody makes it: the facts are read as they stand, the edit is put in their place, and
 * the same plan is made as for the edit itself. Nothing is written, and no lock is taken.
 */

import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { termsAt } from '../licensing/contract.ts';
import { isSeated, waitingStates } from '../licensing/effect.ts';
import { impactOf, type Turn } from '../licensing/impact.ts';
import type { Settings } from '../tenants/settings.ts';
import { selectSettings } from '../tenants/settings-store.ts';
import { contractWithout } from './contract-flow.ts';
import { type Foreseen, foresee } from './decide-flow.ts';
import { selectUserNames } from './decision-store.ts';
import type { Edit, Losses, PeoplePage, Preview } from './edit.ts';
import { laterLosers, lostByLines } from './losses.ts';
import { checkPlaces, mappingsAfter } from './mapping-flow.ts';
import { selectMappings } from './mapping-store.ts';
import { refuseActivated } from './mapping-version.ts';
import { draftTarget, unknownDraft, versionTarget } from './mapping-version-flow.ts';
import { selectDraft } from './mapping-version-store.ts';
import { loadPersons } from './person-store.ts';
import { pinOf, refuseInactive, refusePast, refuseWithoutSeat } from './pin-flow.ts';
import type { DecisionChange } from './plan.ts';
import type { Pool } from './pool.ts';
import { readPool } from './pool-store.ts';
import {
  byContract,
  byMappings,
  byPin,
  bySettings,
  bySubPools,
  type Prospect,
  withBase,
  withLine,
} from './prospect.ts';
import { folded, turnedBy } from './settings-flow.ts';
import { subPoolsWith, subPoolsWithout } from './sub-pool-flow.ts';
import { unknownUser } from './user-flow.ts';

/** @throws Fault as the edit itself would. */
export async function previewEdit(
  database: Database,
  door: Door,
  edit: Edit,
  page: PeoplePage,
): Promise<Preview> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const pool = await readPool(tx);
    const prospect = await prospectOf(tx, door, pool, edit);
    const foreseen = await foresee(tx, door, withRenamed(pool, prospect, door.now));
    refuseReserved(edit, foreseen);
    const losses = lossesIn(pool, prospect, foreseen, door.now);
    return { ...(await describe(tx, pool, foreseen, door.now, page)), ...losses };
  });
}

/** Of the preview alone how many seats go. @throws Fault as the edit itself would. */
export async function lossesBy(database: Database, door: Door, edit: Edit): Promise<Losses> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const pool = await readPool(tx);
    const prospect = await prospectOf(tx, door, pool, edit);
    const foreseen = await foresee(tx, door, { ...prospect, ofHolders: isOfHolders(prospect) });
    refuseReserved(edit, foreseen);
    return lossesIn(pool, prospect, foreseen, door.now);
  });
}

/** Whoever loses a seat loses it by what the edit says of them: nobody without one takes it. */
function isOfHolders({ pool: { rules, subPools }, pinned }: Prospect): boolean {
  return rules.order === 'sticky' && subPools.length === 0 && pinned === undefined;
}

function refuseReserved(edit: Edit, foreseen: Foreseen): void {
  if (edit.op === 'pin' && edit.pin.reserved) refuseWithoutSeat(decisionOf(foreseen, edit.userId));
}

/** What would become of the pool, and whom it would concern. */
async function prospectOf(tx: TenantTransaction, door: Door, pool: Pool, edit: Edit): Promise<Prospect> {
  switch (edit.op) {
    case 'contract':
      return byContract(pool, withBase(pool, edit.contract), door.now);
    case 'amendment':
      return byContract(pool, withLine(pool, edit.line), door.now);
    case 'withdrawal':
      return byContract(pool, (await contractWithout(tx, pool, edit.lineId)).contract, door.now);
    case 'pin':
      refusePast(edit.pin, door.now);
      refuseInactive(edit.pin, (await personOf(tx, edit.userId)).active);
      return byPin(pool, edit.userId, edit.pin);
    case 'unpin':
      await personOf(tx, edit.userId);
      await pinOf(tx, edit.userId);
      return byPin(pool, edit.userId, null);
    case 'settings':
      return await settingsProspect(tx, pool, folded(edit.settings));
    case 'subPool':
      return bySubPools(pool, subPoolsWith(pool, edit.subPool).after);
    case 'removeSubPool':
      return bySubPools(pool, (await subPoolsWithout(tx, pool, edit.name)).after);
    case 'draft': {
      const [draft, before] = await Promise.all([selectDraft(tx, edit.id), selectMappings(tx)]);
      if (draft === undefined) throw unknownDraft(edit.id);
      refuseActivated(draft);
      const asked = { ...draft, rebase: edit.rebase };
      return byMappings(pool, before, await draftTarget(tx, asked, before, 'asTheyAre'));
    }
    case 'rollback': {
      const before = await selectMappings(tx);
      return byMappings(pool, before, await versionTarget(tx, edit.version, before, 'asTheyAre'));
    }
    default: {
      const before = await selectMappings(tx);
      await checkPlaces(tx, pool, before, edit);
      return byMappings(pool, before, await mappingsAfter(tx, before, edit, 'asTheyAre'));
    }
  }
}

async function personOf(tx: TenantTransaction, userId: UserId) {
  const [person] = await loadPersons(tx, { userIds: [userId] }, null);
  if (person === undefined) throw unknownUser(userId);
  return person;
}

/** Ranks are stored: those of another order are known only once everybody with a rank is looked at. */
async function settingsProspect(tx: TenantTransaction, pool: Pool, after: Settings): Promise<Prospect> {
  const before = await selectSettings(tx);
  const prospect = bySettings(pool, before, after, await turnedBy(tx, before, after));
  if (before.order === after.order) return prospect;
  return { ...prospect, affected: { ...prospect.affected, seats: ['waiting', 'overage'] } };
}

/** Under another policy those who wait may be told something else, though nothing is decided anew for them. */
function withRenamed(pool: Pool, prospect: Prospect, now: Date): Prospect {
  const [was, is] = [pool, prospect.pool].map(({ contract }) => waitingStates[termsAt(contract, now).policy]);
  if (was === is) return prospect;
  const { seats = [] } = prospect.affected;
  return {
    ...prospect,
    affected: { ...prospect.affected, seats: [...new Set([...seats, 'waiting' as const])] },
  };
}

function decisionOf({ persons, plan }: Foreseen, userId: UserId) {
  const change = plan.changes.find((one) => one.userId === userId);
  return change === undefined ? (persons.find(({ id }) => id === userId)?.decision ?? null) : change.after;
}

function losesSeat({ before, after }: DecisionChange): boolean {
  return isSeated(before?.seat ?? 'none') && !isSeated(after?.seat ?? 'none');
}

/** It goes back to the share that lent it, or to a better claim. */
function isNoticed({ before, after }: DecisionChange): boolean {
  return before?.noticeUntil == null && after?.noticeUntil != null;
}

function lossesIn(pool: Pool, prospect: Prospect, { persons, plan }: Foreseen, now: Date): Losses {
  const { rules, contract, usage } = pool;
  const losers = plan.changes.filter(losesSeat);
  const noticed = plan.changes.filter(isNoticed);
  const later = laterLosers(persons, { before: rules, after: prospect.pool.rules }, now);
  // Seats that lines of the contract take away: whose they are is known only then.
  const byLines = lostByLines(contract, prospect.pool.contract, usage, now);
  const people = new Set([...[...losers, ...noticed].map(({ userId }) => userId), ...later]);
  const seatsLost = people.size + byLines;
  return { seatsLost, lostLater: seatsLost - losers.length };
}

async function describe(
  tx: TenantTransaction,
  pool: Pool,
  { persons, plan }: Foreseen,
  now: Date,
  { after, limit }: PeoplePage,
): Promise<Omit<Preview, keyof Losses>> {
  const terms = termsAt(pool.contract, now);
  const changed = new Set(plan.changes.map(({ userId }) => userId));
  // Decided as before, and told perhaps by another name.
  const unchanged = persons.flatMap(({ id, decision }): Turn[] =>
    decision?.seat !== 'waiting' || changed.has(id)
      ? []
      : [{ userId: id, before: decision, after: decision }],
  );
  const turns = [...plan.changes, ...unchanged];
  const { people, ...counts } = impactOf(turns, { before: terms.policy, after: plan.terms.policy });
  const shown = people.filter(({ id }) => id > after).slice(0, limit);
  const names = await selectUserNames(
    tx,
    shown.map(({ id }) => id),
  );
  const { held, onHold, unmanagedPaid } = pool.usage;
  const { capacity } = terms;
  return {
    ...counts,
    seats: { before: held, after: plan.usage.held },
    available: capacity === null ? null : Math.max(0, capacity - held - onHold - unmanagedPaid),
    people: shown.map((person) => ({ ...person, userName: names.get(person.id) ?? '' })),
  };
}
