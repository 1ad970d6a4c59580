/** Checks what an issuer signed for us just now: a client's assertion (RFC 7523 §3), a request of an identity provider. */

import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { limits } from '../kernel/limits.ts';
import type { IssuerKeys } from './issuer-keys-client.ts';
import { OAuthRefusal } from './refusal.ts';

/** What a client's assertions must say, each word for word. */
export interface Trust {
  issuer: string;
  audience: string;
  subject: string;
}

/** It is not what it must be; the message goes on a sentence that names it. */
export class NotTrusted extends Error {}

export const assertionAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512'],
];

/** @throws OAuthRefusal `invalid_client`; IssuerUnavailable when the issuer's keys can't be had. */
export async function checkAssertion(
  keys: IssuerKeys,
  trust: Trust & { asker: string },
  assertion: string,
  now: Date,
): Promise<void> {
  try {
    await checkSigned(keys, trust, assertion, now);
  } catch (error) {
    if (!(error instanceof NotTrusted)) throw error;
    throw new OAuthRefusal('invalid_client', `The client_assertion ${error.message}.`);
  }
}

/**
 * @param trust Without a subject: whatever the issuer says it of. `asker` is the tenant that trusts the issuer.
 * @param now Real time, since the issuer's clock knows no other.
 * @throws NotTrusted; IssuerUnavailable when the issuer's keys can't be had.
 */
export async function checkSigned(
  keys: IssuerKeys,
  { asker, ...trust }: Omit<Trust, 'subject'> & { subject?: string; asker: string },
  token: string,
  now: Date,
): Promise<void> {
  checkHeader(token);
  try {
    const { payload } = await jwtVerify(token, keys.keyFinder(trust.issuer, asker), {
      ...trust,
      algorithms: assertionAlgorithms,
      requiredClaims: ['exp'],
      clockTolerance: limits.clockSkewSecondsMax,
      currentDate: now,
    });
    checkTimes(payload, now);
  } catch (error) {
    throw error instanceof errors.JOSEError ? new NotTrusted(sentenceOf(error)) : error;
  }
}

/** What can be told before any key is looked for. */
function checkHeader(token: string): void {
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    throw new NotTrusted('is no signed JWT');
  }
  if (!assertionAlgorithms.includes(String(header.alg)))
    throw new NotTrusted('is signed by an algorithm that is not taken');
  if (header.crit !== undefined) throw new NotTrusted('has a crit header, which is not understood here');
}

function checkTimes({ exp = 0, iat }: JWTPayload, now: Date): void {
  const seconds = now.getTime() / 1000;
  const { clockSkewSecondsMax: skew, assertionHoursMax: hours } = limits;
  if (exp > seconds + hours * 3600 + skew) throw new NotTrusted(`is good for more than ${hours} hours`);
  if (iat !== undefined && (typeof iat !== 'number' || iat > seconds + skew)) {
    throw new NotTrusted('has an iat that is yet to come');
  }
}

/** Claims are named only of what the issuer did sign. */
function sentenceOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `has no ${error.claim} that fits here and now`;
  if (error instanceof errors.JWKSNoMatchingKey)
    return 'is signed with a key that its issuer does not publish';
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'must name its key (kid)';
  return 'is not signed by its issuer';
}
