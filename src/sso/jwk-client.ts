/** The public half of a connection's key as an OpenID provider reads it (RFC 7517). */

import { X509Certificate } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import type { ConnectionKey } from './connection-key.ts';

export async function publicJwk({ id, certificate }: ConnectionKey): Promise<JWK> {
  const jwk = await exportJWK(new X509Certificate(certificate).publicKey);
  return { ...jwk, kid: id, use: 'sig', alg: 'RS256' };
}
