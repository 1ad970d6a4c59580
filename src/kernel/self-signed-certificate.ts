/** An RSA key and a certificate around it (RFC 5280) that nobody vouches for: metadata must hold one, and only its key counts. */

import { generateKeyPair, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';

export interface KeyAndCertificate {
  /** PKCS #8, PEM. */
  privateKey: string;
  /** PEM. */
  certificate: string;
  expiresAt: Date;
}

const years = 20;
const sha256WithRsa = '06092a864886f70d01010b0500';
const commonName = '0603550403';

/** @param name At most 64 characters of ASCII. */
export async function selfSigned(name: string, now: Date): Promise<KeyAndCertificate> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const algorithm = der(0x30, Buffer.from(sha256WithRsa, 'hex'));
  const attribute = der(0x30, Buffer.from(commonName, 'hex'), der(0x0c, Buffer.from(name, 'ascii')));
  const subject = der(0x30, der(0x31, attribute));
  const end = new Date(now);
  end.setUTCFullYear(end.getUTCFullYear() + years);
  // A serial number is positive.
  const serial = randomBytes(16);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    subject,
    der(0x30, time(now), time(end)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, privateKey));
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: toPem(der(0x30, body, algorithm, signature).toString('base64')),
    expiresAt: end,
  };
}

/** @param base64 DER. */
export function toPem(base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Base64 of DER. */
export function fromPem(pem: string): string {
  return pem.replaceAll(/-----[^-]+-----|\s/g, '');
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
function time(at: Date): Buffer {
  const digits = at.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return at.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(0x18, Buffer.from(digits));
}
