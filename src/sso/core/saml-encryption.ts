/**
 * The shape of an encrypted assertion (SAML 2.0 Core §2.3.4, XML Encryption §3): which algorithms, and which bytes. Nothing is
 * decrypted here.
 */

import { limits } from '../../kernel/limits.ts';
import { Refusal } from './refusal.ts';
import { all, one } from './saml-gate.ts';
import { encryption11Ns, encryptionNs, signatureNs } from './urns.ts';
import type { XmlElement } from './xml.ts';

export interface EncryptedAssertion {
  /** Of OAEP: both for the digest and for the mask. */
  oaepHash: 'sha1' | 'sha256';
  wrappedKey: Buffer;
  cipher: 'aes-128-gcm' | 'aes-256-gcm' | 'aes-128-cbc' | 'aes-256-cbc';
  /** With its initialisation vector, and the tag of GCM. */
  content: Buffer;
}

const ciphers: Record<string, EncryptedAssertion['cipher']> = {
  [`${encryption11Ns}aes128-gcm`]: 'aes-128-gcm',
  [`${encryption11Ns}aes256-gcm`]: 'aes-256-gcm',
  [`${encryptionNs}aes128-cbc`]: 'aes-128-cbc',
  [`${encryptionNs}aes256-cbc`]: 'aes-256-cbc',
};

/** @throws Refusal `encrypted` */
export function readEncrypted(element: XmlElement): EncryptedAssertion {
  try {
    const data = one(element, encryptionNs, 'EncryptedData');
    // Within the data, or beside it.
    const infos = all(data, signatureNs, 'KeyInfo');
    const keys = [element, ...infos].flatMap((parent) => all(parent, encryptionNs, 'EncryptedKey'));
    const [key, ...others] = keys;
    if (key === undefined || others.length > 0) throw refused('There must be one EncryptedKey.');
    const cipher = ciphers[algorithmOf(data) ?? ''];
    if (cipher === undefined) throw refused('It must be encrypted with AES-GCM, of 128 or 256 bits.');
    return { oaepHash: oaepHashOf(key), wrappedKey: bytesOf(key), cipher, content: bytesOf(data) };
  } catch (error) {
    if (error instanceof Refusal && error.reason !== 'encrypted') throw refused(error.message);
    throw error;
  }
}

function algorithmOf(encrypted: XmlElement): string | undefined {
  return one(encrypted, encryptionNs, 'EncryptionMethod').attributes.get('Algorithm');
}

/** RSA-OAEP alone: the older way tells whoever asks often enough what is in it. */
function oaepHashOf(key: XmlElement): 'sha1' | 'sha256' {
  const method = one(key, encryptionNs, 'EncryptionMethod');
  const [digest, mask] = [all(method, signatureNs, 'DigestMethod'), all(method, encryption11Ns, 'MGF')].map(
    ([found]) => found?.attributes.get('Algorithm'),
  );
  switch (method.attributes.get('Algorithm')) {
    case `${encryptionNs}rsa-oaep-mgf1p`:
      if (digest === undefined || digest === `${signatureNs}sha1`) return 'sha1';
      break;
    case `${encryption11Ns}rsa-oaep`:
      if (digest === `${encryptionNs}sha256` && mask === `${encryption11Ns}mgf1sha256`) return 'sha256';
      break;
    default:
      break;
  }
  throw refused(
    'The key must be wrapped with RSA-OAEP (rsa-oaep-mgf1p with SHA-1, or rsa-oaep with SHA-256).',
  );
}

function bytesOf(encrypted: XmlElement): Buffer {
  const text = one(one(encrypted, encryptionNs, 'CipherData'), encryptionNs, 'CipherValue').text;
  const plain = text.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(plain) || plain.length > (limits.samlBytesMax / 3) * 4) {
    throw refused('A CipherValue is no base64.');
  }
  return Buffer.from(plain, 'base64');
}

function refused(detail: string): Refusal {
  return new Refusal('encrypted', detail);
}
