/**
 * The closed list of things that can go wrong on purpose. A fault knows its code and what to tell the person;
 * it knows nothing of HTTP: each scope's error handler turns a code into a status and a body.
 */

/** `scimType` values of RFC 7644 §3.12 and RFC 9865 §2.3 that a fault can carry. */
export type ScimType =
  | 'invalidFilter'
  | 'uniqueness'
  | 'mutability'
  | 'invalidSyntax'
  | 'invalidPath'
  | 'noTarget'
  | 'invalidValue'
  | 'invalidCursor'
  | 'invalidCount';

export type FaultCode =
  /** The request can't be read: malformed JSON, wrong type, unknown field, broken filter. */
  | 'invalid'
  /** No, wrong, revoked or expired credential. */
  | 'unauthenticated'
  /** A good credential that may not do this. */
  | 'forbidden'
  /** Nothing of that id in this tenant. */
  | 'not_found'
  /** A unique value is taken. */
  | 'conflict'
  /** Policy `block`: the person wants a paid role and no seat is free (docs/licensing.md "Policies"). */
  | 'no_seat'
  /** An edit takes away more seats than the breaker lets pass without a confirmation. */
  | 'above_breaker'
  /** The resource is no longer what the caller named in If-Match. */
  | 'precondition_failed'
  /** A limit of `kernel/limits.ts` was met. */
  | 'too_large'
  /** A body of a type that is not read here. */
  | 'unsupported_media_type'
  | 'rate_limited'
  /** A part of a protocol that the gateway does not have. */
  | 'not_implemented'
  /** A part we depend on does not answer. */
  | 'unavailable';

export interface FaultDetail {
  /** RFC 7644 §3.12 keyword, for answers under `/scim`. */
  scimType?: ScimType;
  /** The field of the request that is wrong, as the caller wrote it. */
  field?: string;
  /** Seconds after which a repeat may succeed (`rate_limited`, `unavailable`). */
  retryAfterSeconds?: number;
  cause?: unknown;
}

export class Fault extends Error {
  readonly code: FaultCode;
  readonly scimType: ScimType | undefined;
  readonly field: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  /** @param message One sentence for the person who reads the answer: what is wrong, and what to do. */
  constructor(code: FaultCode, message: string, detail: FaultDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'Fault';
    this.code = code;
    this.scimType = detail.scimType;
    this.field = detail.field;
    this.retryAfterSeconds = detail.retryAfterSeconds;
  }
}

/** A request that can't be read, in SCIM's words (RFC 7644 §3.12). */
export function invalid(scimType: ScimType, message: string, field?: string): Fault {
  return new Fault('invalid', message, field === undefined ? { scimType } : { scimType, field });
}
