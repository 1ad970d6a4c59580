/** Tells a client that a session is over (OpenID Connect Back-Channel Logout 1.0 §2.4 and §2.5). */

import { importJWK, SignJWT } from 'jose';
import { type Dispatcher, request } from 'undici';
import type { PrivateJwk } from './key.ts';

export interface LogoutNotice {
  issuer: string;
  clientId: string;
  userId: string;
  sid: string;
  /** Another one each time: a client takes none twice. */
  jti: string;
  now: Date;
}

const goodForSeconds = 120;
const event = 'http://schemas.openid.net/event/backchannel-logout';

export async function signLogoutToken(
  { issuer, clientId, userId, sid, jti, now }: LogoutNotice,
  key: PrivateJwk,
): Promise<string> {
  const seconds = Math.floor(now.getTime() / 1000);
  return await new SignJWT({ sid, events: { [event]: {} } })
    .setProtectedHeader({ alg: 'RS256', typ: 'logout+jwt', kid: key.kid })
    .setIssuer(issuer)
    .setAudience(clientId)
    .setSubject(userId)
    .setJti(jti)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + goodForSeconds)
    .sign(await importJWK(key, 'RS256'));
}

/** undefined: it is told; else why not, without what the client wrote. */
export async function postLogoutToken(
  uri: string,
  token: string,
  { dispatcher, msMax }: { dispatcher: Dispatcher; msMax: number },
): Promise<string | undefined> {
  try {
    const { statusCode, body } = await request(uri, {
      dispatcher,
      method: 'POST',
      signal: AbortSignal.timeout(msMax),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: token }).toString(),
    });
    // A body that nobody reads would hold its connection.
    body.on('error', () => {}).destroy();
    return statusCode === 200 || statusCode === 204 ? undefined : `it answers ${statusCode}`;
  } catch {
    return 'it does not answer';
  }
}
