/**
 * What a SAML response, or a logout message, must look like before a library may see it (SAML 2.0 Core §2–§3, §5.4): sizes, bytes, and each element in
 * the one place where it belongs. It says nothing of whether a signature holds.
 */

import { limits } from '../../kernel/limits.ts';
import { Refusal } from './refusal.ts';
import {
  assertionNs,
  canonicalization,
  digestMethods,
  exclusiveNs,
  protocolNs,
  sha1DigestMethod,
  sha1SignatureMethod,
  signatureMethods,
  signatureNs,
  successStatus,
  transforms,
} from './urns.ts';
import { readXml, trimXml, type XmlElement, XmlProblem } from './xml.ts';

/** Digests of nothing, in SHA-1, SHA-256 and SHA-512: what a canonicalisation that fails comes to. */
const digestsOfNothing = [
  '2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
  '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  'z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==',
];

/** @param posted The field SAMLResponse. @throws Refusal */
export function readResponse(posted: string): { xml: string; response: XmlElement } {
  const xml = decodeBase64(posted);
  const response = readStrictly(xml);
  if (!is(response, protocolNs, 'Response')) throw misplaced(response);
  checkStatus(response);
  checkPlaces(response);
  checkIds(response);
  return { xml, response };
}

/**
 * A logout message of the POST binding as it was sent: it must have a signature of its own (Bindings §3.5.5.2), which says nothing
 * yet.
 *
 * @param posted Of the form. @returns The XML. @throws Refusal
 */
export function readPostedLogout(posted: string): string {
  const xml = decodeBase64(posted);
  const root = readLogoutRoot(xml);
  const [signature] = all(root, signatureNs, 'Signature');
  if (signature === undefined) throw new Refusal('signature', 'The message is not signed.');
  if (usesSha1(signature)) {
    throw new Refusal('algorithm', 'The message is not signed with RSA-SHA256 or RSA-SHA512.');
  }
  return xml;
}

/** A logout message whose signature held, which is no part of it: of a query, or the bytes that were signed. @throws Refusal */
export function readLogoutMessage(xml: string): XmlElement {
  const root = readLogoutRoot(xml);
  if (all(root, signatureNs, 'Signature').length > 0) throw misplaced(root);
  return root;
}

function readLogoutRoot(xml: string): XmlElement {
  const root = readStrictly(xml);
  if (!is(root, protocolNs, 'LogoutRequest') && !is(root, protocolNs, 'LogoutResponse')) {
    throw new Refusal('structure', 'The message is no logout.');
  }
  checkPlaces(root);
  checkIds(root);
  return root;
}

/** What was in an encrypted assertion, by the same rules. @throws Refusal */
export function readDecrypted(xml: string): XmlElement {
  const assertion = readStrictly(xml);
  if (!is(assertion, assertionNs, 'Assertion')) throw misplaced(assertion);
  checkPlaces(assertion);
  checkIds(assertion);
  return assertion;
}

/** Whether any of its signatures rests on SHA-1. */
export function usesSha1(element: XmlElement): boolean {
  const algorithm = element.attributes.get('Algorithm');
  const isWeak = algorithm === sha1SignatureMethod || algorithm === sha1DigestMethod;
  return (isWeak && element.namespace === signatureNs) || element.children.some(usesSha1);
}

/** A text of which no two readers make two things. @throws Refusal */
export function readStrictly(xml: string): XmlElement {
  if (!xml.startsWith('<')) throw new Refusal('encoding', 'The response does not begin with an element.');
  try {
    return readXml(xml, { elementsMax: limits.samlElementsMax, depthMax: limits.samlDepthMax });
  } catch (error) {
    if (error instanceof XmlProblem) throw new Refusal('xml', `The response has ${error.message}.`);
    throw error;
  }
}

