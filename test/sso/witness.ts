/**
 * An independent witness: xmlsec1 (libxml2) verifies again what was accepted. Where it is not installed nothing is verified again,
 * and `witness.test.ts` says so.
 */

import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const hasWitness = spawnSync('xmlsec1', ['--version']).status === 0;

const saml = 'urn:oasis:names:tc:SAML:2.0';
const ids = [`${saml}:assertion:Assertion`, `${saml}:protocol:Response`].flatMap((name) => [
  '--id-attr:ID',
  name,
]);

/** What a response says of its keys counts for nothing, as here. @param certificate PEM. @throws when its first signature does not hold by it. */
export async function verifyAgain(xml: string | Buffer, certificate: string): Promise<void> {
  if (!hasWitness) return;
  const folder = await mkdtemp(join(tmpdir(), 'witness-'));
  try {
    const [response, key] = [join(folder, 'response.xml'), join(folder, 'certificate.pem')];
    await Promise.all([writeFile(response, xml), writeFile(key, certificate)]);
    const options = [...ids, '--enabled-key-data', 'rsa', '--pubkey-cert-pem', key];
    await promisify(execFile)('xmlsec1', ['--verify', ...options, response]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
