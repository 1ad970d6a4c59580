/** Versions of resources as entity tags, and the conditions of a request on them. RFC 7644 §3.14, RFC 9110 §13.1. */

import { Fault } from '../../kernel/fault.ts';

export interface Conditions {
  /** `If-Match`, or a Bulk operation's `version`. */
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/** As in `meta.version` and `ETag`: weak, since seats and memberships of a user change without it. */
export function entityTag(version: number): string {
  return `W/"${version}"`;
}

/** Compared weakly: what stands in the quotes decides. Quotes that are missing are no reason to lose an update. */
function names(header: string, version: number): boolean {
  return header.split(',').some((tag) => {
    const text = tag
      .trim()
      .replace(/^W\//i, '')
      .replace(/^"(.*)"$/, '$1');
    return text === '*' || text === String(version);
  });
}

/**
 * For a write of a resource that has this version.
 *
 * @throws Fault `precondition_failed`.
 */
export function refuseStale(version: number, { ifMatch, ifNoneMatch }: Conditions): void {
  const isWrong = ifMatch !== undefined && !names(ifMatch, version);
  if (!isWrong && (ifNoneMatch === undefined || !names(ifNoneMatch, version))) return;
  throw new Fault(
    'precondition_failed',
    `The resource has version ${entityTag(version)} by now: read it again, then repeat the change.`,
  );
}

/** For a read: whether the caller has this version already. */
export function isUnmodified(version: number, { ifNoneMatch }: Conditions): boolean {
  return ifNoneMatch !== undefined && names(ifNoneMatch, version);
}
