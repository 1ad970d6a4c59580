/** Instants in queries. */

import { Fault } from '../kernel/fault.ts';

/** @throws Fault `invalid` for what is no time, or one that the database can't hold. */
export function readInstant(field: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime()) || !/^(?!0000)\d{4}-/.test(at.toISOString())) {
    throw new Fault('invalid', `"${field}" must be a time in ISO 8601.`, { field });
  }
  return at;
}
