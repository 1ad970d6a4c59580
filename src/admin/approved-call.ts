/**
 * Calls that a second person approved, on their way through the gateway once more: the request of each, by a token that is drawn
 * for it and never leaves the process.
 */

import type { Administrator } from '../audit/audit-event.ts';
import type { Approval } from '../audit/door.ts';
import { newToken } from '../kernel/token.ts';

/** An edit request whose approval was begun, and who asked for it. */
export interface ApprovedEdit {
  approval: Approval;
  actor: Administrator;
}

export class ApprovedCalls {
  readonly #requests = new Map<string, ApprovedEdit>();

  /** Makes the call with a header by which it is known until it is answered. */
  async make<T>(asked: ApprovedEdit, call: (headers: Record<string, string>) => Promise<T>): Promise<T> {
    const token = newToken('key');
    this.#requests.set(token, asked);
    try {
      return await call({ [header]: token });
    } finally {
      this.#requests.delete(token);
    }
  }

  /** undefined: nobody approved it. */
  requestOf(headers: Readonly<Record<string, unknown>>): ApprovedEdit | undefined {
    const token = headers[header];
    return typeof token === 'string' ? this.#requests.get(token) : undefined;
  }
}

const header = 'x-approved-edit';
