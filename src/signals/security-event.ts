/** What a receiver is told (Security Event Tokens, RFC 8417; CAEP 1.0 §3.1; Shared Signals Framework 1.0 §8.1.4), as claims. */

import type { JsonObject } from '../kernel/json.ts';

export const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
export const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification';

/** What streams can ask for. */
export const eventsSupported: readonly string[] = [sessionRevoked];

export interface Signal {
  /** The jti, in every attempt the same. */
  id: string;
  streamId: string;
  event: string;
  /** null: it is of the stream itself. */
  userId: string | null;
  detail: JsonObject;
  at: Date;
}

/**
 * @param issuer Of the token, and of its stream's `audience`.
 * @param subjects Who names people: the OpenID provider, whose `sub` receivers know.
 */
export function claimsOf(
  { id, streamId, event, userId, detail, at }: Signal,
  { issuer, audience, subjects, now }: { issuer: string; audience: string; subjects: string; now: Date },
): JsonObject {
  const seconds = Math.floor(at.getTime() / 1000);
  return {
    iss: issuer,
    aud: audience,
    jti: id,
    iat: Math.floor(now.getTime() / 1000),
    sub_id:
      userId === null
        ? { format: 'opaque', id: streamId }
        : { format: 'iss_sub', iss: subjects, sub: userId },
    events: { [event]: userId === null ? detail : { event_timestamp: seconds, ...detail } },
  };
}
