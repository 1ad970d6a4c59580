/** What runs in a thread of saml-verifier-client.ts: one response or message after the other. */

import { parentPort } from 'node:worker_threads';
import { assert, unreachable } from '../kernel/assert.ts';
import { Refusal, type RefusalReason } from './core/refusal.ts';
import { type Parties, type Verified, verifiedAssertion, verifiedMessage } from './saml-client.ts';

export type Task =
  | { kind: 'response'; parties: Parties; xml: string }
  /** Signed as a whole. */
  | { kind: 'message'; certificates: readonly string[]; xml: string };

export type Outcome =
  /** It listens: said once. */
  | { kind: 'ready' }
  | { kind: 'verified'; verified: Verified }
  | { kind: 'refused'; reason: RefusalReason; detail: string };

const port = parentPort;
assert(port !== null, 'this runs in a thread');
port.on('message', async (task: Task) => port.postMessage(await outcomeOf(task)));
port.postMessage({ kind: 'ready' } satisfies Outcome);

async function outcomeOf(task: Task): Promise<Outcome> {
  try {
    return { kind: 'verified', verified: await verifiedBy(task) };
  } catch (error) {
    // Whatever else fails ends the thread, and is told to who asked.
    if (!(error instanceof Refusal)) throw error;
    return { kind: 'refused', reason: error.reason, detail: error.message };
  }
}

async function verifiedBy(task: Task): Promise<Verified> {
  switch (task.kind) {
    case 'response':
      return await verifiedAssertion(task.parties, task.xml);
    case 'message':
      return { xml: await verifiedMessage(task.certificates, task.xml), nameId: undefined };
    default:
      return unreachable(task);
  }
}
