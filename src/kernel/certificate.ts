/** What people are shown of a certificate. */

import { X509Certificate } from 'node:crypto';

/** @param base64 DER. */
export function readCertificate(base64: string): { sha256: string; notAfter: Date | null } {
  const { fingerprint256, validTo } = new X509Certificate(Buffer.from(base64, 'base64'));
  const notAfter = new Date(validTo);
  return { sha256: fingerprint256, notAfter: Number.isNaN(notAfter.getTime()) ? null : notAfter };
}
