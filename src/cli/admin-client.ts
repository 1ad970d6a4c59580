/** Calls the admin API over HTTP. */

import type { Call } from './command.ts';

export interface ClientOptions {
  /** The gateway's, without a trailing slash. */
  url: string;
  key: string;
}

/** The gateway refused, or could not be reached: the message is for the person at the terminal. */
export class CallFailed extends Error {}

/** The parsed answer; undefined when it has no body. */
export async function call({ url, key }: ClientOptions, { method, path, body }: Call): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    throw new CallFailed(
      `No gateway answers at ${url} (${cause?.message || message}). Is it running? Set GATEWAY_URL.`,
    );
  }
  const text = await answer.text();
  if (answer.ok) return text === '' ? undefined : JSON.parse(text);
  throw new CallFailed(`${answer.status}: ${detailOf(text)}`);
}

function detailOf(text: string): string {
  try {
    return (JSON.parse(text) as { detail: string }).detail;
  } catch {
    return text.slice(0, 500);
  }
}
