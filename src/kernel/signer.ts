/** Signs what the gateway itself reads again: HMAC-SHA256 with a key that follows from SECRETS_KEY, another one for each purpose. */

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

export interface Signer {
  /** In hex. */
  sign(text: string): string;
  isSigned(text: string, mac: string): boolean;
}

/** @param secret 32 bytes. */
export function signerFor(purpose: string, secret: Buffer): Signer {
  const key = Buffer.from(hkdfSync('sha256', secret, '', `blue-gateway ${purpose}`, 32));
  const macOf = (text: string) => createHmac('sha256', key).update(text, 'utf8').digest();
  return {
    sign: (text) => macOf(text).toString('hex'),
    isSigned(text, mac) {
      const [expected, given] = [macOf(text), Buffer.from(mac, 'hex')];
      return expected.length === given.length && timingSafeEqual(expected, given);
    },
  };
}
