/** Instants at which something is to happen, and that have passed: a slip of the pen. Pure. */

import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';

/**
 * @param at null: never, or not said. One that is past by no more than clocks differ means now.
 * @throws Fault `invalid` naming the field.
 */
export function refusePassed(field: string, at: Date | null, now: Date): void {
  if (at === null || now.getTime() - at.getTime() <= limits.clockSkewSecondsMax * 1000) return;
  throw new Fault('invalid', `"${field}" must not lie in the past: ${at.toISOString()} has passed.`, {
    field,
  });
}

/** A day, UTC, that is over. @throws as above. */
export function refusePassedDay(field: string, day: string | null, now: Date): void {
  if (day === null || day >= now.toISOString().slice(0, 10)) return;
  throw new Fault('invalid', `"${field}" must not lie in the past: ${day} is over.`, { field });
}

/** Where the end of a mapping is new: one that stands already has ended by itself. @throws as above. */
export function refusePassedEnd(
  { validUntil }: { validUntil: Date | null },
  standing: { validUntil: Date | null } | undefined,
  now: Date,
  field = 'validUntil',
): void {
  if (validUntil?.getTime() !== standing?.validUntil?.getTime()) refusePassed(field, validUntil, now);
}
