/**
 * Whose sessions an identity provider ended lately. An answer to a request of before that comes only now, held back or slow, makes
 * no session any more.
 */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { Clock } from '../kernel/clock.ts';
import { digest } from '../kernel/digest.ts';
import type { ConnectionId, UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { limits } from '../kernel/limits.ts';

/** A session at the identity provider, a person there, or a user here. */
export type Whose = { sid: string | undefined; sub: string | undefined } | { userId: UserId };

export interface Revocation {
  /** By the clock that identity providers know. */
  at: Date;
  /** When no request of before is left. */
  until: Date;
}

export function revocationNow({ clock, realClock }: { clock: Clock; realClock: Clock }): Revocation {
  const until = clock.now().getTime() + limits.loginMinutesMax * 60_000;
  return { at: realClock.now(), until: new Date(until) };
}

export function noteRevocation(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  whose: Whose,
  { at, until }: Revocation,
): void {
  tx.send(sql`
    insert into sso_revocations (tenant_id, connection_id, whose_hash, at, expires_at)
    select tenant_id, id, ${hashOf(whose)}, ${at}::timestamptz, ${until}::timestamptz from sso_connections
    where tenant_id = ${tx.tenantId} and id = ${connectionId}
    on conflict (tenant_id, connection_id, whose_hash) do update set
      at = greatest(sso_revocations.at, excluded.at), expires_at = greatest(sso_revocations.expires_at, excluded.expires_at)`);
}

/** As part of a statement: a row where the sessions of the same person, or the same one, were ended since it was asked for. */
export function revokedSince(
  { tenantId }: TenantTransaction,
  {
    userId,
    connectionId,
    upstream,
    upstreamSid,
  }: { userId: UserId; connectionId: ConnectionId; upstream: JsonObject | null; upstreamSid: string | null },
  askedAt: Date,
): RawBuilder<unknown> {
  const [sid, sub] = [upstreamSid ?? undefined, typeof upstream?.sub === 'string' ? upstream.sub : undefined];
  const whose: Whose[] = [{ userId }, { sid, sub }, { sid, sub: undefined }, { sid: undefined, sub }];
  return sql`
    select from sso_revocations
    where tenant_id = ${tenantId} and connection_id = ${connectionId} and whose_hash = any (${whose.map(hashOf)}::text[])
      and at >= ${askedAt}`;
}

function hashOf(whose: Whose): string {
  return digest(JSON.stringify('userId' in whose ? [whose.userId] : [whose.sid ?? null, whose.sub ?? null]));
}
