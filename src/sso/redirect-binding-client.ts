/**
 * Signed messages in a query (SAML 2.0 Bindings §3.4.4.1). What is signed is the query as it was sent, so that it is read as it
 * was sent: each field once, and nothing is decoded before it is compared.
 */

import { sign, verify, X509Certificate } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { limits } from '../kernel/limits.ts';
import type { Message, MessageField } from './core/binding.ts';
import { Refusal } from './core/refusal.ts';
import { signatureMethods } from './core/urns.ts';

const [rsaSha256 = ''] = signatureMethods;

/** The address with a message that is signed. @param privateKey PEM. */
export function redirectUrl(
  location: string,
  { field, xml, relayState }: Message,
  privateKey: string,
): string {
  const message = deflateRawSync(Buffer.from(xml, 'utf8')).toString('base64');
  const parts: [string, string][] = [
    [field, message],
    ...(relayState === undefined ? [] : [['RelayState', relayState] satisfies [string, string]]),
    ['SigAlg', rsaSha256],
  ];
  const signed = parts.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  const signature = sign('sha256', Buffer.from(signed, 'utf8'), privateKey).toString('base64');
  const query = `${signed}&Signature=${encodeURIComponent(signature)}`;
  return `${location}${location.includes('?') ? '&' : '?'}${query}`;
}

/**
 * The message of a query, whose signature holds for one of the certificates.
 *
 * @param query As the browser sent it. @param certificates Base64 of DER. @throws Refusal
 */
export function readRedirect(query: string, certificates: readonly string[]): Message {
  if (query.length > limits.samlQueryLengthMax) throw new Refusal('form', 'The query is too long.');
  const raw = new Map<string, string>();
  for (const part of query.split('&')) {
    const [name = '', ...rest] = part.split('=');
    if (raw.has(name)) throw new Refusal('form', 'A field comes twice.');
    raw.set(name, rest.join('='));
  }
  const [field, ...others] = (['SAMLRequest', 'SAMLResponse'] as const).filter((name) => raw.has(name));
  if (field === undefined || others.length > 0) {
    throw new Refusal('form', 'There must be one of SAMLRequest and SAMLResponse.');
  }
  checkSignature(raw, field, certificates);
  const relayState = raw.has('RelayState') ? decoded(raw.get('RelayState') ?? '') : undefined;
  return { field, xml: inflated(decoded(raw.get(field) ?? '')), relayState };
}

function checkSignature(
  raw: ReadonlyMap<string, string>,
  field: MessageField,
  certificates: readonly string[],
): void {
  const algorithm = raw.get('SigAlg');
  const signature = raw.get('Signature');
  if (algorithm === undefined || signature === undefined) {
    throw new Refusal('signature', 'The message is not signed.');
  }
  const method = decoded(algorithm);
  if (!signatureMethods.includes(method)) {
    throw new Refusal('algorithm', 'The message is not signed with RSA-SHA256 or RSA-SHA512.');
  }
  const hash = method === rsaSha256 ? 'sha256' : 'sha512';
  const signed = [field, 'RelayState', 'SigAlg']
    .filter((name) => raw.has(name))
    .map((name) => `${name}=${raw.get(name)}`)
    .join('&');
  const bytes = base64(decoded(signature));
  const isGood = certificates.some((certificate) => {
    const { publicKey } = new X509Certificate(Buffer.from(certificate, 'base64'));
    return verify(hash, Buffer.from(signed, 'utf8'), publicKey, bytes);
  });
  if (!isGood) throw new Refusal('signature', 'The signature of the message does not hold.');
}

function inflated(text: string): string {
  try {
    // Bounded while it is inflated: a few bytes can stand for gigabytes.
    const bytes = inflateRawSync(base64(text), { maxOutputLength: limits.samlBytesMax });
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('encoding', 'The message is not deflated UTF-8 of a fair size.');
  }
}

function base64(text: string): Buffer {
  const plain = text.replaceAll(/[\r\n]/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(plain) || plain.length % 4 !== 0) {
    throw new Refusal('encoding', 'A field is no base64.');
  }
  return Buffer.from(plain, 'base64');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new Refusal('encoding', 'A field is not encoded as a query is.');
  }
}
