/** What holds after every write, whatever was written before; each check is named for the invariant it states. */

import { sql } from 'kysely';
import { expect } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import { reclaimDue } from '../../src/provisioning/reclaim-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { selectUserViews } from '../../src/provisioning/user-view-store.ts';
import { verifySeats } from '../../src/provisioning/verify-flow.ts';
import type { TestWorld } from '../support/tenants.ts';
import type { Edit } from './edits.ts';
import {
  compareQueue,
  idleSeats,
  isAsked,
  isPaid,
  isPastGrace,
  type ModelShare,
  recompute,
  rulesOf,
  sharesOf,
  stored,
  termsOf,
  wishOf,
} from './model.ts';
import { type DecisionRow, queueOf, readState, type State, seatsOf } from './state.ts';

const dayMs = 86_400_000;

/** As the gateway's clock does once a second. */
export async function settledWhereDue(world: TestWorld): Promise<State> {
  const state = await readState(world);
  if (!isDue(state)) return state;
  await settleDue(world.database, world.now, 1000, world.door);
  const times = { now: world.now, realNow: world.now };
  // Each look takes open cases one step on.
  while (isLookDue(await readState(world))) await reclaimDue(world.database, times, 1000);
  const settled = await readState(world);
  expect(isDue(settled), 'I24 what was due is done').toBe(false);
  return settled;
}

function isDue({ pool, now, ...state }: State): boolean {
  return (pool.due_at !== null && pool.due_at <= now) || isLookDue({ ...state, pool, now });
}

function isLookDue({ settings, now }: State): boolean {
  return settings.reclaim_due_at !== null && settings.reclaim_due_at <= now;
}

/** By a batch that ended since, as of when it ended: there were more seats then. */
function isGivenThen(before: State, { pool, now }: State): boolean {
  const { settles_at: at } = before.pool;
  if (at === null || at > now) return false;
  const { capacity, allowance } = termsOf({ ...before, now: at });
  return capacity === null || pool.used <= capacity + allowance;
}

export function checkStep(edit: Edit, before: State, after: State, isMade: boolean): void {
  const seated = seatsOf(after, 'held', 'overage');
  const seatedBefore = new Set(seatsOf(before, 'held', 'overage').map((row) => row.user_id));
  const waiting = queueOf(after);
  const { capacity, allowance } = termsOf(after);

  if (capacity !== null && after.pool.used > capacity + allowance && !isGivenThen(before, after)) {
    expect(after.pool.used, 'I1 above the limit what is used only falls').toBeLessThanOrEqual(
      before.pool.used,
    );
  }

  if (edit.kind === 'setActive' && isMade) {
    expect(after.users.length, 'I2 deactivation deletes no person').toBe(before.users.length);
    expect(after.memberships, 'I2 deactivation deletes no membership').toEqual(before.memberships);
  }

  const wants = new Set(
    after.users.filter((user) => wishOf(after, user).priority !== null).map(({ id }) => id),
  );
  const stillSeated = new Set(seated.map((row) => row.user_id));
  const lost = [...seatedBefore].filter((id) => wants.has(id) && !stillSeated.has(id));
  const isOver = (id: string) => after.decisions.some((row) => row.user_id === id && isPastGrace(after, row));
  if (!isExcessOver(before, after)) {
    expect(
      lost.filter((id) => !isOver(id) && !isTaken(before, after, id)),
      'I12 and I13 no holder who still asks for a paid role loses the seat, but to a better claim after a notice',
    ).toEqual([]);
  }

  const kept = new Set(before.decisions.filter((row) => row.seat === 'hold').map((row) => row.user_id));
  const reserved = new Set(after.pins.filter((pin) => pin.reserved).map((pin) => pin.user_id));
  // What was used in Blue before is nobody else's to have.
  const isAdopted = (id: UserId) => after.adopted.has(id) && !before.adopted.has(id);
  const promoted = seated.filter(
    ({ user_id: id }) => !seatedBefore.has(id) && !kept.has(id) && !reserved.has(id) && !isAdopted(id),
  );
  const compare = compareQueue(after);
  const overtaken = waiting.filter(
    (one) =>
      !isPastGrace(after, one) &&
      promoted.some((row) => compare(one, row) < 0 && row.sub_pool === one.sub_pool && !mayTake(after, row)),
  );
  expect(overtaken, 'I15 seats go to the head of the queue').toEqual([]);

  if (!isMade && !isDue({ ...before, now: after.now })) {
    const seats = (state: State) => state.decisions.map((row) => [row.user_id, row.seat]);
    expect(seats(after), 'I5 what is refused changes no seat').toEqual(seats(before));
  }
}

/** Order `strict`: it need not wait until a seat is free. */
function mayTake({ settings }: State, row: DecisionRow): boolean {
  return settings.seat_order === 'strict' && row.may_preempt;
}

