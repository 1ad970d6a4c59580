/** Reads what an issuer tells of itself (OpenID Connect Discovery §4.2) and its keys (RFC 7517), and takes little of it. */

import { limits } from '../kernel/limits.ts';

/** A signature key with the members that are needed, all of them text. */
export type PublicKey = { kty: string } & Record<string, string>;

/** What an issuer answers can't be used; the message says why. */
export class DocumentRefused extends Error {}

export function discoveryUrlOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** The URL of the issuer's keys. @throws DocumentRefused */
export function keysUrlIn(document: unknown, issuer: string): string {
  const { issuer: named, jwks_uri: url } = isObject(document) ? document : {};
  if (named !== issuer) throw new DocumentRefused('its discovery document names another issuer');
  if (typeof url !== 'string') throw new DocumentRefused('its discovery document names no jwks_uri');
  return url;
}

/** Keys that may have signed something. @throws DocumentRefused when it is no key set. */
export function keysIn(document: unknown): PublicKey[] {
  const keys = isObject(document) ? document.keys : undefined;
  if (!Array.isArray(keys)) throw new DocumentRefused('its jwks_uri holds no key set');
  return keys.flatMap(keyOf).slice(0, limits.keysPerIssuerMax);
}

const membersOf: Record<string, readonly string[]> = { RSA: ['n', 'e'], EC: ['crv', 'x', 'y'] };
/** In base64url: RSA moduli from 2,048 to 8,192 bits. Beyond that a check takes long; exponents are small for the same reason. */
const [modulusMin, modulusMax, exponentMax] = [342, 1366, 6];

function keyOf(key: unknown): PublicKey[] {
  if (!isObject(key) || typeof key.kty !== 'string') return [];
  if (key.use !== undefined && key.use !== 'sig') return [];
  const members = Object.hasOwn(membersOf, key.kty) ? membersOf[key.kty] : undefined;
  if (members === undefined || !members.every((name) => isShort(key[name]))) return [];
  if (key.kty === 'RSA' && !isFairRsa(String(key.n), String(key.e))) return [];
  const taken = ['kid', 'alg', ...members].filter((name) => isShort(key[name]));
  return [{ kty: key.kty, ...Object.fromEntries(taken.map((name) => [name, String(key[name])])) }];
}

function isFairRsa(modulus: string, exponent: string): boolean {
  return modulus.length >= modulusMin && modulus.length <= modulusMax && exponent.length <= exponentMax;
}

function isShort(value: unknown): boolean {
  return typeof value === 'string' && value.length <= modulusMax;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
