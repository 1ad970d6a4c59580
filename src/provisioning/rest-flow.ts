/**
 * What large edits leave for later: whom they concern and who is marked, decided for in batches, and then the queue. Each batch is
 * a transaction of its own, so that nobody waits long for the pool.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { termsAt } from '../licensing/contract.ts';
import { admitHead } from './admit-sql.ts';
import { isAnyStaged, takeMarks } from './affected-sql.ts';
import { isAnyBatch } from './batch-store.ts';
import { markForBlue, writeDecisions } from './decision-store.ts';
import { evaluateRequests, notBefore } from './evaluate-flow.ts';
import type { DecideEach } from './evaluate-locked-flow.ts';
import { factsOf, isMoreWaiting, loadFacts, mostOf } from './facts-flow.ts';
import { Pace } from './pace-flow.ts';
import { loadPersons } from './person-store.ts';
import { type Planned, plan, whoseRolesChange } from './plan.ts';
import { auditOf, inputsOf } from './plan-audit.ts';
import type { Pool } from './pool.ts';
import { lockPool, writePool } from './pool-store.ts';
import { firstRequest, forgetDecided, writeDecided } from './request-sql.ts';
import type { PersonFacts, Standing } from './standing.ts';
import { loadUnasked } from './standing-store.ts';
import { isRoomForAll, roomForHead } from './sure-flow.ts';

/** Another process may do the same at the same time. */
export async function evaluateRest(database: Database, door: Door): Promise<void> {
  const pace = new Pace(door.peoplePerDecision);
  for (let left = 'more' as Left; left !== 'nothing'; ) {
    await evaluateRequests(database, door, decideEach);
    await pace.time(pace.people, (locked) =>
      inTenant(database, door.tenantId, async (tx) => {
        left = await evaluateBatch(tx, door, { people: pace.people, locked });
      }),
    );
    if (left === 'busy') await sleep(busyMs);
  }
}

/** `busy`: another process writes a batch, and must be waited for. */
type Left = 'more' | 'busy' | 'nothing';

/** Until a batch of another process may be written. */
const busyMs = 20;

/** By `plan`: about a tenth of a millisecond for each, while the pool is locked. */
const servedAtOnce = 100;

interface BatchSize {
  people: number;
  /** To be called when the pool is locked. */
  locked: () => void;
}

/** Answers what is left to do. */
async function evaluateBatch(
  tx: TenantTransaction,
  caller: Door,
  { people, locked }: BatchSize,
): Promise<Left> {
  const [pool, isWriting] = await Promise.all([lockPool(tx), isAnyBatch(tx)]);
  if (isWriting) return 'busy';
  locked();
  if (!pool.evaluating) return 'nothing';
  const most = Math.min(people, mostOf(caller));
  const [marked, request] = await Promise.all([takeMarks(tx, most), firstRequest(tx)]);
  const door = notBefore(caller, pool);
  if (marked.length > 0) {
    const terms = termsAt(pool.contract, door.now);
    const isSure = request === undefined && (await isRoomForAll(tx, pool, terms, marked.length));
    const after = await decideEach(tx, door, { ...pool, evaluating: !isSure }, marked);
    writeDecided(
      tx,
      marked.map(({ userId }) => userId),
    );
    writePool(tx, pool, { ...after, evaluating: true, terms, isSettled: false }, door.now);
  }
  if (marked.length > 0 || request !== undefined) return 'more';
  const few = { ...door, peoplePerDecision: Math.min(mostOf(door), servedAtOnce) };
  const isMore = (await admitMany(tx, few, pool, people)) || (await serveQueue(tx, few, pool));
  return isMore ? 'more' : 'nothing';
}

/** By `plan`; while others are to be decided for, seats are given afterwards. */
const decideEach: DecideEach = async (tx, door, pool, marked) => {
  const facts = factsOf(pool, { persons: await loadMarked(tx, marked), queue: [], overage: [] });
  const planned = plan(facts, door.now);
  writePlanned(tx, door, pool, { facts, planned });
  return { ...pool, usage: planned.usage, subPools: planned.subPools, batch: planned.batch };
};

/** Answers whether seats were given, so that there may be more: to so many that `plan` would take long for them. */
async function admitMany(tx: TenantTransaction, door: Door, pool: Pool, people: number): Promise<boolean> {
  const terms = termsAt(pool.contract, door.now);
  const room = roomForHead(pool, terms);
  if (room <= mostOf(door)) return false;
  const admitted = await admitHead(tx, door, Math.min(room, people), inputsOf(pool, terms));
  if (admitted === 0) return false;
  const usage = { ...pool.usage, held: pool.usage.held + admitted };
  writePool(tx, pool, { ...pool, usage, terms, evaluating: true, isSettled: false }, door.now);
  return true;
}

/** Answers whether more of the queue is to be served, or of those in it somebody is to be asked. */
async function serveQueue(tx: TenantTransaction, door: Door, pool: Pool): Promise<boolean> {
  const facts = { ...(await loadFacts(tx, door, { ...pool, evaluating: false }, {}, {})), evaluating: false };
  const planned = plan(facts, door.now);
  const unasked = planned.batch === null ? await loadUnasked(tx, mostOf(door)) : [];
  if (planned.changes.length === 0 && unasked.length > 0) {
    askFor(tx, door, pool, unasked);
    return true;
  }
  const isMore = unasked.length > 0 || isMoreWaiting(facts, planned, mostOf(door));
  const evaluating = planned.changes.length > 0 && isMore;
  writePlanned(tx, door, pool, { facts, planned });
  if (!evaluating) forgetDecided(tx);
  const { losses } = pool;
  // A large edit decides also for whom the breaker held back.
  const stagedSince = pool.stagedSince !== null && (await isAnyStaged(tx)) ? pool.stagedSince : null;
  const batch = evaluating ? pool.batch : planned.batch;
  writePool(tx, pool, { ...planned, batch, evaluating, isSettled: false, stagedSince, losses }, door.now);
  return evaluating;
}

/** Nobody's turn has come, though seats may be given: for whoever is left somebody is asked. */
function askFor(tx: TenantTransaction, door: Door, pool: Pool, unasked: readonly Standing[]): void {
  const known = factsOf({ ...pool, evaluating: false }, { persons: [], queue: unasked, overage: [] });
  const facts = { ...known, isAsking: true };
  const planned = plan(facts, door.now);
  writePlanned(tx, door, pool, { facts, planned });
  const { batch, stagedSince, losses } = pool;
  const after = { ...planned, batch, evaluating: true, isSettled: false, stagedSince, losses };
  writePool(tx, pool, after, door.now);
}

function writePlanned(tx: TenantTransaction, door: Door, pool: Pool, { facts, planned }: Planned): void {
  writeDecisions(tx, planned.changes, { ...facts, ...planned, now: door.now });
  markForBlue(tx, whoseRolesChange(planned), door.now);
  appendAudit(tx, door, auditOf(pool, planned));
}

async function loadMarked(
  tx: TenantTransaction,
  marked: readonly { userId: UserId; keepUntil: Date | null }[],
): Promise<PersonFacts[]> {
  const keepUntil = new Map(marked.map((mark) => [mark.userId, mark.keepUntil]));
  const persons = await loadPersons(tx, { userIds: [...keepUntil.keys()] }, null);
  return persons.map((person) => ({ ...person, keepUntil: keepUntil.get(person.id) ?? null }));
}
