/** Signs what receivers are told (Security Event Token, RFC 8417 §2.3), with the key of the OpenID provider. */

import { importJWK, SignJWT } from 'jose';
import type { JsonObject } from '../kernel/json.ts';
import type { PrivateJwk } from '../sso/op/key.ts';

export async function signSecurityEvent(claims: JsonObject, key: PrivateJwk): Promise<string> {
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', typ: 'secevent+jwt', kid: key.kid })
    .sign(await importJWK(key, 'RS256'));
}
