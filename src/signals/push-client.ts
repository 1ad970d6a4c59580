/** Pushes a security event token to its receiver (RFC 8935 §2). */

import { type Dispatcher, request } from 'undici';
import { limits } from '../kernel/limits.ts';

export type Pushed =
  | { kind: 'taken' }
  /** The receiver can't read it, and never will (RFC 8935 §2.3). */
  | { kind: 'refused'; problem: string }
  /** Worth another attempt. */
  | { kind: 'failed'; problem: string };

export async function pushToken(
  dispatcher: Dispatcher,
  { url, authorization, token }: { url: string; authorization: string | null; token: string },
): Promise<Pushed> {
  try {
    const answer = await request(url, {
      ...{ dispatcher, method: 'POST', body: token, signal: AbortSignal.timeout(limits.signalPushMsMax) },
      headers: {
        'content-type': 'application/secevent+jwt',
        accept: 'application/json',
        ...(authorization === null ? {} : { authorization }),
      },
    });
    // What it says more is not read: it would hold its connection.
    answer.body.on('error', () => {}).destroy();
    const { statusCode } = answer;
    if (statusCode >= 200 && statusCode < 300) return { kind: 'taken' };
    const problem = `the receiver answers ${statusCode}`;
    return statusCode === 400 ? { kind: 'refused', problem } : { kind: 'failed', problem };
  } catch {
    // Whether it is refused, silent or unknown would say what stands in our own network.
    return { kind: 'failed', problem: 'the receiver does not answer' };
  }
}
