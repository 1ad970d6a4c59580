/** I21: what a preview told against what then stands in the tables. */

import { expect } from 'vitest';
import { Fault } from '../../src/kernel/fault.ts';
import type { UserId } from '../../src/kernel/ids.ts';
import type { Preview } from '../../src/provisioning/edit.ts';
import { termsOf } from './model.ts';
import type { DecisionRow, State } from './state.ts';

/** All people on one page. */
export const whole = { after: '00000000-0000-0000-0000-000000000000', limit: 100_000 };

/** A refusal as a value. */
export async function outcome<T>(work: Promise<T>): Promise<T | Fault> {
  return await work.catch((error: unknown) => {
    if (error instanceof Fault) return error;
    throw error;
  });
}

interface Told {
  roles: string[];
  seat: string;
  waitsFor: string | null;
}

/** @param isPlan Of the end of a batch: also who waited for it and waits on is named. */
export function compare(told: Preview, before: State, after: State, isPlan = false): void {
  const [was, is] = [toldOf(before), toldOf(after)];
  const nothing: Told = { roles: [], seat: 'none', waitsFor: null };
  const different = after.users.flatMap(({ id, user_name: userName }) => {
    const [from, to] = [was.get(id) ?? nothing, is.get(id) ?? nothing];
    const isLeft = isPlan && from.waitsFor === 'batch' && to.waitsFor !== null;
    const isSame = from.seat === to.seat && from.roles.join() === to.roles.join() && !isLeft;
    return isSame ? [] : [{ id, userName, before: from, after: to }];
  });
  const named = told.people.map(({ id, userName, before: from, after: to }) => ({
    ...{ id, userName },
    ...{ before: { ...from, roles: rolesOf(from.roles) }, after: { ...to, roles: rolesOf(to.roles) } },
  }));
  expect(named, 'I21 names whom it concerns, with what they have before and after').toEqual(different);
  const held = ({ decisions }: State) => decisions.filter(({ seat }) => seat === 'held').length;
  expect(told.seats, 'I21 counts the seats').toEqual({ before: held(before), after: held(after) });
  const waits = ({ decisions }: State, id: UserId) =>
    decisions.some((row) => row.user_id === id && row.seat === 'waiting');
  const left = different.filter((one) => isPlan && one.before.waitsFor === 'batch' && waits(after, one.id));
  expect(told.gained + told.lost + told.changed + left.length, 'everybody is counted once').toBe(
    different.length,
  );
  const queued = different.filter(({ id }) => waits(after, id) && !waits(before, id));
  expect(told.queued, 'I21 counts who begins to wait').toBe(queued.length + left.length);
  const wish = ({ decisions }: State) => decisions.filter(({ priority }) => priority !== null).length;
  expect(told.needed, 'I21 counts who wants a seat').toBe(wish(after) - wish(before));
}

/** Of an edit after which nobody's roles change at a date to come. */
export function compareNotices(told: Preview, before: State, after: State): void {
  const isTold = ({ decisions }: State, id: UserId) =>
    decisions.some((row) => row.user_id === id && row.notice_until !== null);
  const noticed = after.users.filter(({ id }) => isTold(after, id) && !isTold(before, id));
  expect(told.lostLater, 'I21 counts who is told that the seat goes').toBe(noticed.length);
}

function toldOf(state: State): Map<UserId, Told> {
  const { policy } = termsOf(state);
  const { batch_opened_at: openedAt, settles_at: settlesAt } = state.pool;
  const isOpen = openedAt !== null && (settlesAt === null || settlesAt > openedAt);
  const waiting = { queue: 'queued', grace: 'queued', allow: 'queued', block: 'blocked', fallback: 'none' };
  return new Map(
    state.decisions.map(({ user_id, effective, seat, approval }) => {
      const waitsFor = approval === 'pending' ? 'approval' : isOpen ? 'batch' : 'seat';
      return [
        user_id,
        seat === 'waiting'
          ? { roles: rolesOf(effective), seat: waiting[policy], waitsFor }
          : { roles: rolesOf(effective), seat, waitsFor: null },
      ];
    }),
  );
}

function rolesOf(roles: readonly Pick<DecisionRow['effective'][number], 'workspace' | 'role'>[]): string[] {
  return roles.map(({ workspace, role }) => `${workspace} ${role}`).sort();
}
