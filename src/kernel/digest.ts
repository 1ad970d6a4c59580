/** A short name for a text: the same text has the same one, and nobody finds another text that has it. */

import { hash } from 'node:crypto';

/** SHA-256 in hex. */
export function digest(text: string): string {
  return hash('sha256', text);
}
