/** What a logout token must say once its signature holds (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6). */

import { limits } from '../../kernel/limits.ts';
import { isKey } from '../../kernel/storable.ts';
import type { Claims } from './oidc-identity.ts';

const event = 'http://schemas.openid.net/event/backchannel-logout';

export interface LogoutToken {
  jti: string;
  /** Of the person, or of one session: at least one of them is there. */
  sub: string | undefined;
  sid: string | undefined;
}

/** undefined: it is none. Issuer, audience and `exp` were checked with the signature. */
export function readLogoutToken(claims: Claims, now: Date): LogoutToken | undefined {
  const { events, nonce, jti, iat } = claims;
  const seconds = now.getTime() / 1000;
  const isNow =
    typeof iat === 'number' &&
    Math.abs(seconds - iat) <= limits.loginMinutesMax * 60 + limits.clockSkewSecondsMax;
  const isLogout = typeof events === 'object' && events !== null && Object.hasOwn(events, event);
  const [sub, sid, id] = [claims.sub, claims.sid, jti].map((value) => (isKey(value) ? value : undefined));
  if (!isLogout || !isNow || nonce !== undefined || id === undefined) return undefined;
  return sub === undefined && sid === undefined ? undefined : { jti: id, sub, sid };
}
