/** After a batch was carried into Blue: what is kept of each person, and what becomes of the mark. Pure. */

import type { Action, Outcome } from './action.ts';
import type { Person, Told } from './people.ts';
import { backOffMs, mayBeStale } from './trouble.ts';

/** What went wrong for one person. */
export type Problem =
  | { kind: 'refused'; code: string; detail: string }
  /** Nobody knows whether it happened. */
  | { kind: 'unsure'; detail: string }
  /** The mail waits for the next hour. */
  | { kind: 'held_back'; until: Date };

/** What is kept of a person. */
export interface Standing {
  userId: string;
  address: string | null;
  blueUserId: string | null;
  state: Outcome['state'];
  code: string | null;
  detail: string | null;
  given: readonly string[];
}

export interface Verdict {
  standing: Standing;
  /** `clear`: done, or nothing more can be done now. */
  mark: 'clear' | { notBefore: Date; isTry: boolean };
  /** Blue may not be what we think: its lists are read before anything else. */
  readFirst: boolean;
  /** A deleted user with whom nothing is left to do. */
  isForgotten: boolean;
}

export interface Circumstances {
  person: Person;
  outcome: Told;
  /** What would still be sent. */
  left: readonly Action[];
  problem: Problem | undefined;
  /** In `observe` nothing is sent, so that nothing waits. */
  isObserving: boolean;
  /** Since when Blue's lists are known. */
  readAt: Date;
  now: Date;
  random: number;
}

const seatsMs = 30_000;
const soonMs = 1000;
/** A workspace or role that is not in lists older than this may have been made since. */
const oldListsMs = 60_000;

export function verdictOf(circumstances: Circumstances): Verdict {
  const { person, problem, now, random } = circumstances;
  const tries = person.mark?.tries ?? 0;
  switch (problem?.kind) {
    case undefined:
      return withoutProblem(circumstances, tries);
    case 'refused': {
      const { code, detail } = problem;
      if (!mayBeStale(code) || tries > 0) return refused(circumstances, code, detail);
      return { ...waiting(circumstances, code, detail, now, true), readFirst: true };
    }
    case 'unsure': {
      const notBefore = new Date(now.getTime() + backOffMs(tries, random));
      return { ...waiting(circumstances, 'UNAVAILABLE', problem.detail, notBefore, true), readFirst: true };
    }
    case 'held_back':
      return waiting(circumstances, 'INVITATIONS_PER_HOUR', null, problem.until, false);
  }
}

function withoutProblem(circumstances: Circumstances, tries: number): Verdict {
  const { outcome, left, isObserving, readAt, now, person, random } = circumstances;
  const { code = null, detail = null } = outcome;
  const isOld = now.getTime() - readAt.getTime() > oldListsMs;
  if (outcome.state === 'refused' && code !== null && mayBeStale(code) && isOld && tries === 0) {
    return { ...waiting(circumstances, code, detail, now, true), readFirst: true };
  }
  if (!isObserving && (left.length > 0 || outcome.state === 'waiting')) {
    const isTry = left.length > 0;
    const unblockedMs = code === 'SEATS_IN_BLUE' ? seatsMs : soonMs;
    const afterMs = isTry ? backOffMs(tries, random) : unblockedMs;
    return waiting(circumstances, code, detail, new Date(now.getTime() + afterMs), isTry);
  }
  const isGone = outcome.state === 'removed' || outcome.state === 'none' || code === 'PROTECTED';
  return {
    standing: { ...baseOf(circumstances), state: outcome.state, code, detail },
    mark: 'clear',
    readFirst: false,
    isForgotten: person.userName === null && isGone && left.length === 0,
  };
}

function refused(circumstances: Circumstances, code: string, detail: string): Verdict {
  const standing: Standing = { ...baseOf(circumstances), state: 'refused', code, detail };
  return { standing, mark: 'clear', readFirst: false, isForgotten: false };
}

function waiting(
  circumstances: Circumstances,
  code: string | null,
  detail: string | null,
  notBefore: Date,
  isTry: boolean,
): Verdict {
  const standing: Standing = { ...baseOf(circumstances), state: 'waiting', code, detail };
  return { standing, mark: { notBefore, isTry }, readFirst: false, isForgotten: false };
}

function baseOf({ outcome: { userId, address, blueUserId, given } }: Circumstances) {
  return { userId, address, blueUserId, given };
}

/** Whether it says something else than what is kept. */
export function isNews({ kept }: Person, standing: Standing): boolean {
  const { address, blueUserId, state, code, detail, given } = standing;
  return (
    kept === null ||
    kept.address !== address ||
    kept.blueUserId !== blueUserId ||
    kept.state !== state ||
    kept.code !== code ||
    kept.detail !== detail ||
    kept.given.join() !== given.join()
  );
}
