/** Writes SAML responses, good ones and bad: text that is put together part by part, and signed where a test wants it. */

import { createPublicKey } from 'node:crypto';
import { promisify } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import { SignedXml } from 'xml-crypto';
import { encrypt } from 'xml-encryption';
import { type KeyAndCertificate, selfSigned } from '../../src/kernel/self-signed-certificate.ts';

export const idpEntityId = 'urn:test:forge';
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';

export interface Scene {
  keys: KeyAndCertificate;
  /** Of somebody else. */
  strangers: KeyAndCertificate;
  acsUrl: string;
  audience: string;
  requestId: string;
}

export interface Parts {
  id: string;
  responseId: string;
  subject: string;
  nameId: string;
  issuer: string;
  responseIssuer: string;
  confirmation: string;
  recipient: string;
  inResponseTo: string;
  confirmedFor: number;
  conditions: string;
  validFrom: number;
  validFor: number;
  audience: string;
  version: string;
  authnStatement: string;
  attributes: string;
  destination: string;
  responseInResponseTo: string;
  status: string;
  /** Stands in the response before the assertion. */
  before: string;
  /** Stands in the response behind the assertion. */
  after: string;
}

export const newKeys = () => selfSigned('forge', new Date());

let count = 0;
const at = (ms: number) => new Date(Date.now() + ms).toISOString();
const minute = 60_000;

export function attribute(name: string, ...values: string[]): string {
  const written = values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`);
  return `<saml:Attribute Name="${name}">${written.join('')}</saml:Attribute>`;
}

function complete({ acsUrl, audience: ours, requestId }: Scene, parts: Partial<Parts>): Parts {
  count += 1;
  const { subject = 'ada', audience = ours, validFrom = -minute, validFor = 5 * minute } = parts;
  return {
    id: `_a${count}`,
    responseId: `_r${count}`,
    subject,
    nameId: `<saml:NameID Format="${persistent}">${subject}</saml:NameID>`,
    issuer: idpEntityId,
    responseIssuer: idpEntityId,
    confirmation: '',
    recipient: acsUrl,
    inResponseTo: requestId,
    confirmedFor: 5 * minute,
    conditions: `<saml:Conditions NotBefore="${at(validFrom)}" NotOnOrAfter="${at(validFor)}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`,
    validFrom,
    validFor,
    audience,
    version: '2.0',
    authnStatement: `<saml:AuthnStatement AuthnInstant="${at(-minute)}" SessionIndex="s"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
    attributes: attribute('userName', `${subject}@example.com`),
    destination: `Destination="${acsUrl}"`,
    responseInResponseTo: `InResponseTo="${requestId}"`,
    status: '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>',
    before: '',
    after: '',
    ...parts,
  };
}

export function assertionOf(scene: Scene, change: Partial<Parts> = {}): string {
  const parts = complete(scene, change);
  const confirmation =
    parts.confirmation ||
    `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData Recipient="${parts.recipient}" NotOnOrAfter="${at(parts.confirmedFor)}" InResponseTo="${parts.inResponseTo}"/></saml:SubjectConfirmation>`;
  return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${parts.id}" Version="${parts.version}" IssueInstant="${at(-minute)}"><saml:Issuer>${parts.issuer}</saml:Issuer><saml:Subject>${parts.nameId}${confirmation === 'none' ? '' : confirmation}</saml:Subject>${parts.conditions}${parts.authnStatement}<saml:AttributeStatement>${parts.attributes}</saml:AttributeStatement></saml:Assertion>`;
}

/** A response around whatever `inner` is. */
export function wrap(scene: Scene, inner: string, change: Partial<Parts> = {}): string {
  const parts = complete(scene, change);
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${parts.responseId}" Version="2.0" IssueInstant="${at(-minute)}" ${parts.destination} ${parts.responseInResponseTo}><saml:Issuer>${parts.responseIssuer}</saml:Issuer><samlp:Status>${parts.status}</samlp:Status>${parts.before}${inner}${parts.after}</samlp:Response>`;
}

export interface Signing {
  signature: string;
  digest: string;
  /** Of the element whose Issuer the signature follows. */
  name: 'Assertion' | 'Response' | 'LogoutRequest' | 'LogoutResponse';
  transforms: string[];
}

export function sign(
  xml: string,
  { privateKey, certificate }: KeyAndCertificate,
  how: Partial<Signing> = {},
): string {
  const {
    name = 'Assertion',
    signature = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    digest = 'http://www.w3.org/2001/04/xmlenc#sha256',
    transforms = ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', exclusive],
  } = how;
  const signer = new SignedXml({
    privateKey,
    publicCert: certificate,
    signatureAlgorithm: signature,
    canonicalizationAlgorithm: exclusive,
  });
  const xpath = `//*[local-name(.)='${name}']`;
  signer.addReference({ xpath, transforms, digestAlgorithm: digest });
  signer.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: `${xpath}/*[local-name(.)='Issuer']`, action: 'after' },
  });
  return signer.getSignedXml();
}

/** As a usual identity provider answers: the assertion is signed. */
export function goodResponse(scene: Scene, change: Partial<Parts> = {}, how: Partial<Signing> = {}): string {
  return wrap(scene, sign(assertionOf(scene, change), scene.keys, how), change);
}

/** The response is signed, and not the assertion. */
export function signedResponse(scene: Scene): string {
  return sign(wrap(scene, assertionOf(scene)), scene.keys, { name: 'Response' });
}

export interface Encrypting {
  /** PEM: of who may read it. */
  certificate: string;
  data: string;
  key: string;
  digest: string;
}

export async function encrypted(
  content: string,
  { certificate: pem, ...how }: Partial<Encrypting> & Pick<Encrypting, 'certificate'>,
): Promise<string> {
  const options = {
    rsa_pub: createPublicKey(pem).export({ type: 'spki', format: 'pem' }) as string,
    pem,
    encryptionAlgorithm: how.data ?? 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    keyEncryptionAlgorithm: how.key ?? 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
    keyEncryptionDigest: how.digest ?? 'sha1',
    warnInsecureAlgorithm: false,
  };
  const data = await promisify(encrypt)(content, options);
  return `<saml:EncryptedAssertion>${data}</saml:EncryptedAssertion>`;
}

/** What the browser is sent with: the request's id, and the state that comes back. */
export function askedIn(location: string): { requestId: string; relayState: string } {
  const { searchParams } = new URL(location);
  const xml = inflateRawSync(Buffer.from(searchParams.get('SAMLRequest') ?? '', 'base64')).toString('utf8');
  const requestId = /\bID="([^"]+)"/.exec(xml)?.[1] ?? '';
  return { requestId, relayState: searchParams.get('RelayState') ?? '' };
}