/** By the sub-pool that lent the seat, or by a claim of strictly better priority, after a notice. */
export function isTaken(before: State, after: State, id: string): boolean {
  const { priority } = after.decisions.find((row) => row.user_id === id) ?? { priority: null };
  const had = new Set(seatsOf(before, 'held', 'overage').map((row) => row.user_id));
  const isBeaten = seatsOf(after, 'held', 'overage').some(
    (row) => mayTake(after, row) && !had.has(row.user_id) && (row.priority ?? 0) < (priority ?? 0),
  );
  if (after.sub_pools.length === 0 && !isBeaten) return false;
  const until = before.decisions.find((row) => row.user_id === id)?.notice_until ?? null;
  return after.settings.notice_hours === 0 || (until !== null && until <= after.now);
}

/** The capacity fell, and the time of those above it is over. */
function isExcessOver(before: State, after: State): boolean {
  const graceMs = (after.contract?.decrease_grace_days ?? 0) * dayMs;
  const last = after.now.getTime() - graceMs;
  const since = before.pool.excess_since;
  // It may begin and end within one step.
  return graceMs === 0 || (since !== null && since.getTime() <= last) || isFallWithin(before, after, last);
}

/** Whether a line, or another term, gives fewer seats from the beginning of a day on, after what was before and up to `to`. */
function isFallWithin(before: State, after: State, to: number): boolean {
  const limitAt = (time: number) => {
    const now = new Date(time);
    const isNext = now.toISOString().slice(0, 10) >= (after.contract?.starts_on ?? '');
    const { capacity, allowance } = termsOf({ ...(isNext ? after : before), now });
    return capacity === null ? Number.POSITIVE_INFINITY : capacity + allowance;
  };
  for (let day = Math.floor(before.now.getTime() / dayMs + 1) * dayMs; day <= to; day += dayMs)
    if (limitAt(day) < limitAt(day - 1)) return true;
  return false;
}

export function checkState(state: State): void {
  const held = seatsOf(state, 'held');
  const seated = seatsOf(state, 'held', 'overage');
  const people = new Map(state.users.map((user) => [user.id, user]));
  const { pool, now } = state;

  const counted = { overage: seatsOf(state, 'overage').length, on_hold: seatsOf(state, 'hold').length };
  expect(pool, 'I1 the pool counts the seats').toMatchObject({
    ...counted,
    used: held.length + counted.overage + counted.on_hold,
  });
  if (pool.ceiling !== null) {
    expect(pool.used, 'I1 what is used stays under the ceiling').toBeLessThanOrEqual(pool.ceiling);
  }

  const ofInactive = state.decisions.filter((row) => people.get(row.user_id)?.active !== true);
  expect(ofInactive, 'I2 the inactive hold and ask for nothing').toEqual([]);

  const addresses = seated.map((row) => people.get(row.user_id)?.address ?? row.user_id);
  expect(new Set(addresses).size, 'I3 a person holds at most one seat').toBe(addresses.length);

  const withoutPaid = seated.filter((row) => !row.requested.some(({ role }) => isPaid(role)));
  expect(withoutPaid, 'I4 free roles use no seat').toEqual([]);
  const paidWithout = state.decisions.filter(
    (row) => !seated.includes(row) && row.effective.some(({ role }) => isPaid(role)),
  );
  expect(paidWithout, 'I4 no paid role without a seat').toEqual([]);

  expect(stored(state), 'I10 what is stored is what a full recompute gives').toEqual(recompute(state));

  const pending = new Set(
    state.decisions.filter(({ approval }) => approval === 'pending').map((row) => row.user_id),
  );
  const unasked = state.users.filter((user) => pending.has(user.id) && !isAsked(state, user));
  expect(
    unasked.filter(({ id }) => !state.staged.has(id)),
    'I19 nobody waits for a word that no rule asks for',
  ).toEqual([]);

  const { batch_opened_at: openedAt, evaluating } = state.pool;
  const isKnown = openedAt === null && !evaluating;
  const left = state.decisions.filter((row) => row.unasked && (isKnown || row.approval !== null));
  expect(left, 'I19 once seats are given, somebody is asked for whoever has none').toEqual([]);

  checkShares(state);
  checkPreemption(state);
  const shares = new Map(sharesOf(state).map((share) => [share.name, share]));
  const isFull = ({ sub_pool: name }: DecisionRow) => {
    const share = shares.get(name);
    return share !== undefined && share.used >= share.limit;
  };
  const waiting = queueOf(state).filter((row) => !isFull(row));
  const idle = idleSeats(state);
  expect(Math.min(idle.within, waiting.length), 'I14 no idle seat while somebody waits').toBe(0);
  const unspent = waiting.filter((row) => !isPastGrace(state, row));
  expect(Math.min(idle.above, unspent.length), 'I14 nor one above the capacity').toBe(0);
  if (pool.batch_opened_at === null) {
    expect(
      Math.min(idle.within, counted.overage),
      'I14 nobody above the capacity while there is room in it',
    ).toBe(0);
  }

  const past = state.decisions.filter((row) => row.due_at !== null && row.due_at <= now);
  expect(past, 'I24 nothing stands whose time is over').toEqual([]);
  expect(pool.evaluating, 'nobody is left to be decided for').toBe(false);
  const keptPaid = state.users.filter(
    (user) =>
      !state.staged.has(user.id) &&
      state.decisions.some((row) => row.user_id === user.id && row.seat === 'hold') &&
      rulesOf(state, user).some(({ role }) => isPaid(role)) &&
      wishOf(state, user).priority !== null,
  );
  expect(keptPaid, 'I17 who is back has the seat, not the kept place').toEqual([]);
}

