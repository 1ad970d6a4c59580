/** Instants in requests. */

import { Fault } from '../kernel/fault.ts';
import { checkYear } from './day.ts';

/** @throws Fault `invalid` for what is no time, or one that the database can't hold. */
export function readInstant(field: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime()) || !/^(?!0000)\d{4}-/.test(at.toISOString())) {
    throw new Fault('invalid', `"${field}" must be a time in ISO 8601.`, { field });
  }
  return at;
}

/** One at which something is to happen. @throws Fault `invalid`, also for a year far away. */
export function readDate(field: string, text: string | null | undefined): Date | undefined {
  const at = readInstant(field, text ?? undefined);
  if (at !== undefined) checkYear(field, at);
  return at;
}
