/** How messages go through the browser: by an address, or by a form that it posts (SAML 2.0 Bindings §3.4, §3.5). */

import { assert } from '../../kernel/assert.ts';
import { limits } from '../../kernel/limits.ts';
import type { IdentityProvider } from './metadata.ts';
import { Refusal } from './refusal.ts';

export type MessageField = 'SAMLRequest' | 'SAMLResponse';

export interface Message {
  field: MessageField;
  xml: string;
  relayState: string | undefined;
}

/** A service of the identity provider. */
export interface Endpoint {
  binding: 'redirect' | 'post';
  url: string;
}

export interface PostedForm {
  url: string;
  fields: Readonly<Record<string, string>>;
}

/** A message, and where the browser takes it. */
export type Transfer = { binding: 'redirect'; url: string } | ({ binding: 'post' } & PostedForm);

/** By HTTP-Redirect where both are offered, unless the connection prefers HTTP-POST. */
type Choice<Offered extends keyof IdentityProvider> = Pick<IdentityProvider, Offered> & {
  preferPost: boolean;
};

/** Of SingleSignOnService. */
export function ssoEndpointOf({ ssoUrl, ssoPostUrl, preferPost }: Choice<'ssoUrl' | 'ssoPostUrl'>): Endpoint {
  const endpoint = chosen(ssoUrl, ssoPostUrl, preferPost);
  assert(endpoint !== undefined, 'metadata without SingleSignOnService is refused');
  return endpoint;
}

/** Of SingleLogoutService; undefined: there is none. */
export function logoutEndpointOf({
  logoutUrl,
  logoutPostUrl,
  preferPost,
}: Choice<'logoutUrl' | 'logoutPostUrl'>): Endpoint | undefined {
  return chosen(logoutUrl, logoutPostUrl, preferPost);
}

function chosen(redirect: string | null, post: string | null, preferPost: boolean): Endpoint | undefined {
  if (post !== null && (preferPost || redirect === null)) return { binding: 'post', url: post };
  return redirect === null ? undefined : { binding: 'redirect', url: redirect };
}

/** What a form holds (Bindings §3.5.4), each field once. `base64` is the message. @throws Refusal */
export function readForm(form: URLSearchParams): Omit<Message, 'xml'> & { base64: string } {
  const [request, response] = [single(form, 'SAMLRequest'), single(form, 'SAMLResponse')];
  const relayState = single(form, 'RelayState');
  const base64 = request ?? response;
  if (base64 === undefined || (request !== undefined && response !== undefined)) {
    throw new Refusal('form', 'There must be one of SAMLRequest and SAMLResponse.');
  }
  if (relayState !== undefined && relayState.length > limits.samlQueryLengthMax) {
    throw new Refusal('form', 'RelayState is too long.');
  }
  return { field: request === undefined ? 'SAMLResponse' : 'SAMLRequest', base64, relayState };
}

function single(form: URLSearchParams, name: string): string | undefined {
  const [value, ...more] = form.getAll(name);
  if (more.length > 0) throw new Refusal('form', 'A field comes twice.');
  return value;
}
