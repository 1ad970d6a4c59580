/**
 * The closed list of ways a call to Blue can fail, and how an `errors[]` entry of GraphQL becomes one of them.
 * Branches on codes, never on messages (Blue API docs, error-codes); it knows nothing of HTTP.
 */

import { unreachable } from '../kernel/assert.ts';

export type BlueFailure =
  /** No, wrong or expired token. */
  | { readonly kind: 'unauthenticated'; readonly message: string }
  | { readonly kind: 'forbidden'; readonly message: string }
  /** One of Blue's three rate signals; nothing was done. */
  | {
      readonly kind: 'rate_limited';
      readonly signal: 'tier' | 'operation' | 'plan';
      readonly afterMs: number;
    }
  /** PLAN_LIMIT_REACHED other than a cool-down; `resource` in lower case, since Blue writes both `Users` and `users`. */
  | {
      readonly kind: 'plan_limit';
      readonly reason: string;
      readonly resource: string | null;
      readonly current: number | null;
      readonly limit: number | null;
    }
  /** No answer, or the masked error of a server in trouble: what was asked may have been done. */
  | {
      readonly kind: 'unavailable';
      readonly cause: 'timeout' | 'network' | 'server';
      readonly message: string;
    }
  /** Any other code that Blue answers. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** An answer that can't be understood, or a document that Blue's schema doesn't accept. */
  | { readonly kind: 'contract'; readonly message: string };

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: BlueFailure };

/** One entry of `errors[]`. */
export interface GraphqlError {
  readonly message: string;
  readonly path: readonly (string | number)[];
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** Blue's limits count over 60 s (Blue API docs, rate-limits); the wait where a signal names none. */
export const rateWindowMs = 60_000;
const cooldownMsMax = 24 * 60 * 60 * 1000;

export function failureOf({ message, extensions }: GraphqlError, now: Date): BlueFailure {
  const { code } = extensions;
  switch (code) {
    case 'UNAUTHENTICATED':
      return { kind: 'unauthenticated', message };
    case 'FORBIDDEN':
      return { kind: 'forbidden', message };
    case 'RATE_LIMITED':
      return { kind: 'rate_limited', signal: 'operation', afterMs: rateWindowMs };
    case 'PLAN_LIMIT_REACHED':
      return planLimit(extensions, now);
    case 'INTERNAL_SERVER_ERROR':
      return { kind: 'unavailable', cause: 'server', message };
    default:
      // GRAPHQL_… are the executor's own codes; validation errors may carry none.
      return typeof code === 'string' && !code.startsWith('GRAPHQL_')
        ? { kind: 'refused', code, message }
        : { kind: 'contract', message };
  }
}

/** The keys stand directly in `extensions`; `kind` is over_limit, missing_feature, locked or rate_limited. */
function planLimit(extensions: GraphqlError['extensions'], now: Date): BlueFailure {
  const { kind, resource, current, limit, cooldownEndsAt } = extensions;
  if (kind === 'rate_limited') {
    const waitMs = Date.parse(String(cooldownEndsAt)) - now.getTime();
    const afterMs = Number.isNaN(waitMs) ? rateWindowMs : Math.min(Math.max(waitMs, 0), cooldownMsMax);
    return { kind: 'rate_limited', signal: 'plan', afterMs };
  }
  return {
    kind: 'plan_limit',
    reason: typeof kind === 'string' ? kind : 'over_limit',
    resource: typeof resource === 'string' ? resource.toLowerCase() : null,
    current: typeof current === 'number' ? current : null,
    limit: typeof limit === 'number' ? limit : null,
  };
}

/** One stable word for a failure, for `blue.code` and the audit trail: Blue's own where it has one. */
export function failureCode(failure: BlueFailure): string {
  switch (failure.kind) {
    case 'unauthenticated':
      return 'UNAUTHENTICATED';
    case 'forbidden':
      return 'FORBIDDEN';
    case 'rate_limited':
      return 'RATE_LIMITED';
    case 'plan_limit':
      return 'PLAN_LIMIT_REACHED';
    case 'unavailable':
      return 'UNAVAILABLE';
    case 'refused':
      return failure.code;
    case 'contract':
      return 'NOT_UNDERSTOOD';
    default:
      return unreachable(failure);
  }
}

/** Whether the effect is unknown: what is known of Blue must be read again before anything builds on it. */
export function mayHaveHappened(failure: BlueFailure): boolean {
  return failure.kind === 'unavailable' || failure.kind === 'contract';
}
