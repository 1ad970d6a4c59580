/** Branded ids, parsed once at the rim and trusted inside; UUID v7, so that index order follows arrival. */

import { randomFillSync } from 'node:crypto';

declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

export type TenantId = Id<'tenant'>;
export type UserId = Id<'user'>;
export type GroupId = Id<'group'>;
export type DirectoryId = Id<'directory'>;
export type MappingId = Id<'mapping'>;
export type MappingDraftId = Id<'mapping draft'>;
export type ClientId = Id<'client'>;
export type ConnectionId = Id<'connection'>;
export type OpenIdClientId = Id<'OpenID client'>;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The id in `text`, lower-cased, or undefined when it is no UUID. */
export function parseId<T extends string>(text: string): T | undefined {
  return uuid.test(text) ? (text.toLowerCase() as T) : undefined;
}

const random = new Uint8Array(16);

/** A UUID v7 (RFC 9562 §5.7): 48 bits of milliseconds, then 74 random bits. */
export function newId<T extends string>(nowMs: number): T {
  randomFillSync(random);
  const time = nowMs.toString(16).padStart(12, '0');
  const tail = Buffer.from(random).toString('hex');
  const variant = ((Number.parseInt(tail[3] ?? '0', 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${tail.slice(0, 3)}-${variant}${tail.slice(4, 7)}-${tail.slice(8, 20)}` as T;
}

/** Before every id that `newId` makes from that millisecond on, and behind all of earlier ones. */
export function firstIdAt(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
