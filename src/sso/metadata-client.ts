/** Fetches an identity provider's metadata: https, no redirect, limits on time and bytes, and never from where the gateway may not connect. */

import type { Dispatcher } from 'undici';
import { Fault } from '../kernel/fault.ts';
import { limits } from '../kernel/limits.ts';
import { DocumentFailed, readText } from '../outbound/json-client.ts';
import { checkOutboundUrl } from '../outbound/outbound-client.ts';
import { type Published, readPublished } from './core/metadata.ts';

export interface Outbound {
  dispatcher: Dispatcher;
  allowPrivateNetworks: boolean;
}

/**
 * @param stopping Aborted when nobody waits for it any longer.
 * @throws Fault `invalid` naming `metadataUrl`: what to do about it, and nothing of what was answered; the reason of `stopping`.
 */
export async function fetchMetadata(
  url: string,
  { dispatcher, allowPrivateNetworks }: Outbound,
  now: Date,
  stopping = new AbortController().signal,
): Promise<Published> {
  checkOutboundUrl(url, 'metadataUrl', { allowPrivateNetworks });
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(limits.metadataMsMax)]);
  const options = { dispatcher, signal, bytesMax: limits.metadataBytesMax };
  const text = await readText(url, 'application/samlmetadata+xml, application/xml, text/xml', options).catch(
    (error: unknown) => {
      stopping.throwIfAborted();
      if (!(error instanceof DocumentFailed)) throw error;
      const isRedirect = /answers 3\d\d/.test(error.message);
      const advice = isRedirect ? 'give the address that it leads to' : 'see whether it opens in a browser';
      const what = `The metadata can't be fetched: ${error.message}; ${advice}, or give metadataXml.`;
      throw new Fault('invalid', what, { field: 'metadataUrl' });
    },
  );
  return readPublished(text, now);
}
