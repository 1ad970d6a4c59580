/** When a key or token stops working by itself. */

import { Fault } from '../kernel/fault.ts';
import { checkYear } from './day.ts';

/** @param text ISO 8601; undefined or null: never. @throws Fault `invalid` for the past or no time at all. */
export function readExpiry(text: string | null | undefined, now: Date): Date | null {
  if (text === undefined || text === null) return null;
  const at = new Date(text);
  if (Number.isNaN(at.getTime()) || at <= now) {
    throw new Fault('invalid', '"expiresAt" must be a time to come, in ISO 8601.', { field: 'expiresAt' });
  }
  checkYear('expiresAt', at);
  return at;
}
