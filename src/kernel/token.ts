/** Bearer tokens and keys: 256 random bits behind a readable prefix, shown once, kept as their SHA-256. */

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { digest } from './digest.ts';

export type TokenKind = 'directory' | 'key' | 'access' | 'client_secret' | 'session' | 'login' | 'signals';

const prefixes: Record<TokenKind, string> = {
  directory: 'bgw_scim_',
  key: 'bgw_key_',
  access: 'bgw_at_',
  client_secret: 'bgw_cs_',
  session: 'bgw_ses_',
  login: 'bgw_login_',
  signals: 'bgw_ssf_',
};

export function newToken(kind: TokenKind): string {
  return `${prefixes[kind]}${randomBytes(32).toString('base64url')}`;
}

/** In hex: what the database holds of a secret that is only ever compared. */
export function hashToken(token: string): string {
  return digest(token);
}

/** Whether it is the secret of that hash; how long that takes tells nothing. */
export function isTokenOf(token: string, hash: string): boolean {
  const [given, kept] = [hashToken(token), hash].map((text) => Buffer.from(text, 'utf8'));
  return (
    given !== undefined && kept !== undefined && given.length === kept.length && timingSafeEqual(given, kept)
  );
}

/** The token of `Authorization: Bearer …` (RFC 6750 §2.1), or undefined. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +([\x21-\x7e]{1,4096})$/i.exec(header ?? '')?.[1];
}
