/** Bearer tokens and keys: 256 random bits behind a readable prefix, shown once, kept as their SHA-256. */

import { randomBytes } from 'node:crypto';
import { digest } from './digest.ts';

export type TokenKind = 'directory' | 'key';

const prefixes: Record<TokenKind, string> = { directory: 'bgw_scim_', key: 'bgw_key_' };

export function newToken(kind: TokenKind): string {
  return `${prefixes[kind]}${randomBytes(32).toString('base64url')}`;
}

/** In hex: what the database holds of a secret that is only ever compared. */
export function hashToken(token: string): string {
  return digest(token);
}

/** The token of `Authorization: Bearer …` (RFC 6750 §2.1), or undefined. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +([\x21-\x7e]{1,4096})$/i.exec(header ?? '')?.[1];
}
