/** Invitation mails in waves: at most so many an hour. Pure. */

import type { Action } from './action.ts';
import type { ActualState } from './actual-state.ts';

export interface Window {
  since: Date;
  sent: number;
}

const hourMs = 60 * 60 * 1000;

/** The window that `now` falls into: the one that was begun, or a fresh one. */
export function windowAt(known: Window | null, now: Date): Window {
  return known !== null && now.getTime() - known.since.getTime() < hourMs ? known : { since: now, sent: 0 };
}

export function windowEnd({ since }: Window): Date {
  return new Date(since.getTime() + hourMs);
}

/** Whether Blue sends a mail for it: somebody in the organization is added to a workspace without one. */
export function isMailed(action: Action, { members }: ActualState): boolean {
  switch (action.kind) {
    case 'inviteToOrganization':
    case 'resendInvitation':
      return true;
    case 'inviteToWorkspace':
      return !members.some(({ address }) => address === action.address);
    default:
      return false;
  }
}

/** The actions that may be sent now, and the people whose mail waits. @param most Mails; null: any number. */
export function withinAllowance(
  actions: readonly Action[],
  actual: ActualState,
  most: number | null,
): { allowed: Action[]; heldBack: Set<string> } {
  const heldBack = new Set<string>();
  let left = most ?? Number.POSITIVE_INFINITY;
  const allowed = actions.filter((action) => {
    if (!isMailed(action, actual)) return true;
    left -= 1;
    if (left < 0) heldBack.add(action.userId);
    return left >= 0;
  });
  return { allowed, heldBack };
}
