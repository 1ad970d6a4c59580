/**
 * The middle of every write that can change a decision: load the facts as the transaction now sees them, plan, write
 * the decisions with their audit, and mark for Blue whoever's roles changed. Of many people it writes down who they are, and
 * decides for them in batches once the transaction is over, so that nobody waits long for the pool.
 */

import type { AuditEvent } from '../audit/audit-event.ts';
import type { Door } from '../audit/door.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { OpenBatch } from '../licensing/effect.ts';
import { type Affected, knownCount } from './affected.ts';
import { areMoreThan, writeMarks } from './affected-sql.ts';
import { waitForBatches } from './batch-store.ts';
import { breakerOf, stagedAfter, stillHeldBack, untripped } from './breaker-flow.ts';
import { markForBlue, writeDecisions } from './decision-store.ts';
import { isMoreWaiting, type Loading, loadFacts, mostOf } from './facts-flow.ts';
import { ending } from './open-batch.ts';
import { approveWithEdit } from './outdated-flow.ts';
import { loadCrowd } from './person-store.ts';
import { type Plan, type Planned, plan, whoseRolesChange } from './plan.ts';
import { auditOf } from './plan-audit.ts';
import type { Pool } from './pool.ts';
import { writePool } from './pool-store.ts';
import type { IntakeFacts, Prospect } from './prospect.ts';
import { writeDecided, writeRequest } from './request-sql.ts';
import { evaluateRest } from './rest-flow.ts';
import type { PersonFacts } from './standing.ts';
import { loadUnasked } from './standing-store.ts';

export interface Decided {
  plan: Plan;
  /** For the caller to append with its own entries, so that all go in one statement. */
  audit: AuditEvent[];
  /** The breaker holds everybody back whom it was about. */
  isStaged: boolean;
}

export interface Circumstances extends Omit<Loading, 'crowd'> {
  /** People whose roles in Blue may differ for another reason than a decision (a new address). */
  alsoMark?: readonly UserId[];
  /** Dates up to now have been looked at. */
  isSettled?: boolean;
  /** A directory says so of people who may not know: the breaker looks at it. */
  isSync?: boolean;
}

/** More than any tenant has. */
export const everybody = 1_000_000_000;

/**
 * Decides for everybody affected, after the directory was written. Sends its writes, to travel with COMMIT; what it leaves for
 * later is done before the caller's transaction answers. With an edit that somebody approved, its request is approved too.
 *
 * @throws Fault `conflict` for such an edit, where what it replaces was changed since it was asked for: whoever changes
 *   that has the pool's lock, and ends up here.
 */
export async function decide(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  affected: Affected,
  circumstances: Circumstances = {},
): Promise<Decided> {
  const { alsoMark = [], keepUntil = null, isSettled = false, isSync = false } = circumstances;
  if (door.approval !== undefined) await approveWithEdit(tx, door, door.approval);
  const most = mostOf(door);
  const count = knownCount(affected);
  const isLarge = count === undefined ? await areMoreThan(tx, affected, most) : count > most;
  const foreseen = isLarge ? undefined : await planForOthers(tx, door, pool, affected, circumstances);
  const stage = isSync ? await breakerOf(tx, door, pool, affected, foreseen) : untripped(pool);
  if (isLarge && count === undefined && !stage.isTripped && pool.stagedSince === null)
    writeRequest(tx, affected, keepUntil);
  // Whoever the request names is written down at once: afterwards nothing may tell any more who they were.
  else if (stage.isTripped || isLarge)
    writeMarks(tx, affected, { keepUntil, staged: stage.isTripped, areStagedKept: isSync });
  const { facts, planned } =
    foreseen !== undefined && !stage.isTripped
      ? foreseen
      : await planFor(tx, door, { ...pool, evaluating: pool.evaluating || isLarge }, {}, circumstances);
  const decided = facts.persons.map(({ id }) => id);
  if (pool.evaluating)
    await waitForBatches(tx, [...decided, ...planned.changes.map(({ userId }) => userId), ...alsoMark]);
  const isMarked = isLarge && !stage.isTripped;
  const endedBatch = planned.batch === null ? pool.batch : null;
  const isLeft = isMoreWaiting(facts, planned, most) || (await isAnyToAsk(tx, planned, endedBatch));
  const evaluating = facts.evaluating || isMarked || isLeft;
  // Whoever claims before all of it is served must not open another, for the end of which they would wait.
  const isBatchKept = evaluating && endedBatch !== null && pool.rules.settlement !== 'immediate';
  const batch = isBatchKept ? ending(endedBatch) : planned.batch;
  const stagedSince = await stagedAfter(tx, door, pool, facts, stage.isTripped);
  writeDecisions(tx, planned.changes, { ...facts, ...planned, now: door.now });
  if (pool.evaluating) writeDecided(tx, decided);
  const after = { ...planned, batch, evaluating, isSettled, stagedSince, losses: stage.losses };
  writePool(tx, pool, after, door.now);
  if (isMarked || evaluating !== pool.evaluating) tx.afterCommit((database) => evaluateRest(database, door));
  markForBlue(tx, [...whoseRolesChange(planned), ...alsoMark], door.now);
  return {
    plan: planned,
    audit: [...stage.audit, ...auditOf(pool, planned)],
    isStaged: stage.isTripped,
  };
}

