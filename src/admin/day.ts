/** Days of the calendar in requests. */

import Type from 'typebox';
import { Fault } from '../kernel/fault.ts';

export const Day = Type.String({
  pattern: '^(?!0000)\\d{4}-\\d{2}-\\d{2}$',
  description: 'A day, YYYY-MM-DD, UTC.',
});

/** `2026-02-30` has the right form and is no day. @throws Fault `invalid`. */
export function checkDay(field: string, text: string): void {
  const at = new Date(`${text}T00:00:00Z`);
  if (!Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)) return;
  throw new Fault('invalid', `"${field}" must be a day of the calendar, not ${text}.`, { field });
}
