/** What runs in a thread of saml-verifier-client.ts: one response or message after the other. */

import { parentPort } from 'node:worker_threads';
import { assert } from '../kernel/assert.ts';
import { Refusal, type RefusalReason } from './core/refusal.ts';
import { type ToVerify, type Verified, verified } from './saml-client.ts';

export type Outcome =
  /** It listens: said once. */
  | { kind: 'ready' }
  | { kind: 'verified'; verified: Verified }
  | { kind: 'refused'; reason: RefusalReason; detail: string };

const port = parentPort;
assert(port !== null, 'this runs in a thread');
port.on('message', async (signed: ToVerify) => port.postMessage(await outcomeOf(signed)));
port.postMessage({ kind: 'ready' } satisfies Outcome);

async function outcomeOf(signed: ToVerify): Promise<Outcome> {
  try {
    return { kind: 'verified', verified: await verified(signed) };
  } catch (error) {
    // Whatever else fails ends the thread, and is told to who asked.
    if (!(error instanceof Refusal)) throw error;
    return { kind: 'refused', reason: error.reason, detail: error.message };
  }
}
