/**
 * The assertion of a response, in the clear, whose bytes the identity provider vouches for: by the signature of the assertion, of the
 * response around it, or both, as the connection wants it (SAML 2.0 Core §2.3.4, §5.4, §6.2). Nothing that is not signed is handed on.
 */

import { Refusal } from './core/refusal.ts';
import { readEncrypted } from './core/saml-encryption.ts';
import { all, one, readDecrypted, readStrictly, usesSha1 } from './core/saml-gate.ts';
import { assertionNs, protocolNs, signatureNs, successStatus } from './core/urns.ts';
import type { XmlElement } from './core/xml.ts';
import { decryptAssertion } from './decryption-client.ts';
import type { Parties, ToVerify, Verified } from './saml-client.ts';

export interface Means {
  verify: (signed: ToVerify) => Promise<Verified>;
  /** PEM: those that decrypt. Asked where something is encrypted. */
  privateKeys: () => Promise<readonly string[]>;
}

/** Of what passed the gate. @throws Refusal; as `verify` does. */
export async function signedAssertion(
  { xml, response }: { xml: string; response: XmlElement },
  parties: Parties,
  { verify, privateKeys }: Means,
): Promise<Verified> {
  const { settings } = parties;
  const [encrypted] = all(response, assertionNs, 'EncryptedAssertion');
  if (encrypted === undefined) {
    checkAlgorithms(response, parties);
    return await verify({ kind: 'response', parties, xml });
  }
  if (!settings.wantResponseSigned) {
    return await assertionSigned(await decrypted(encrypted, parties, privateKeys), parties, verify);
  }
  // What is signed is the response with what is encrypted in it: that holds before anything is decrypted.
  for (const signature of all(response, signatureNs, 'Signature')) checkAlgorithms(signature, parties);
  const signed = await verify({ kind: 'message', certificates: settings.certificates, xml });
  const inSigned = one(readStrictly(signed.xml), assertionNs, 'EncryptedAssertion');
  const assertion = await decrypted(inSigned, parties, privateKeys);
  return settings.wantAssertionsSigned
    ? await assertionSigned(assertion, parties, verify)
    : { xml: assertion, nameId: null };
}

function checkAlgorithms(element: XmlElement, { settings }: Parties): void {
  if (usesSha1(element) && !settings.allowSha1) {
    throw new Refusal('algorithm', 'RSA-SHA1 is not accepted: sign with RSA-SHA256.');
  }
}

async function decrypted(
  element: XmlElement,
  parties: Parties,
  privateKeys: Means['privateKeys'],
): Promise<string> {
  const encrypted = readEncrypted(element);
  if (encrypted.cipher.endsWith('cbc') && !parties.settings.allowCbc) {
    throw new Refusal('encrypted', 'AES-CBC is not accepted: encrypt with AES-GCM, or allow it (allowCbc).');
  }
  const keys = await privateKeys();
  if (keys.length === 0) {
    const text =
      'The connection has no key to decrypt with: add one, or switch encryption off at the identity provider.';
    throw new Refusal('encrypted', text);
  }
  const assertion = decryptAssertion(encrypted, keys);
  checkAlgorithms(readDecrypted(assertion), parties);
  return assertion;
}

/** The library reads responses: the assertion is put into one that says nothing. */
async function assertionSigned(
  assertion: string,
  { settings, addresses }: Parties,
  verify: Means['verify'],
): Promise<Verified> {
  const body = assertion.replace(/^<\?xml[^>]*\?>/, '');
  const status = `<p:Status><p:StatusCode Value="${successStatus}"/></p:Status>`;
  return await verify({
    kind: 'response',
    parties: { settings: { ...settings, wantResponseSigned: false }, addresses },
    xml: `<p:Response xmlns:p="${protocolNs}" ID="_decrypted" Version="2.0">${status}${body}</p:Response>`,
  });
}
