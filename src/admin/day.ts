/** Days of the calendar in requests. */

import Type from 'typebox';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';

export const dayPattern = '^(?!0000)\\d{4}-\\d{2}-\\d{2}$';

export const Day = Type.String({
  pattern: dayPattern,
  description: 'A day, YYYY-MM-DD, UTC.',
});

/** `2026-02-30` has the right form and is no day. @throws Fault `invalid`. */
export function checkDay(field: string, text: string): void {
  const at = new Date(`${text}T00:00:00Z`);
  if (Number.isNaN(at.getTime()) || !at.toISOString().startsWith(text))
    throw new Fault('invalid', `"${field}" must be a day of the calendar, not ${text}.`, { field });
  checkYear(field, at);
}

/** @throws Fault `invalid` for a year in which nothing happens: it is a slip of the pen. */
export function checkYear(field: string, at: Date): void {
  const { dateYearMin: first, dateYearMax: last } = limits;
  const year = at.getUTCFullYear();
  if (year >= first && year <= last) return;
  throw new Fault('invalid', `"${field}" must be of the years ${first} to ${last}.`, { field });
}
