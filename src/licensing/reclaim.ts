/**
 * The course of a seat that lies idle: notice, two reminders, and then it is taken, unless its person is seen or somebody
 * says that it is kept. Pure: whose turn it is follows from the case and the time alone.
 */

import { assert, unreachable } from '../kernel/assert.ts';
import { isSeated, type Seat } from './effect.ts';

/**
 * `noticed`: the seat is taken when nothing happens; `taken`: it was; the others are how a case ended: somebody said `kept`, or
 * took the taking back (`undone`), the person came back after it (`returned`), or it no longer had a reason (`withdrawn`).
 */
export const reclaimStates = ['noticed', 'taken', 'kept', 'undone', 'returned', 'withdrawn'] as const;
export type ReclaimState = (typeof reclaimStates)[number];

/** The last case of a person. */
export interface Reclaim {
  state: ReclaimState;
  /** null: the seat was kept before anybody was asked. */
  noticedAt: Date | null;
  reminders: number;
  /** `noticed`: when the next step is. */
  dueAt: Date | null;
  takenAt: Date | null;
  /** The last activity that was known when the case came into its state: what is newer is a sign of life, whatever its clock. */
  seenAt: Date | null;
  /** Since when it is in this state. */
  changedAt: Date;
}

export interface ReclaimFacts {
  /** null: never yet. */
  reclaim: Reclaim | null;
  seat: Seat | null;
  /** Since when the seat is in this state. */
  since: Date | null;
  /** The latest of signing on here and being active in Blue; null: not known. */
  seenAt: Date | null;
  /** What an administrator gave by hand is not asked about. */
  isPinned: boolean;
}

export type ReclaimStep = 'notice' | 'remind' | 'take' | 'withdraw' | 'return';

const dayMs = 86_400_000;
/** Days after the notice. */
const reminderDays = [7, 12] as const;
const takingDays = 14;
/** Days after the taking. */
const clocksDifferMs = 300_000;
const undoDays = 14;
const rememberedDays = 30;

/** At most one step: after a downtime they follow one another in order. @param idleDays null: nobody is asked. */
export function reclaimStep(facts: ReclaimFacts, idleDays: number | null, now: Date): ReclaimStep | null {
  const { reclaim } = facts;
  switch (reclaim?.state) {
    case 'taken':
      // Where the clock went back, it has not happened yet.
      return isSeenAfter(facts, reclaim) || (reclaim.takenAt !== null && isWellBefore(now, reclaim.takenAt))
        ? 'return'
        : null;
    case 'noticed': {
      if (!isIdle(facts, idleDays, now) || isSeenAfter(facts, reclaim)) return 'withdraw';
      if (reclaim.dueAt === null || now < reclaim.dueAt) return null;
      return reclaim.reminders < reminderDays.length ? 'remind' : 'take';
    }
    default:
      return isIdle(facts, idleDays, now) ? 'notice' : null;
  }
}

/** Not by as little as two looks may read their clocks one after the other, or two gateways' clocks may differ. */
function isWellBefore(now: Date, at: Date): boolean {
  return now.getTime() + clocksDifferMs < at.getTime();
}

function isSeenAfter({ seenAt }: ReclaimFacts, { seenAt: known }: Reclaim): boolean {
  return seenAt !== null && (known === null || known < seenAt);
}

/** Holds a seat and was not seen for so many days: nor was it given since, nor did a case end since. */
function isIdle(
  { reclaim, seat, since, seenAt, isPinned }: ReclaimFacts,
  idleDays: number | null,
  now: Date,
): boolean {
  if (idleDays === null || isPinned || seat === null || !isSeated(seat)) return false;
  const ended = reclaim === null || reclaim.state === 'noticed' ? null : reclaim.changedAt;
  const last = Math.max(...[since, seenAt, ended].map((at) => at?.getTime() ?? 0));
  return last + idleDays * dayMs <= now.getTime();
}

/** The case after a step. */
export function afterStep({ reclaim, seenAt }: ReclaimFacts, step: ReclaimStep, now: Date): Reclaim {
  switch (step) {
    case 'notice':
      return { ...inState(null, 'noticed', seenAt, now), noticedAt: now, dueAt: nextStepAt(now, 0) };
    case 'remind':
      return reminded(reclaim);
    case 'take':
      return { ...inState(reclaim, 'taken', seenAt, now), takenAt: now };
    case 'withdraw':
      return inState(reclaim, 'withdrawn', seenAt, now);
    case 'return':
      return inState(reclaim, 'returned', seenAt, now);
    default:
      return unreachable(step);
  }
}

function reminded(reclaim: Reclaim | null): Reclaim {
  assert(reclaim !== null && reclaim.noticedAt !== null, 'only who was given notice is reminded');
  const reminders = reclaim.reminders + 1;
  return { ...reclaim, reminders, dueAt: nextStepAt(reclaim.noticedAt, reminders) };
}

function nextStepAt(noticedAt: Date, reminders: number): Date {
  return inDays(noticedAt, reminderDays[reminders] ?? takingDays);
}

/** The case as it comes into a state in which nothing is due. @param seenAt The last activity that is known. */
export function inState(
  reclaim: Reclaim | null,
  state: ReclaimState,
  seenAt: Date | null,
  now: Date,
): Reclaim {
  const { noticedAt = null, reminders = 0, takenAt = null } = reclaim ?? {};
  return { state, noticedAt, reminders, dueAt: null, takenAt, seenAt, changedAt: now };
}

/** When the seat is taken of whoever had notice, and is not seen before. */
export function takingAt(noticedAt: Date): Date {
  return inDays(noticedAt, takingDays);
}

/** Until when the taking of a seat can be taken back. */
export function undoUntil(takenAt: Date): Date {
  return inDays(takenAt, undoDays);
}

/** Until when whoever comes back has the rank of the old claim. */
export function rankKeptUntil(takenAt: Date): Date {
  return inDays(takenAt, rememberedDays);
}

function inDays(from: Date, days: number): Date {
  return new Date(from.getTime() + days * dayMs);
}
