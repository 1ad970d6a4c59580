/** Decrypts assertions. Whatever goes wrong is told in the same words: which step it was would help whoever guesses. */

import { constants, createDecipheriv, privateDecrypt } from 'node:crypto';
import { Refusal } from './core/refusal.ts';
import type { EncryptedAssertion } from './core/saml-encryption.ts';

const [vectorBytes, blockBytes, tagBytes] = [12, 16, 16];

/** @param privateKeys PEM: the one that is in our metadata, and those before. @throws Refusal `encrypted` */
export function decryptAssertion(encrypted: EncryptedAssertion, privateKeys: readonly string[]): string {
  for (const key of privateKeys) {
    try {
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      const secret = privateDecrypt({ key, padding, oaepHash: encrypted.oaepHash }, encrypted.wrappedKey);
      const bytes = decrypt(encrypted, secret);
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      // Perhaps another key's.
    }
  }
  throw new Refusal(
    'encrypted',
    'The assertion can not be decrypted: give the identity provider our current metadata.',
  );
}

function decrypt({ cipher, content }: EncryptedAssertion, secret: Buffer): Buffer {
  if (cipher === 'aes-128-gcm' || cipher === 'aes-256-gcm') {
    const decipher = createDecipheriv(cipher, secret, content.subarray(0, vectorBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAuthTag(content.subarray(-tagBytes));
    return Buffer.concat([decipher.update(content.subarray(vectorBytes, -tagBytes)), decipher.final()]);
  }
  const decipher = createDecipheriv(cipher, secret, content.subarray(0, blockBytes)).setAutoPadding(false);
  const padded = Buffer.concat([decipher.update(content.subarray(blockBytes)), decipher.final()]);
  // XML Encryption §5.2: only the last byte says how many there are.
  const padding = padded.at(-1) ?? 0;
  if (padding < 1 || padding > blockBytes) throw new Error('padding');
  return padded.subarray(0, -padding);
}
