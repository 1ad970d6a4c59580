/**
 * One GraphQL request to Blue over HTTP: headers, time limit, size limit, pace, and every way it can go wrong as a
 * BlueFailure. It knows no operation; the dispatcher decides where it may connect to.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import type { Clock } from '../kernel/clock.ts';
import { limits } from '../kernel/limits.ts';
import { type Fields, fieldsOf, listOf, ShapeError } from './answer-shape.ts';
import { type Answer, type BlueFailure, type GraphqlError, rateWindowMs } from './blue-failure.ts';
import type { GraphqlAnswer, GraphqlRequest } from './mutation.ts';

export interface BlueHttpOptions {
  /** The GraphQL endpoint. */
  readonly url: string;
  /** The organization's id: sent with every request. */
  readonly organizationId: string;
  readonly tokenId: string;
  readonly tokenSecret: string;
  readonly clock: Clock;
  /** What connects: a guarded one refuses addresses the gateway must not reach. Default: undici's own. */
  readonly dispatcher?: Dispatcher;
  readonly requestMsMax?: number;
  /** Ends what is in flight, as `unavailable`. */
  readonly signal?: AbortSignal;
}

const retryAfterMsMax = 60 * 60 * 1000;

interface Received {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
}

class TooLarge extends Error {}

export class BlueHttpClient {
  readonly #options: BlueHttpOptions;
  /** Before this instant Blue would refuse, or would have little left for others. */
  #notBeforeMs = 0;

  constructor(options: BlueHttpOptions) {
    this.#options = options;
  }

  /** Milliseconds to wait before the next request. */
  pace(): number {
    return Math.max(0, this.#notBeforeMs - this.#options.clock.now().getTime());
  }

  /** Waits until the pace allows a request; for the further requests of one call. */
  async paced(): Promise<void> {
    const waitMs = this.pace();
    if (waitMs > 0) await sleep(waitMs, undefined, this.#signal()).catch(() => undefined);
  }

  /** Sends one document; an `ok` answer may still hold GraphQL errors. */
  async post(graphql: GraphqlRequest, workspaceId?: string): Promise<Answer<GraphqlAnswer>> {
    let received: Received;
    try {
      received = await this.#send(graphql, workspaceId);
    } catch (error) {
      return { ok: false, failure: this.#connectionFailure(error) };
    }
    this.#notePace(received);
    return this.#understand(received);
  }

  async #send(graphql: GraphqlRequest, workspaceId: string | undefined): Promise<Received> {
    const { url, organizationId, tokenId, tokenSecret, dispatcher, requestMsMax, signal } = this.#options;
    const timeLimit = AbortSignal.timeout(requestMsMax ?? limits.blueRequestMsMax);
    // Never `Authorization`: Blue looks at the token pair only where that header is absent.
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      accept: 'application/json',
      'blue-token-id': tokenId,
      'blue-token-secret': tokenSecret,
      'blue-org-id': organizationId,
    };
    if (workspaceId !== undefined) headers['blue-workspace-id'] = workspaceId;
    const answer = await request(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(graphql),
      signal: signal === undefined ? timeLimit : AbortSignal.any([signal, timeLimit]),
      ...(dispatcher === undefined ? {} : { dispatcher }),
    });
    return { status: answer.statusCode, headers: answer.headers, text: await cappedText(answer.body) };
  }

  #connectionFailure(error: unknown): BlueFailure {
    if (error instanceof TooLarge) {
      return { kind: 'contract', message: `the answer is larger than ${limits.blueAnswerBytesMax} bytes` };
    }
    const name = error instanceof Error ? error.name : '';
    const message = this.#scrubbed(error instanceof Error ? error.message : String(error));
    return { kind: 'unavailable', cause: name === 'TimeoutError' ? 'timeout' : 'network', message };
  }

  /** Blue doesn't document the status of every error, so a GraphQL body counts whatever the status. */
  #understand({ status, headers, text }: Received): Answer<GraphqlAnswer> {
    if (status === 429) {
      return { ok: false, failure: { kind: 'rate_limited', signal: 'tier', afterMs: retryAfterMs(headers) } };
    }
    const body = parsed(text);
    if (body === undefined || !('data' in body || 'errors' in body)) {
      return { ok: false, failure: foreignAnswer(status, headers) };
    }
    try {
      const data = body.data == null ? null : fieldsOf(body.data, 'data');
      const errors = body.errors == null ? [] : listOf(body.errors, 'errors', (one) => this.#error(one));
      if (data !== null || errors.length > 0) return { ok: true, value: { data, errors } };
      return { ok: false, failure: { kind: 'contract', message: 'neither data nor errors' } };
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      return { ok: false, failure: { kind: 'contract', message: error.message } };
    }
  }

  #error(fields: Fields): GraphqlError {
    const path = Array.isArray(fields.path) ? fields.path : [];
    const extensions = fields.extensions == null ? {} : fieldsOf(fields.extensions, 'extensions');
    return { message: this.#scrubbed(String(fields.message)), path, extensions };
  }

  /** Whatever Blue or a proxy echoes, the secret stays out of messages. */
  #scrubbed(message: string): string {
    return message.replaceAll(this.#options.tokenSecret, '[secret]').slice(0, 500);
  }

  /** Half of the window's allowance is free to use; the rest is spread over a window. */
  #notePace({ status, headers }: Received): void {
    const nowMs = this.#options.clock.now().getTime();
    if (status === 429) {
      this.#notBeforeMs = nowMs + retryAfterMs(headers);
      return;
    }
    const limit = Number(headers['x-ratelimit-limit'] ?? Number.NaN);
    const remaining = Number(headers['x-ratelimit-remaining'] ?? Number.NaN);
    const isTight = remaining <= limit / 2;
    this.#notBeforeMs = isTight ? nowMs + rateWindowMs / Math.max(1, remaining) : 0;
  }

  #signal(): { signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }
}

async function cappedText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limits.blueAnswerBytesMax) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): Fields | undefined {
  try {
    return fieldsOf(JSON.parse(text), 'the answer');
  } catch {
    return undefined;
  }
}

/** An answer that is not GraphQL: a proxy's page, a login wall, another service. */
function foreignAnswer(status: number, headers: Received['headers']): BlueFailure {
  const message = `HTTP ${status} without a GraphQL body`;
  if (status === 401) return { kind: 'unauthenticated', message };
  const isPage = String(headers['content-type']).startsWith('text/html');
  return status >= 500 || isPage
    ? { kind: 'unavailable', cause: 'server', message }
    : { kind: 'contract', message };
}

/** Whole seconds in `Retry-After` (Blue API docs, rate-limits). */
function retryAfterMs(headers: Received['headers']): number {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  return seconds > 0 ? Math.min(seconds * 1000, retryAfterMsMax) : rateWindowMs;
}