function decodeBase64(posted: string): string {
  const text = posted.replaceAll(/[\r\n]/g, '');
  if (text.length > (limits.samlBytesMax / 3) * 4) {
    throw new Refusal('form', `The response has more than ${limits.samlBytesMax} bytes.`);
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new Refusal('encoding', 'The message is no base64.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'base64'));
  } catch {
    throw new Refusal('encoding', 'The response is no UTF-8.');
  }
}

function checkStatus(response: XmlElement): void {
  const status = one(response, protocolNs, 'Status');
  const code = one(status, protocolNs, 'StatusCode');
  if (code.attributes.get('Value') === successStatus) return;
  const [inner] = code.children;
  const told = [code, ...(inner === undefined ? [] : [inner])].map(({ attributes }) =>
    attributes.get('Value'),
  );
  throw new Refusal('status', `The identity provider answered ${told.join(', ')}.`);
}

/** The children of each element, and how many of each at most. From `Signature` on the names are those of XML Signature. */
const grammar: Record<string, Record<string, number>> = {
  LogoutRequest: { Issuer: 1, Signature: 1, NameID: 1, SessionIndex: limits.samlSessionIndexesMax },
  LogoutResponse: { Issuer: 1, Signature: 1, Status: 1 },
  SessionIndex: {},
  Response: { Issuer: 1, Signature: 1, Status: 1, Assertion: 1, EncryptedAssertion: 1 },
  Status: { StatusCode: 1, StatusMessage: 1 },
  StatusCode: {},
  StatusMessage: {},
  Issuer: {},
  Assertion: { Issuer: 1, Signature: 1, Subject: 1, Conditions: 1, AuthnStatement: 1, AttributeStatement: 1 },
  Subject: { NameID: 1, SubjectConfirmation: 1 },
  NameID: {},
  SubjectConfirmation: { SubjectConfirmationData: 1 },
  SubjectConfirmationData: {},
  Conditions: { AudienceRestriction: 1, OneTimeUse: 1, ProxyRestriction: 1 },
  AudienceRestriction: { Audience: 10 },
  Audience: {},
  OneTimeUse: {},
  ProxyRestriction: { Audience: 10 },
  AuthnStatement: { SubjectLocality: 1, AuthnContext: 1 },
  SubjectLocality: {},
  AuthnContext: { AuthnContextClassRef: 1, AuthenticatingAuthority: 10 },
  AuthnContextClassRef: {},
  AuthenticatingAuthority: {},
  AttributeStatement: { Attribute: limits.samlAttributesMax },
  Attribute: { AttributeValue: limits.samlValuesMax },
  // eduPersonTargetedID holds one.
  AttributeValue: { NameID: 1 },
  Signature: { SignedInfo: 1, SignatureValue: 1, KeyInfo: 1 },
  SignedInfo: { CanonicalizationMethod: 1, SignatureMethod: 1, Reference: 1 },
  CanonicalizationMethod: {},
  SignatureMethod: {},
  Reference: { Transforms: 1, DigestMethod: 1, DigestValue: 1 },
  Transforms: { Transform: 2 },
  Transform: { InclusiveNamespaces: 1 },
  InclusiveNamespaces: {},
  DigestMethod: {},
  DigestValue: {},
  SignatureValue: {},
  KeyInfo: { KeyName: 1, X509Data: 1, KeyValue: 1 },
  KeyName: {},
  X509Data: { X509Certificate: 5, X509SubjectName: 1, X509IssuerSerial: 1 },
  X509Certificate: {},
  X509SubjectName: {},
  X509IssuerSerial: { X509IssuerName: 1, X509SerialNumber: 1 },
  X509IssuerName: {},
  X509SerialNumber: {},
  KeyValue: { RSAKeyValue: 1 },
  RSAKeyValue: { Modulus: 1, Exponent: 1 },
  Modulus: {},
  Exponent: {},
};

const protocolNames = ['Response', 'Status', 'StatusCode', 'StatusMessage', 'SessionIndex'];
const firstOfSignature = Object.keys(grammar).indexOf('Signature');

function namespaceOf(name: string): string {
  if (protocolNames.includes(name)) return protocolNs;
  if (name === 'InclusiveNamespaces') return exclusiveNs;
  return Object.keys(grammar).indexOf(name) >= firstOfSignature ? signatureNs : assertionNs;
}

/** Only that the elements stand where they may; which must be there is asked where they are read. */
function checkPlaces(element: XmlElement): void {
  const allowed = grammar[element.name] ?? {};
  const counts = new Map<string, number>();
  for (const child of element.children) {
    if (child.name === 'EncryptedID') {
      throw new Refusal('encrypted', 'Encrypted NameIDs are not read: encrypt the assertion, or nothing.');
    }
    const isNested = element.name === 'StatusCode' && child.name === 'StatusCode';
    const most = isNested ? 1 : Object.hasOwn(allowed, child.name) ? (allowed[child.name] ?? 0) : 0;
    const count = (counts.get(child.name) ?? 0) + 1;
    counts.set(child.name, count);
    if (count > most || child.namespace !== namespaceOf(child.name)) throw misplaced(child);
    if (child.name === 'Signature') checkSignature(child, element);
    // saml-encryption.ts reads it.
    if (child.name !== 'EncryptedAssertion') checkPlaces(child);
  }
  if (counts.has('Assertion') && counts.has('EncryptedAssertion')) throw misplaced(element);
  if (element.children.length > 0 && trimXml(element.text) !== '') throw misplaced(element);
}

/** XML Signature as SAML uses it (Core §5.4): one reference, to the element that it stands in. */
function checkSignature(signature: XmlElement, signed: XmlElement): void {
  const info = one(signature, signatureNs, 'SignedInfo');
  const reference = one(info, signatureNs, 'Reference');
  for (const parent of [signature, info, reference]) checkOrder(parent);
  const algorithmOf = (of: XmlElement, name: string) =>
    one(of, signatureNs, name).attributes.get('Algorithm');
  const used = one(reference, signatureNs, 'Transforms').children.map(({ attributes }) =>
    attributes.get('Algorithm'),
  );
  const isKnown = (algorithm: string | undefined, known: readonly string[]) =>
    algorithm !== undefined && known.includes(algorithm);
  const problem = [
    [algorithmOf(info, 'CanonicalizationMethod'), [canonicalization]] as const,
    [algorithmOf(info, 'SignatureMethod'), [...signatureMethods, sha1SignatureMethod]] as const,
    [algorithmOf(reference, 'DigestMethod'), [...digestMethods, sha1DigestMethod]] as const,
    ...used.map((algorithm) => [algorithm, transforms] as const),
  ].find(([algorithm, known]) => !isKnown(algorithm, known));
  if (problem !== undefined) {
    throw new Refusal('algorithm', `The algorithm ${problem[0]} is not accepted: sign with RSA-SHA256.`);
  }
  const id = signed.attributes.get('ID');
  if (id === undefined || reference.attributes.get('URI') !== `#${id}`) throw misplaced(reference);
  if (digestsOfNothing.includes(one(reference, signatureNs, 'DigestValue').text.trim()))
    throw misplaced(reference);
}

/** As XML Signature has them (§4.1): a reader that goes by order would find other parts. */
function checkOrder(parent: XmlElement): void {
  const order = Object.keys(grammar[parent.name] ?? {});
  const places = parent.children.map(({ name }) => order.indexOf(name));
  const late = parent.children.find((_child, at) => (places[at] ?? 0) < (places[at - 1] ?? 0));
  if (late !== undefined) throw misplaced(late);
}

/** No two elements of one ID, in whatever spelling. */
function checkIds(root: XmlElement): void {
  const seen = new Set<string>();
  const visit = (element: XmlElement) => {
    for (const [key, value] of element.attributes) {
      if (key.replace(/^\{.*\}/, '').toLowerCase() !== 'id') continue;
      if (key !== 'ID' || seen.has(value)) throw misplaced(element);
      seen.add(value);
    }
    // What is encrypted is no part of what is verified, and spells its own ids.
    for (const child of element.children) if (child.name !== 'EncryptedAssertion') visit(child);
  };
  visit(root);
}

export function is(element: XmlElement, namespace: string, name: string): boolean {
  return element.namespace === namespace && element.name === name;
}

export function all(parent: XmlElement, namespace: string, name: string): XmlElement[] {
  return parent.children.filter((child) => is(child, namespace, name));
}

/** @throws Refusal unless there is exactly one. */
export function one(parent: XmlElement, namespace: string, name: string): XmlElement {
  const [found, ...others] = all(parent, namespace, name);
  if (found !== undefined && others.length === 0) return found;
  throw new Refusal(
    'structure',
    `${parent.name} must have one ${name}, and has ${others.length + (found ? 1 : 0)}.`,
  );
}

function misplaced({ name }: XmlElement): Refusal {
  return new Refusal('structure', `${name} is not what or where it must be.`);
}
