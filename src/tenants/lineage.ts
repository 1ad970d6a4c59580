/**
 * Which keys may be in one hand. Whoever makes a key sees it, and can go on as somebody else: so under the two-person rule a key
 * that was made since the rule stands counts as that of its maker. Pure.
 */

import { firstIdAt } from '../kernel/ids.ts';

/** Ids of a key and of those it descends from, the first of all at the beginning, the key itself at the end. */
export type Lineage = readonly string[];

/** The key in whose hand it is: the nearest that is older than the rule, else the first of all. Ids tell when they were made. */
export function handOf(lineage: Lineage, ruleSince: Date): string | undefined {
  const first = firstIdAt(ruleSince.getTime());
  return lineage.findLast((id) => id < first) ?? lineage[0];
}
