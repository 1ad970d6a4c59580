/** What a failed call to Blue means: for the connection (when to try again, or that a person must act) and for a person. */

import { unreachable } from '../kernel/assert.ts';
import type { BlueFailure } from './blue-failure.ts';

export interface Trouble {
  state: 'waiting' | 'stopped';
  /** For the admin: what happened, and what to do where something is to be done. */
  cause: string;
  failures: number;
  /** Null: not by itself. */
  nextTryAt: Date | null;
}

const backOffMsMin = 1000;
const backOffMsMax = 5 * 60 * 1000;

/**
 * Doubles with each failure up to five minutes; between half of it and all of it, so that tenants don't all come back at
 * once.
 *
 * @param failures Those before this one.
 * @param random From 0 to 1.
 */
export function backOffMs(failures: number, random: number): number {
  return Math.min(backOffMsMax, backOffMsMin * 2 ** Math.min(failures, 20)) * (0.5 + random / 2);
}

/** Codes that mean the whole organization, whatever was asked (Blue API docs, error-codes). */
const causes: Readonly<Record<string, string>> = {
  COMPANY_BANNED: 'Blue has banned the organization.',
  COMPANY_NOT_FOUND:
    'Blue does not know the organization, or the token’s user is not in it: check organizationId.',
  COMPANY_LICENSE_NOT_FOUND: 'Blue finds no licence for the organization.',
  PAYMENT_REQUIRED: 'Blue asks for a payment before it does anything for the organization.',
  PRO_REQUIRED: 'Blue asks for a higher plan before it does this for the organization.',
  NOT_AVAILABLE_COUNTRY: 'Blue does not answer from this country.',
};

/** What the next call would meet too; other failures are one person's, or leave open what happened. */
export function isOfConnection(failure: BlueFailure): boolean {
  switch (failure.kind) {
    case 'rate_limited':
    case 'unauthenticated':
      return true;
    case 'refused':
      return failure.code in causes;
    case 'forbidden':
    case 'plan_limit':
    case 'unavailable':
    case 'contract':
      return false;
    default:
      return unreachable(failure);
  }
}

/** Where the failure leaves the connection. @param failures Those in a row before it. */
export function troubleOf(failure: BlueFailure, failures: number, now: Date, random: number): Trouble {
  const stopped = (cause: string): Trouble => ({
    state: 'stopped',
    cause,
    failures: failures + 1,
    nextTryAt: null,
  });
  const waiting = (cause: string, ms: number, count = failures + 1): Trouble => ({
    state: 'waiting',
    cause,
    failures: count,
    nextTryAt: new Date(now.getTime() + ms),
  });
  switch (failure.kind) {
    case 'rate_limited':
      return waiting('Blue limits the rate of requests.', failure.afterMs, failures);
    case 'unauthenticated':
      return stopped(
        'Blue does not accept the token: make a new one in Blue and write tokenId and tokenSecret.',
      );
    case 'forbidden':
      return stopped(
        'Blue does not let the token’s user read the organization: it must be its owner’s token.',
      );
    case 'refused':
      return stopped(causes[failure.code] ?? `Blue refuses with ${failure.code}: ${failure.message}`);
    case 'plan_limit':
      return stopped(`Blue’s plan does not allow it (${failure.reason}).`);
    case 'unavailable':
      return waiting(`Blue does not answer (${failure.message}).`, backOffMs(failures, random));
    case 'contract':
      return waiting(`Blue’s answer can’t be understood (${failure.message}).`, backOffMs(failures, random));
    default:
      return unreachable(failure);
  }
}

/** A sentence for the person whose step Blue refused. */
export function refusalDetail(failure: BlueFailure): string {
  switch (failure.kind) {
    case 'refused':
    case 'contract':
    case 'unavailable':
    case 'unauthenticated':
    case 'forbidden':
      return failure.message;
    case 'plan_limit':
      return `${failure.resource ?? 'the plan'}: ${failure.current ?? '?'} of ${failure.limit ?? '?'} in Blue`;
    case 'rate_limited':
      return failure.signal;
    default:
      return unreachable(failure);
  }
}

/** Refusals that also come about when Blue is not what we think: it is read again before anybody is told. */
const staleCodes: ReadonlySet<string> = new Set([
  'FORBIDDEN',
  'INVITATION_NOT_FOUND',
  'INVITATION_EXPIRED',
  'ADDED_ALREADY',
  'USER_ALREADY_IN_THE_PROJECT',
  'USER_ALREADY_IN_THE_COMPANY',
  'USER_NOT_IN_PROJECT',
  'USER_NOT_IN_COMPANY',
  'USER_NOT_FOUND',
  'COMPANY_USER_NOT_FOUND',
  'PROJECT_NOT_FOUND',
  'PROJECT_USER_ROLE_NOT_FOUND',
]);

/** @param code Of failureCode. */
export function mayBeStale(code: string): boolean {
  return staleCodes.has(code);
}
