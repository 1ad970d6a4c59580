/** Calls the admin API over HTTP. */

import type { Call } from './command.ts';
import { printable } from './output.ts';

export interface ClientOptions {
  /** The gateway's, without a trailing slash. */
  url: string;
  key: string;
}

/** The gateway refused, or could not be reached: the message is for the person at the terminal. */
export class CallFailed extends Error {
  /** Of the gateway's answer; undefined: there is none, or none that counts. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** `answer` is parsed, or a file as it came; undefined when there is no body. @throws CallFailed */
export async function call(
  options: ClientOptions,
  request: Call,
): Promise<{ status: number; answer: unknown }> {
  const { status, isGood, isFile, text } = await send(options, request);
  if (isGood && isFile) return { status, answer: text };
  const answer = parse(text);
  if (!isGood)
    throw new CallFailed(`${status}: ${detailOf(answer) ?? printable(text.slice(0, 500))}`, status);
  if (text !== '' && answer === undefined) {
    throw new CallFailed(`What answers at ${options.url} is no Blue Gateway. Set GATEWAY_URL.`);
  }
  return { status, answer };
}

async function send({ url, key }: ClientOptions, { method, path, body }: Call) {
  const isText = typeof body === 'string';
  try {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': isText ? 'text/csv' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const isFile = answer.headers.get('content-type')?.startsWith('text/csv') === true;
    return { status: answer.status, isGood: answer.ok, isFile, text: await answer.text() };
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    throw new CallFailed(
      `No gateway answers at ${url} (${cause?.message || message}). Is it running? \`npm start\` starts one; where it listens elsewhere, set GATEWAY_URL.`,
    );
  }
}

/** undefined: it is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a problem (RFC 9457) says; undefined for an answer that is none, as a proxy's. */
function detailOf(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null || !('detail' in answer)) return undefined;
  return typeof answer.detail === 'string' ? printable(answer.detail) : undefined;
}
