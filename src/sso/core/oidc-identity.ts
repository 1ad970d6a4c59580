/** Who somebody is by the claims of an ID token, and what those must say beyond what the library checks (OpenID Connect Core §3.1.3.7). */

import { fold } from '../../kernel/fold.ts';
import { limits } from '../../kernel/limits.ts';
import type { StepUp } from './asked.ts';
import type { AttributeNames, ExternalIdentity } from './identity.ts';
import { identityOf } from './identity.ts';
import { Refusal } from './refusal.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** OpenID Connect Core §5.1, where the connection names no other. */
const standardNames: AttributeNames = {
  userName: 'preferred_username',
  email: 'email',
  givenName: 'given_name',
  familyName: 'family_name',
  displayName: 'name',
};

const ofAddress = ['email', 'email_verified', 'xms_edov'];

/**
 * What the ID token says comes first. Whoever names the address says whether it is verified, too: what one source says of an address
 * is nothing about that of the other.
 */
export function joinClaims(idToken: Claims, userinfo: Claims): Claims {
  const [ofToken, ofUserinfo] =
    idToken.email == null ? [withoutAddress(idToken), userinfo] : [idToken, withoutAddress(userinfo)];
  return { ...ofUserinfo, ...ofToken };
}

function withoutAddress(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !ofAddress.includes(name)));
}

/** @throws Refusal */
export function oidcIdentityOf(claims: Claims, names: AttributeNames, issuer: string): ExternalIdentity {
  const attributes = new Map(Object.entries(claims).map(([name, value]) => [name, textsOf(value)]));
  const all = { ...standardNames, ...names, subject: names.subject ?? 'sub' };
  const identity = identityOf({ nameId: null, attributes }, all, { idp: issuer, sp: '' });
  // Anybody can write an address into an account; only a verified one is theirs (nOAuth).
  const isVerified = [claims.email_verified, claims.xms_edov].some((one) => one === true || one === 'true');
  if (isVerified) return { ...identity, emailVerified: true };
  // An unverified address is not made better by being a userName too.
  const userName = all.userName === all.email ? undefined : identity.userName;
  const userNameVerified = !isSame(userName, identity.email);
  return { ...identity, email: undefined, userName, emailVerified: false, userNameVerified };
}

function isSame(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && fold(a) === fold(b);
}

function textsOf(value: unknown): string[] {
  return [value].flat().filter((one) => typeof one === 'string');
}

export interface OidcExpected {
  issuer: string;
  /** Google's `hd`; null: any. */
  hostedDomain: string | null;
  now: Date;
}

const entraIssuer = /^https:\/\/login\.microsoftonline\.(?:com|us)\/([0-9a-f-]{36})\/v2\.0$/;

/** @throws Refusal */
export function checkClaims(claims: Claims, { issuer, hostedDomain, now }: OidcExpected): void {
  const seconds = now.getTime() / 1000;
  const { iat } = claims;
  if (typeof iat !== 'number' || iat > seconds + limits.clockSkewSecondsMax) {
    throw new Refusal('time', 'The ID token was issued in the future, or does not say when.');
  }
  const [, tid] = entraIssuer.exec(issuer) ?? [];
  if (tid !== undefined && claims.tid !== tid) {
    throw new Refusal('organisation', 'The ID token is of another Entra tenant (tid).');
  }
  if (hostedDomain !== null && claims.hd !== hostedDomain) {
    throw new Refusal('organisation', `The account is not of the Workspace ${hostedDomain} (hd).`);
  }
}

/** For how many seconds the person may have been signed in at the identity provider; undefined: any. */
export function maxAgeOf({ forceAuthn, maxAgeSeconds }: StepUp): number | undefined {
  return forceAuthn ? 0 : (maxAgeSeconds ?? undefined);
}

/** As `maxAgeOf` when the answer comes: whoever was to sign in anew may have taken their time since. */
export function maxAgeAt(stepUp: StepUp, { askedAt, now }: { askedAt: Date; now: Date }): number | undefined {
  const sinceAsked = Math.max(0, Math.ceil((now.getTime() - askedAt.getTime()) / 1000));
  return stepUp.forceAuthn ? sinceAsked : maxAgeOf(stepUp);
}
