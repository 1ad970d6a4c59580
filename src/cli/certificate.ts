/** What a person is shown of a certificate, instead of itself. */

import { X509Certificate } from 'node:crypto';

type Fields = Record<string, unknown>;

/** The same object where it holds none that can be read. */
export function withCertificateRead(item: Fields): Fields {
  // What the gateway reads out of it comes in the order of all others.
  const { certificate, sha256: _sha256, notAfter: _notAfter, ...rest } = item;
  const read = typeof certificate === 'string' ? readCertificate(certificate) : undefined;
  if (read === undefined) return item;
  const { fingerprint256, subject, validFromDate, validToDate } = read;
  return {
    ...rest,
    sha256: fingerprint256,
    subject: (subject ?? '').replaceAll('\n', ', '),
    notBefore: validFromDate.toISOString(),
    notAfter: validToDate.toISOString(),
  };
}

/** @param text PEM, or DER in base64. undefined: it is none. */
function readCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text.startsWith('-----') ? text : Buffer.from(text, 'base64'));
  } catch {
    return undefined;
  }
}
