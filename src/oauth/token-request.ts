/** Reads a request to the token endpoint (RFC 6749 §4.4.2, §2.3.1; RFC 7523 §2.2): who asks, how it proves that, for what. */

import { limits } from '../kernel/limits.ts';
import { OAuthRefusal } from './refusal.ts';

export type Proof = { kind: 'secret'; secret: string } | { kind: 'assertion'; assertion: string };

export interface TokenRequest {
  /** As sent. */
  clientId: string;
  proof: Proof;
  /** undefined: all that the client may have. */
  scope: string | undefined;
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * @param authorization The header of that name.
 * @throws OAuthRefusal
 */
export function readTokenRequest(
  form: ReadonlyMap<string, string>,
  authorization: string | undefined,
): TokenRequest {
  const grantType = form.get('grant_type');
  if (grantType === undefined) throw new OAuthRefusal('invalid_request', 'grant_type is missing.');
  if (grantType !== 'client_credentials') {
    throw new OAuthRefusal('unsupported_grant_type', 'Only grant_type=client_credentials is served here.');
  }
  const { clientId, proof } = authorization === undefined ? fromBody(form) : fromHeader(form, authorization);
  return { clientId, proof, scope: form.get('scope') };
}

type Credentials = Pick<TokenRequest, 'clientId' | 'proof'>;

function fromBody(form: ReadonlyMap<string, string>): Credentials {
  const [clientId, secret, assertion, type] = [
    ...[form.get('client_id'), form.get('client_secret')],
    ...[form.get('client_assertion'), form.get('client_assertion_type')],
  ];
  if (secret === undefined && assertion === undefined && type === undefined) {
    throw new OAuthRefusal(
      'invalid_client',
      'Send a client_secret, by HTTP Basic or here, or a client_assertion.',
    );
  }
  if (secret !== undefined && (assertion ?? type) !== undefined) throw twoProofs();
  if (clientId === undefined)
    throw new OAuthRefusal('invalid_request', 'client_id is missing: it is always needed.');
  if (secret !== undefined) return { clientId, proof: { kind: 'secret', secret } };
  return { clientId, proof: { kind: 'assertion', assertion: readAssertion(assertion, type) } };
}

function readAssertion(assertion: string | undefined, type: string | undefined): string {
  if (assertion === undefined) throw new OAuthRefusal('invalid_request', 'client_assertion is missing.');
  if (type !== assertionType) {
    throw new OAuthRefusal('invalid_request', `client_assertion_type must be ${assertionType}.`);
  }
  if (assertion.length > limits.assertionLengthMax) {
    throw new OAuthRefusal(
      'invalid_request',
      `client_assertion is longer than ${limits.assertionLengthMax}.`,
    );
  }
  return assertion;
}

function fromHeader(form: ReadonlyMap<string, string>, authorization: string): Credentials {
  const credentials = readBasic(authorization);
  if (credentials === undefined) {
    throw new OAuthRefusal(
      'invalid_client',
      'The Authorization header holds no client id and secret (HTTP Basic).',
    );
  }
  const others = ['client_secret', 'client_assertion', 'client_assertion_type'];
  if (others.some((name) => form.has(name))) throw twoProofs();
  const { clientId, secret } = credentials;
  if ((form.get('client_id') ?? clientId) !== clientId) {
    throw new OAuthRefusal('invalid_request', 'client_id is another one than in the Authorization header.');
  }
  return { clientId, proof: { kind: 'secret', secret } };
}

/** RFC 6749 §2.3.1: both are form-encoded before they are joined. */
function readBasic(authorization: string): { clientId: string; secret: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) return undefined;
  const [clientId, secret] = [formDecoded(text.slice(0, colon)), formDecoded(text.slice(colon + 1))];
  return clientId === undefined || secret === undefined || secret === '' ? undefined : { clientId, secret };
}

function twoProofs(): OAuthRefusal {
  return new OAuthRefusal(
    'invalid_request',
    'Prove who the client is in one way, not in two (RFC 6749 section 2.3).',
  );
}

/**
 * The parameters of a form; those without a value are as good as left out (RFC 6749 §3.2).
 *
 * @throws OAuthRefusal for a body that can't be read, or a parameter that is sent twice.
 */
export function readForm(body: string): ReadonlyMap<string, string> {
  const form = new Map<string, string>();
  const seen = new Set<string>();
  for (const pair of body.split('&')) {
    if (pair === '') continue;
    const equals = pair.includes('=') ? pair.indexOf('=') : pair.length;
    const [name, value] = [formDecoded(pair.slice(0, equals)), formDecoded(pair.slice(equals + 1))];
    if (name === undefined || value === undefined) {
      throw new OAuthRefusal('invalid_request', 'The body is not form-encoded UTF-8.');
    }
    if (seen.has(name)) throw new OAuthRefusal('invalid_request', 'A parameter is sent twice.');
    seen.add(name);
    if (value !== '') form.set(name, value);
  }
  return form;
}

/** undefined: percent signs that encode no UTF-8. */
function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
