/** The certificate that metadata holds is one that others can read. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { fromPem, selfSigned, toPem } from '../../src/kernel/self-signed-certificate.ts';

it.each(['2026-06-30T12:00:00Z', '2031-01-02T03:04:05Z'])('made at %s', async (at) => {
  const { certificate, privateKey } = await selfSigned('Blue Gateway', new Date(at));
  const read = new X509Certificate(certificate);
  expect(read.subject).toBe('CN=Blue Gateway');
  expect(read.verify(read.publicKey)).toBe(true);
  expect(read.checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
  expect(read.validFromDate).toEqual(new Date(at));
  expect(read.validToDate.getUTCFullYear()).toBe(new Date(at).getUTCFullYear() + 20);
  expect(toPem(fromPem(certificate))).toBe(certificate);
});
