/** Refusals of the token endpoint, in OAuth's words (RFC 6749 §5.2). */

export type OAuthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_scope'
  | 'unsupported_grant_type'
  /** Not of §5.2, but what §4.1.2.1 says elsewhere of a server that can't just now. */
  | 'temporarily_unavailable';

export class OAuthRefusal extends Error {
  readonly error: OAuthError;
  /** Seconds after which a repeat may succeed. */
  readonly retryAfterSeconds: number | undefined;

  /** @param description For the person who reads it; §5.2 takes neither quotation marks nor backslashes in it. */
  constructor(
    error: OAuthError,
    description: string,
    detail: { retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(description, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'OAuthRefusal';
    this.error = error;
    this.retryAfterSeconds = detail.retryAfterSeconds;
  }
}

/** Whichever it was is told to nobody. */
export function unknownClient(): OAuthRefusal {
  return new OAuthRefusal(
    'invalid_client',
    'There is no such client, or its secret is wrong, revoked or expired, or it signs in another way.',
  );
}
