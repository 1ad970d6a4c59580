/** The cookies: one ties a login to the browser that began it, one is the session, and one remembers through which connection it came. */

import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { atOnce } from '../db/tenant-transaction.ts';
import type { Services } from '../http/services.ts';
import { parseId, type TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { hashToken } from '../kernel/token.ts';
import { type Session, selectSession } from '../sessions/session-store.ts';
import type { HeldSession } from './core/held-session.ts';
import { placeInPath, readPlace, type SignInPlace, writePlace } from './core/sign-in-place.ts';

const loginCookiesMax = 32;

export interface SignedIn extends HeldSession {
  session: Session;
}

/** What the browser signed in as, over or not; undefined: it didn't. */
export function heldSessionOf(request: FastifyRequest, publicUrl: string): HeldSession | undefined {
  const token = request.cookies[sessionCookie(publicUrl)];
  const tenantId = parseId<TenantId>(token?.split('.')[0] ?? '');
  return token === undefined || tenantId === undefined ? undefined : { tenantId, hash: hashToken(token) };
}

/** Who asks, read from the database on each request; undefined: nobody who is signed in. */
export async function signedInOf(
  request: FastifyRequest,
  { database, clock, publicUrl }: Pick<Services, 'database' | 'clock' | 'publicUrl'>,
): Promise<SignedIn | undefined> {
  const held = heldSessionOf(request, publicUrl);
  if (held === undefined) return undefined;
  const { tenantId, hash } = held;
  const session = await atOnce(database, tenantId, (tx) => selectSession(tx, hash, clock.now()));
  return session && { tenantId, hash, session };
}

export function setSession(reply: FastifyReply, publicUrl: string, token: string, seconds: number): void {
  reply.setCookie(sessionCookie(publicUrl), token, {
    ...common(publicUrl),
    sameSite: 'lax',
    maxAge: seconds,
  });
}

export function clearSession(reply: FastifyReply, publicUrl: string): void {
  reply.clearCookie(sessionCookie(publicUrl), { ...common(publicUrl), sameSite: 'lax' });
}

/** Where whoever asks signs in again: what the path names, or where the browser signed in last; undefined: neither is known. */
export function signInPlaceOf(request: FastifyRequest, publicUrl: string): SignInPlace | undefined {
  return placeInPath(request.url) ?? readPlace(request.cookies[placeCookie(publicUrl)]);
}

/** Outlives the session, so that whoever comes back later is led there, too. */
export function setSignInPlace(reply: FastifyReply, publicUrl: string, place: SignInPlace): void {
  reply.setCookie(placeCookie(publicUrl), writePlace(place), {
    ...{ ...common(publicUrl), sameSite: 'lax' },
    maxAge: limits.signInPlaceDaysMax * 24 * 3600,
  });
}

/**
 * The identity provider posts from its own site, and `Lax` cookies stay at home then. Chrome and Firefox take `Secure` from a
 * loopback address without TLS, too. Logins have cookies of their own, so that two tabs seldom undo one another, and not more
 * than a header has room for: any page can begin logins in its visitor's browser.
 */
export function setLogin(reply: FastifyReply, publicUrl: string, relayState: string, token: string): void {
  reply.setCookie(loginCookie(publicUrl, relayState), token, {
    ...{ ...common(publicUrl), sameSite: 'none', secure: true },
    maxAge: limits.loginMinutesMax * 60,
  });
}

export function loginOf(request: FastifyRequest, publicUrl: string, relayState: string): string | undefined {
  return request.cookies[loginCookie(publicUrl, relayState)];
}

export function clearLogin(reply: FastifyReply, publicUrl: string, relayState: string): void {
  reply.clearCookie(loginCookie(publicUrl, relayState), {
    ...{ ...common(publicUrl), sameSite: 'none', secure: true },
  });
}

export function sessionCookie(publicUrl: string): string {
  return `${prefixOf(publicUrl)}bgw_session`;
}

export function placeCookie(publicUrl: string): string {
  return `${prefixOf(publicUrl)}bgw_place`;
}

function loginCookie(publicUrl: string, relayState: string): string {
  const slot = Number.parseInt(hashToken(relayState).slice(0, 8), 16) % loginCookiesMax;
  return `${prefixOf(publicUrl)}bgw_login_${slot}`;
}

/** No other host can set it (RFC 6265bis §4.1.3.2). */
function prefixOf(publicUrl: string): string {
  return isSecure(publicUrl) ? '__Host-' : '';
}

function common(publicUrl: string): CookieSerializeOptions {
  return { path: '/', httpOnly: true, secure: isSecure(publicUrl) };
}

function isSecure(publicUrl: string): boolean {
  return publicUrl.startsWith('https:');
}
