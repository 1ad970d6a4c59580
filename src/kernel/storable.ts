/** What text the database can keep. */

import { limits } from './limits.ts';

/** Whether PostgreSQL and JSON can both hold the text: no NUL, no half of a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Whether it is a text that an index can hold. */
export function isKey(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    Buffer.byteLength(value) <= limits.keyBytesMax &&
    isStorable(value)
  );
}

/** The text with U+FFFD in the place of what can't be kept. */
export function toStorable(text: string): string {
  return isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
}
