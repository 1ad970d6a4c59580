/** How large a resource may become: many requests, each within its own limits, could make one that is in everybody's way. */

import { Fault } from '../../kernel/fault.ts';
import { limits } from '../../kernel/limits.ts';
import type { Attributes } from './attribute.ts';

/**
 * @param before What the resource was; undefined: it is new. What is too large already may still change, and shrink.
 * @throws Fault `too_large`.
 */
export function refuseHuge(before: Attributes | undefined, after: Attributes): void {
  const length = JSON.stringify(after).length;
  if (length <= limits.resourceLengthMax) return;
  if (before !== undefined && weighed(after) <= weighed(before)) return;
  throw new Fault(
    'too_large',
    `The resource would be larger than ${limits.resourceLengthMax} characters of JSON: leave out large values.`,
  );
}

/** Whoever is switched off weighs no more than before. */
function weighed(attributes: Attributes): number {
  return JSON.stringify(attributes, (_name, value) => (typeof value === 'boolean' ? 0 : value)).length;
}
