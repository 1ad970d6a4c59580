/** Secrets that must be used again (Blue's token): AES-256-GCM, with the id of the key in front, so that keys rotate. */

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

export interface SecretBox {
  seal(secret: string): Buffer;
  /** @throws Error when the key is another one or the bytes were changed. */
  open(sealed: Buffer): string;
}

const ivLength = 12;
const tagLength = 16;
const keyIdLength = 4;

/** @param key 32 bytes. */
export function secretBox(key: Buffer): SecretBox {
  const keyId = createHash('sha256').update(key).digest().subarray(0, keyIdLength);
  return {
    seal(secret) {
      const iv = randomBytes(ivLength);
      const cipher = createCipheriv('aes-256-gcm', key, iv);
      const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([keyId, iv, cipher.getAuthTag(), body]);
    },
    open(sealed) {
      if (!sealed.subarray(0, keyIdLength).equals(keyId)) throw new Error('sealed with another SECRETS_KEY');
      const iv = sealed.subarray(keyIdLength, keyIdLength + ivLength);
      const tag = sealed.subarray(keyIdLength + ivLength, keyIdLength + ivLength + tagLength);
      const decipher = createDecipheriv('aes-256-gcm', key, iv);
      decipher.setAuthTag(tag);
      const body = sealed.subarray(keyIdLength + ivLength + tagLength);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    },
  };
}
