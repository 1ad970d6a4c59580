/**
 * What an edit would do, told before anybody makes it: the facts are read as they stand, the edit is put in their place, and
 * the same plan is made as for the edit itself. Nothing is written, and no lock is taken.
 */

import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { termsAt } from '../licensing/contract.ts';
import type { RequestedRole } from '../licensing/desire.ts';
import { type Decision, isEnding, isSeated, waitingStates } from '../licensing/effect.ts';
import {
  impactOf,
  neededBy,
  type Outcome,
  outcomesOf,
  type PeoplePage,
  type Tellings,
  type Turn,
  waitingOn,
} from '../licensing/impact.ts';
import { overageUntil } from '../licensing/overage.ts';
import { selectUserNames } from './decision-store.ts';
import type { ByDepartment, Edit, Losses, Preview } from './edit.ts';
import { laterLosers, lostByContract } from './losses.ts';
import { type Outlook, outlookOf } from './outlook-flow.ts';
import { refuseWithoutSeat } from './pin-flow.ts';
import type { Pool } from './pool.ts';
import { readPool } from './pool-store.ts';
import type { Prospect } from './prospect.ts';
import { prospectOf } from './prospect-flow.ts';
import { selectByDepartment, selectWaiting } from './settlement-sql.ts';

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
    return await previewProspect(tx, door, { edit, pool, prospect }, page);
  });
}

/** An edit, and what it would make of the pool as it stands. */
interface Prospected {
  edit: Edit;
  pool: Pool;
  prospect: Prospect;
}

/** The same for whoever knows the prospect already. @throws Fault `no_seat` for a reserved pin. */
export async function previewProspect(
  tx: TenantTransaction,
  door: Door,
  { edit, pool, prospect }: Prospected,
  page: PeoplePage,
): Promise<Preview> {
  const outlook = await outlookOf(tx, door, withRenamed(pool, prospect, door.now));
  refuseReserved(edit, outlook);
  const losses = lossesIn(pool, prospect, outlook, door.now);
  const tellings = tellingsOf(pool, outlook, door.now);
  const changed = outcomesIn(outlook, tellings);
  const isPlan = edit.op === 'settle';
  const outcomes = isPlan ? [...changed, ...(await waitingOnIn(tx, pool, changed, tellings))] : changed;
  const byDepartment = isPlan ? await countByDepartment(tx, outcomes) : null;
  const described = await describe(tx, pool, outlook, outcomes, door.now, page, prospect.intake?.names);
  return { ...described, ...losses, byDepartment };
}

/** Of the preview alone how many seats go. @throws Fault as the edit itself would. */
export async function lossesBy(database: Database, door: Door, edit: Edit): Promise<Losses> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const pool = await readPool(tx);
    const prospect = await prospectOf(tx, door, pool, edit);
    const outlook = await outlookOf(tx, door, { ...prospect, ofHolders: isOfHolders(edit, prospect) });
    refuseReserved(edit, outlook);
    return lossesIn(pool, prospect, outlook, door.now);
  });
}

/**
 * Whoever loses a seat loses it by what the edit says of them: nobody without one takes it. Another catalogue takes roles also from
 * those who have them without a seat.
 */
function isOfHolders({ op }: Edit, { pool: { rules, subPools }, pinned }: Prospect): boolean {
  const isOfPeople = op !== 'catalogue' && pinned === undefined;
  return isOfPeople && rules.order === 'sticky' && subPools.length === 0;
}