/**
 * Without sub-pools: whoever may take a seat has told somebody of strictly lower priority that it goes. One above the capacity is none
 * for whoever's time there is over.
 */
function checkPreemption(state: State): void {
  const { settings, sub_pools: shares, pool } = state;
  const isOn = settings.seat_order === 'strict' && shares.length === 0 && pool.batch_opened_at === null;
  if (!isOn || !termsOf(state).grants) return;
  const taking = queueOf(state).filter((row) => row.may_preempt);
  const below = seatsOf(state, 'held', 'overage').filter(
    ({ priority, seat }) =>
      priority !== 0 &&
      taking.some(
        (row) => (priority ?? 0) > (row.priority ?? 0) && !(seat === 'overage' && isPastGrace(state, row)),
      ),
  );
  const isTold = below.some((row) => row.notice_until !== null);
  expect(below.length > 0 && !isTold, 'I13 a better claim that may take a seat is going to').toBe(false);
}

/** What sub-pools use is counted, and nobody waits within a share while others borrow and were not told. */
function checkShares(state: State): void {
  const shares = sharesOf(state);
  const counted = shares.flatMap(({ name, used }) => (name === null ? [] : [{ name, used }]));
  expect(
    state.sub_pools.map(({ name, used }) => ({ name, used })),
    'I1 sub-pools count their seats',
  ).toEqual(counted);
  if (!termsOf(state).grants || state.pool.batch_opened_at !== null) return;
  const isOf = (chosen: ModelShare[]) => (row: DecisionRow) =>
    chosen.some(({ name }) => name === row.sub_pool);
  const within = isOf(shares.filter(({ used, seats }) => used < seats));
  const over = isOf(shares.filter(({ used, seats }) => used > seats));
  const claims = queueOf(state).filter((row) => within(row) && !isPastGrace(state, row));
  const lent = seatsOf(state, 'held', 'overage').filter((row) => over(row) && row.priority !== 0);
  const isTold = lent.some((row) => row.notice_until !== null);
  expect(claims.length > 0 && lent.length > 0 && !isTold, 'what was lent is taken back').toBe(false);
}

export async function checkQueue(world: TestWorld, state: State): Promise<void> {
  const order = queueOf(state)
    .sort(compareQueue(state))
    .map((row) => row.user_id);
  const selection = { where: sql`true`, directoryId: null, offset: 0, limit: 100, withGroups: false };
  const { views } = await inTenant(world.database, world.tenantId, (tx) =>
    selectUserViews(tx, selection, world.now),
  );
  const queued = views.filter(({ seat }) => seat.state === 'queued' && seat.reason !== 'AWAITS_APPROVAL');
  const shown = queued.toSorted((a, b) => (a.seat.position ?? 0) - (b.seat.position ?? 0));
  if (['queue', 'grace', 'allow'].includes(termsOf(state).policy)) {
    expect(
      shown.map(({ seat }) => seat.position),
      'I20 positions are 1..n',
    ).toEqual(order.map((_, at) => at + 1));
    expect(
      shown.map(({ user }) => user.id),
      'I20 positions follow the order of the queue',
    ).toEqual(order);
  } else {
    expect(queued, 'I20 nobody is told of a queue under another policy').toEqual([]);
  }
}

/** Where people are staged, deciding for everybody would let them through. */
export async function checkAgain(world: TestWorld, state: State): Promise<State> {
  if (state.pool.staged_since !== null) return state;
  const changed = await world.settle();
  const again = await readState(world);
  expect(changed, 'I6 deciding again changes no decision').toBe(0);
  const verified = await verifySeats(world.database, world.tenantId, world.now, 10);
  expect(verified, 'I10 nor does comparing find a difference').toMatchObject({
    ...{ differing: [], subPools: [], found: verified.counted },
  });
  const isInBatches = world.peoplePerDecision !== undefined;
  const print = ({ fingerprint }: State) => (isInBatches ? fingerprint.decisions : fingerprint);
  expect(print(again), 'I6 deciding again writes no row').toEqual(print(state));
  return again;
}
