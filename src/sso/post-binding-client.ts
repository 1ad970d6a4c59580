/** Signed messages in a form (SAML 2.0 Bindings §3.5.4): the signature is within. */

import type { Message, PostedForm } from './core/binding.ts';
import { signedMessage } from './saml-client.ts';

/** @param privateKey PEM. */
export function formWith(url: string, { field, xml, relayState }: Message, privateKey: string): PostedForm {
  const message = Buffer.from(signedMessage(xml, privateKey), 'utf8').toString('base64');
  return {
    url,
    fields: { [field]: message, ...(relayState === undefined ? {} : { RelayState: relayState }) },
  };
}