/** Whether somebody waits without its being known whether somebody must be asked: with its end it is known of a batch. */
async function isAnyToAsk(
  tx: TenantTransaction,
  { batch, changes }: Plan,
  ended: OpenBatch | null,
): Promise<boolean> {
  if (batch !== null) return false;
  return (
    changes.some(({ after }) => after?.isUnasked) || (ended !== null && (await loadUnasked(tx, 1)).length > 0)
  );
}

/** What a directory says more of those whom the breaker holds back takes nothing from them either: to put them back does let them go. */
async function planForOthers(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  affected: Affected,
  circumstances: Circumstances,
): Promise<Planned> {
  const foreseen = await planFor(tx, door, pool, affected, circumstances);
  if (pool.stagedSince === null || circumstances.isSync !== true) return foreseen;
  const held = await stillHeldBack(tx, foreseen);
  if (held.size === 0) return foreseen;
  const userIds = foreseen.facts.persons.flatMap(({ id }) => (held.has(id) ? [] : [id]));
  return await planFor(tx, door, pool, { userIds }, circumstances);
}

async function planFor(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  affected: Affected,
  circumstances: Circumstances,
): Promise<Planned> {
  const facts = await loadFacts(tx, door, pool, affected, circumstances);
  return { facts, planned: plan(facts, door.now) };
}

export interface Foreseen {
  /** Everybody who was looked at because of the edit itself. */
  persons: readonly PersonFacts[];
  plan: Plan;
}

/** What would be decided by an edit; nothing is written or locked. All are looked at, however many they are. */
export async function foresee(
  tx: TenantTransaction,
  door: Pick<Door, 'now'>,
  { pool, affected, rulesBefore, isSettling = false, exclusions, pinned, intake, ofHolders }: Prospect,
): Promise<Foreseen> {
  // Also of the mappings that go: whoever reads this may ask what would be without the edit.
  const mappings = [...pool.rules.mappings, ...(rulesBefore?.mappings ?? [])];
  const mappedGroups = [...new Set(mappings.flatMap(({ groupId }) => groupId ?? []))];
  const areSeen = pool.rules.order === 'strict';
  const loading = loadCrowd(tx, affected, { mappedGroups, exclusions, ofHolders, areSeen });
  const crowd = loading.then((people) => asEdited(people, pinned, intake));
  const pace = { now: door.now, peoplePerDecision: everybody, takenMax: everybody };
  const reserving = pinned?.pin?.reserved === true ? pinned.userId : null;
  const facts = await loadFacts(tx, pace, pool, affected, { isSettling, reserving, crowd });
  return { persons: facts.persons, plan: plan(facts, door.now) };
}

/** With what the edit says of people themselves. */
function asEdited(
  people: readonly PersonFacts[],
  pinned: Prospect['pinned'],
  { changes, newcomers }: IntakeFacts = noIntake,
): PersonFacts[] {
  const known = people.map((person) => {
    const pin = person.id === pinned?.userId ? { pin: pinned.pin } : {};
    return { ...person, ...pin, ...changes.get(person.id) };
  });
  return [...known, ...newcomers];
}

const noIntake: IntakeFacts = { changes: new Map(), newcomers: [], names: new Map() };
