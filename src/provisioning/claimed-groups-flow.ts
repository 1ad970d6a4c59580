/**
 * What a connection says of people: at a login the groups that somebody is in, which mappings name by `claim`, and of whom it made
 * the default role. As with groups that a directory pushes, what no mapping names costs no lock.
 */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { Restart, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId } from '../kernel/ids.ts';
import { lockArrivals } from './arrival-store.ts';
import { clearLinkGroups, type Link, updateClaimValues, updateLinkGroups } from './claimed-groups-store.ts';
import { decide } from './decide-flow.ts';
import { keepUntilOf } from './kept-places.ts';
import { updateDefaultRole } from './made-people-store.ts';
import type { Pool } from './pool.ts';
import { lockPoolIfClaimed } from './pool-store.ts';

export interface ClaimedChange {
  /** null: nobody told them yet. */
  before: readonly string[] | null;
  after: readonly string[];
  /** What is in one of them alone. */
  changed: readonly string[];
}

/** Before any row is locked: the pool where the change can change a decision, else null. */
export async function lockForClaimed(
  tx: TenantTransaction,
  { changed }: ClaimedChange,
): Promise<Pool | null> {
  lockArrivals(tx, 'user');
  return await lockPoolIfClaimed(tx, changed);
}

/** Of somebody who is linked. @param pool As `lockForClaimed` gave it. */
export async function replaceClaimed(
  tx: TenantTransaction,
  door: Door,
  pool: Pool | null,
  { link, before, after }: ClaimedChange & { link: Link },
): Promise<void> {
  // Another login of the same person came between: what is to be locked may be another thing.
  if (!(await updateLinkGroups(tx, link, before, after))) throw new Restart();
  updateClaimValues(tx, [link.userId]);
  const affected = { userIds: [link.userId] };
  const circumstances = { keepUntil: pool && keepUntilOf(door, pool), isSync: true };
  const decided = pool === null ? null : await decide(tx, door, pool, affected, circumstances);
  const [was, is] = [before, after].map((groups) => ({ connection: link.connectionId, groups }));
  appendAudit(tx, door, [
    { action: 'user.claimed', subject: link.userId, before: was, after: is },
    ...(decided?.audit ?? []),
  ]);
}

/**
 * What the connection says of everybody: the breaker looks at it as at what a directory says.
 *
 * @param areForgotten The groups that it claimed no longer count.
 * @param defaultRole Of the people whom it made; undefined: as before.
 */
export async function reviseSaid(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  {
    connectionId,
    areForgotten,
    defaultRole,
  }: {
    connectionId: ConnectionId;
    areForgotten: boolean;
    defaultRole: string | null | undefined;
  },
): Promise<void> {
  const left = areForgotten ? await clearLinkGroups(tx, connectionId) : [];
  if (left.length > 0) updateClaimValues(tx, left);
  const turned = defaultRole === undefined ? [] : await updateDefaultRole(tx, connectionId, defaultRole);
  const userIds = [...new Set([...left, ...turned])];
  if (userIds.length === 0) return;
  const { audit } = await decide(tx, door, pool, { userIds }, { isSync: true });
  appendAudit(tx, door, audit);
}
