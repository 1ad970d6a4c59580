/** `fetch` for libraries that want one: through the outbound agent, no redirect, a time limit, a limit on bytes. */

import { type Dispatcher, request } from 'undici';
import { cappedBytes, DocumentFailed } from './json-client.ts';
import { checkOutboundUrl } from './outbound-client.ts';

export interface FetchOptions {
  /** The outbound agent: it decides where to connect. */
  dispatcher: Dispatcher;
  allowPrivateNetworks: boolean;
  bytesMax: number;
  msMax: number;
}

type Init = Pick<RequestInit, 'method' | 'headers' | 'body'>;

/** @throws DocumentFailed when there is no answer, or one that is too large; Fault `invalid` for an address that is not fetched. */
export function guardedFetch(options: FetchOptions): (url: string, init?: Init) => Promise<Response> {
  const { dispatcher, bytesMax, msMax } = options;
  return async (url, init = {}) => {
    checkOutboundUrl(url, 'an address of the identity provider', options);
    const { body } = init;
    try {
      const answer = await request(url, {
        dispatcher,
        method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
        headers: Object.fromEntries(new Headers(init.headers)),
        body: body === undefined || body === null ? null : String(body),
        signal: AbortSignal.timeout(msMax),
      });
      const bytes = await cappedBytes(answer.body, bytesMax);
      const headers = new Headers();
      for (const [name, value] of Object.entries(answer.headers)) {
        for (const one of [value ?? []].flat()) headers.append(name, one);
      }
      const isEmpty = [204, 205, 304].includes(answer.statusCode);
      return new Response(isEmpty ? null : bytes, { status: answer.statusCode, headers });
    } catch (error) {
      if (error instanceof DocumentFailed) throw error;
      throw new DocumentFailed('it does not answer', { cause: error });
    }
  };
}
