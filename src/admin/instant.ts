/** Instants in requests. */

import { Fault } from '../kernel/fault.ts';
import { checkYear } from './day.ts';

/** A `+` that nobody escaped in a query has become a space. */
const pattern =
  /^(?!0000)(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d(?::\d\d(?:\.\d{1,30})?)?)(Z|[ +-](?:0\d|1[0-4]):[0-5]\d)?)?$/i;

/**
 * A day is its first instant, and what names no zone is UTC, wherever the gateway runs.
 * @throws Fault `invalid` for what is no time, or one that the database can't hold.
 */
export function readInstant(field: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const at = instantOf(text);
  if (at !== undefined) return at;
  const form = 'a time in ISO 8601, as 2027-06-30T00:00:00Z, or a day, as 2027-06-30';
  throw new Fault('invalid', `"${field}" must be ${form}.`, { field });
}

/** By itself `new Date` takes `01.02.2027` for the 2nd of January, and the 31st of February for the 3rd of March. */
function instantOf(text: string): Date | undefined {
  const [, day = '', time = 'T00:00', zone = 'Z'] = pattern.exec(text) ?? [];
  const at = new Date(`${day}${time}${zone.replace(' ', '+')}`.toUpperCase());
  const midnight = new Date(`${day}T00:00Z`);
  if (Number.isNaN(at.getTime()) || !midnight.toISOString().startsWith(day)) return undefined;
  return /^(?!0000)\d{4}-/.test(at.toISOString()) ? at : undefined;
}

/** One at which something is to happen. @throws Fault `invalid`, also for a year far away. */
export function readDate(field: string, text: string | null | undefined): Date | undefined {
  const at = readInstant(field, text ?? undefined);
  if (at !== undefined) checkYear(field, at);
  return at;
}
