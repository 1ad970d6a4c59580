/**
 * Calls that a second person approved, on their way through the gateway once more: who asked for each, by a token that is drawn
 * for it and never leaves the process.
 */

import type { Administrator } from '../audit/audit-event.ts';
import { newToken } from '../kernel/token.ts';

export type Asker = Administrator;

export class ApprovedCalls {
  readonly #askers = new Map<string, Asker>();

  /** Makes the call with a header by which it is known until it is answered. */
  async make<T>(asker: Asker, call: (headers: Record<string, string>) => Promise<T>): Promise<T> {
    const token = newToken('key');
    this.#askers.set(token, asker);
    try {
      return await call({ [header]: token });
    } finally {
      this.#askers.delete(token);
    }
  }

  /** undefined: nobody approved it. */
  askerOf(headers: Readonly<Record<string, unknown>>): Asker | undefined {
    const token = headers[header];
    return typeof token === 'string' ? this.#askers.get(token) : undefined;
  }
}

const header = 'x-approved-edit';
