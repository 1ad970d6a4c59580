/** What runs in a thread of saml-verifier-client.ts: one response after the other. */

import { parentPort } from 'node:worker_threads';
import { assert } from '../kernel/assert.ts';
import { Refusal, type RefusalReason } from './core/refusal.ts';
import { type Parties, type Verified, verifiedAssertion } from './saml-client.ts';

export interface Task {
  parties: Parties;
  responseXml: string;
}

export type Outcome =
  /** It listens: said once. */
  | { kind: 'ready' }
  | { kind: 'verified'; verified: Verified }
  | { kind: 'refused'; reason: RefusalReason; detail: string };

const port = parentPort;
assert(port !== null, 'this runs in a thread');
port.on('message', async ({ parties, responseXml }: Task) =>
  port.postMessage(await outcomeOf(parties, responseXml)),
);
port.postMessage({ kind: 'ready' } satisfies Outcome);

async function outcomeOf(parties: Parties, responseXml: string): Promise<Outcome> {
  try {
    return { kind: 'verified', verified: await verifiedAssertion(parties, responseXml) };
  } catch (error) {
    // Whatever else fails ends the thread, and is told to who asked.
    if (!(error instanceof Refusal)) throw error;
    return { kind: 'refused', reason: error.reason, detail: error.message };
  }
}
