/** What an application asks of a login beyond that it happens (OpenID Connect Core §3.1.2.1: prompt, acr_values, max_age). */

import { limits } from '../../kernel/limits.ts';
import { Refusal } from './refusal.ts';

export interface StepUp {
  /** The person must show who they are, whatever session the identity provider has. */
  forceAuthn: boolean;
  /** AuthnContextClassRefs or acr values, of which one must be met; empty: any. */
  acrValues: readonly string[];
  /** How long ago the person may have shown who they are; null: any. */
  maxAgeSeconds: number | null;
}

export const noStepUp: StepUp = { forceAuthn: false, acrValues: [], maxAgeSeconds: null };

/** What an identity provider says of how a person signed in there. */
interface Said {
  authenticatedAt: Date;
  acr: string | null;
}

/**
 * Whether it is what was asked for.
 *
 * @param askedAt, `now` By the clock that identity providers know. @throws Refusal `step_up`
 */
export function checkStepUp(
  { forceAuthn, acrValues, maxAgeSeconds }: StepUp,
  { authenticatedAt, acr }: Said,
  { askedAt, now }: { askedAt: Date; now: Date },
): void {
  const at = authenticatedAt.getTime() + limits.clockSkewSecondsMax * 1000;
  if (forceAuthn && at < askedAt.getTime()) {
    throw new Refusal('step_up', 'The person was to sign in anew, and did not.');
  }
  // Who signed in anew may have taken their time since.
  if (!forceAuthn && maxAgeSeconds !== null && at < now.getTime() - maxAgeSeconds * 1000) {
    throw new Refusal('step_up', `The person signed in more than ${maxAgeSeconds} seconds ago.`);
  }
  if (acrValues.length > 0 && (acr === null || !acrValues.includes(acr))) {
    throw new Refusal('step_up', `The person signed in by "${acr}", not by ${acrValues.join(' or ')}.`);
  }
}

/** What a login was begun for. */
export interface Asked {
  /** Path of ours where the browser goes once it is signed in; null: the page that says who is. */
  returnTo: string | null;
  stepUp: StepUp;
}

/** A path that a browser may be sent to after a login: of ours, and nothing that another site could read it as; null: none. */
export function returnPathOf(text: unknown): string | null {
  return typeof text === 'string' && /^\/(?:sso|oidc)(?:\/[A-Za-z0-9_-]{1,100}){0,5}$/.test(text)
    ? text
    : null;
}

/** Where a login begins, with what it is told. @param path Of ours. */
export function beginningAt(
  path: string,
  { returnTo, loginHint }: { returnTo: string | null; loginHint: string | null },
): string {
  const told = Object.entries({ return: returnTo, login_hint: loginHint });
  const given = told.flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/** As `beginningAt` wrote it: an address of ours that leads nowhere else; null: none. */
export function beginningIn(text: unknown): string | null {
  const [path, query] = typeof text === 'string' ? text.split('?') : [];
  const begins = returnPathOf(path);
  const given = new URLSearchParams(query);
  const told = {
    returnTo: returnPathOf(given.get('return')),
    loginHint: loginHintOf(given.get('login_hint')),
  };
  return begins === null ? null : beginningAt(begins, told);
}

/** An address that an identity provider may be told as who signs in; null: none. */
export function loginHintOf(text: unknown): string | null {
  // RFC 5321 §4.5.3.1: 64 characters before the @, 255 behind it.
  return typeof text === 'string' && /^[^\p{C}\s]{1,320}$/u.test(text) ? text : null;
}
