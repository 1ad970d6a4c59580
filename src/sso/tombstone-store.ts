/** Who was removed, and by what they are known again: no login makes them anew. */

import { sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { fold } from '../kernel/fold.ts';
import type { ConnectionId, DirectoryId, UserId } from '../kernel/ids.ts';
import type { ExternalIdentity } from './core/identity.ts';

/** Names and addresses belong to the whole tenant. */
const everywhere = sql`'00000000-0000-0000-0000-000000000000'::uuid`;

export interface Tombstone {
  userId: UserId;
  userName: string;
  removedAt: Date;
}

/** Writes down what a user, who is about to be deleted, is known by. */
export function insertTombstone(tx: TenantTransaction, id: UserId, now: Date): void {
  const [of, isUser] = [tx.tenantId, sql`tenant_id = ${tx.tenantId} and user_id = ${id}`];
  tx.send(sql`
    with stone as (
      insert into sso_tombstones (tenant_id, user_id, user_name, removed_at)
      select tenant_id, id, user_name, ${now} from users where tenant_id = ${of} and id = ${id}
    )
    insert into sso_tombstone_keys (tenant_id, user_id, kind, scope, key)
    select ${of}, ${id}, kind, scope, key from (
      select 'name' as kind, ${everywhere} as scope, unnest(array[user_name_key, address]) as key
        from users where tenant_id = ${of} and id = ${id}
      union select 'subject', connection_id, subject from sso_links where ${isUser}
      union select 'external_id', directory_id, external_id from user_sources where ${isUser}
    ) as known where key is not null
  `);
}

/** As part of a statement: the last person who was removed and had one of these. */
export function tombstoneOf(
  { tenantId }: TenantTransaction,
  { id, directoryId }: { id: ConnectionId; directoryId: DirectoryId | null },
  { subject, externalId, userName, email }: ExternalIdentity,
) {
  const names = [userName, email].filter((one) => one !== undefined).map(fold);
  return sql<UserId | null>`(
    select user_id from sso_tombstone_keys where tenant_id = ${tenantId} and (
      (kind = 'name' and key = any (${names}::text[]))
      or (kind = 'subject' and scope = ${id} and key = ${subject})
      or (kind = 'external_id' and scope = ${directoryId}::uuid and key = ${externalId ?? null}))
    order by user_id desc limit 1)`;
}

/** Whom a directory makes again is there again. */
export function liftTombstonesOf(
  tx: TenantTransaction,
  directoryId: DirectoryId,
  { names, externalId }: { names: readonly string[]; externalId: string | null },
): void {
  tx.send(sql`
    delete from sso_tombstones where tenant_id = ${tx.tenantId} and user_id in (
      select user_id from sso_tombstone_keys where tenant_id = ${tx.tenantId} and (
        (kind = 'name' and key = any (${names}::text[]))
        or (kind = 'external_id' and scope = ${directoryId} and key = ${externalId})))
  `);
}

/** Answers the userName; undefined: nobody of that id was removed. */
export async function deleteTombstone(tx: TenantTransaction, id: UserId): Promise<string | undefined> {
  const [row] = await tx.run(
    db
      .deleteFrom('sso_tombstones')
      .where('tenant_id', '=', tx.tenantId)
      .where('user_id', '=', id)
      .returning('user_name'),
  );
  return row?.user_name;
}

/** In the order of their ids. */
export async function selectTombstones(
  tx: TenantTransaction,
  after: string,
  limit: number,
): Promise<Tombstone[]> {
  const rows = await tx.run(
    db
      .selectFrom('sso_tombstones')
      .select(['user_id', 'user_name', 'removed_at'])
      .where('tenant_id', '=', tx.tenantId)
      .where('user_id', '>', after)
      .orderBy('user_id')
      .limit(limit),
  );
  return rows.map(({ user_id, user_name, removed_at }) => ({
    ...{ userId: user_id as UserId, userName: user_name, removedAt: removed_at },
  }));
}