function refuseReserved(edit: Edit, outlook: Outlook): void {
  if (edit.op === 'pin' && edit.pin.reserved) refuseWithoutSeat(decisionOf(outlook, edit.userId));
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

function decisionOf({ crowds, turns }: Outlook, userId: UserId): Decision | null {
  const turn = turns.find(({ people }) => people.includes(userId));
  if (turn !== undefined) return turn.after;
  return crowds.find(({ people }) => people.includes(userId))?.person.decision ?? null;
}

function losesSeat(turn: Turn): boolean {
  const { before, after } = turn;
  return (isSeated(before?.seat ?? 'none') && !isSeated(after?.seat ?? 'none')) || losesRole(turn);
}

/** Asks for a paid role, had it, and has it no longer: it was free, or an evaluation is frozen, of which the seats are kept. */
function losesRole({ before, after }: Turn): boolean {
  return (after?.requested ?? []).some(
    (asked) => asked.billing === 'paid' && hasRole(before, asked) && !hasRole(after, asked),
  );
}

function hasRole(decision: Decision | null, asked: Pick<RequestedRole, 'role' | 'workspace'>): boolean {
  const { effective = [] } = decision ?? {};
  return effective.some(({ role, workspace }) => role === asked.role && workspace === asked.workspace);
}

/** It goes back to the share that lent it, or to a better claim. */
function isNoticed({ before, after }: Turn): boolean {
  return before?.noticeUntil == null && after?.noticeUntil != null;
}

/** Had for nothing the role that costs a seat from now on, and has it with one above the capacity, which ends by itself. */
function isLent({ before, after }: Turn): boolean {
  if (after?.seat !== 'overage' || isSeated(before?.seat ?? 'none')) return false;
  return after.effective.some((role) => role.billing === 'paid' && hasRole(before, role));
}

function lossesIn(pool: Pool, prospect: Prospect, { crowds, turns, terms }: Outlook, now: Date): Losses {
  const { rules, contract, usage } = pool;
  const losers = peopleOf(turns.filter(losesSeat));
  const noticed = peopleOf(turns.filter(isNoticed));
  const lent = overageUntil(terms, now) === null ? [] : peopleOf(turns.filter(isLent));
  const later = laterLosers(crowds, { before: rules, after: prospect.pool.rules }, now);
  const aboveNow = peopleOf(turns.filter((turn) => losesSeat(turn) && turn.before?.seat === 'overage'));
  const left = { ...usage, overage: usage.overage - aboveNow.length };
  const byContract = lostByContract(contract, prospect.pool.contract, left, pool.excessSince, now);
  const seatsLost = new Set([...losers, ...noticed, ...lent, ...later]).size + byContract;
  return { seatsLost, lostLater: seatsLost - losers.length };
}

function peopleOf(groups: readonly Pick<Turn, 'people'>[]): UserId[] {
  return groups.flatMap(({ people }) => people);
}

function tellingsOf(pool: Pool, { terms, batch }: Outlook, now: Date): Tellings {
  const before = { policy: termsAt(pool.contract, now).policy, batch: pool.batch };
  return { before, after: { policy: terms.policy, batch } };
}

function outcomesIn(outlook: Outlook, tellings: Tellings): Outcome[] {
  const isRenamed = tellings.before.policy !== tellings.after.policy;
  return outcomesOf(isRenamed ? [...outlook.turns, ...renamed(outlook)] : outlook.turns, tellings);
}

/** Whom the end of the open batch leaves without a seat. */
async function waitingOnIn(
  tx: TenantTransaction,
  { batch }: Pool,
  outcomes: readonly Outcome[],
  tellings: Tellings,
): Promise<Outcome[]> {
  if (batch === null || isEnding(batch)) return [];
  return waitingOn(await selectWaiting(tx), outcomes, tellings);
}

async function countByDepartment(tx: TenantTransaction, outcomes: readonly Outcome[]): Promise<ByDepartment> {
  return await selectByDepartment(tx, {
    gained: peopleOf(outcomes.filter(({ kind }) => kind === 'gained')),
    queued: peopleOf(outcomes.filter(({ isQueued }) => isQueued)),
  });
}

async function describe(
  tx: TenantTransaction,
  pool: Pool,
  { turns, usage }: Outlook,
  outcomes: readonly Outcome[],
  now: Date,
  page: PeoplePage,
  newNames: ReadonlyMap<UserId, string> = new Map(),
): Promise<Omit<Preview, keyof Losses | 'byDepartment'>> {
  const { people, ...counts } = impactOf(outcomes, page);
  const names = await selectUserNames(
    tx,
    people.map(({ id }) => id),
  );
  const { held, onHold, unmanagedPaid } = pool.usage;
  const { capacity } = termsAt(pool.contract, now);
  return {
    ...counts,
    needed: neededBy(turns),
    seats: { before: held, after: usage.held },
    available: capacity === null ? null : Math.max(0, capacity - held - onHold - unmanagedPaid),
    people: people.map((person) => ({
      ...person,
      userName: names.get(person.id) ?? newNames.get(person.id) ?? '',
    })),
  };
}

/** Those who wait as before, and are told so perhaps by another name. */
function renamed({ crowds, turns }: Outlook): Turn[] {
  const changed = new Set(peopleOf(turns));
  return crowds.flatMap(({ person: { decision }, people }) =>
    decision?.seat === 'waiting'
      ? [{ people: people.filter((id) => !changed.has(id)), before: decision, after: decision }]
      : [],
  );
}
