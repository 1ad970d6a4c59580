/** Finds and deletes what has served its time, besides recorded calls. */

import { sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';

/** Tenants that keep anything of the kind. */
export async function findLeftovers(database: Database, now: Date, most: number): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_leftovers(${now}, ${most})`,
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

/** Access tokens that clients were given and that have expired, with what leads to them. Answers how many. */
export async function deleteExpiredTokens(tx: TenantTransaction, now: Date, most: number): Promise<number> {
  const gone = await tx.run(sql<{ token_hash: string }>`
    delete from directory_tokens where tenant_id = ${tx.tenantId} and id = any (array(
      select id from directory_tokens
      where tenant_id = ${tx.tenantId} and client_id is not null and expires_at < ${now} limit ${most}))
    returning token_hash
  `);
  if (gone.length === 0) return 0;
  const hashes = gone.map(({ token_hash }) => token_hash);
  tx.send(sql`
    delete from tenant_locators
    where tenant_id = ${tx.tenantId} and kind = 'directory_token' and key = any (${hashes}::text[])
  `);
  return gone.length;
}

/** Creations that were to be answered before an instant. Answers how many. */
export function deleteUnansweredBefore(tx: TenantTransaction, at: Date, most: number): Promise<number> {
  return tx.count(
    db
      .deleteFrom('unanswered_creations')
      .where('tenant_id', '=', tx.tenantId)
      .where('resource_id', 'in', (of) =>
        of
          .selectFrom('unanswered_creations')
          .select('resource_id')
          .where('tenant_id', '=', tx.tenantId)
          .where('created_at', '<', at)
          .orderBy('created_at')
          .limit(most),
      ),
  );
}

/** Kinds of rows of single sign-on, each with the column of the time that it goes by. */
const ssoTimes = {
  sso_requests: 'expires_at',
  sso_assertions: 'expires_at',
  sso_revocations: 'expires_at',
  sso_sessions: 'expires_at',
  sso_tests: 'expires_at',
  sso_logins: 'at',
} as const;

/** Of sign-on what expired, or was written, before an instant. Answers how many. */
export function deleteSsoBefore(
  tx: TenantTransaction,
  table: keyof typeof ssoTimes,
  at: Date,
  most: number,
): Promise<number> {
  const [rows, time] = [sql.table(table), sql.ref(ssoTimes[table])];
  return tx.count(sql`
    delete from ${rows} where tenant_id = ${tx.tenantId} and ctid = any (array(
      select ctid from ${rows} where tenant_id = ${tx.tenantId} and ${time} < ${at} limit ${most}))
  `);
}

/** Signals from before an instant. Answers how many. */
export function deleteSignalsBefore(tx: TenantTransaction, at: Date, most: number): Promise<number> {
  return tx.count(sql`
    delete from signal_events where tenant_id = ${tx.tenantId} and ctid = any (array(
      select ctid from signal_events where tenant_id = ${tx.tenantId} and at < ${at} limit ${most}))
  `);
}

/** The oldest of what is on top of the newest `kept`. Answers how many. */
export function deleteBeyond(
  tx: TenantTransaction,
  name: 'recorded_requests' | 'sso_logins',
  kept: number,
  most: number,
): Promise<number> {
  const table = sql.table(name);
  return tx.count(sql`
    delete from ${table} where tenant_id = ${tx.tenantId} and id = any (array(
      select id from ${table} where tenant_id = ${tx.tenantId} and id <= (
        select id from ${table} where tenant_id = ${tx.tenantId} order by id desc offset ${kept} limit 1)
      order by id limit ${most}))
  `);
}
