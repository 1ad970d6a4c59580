/** What clients have to be told of sessions that are over. Rows are written by whoever ends a session (migrations/0028_openid_provider.ts). */

import { sql } from 'kysely';
import { type Database, db } from '../../db/database.ts';
import type { TenantTransaction } from '../../db/tenant-transaction.ts';
import type { OpenIdClientId, TenantId, UserId } from '../../kernel/ids.ts';

export interface Logout {
  id: string;
  clientId: OpenIdClientId;
  userId: UserId;
  sid: string;
  uri: string;
  /** This one included. */
  tries: number;
}

export async function findLogoutWork(database: Database, most: number): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_openid_logouts(${most})`,
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

/** Each is this caller's alone until it is due again, twice as long after each try. */
export async function takeLogouts(tx: TenantTransaction, most: number): Promise<Logout[]> {
  return await tx.run(sql<Logout>`
    update openid_logouts l set tries = l.tries + 1, next_at = now() + interval '4 seconds' * pow(2, least(l.tries, 8))
    from openid_clients c
    where l.tenant_id = ${tx.tenantId} and c.tenant_id = l.tenant_id and c.id = l.client_id
      and c.backchannel_logout_uri is not null and l.id = any (array(
        select id from openid_logouts where tenant_id = ${tx.tenantId} and next_at <= now()
        order by next_at limit ${most} for update skip locked))
    returning l.id, l.client_id as "clientId", l.user_id as "userId", l.sid, c.backchannel_logout_uri as uri, l.tries`);
}

export function deleteLogout(tx: TenantTransaction, id: string): void {
  tx.send(db.deleteFrom('openid_logouts').where('tenant_id', '=', tx.tenantId).where('id', '=', id));
}

/** Of clients that want none any more. */
export function deleteUnwantedLogouts(tx: TenantTransaction): void {
  tx.send(sql`
    delete from openid_logouts l using openid_clients c
    where l.tenant_id = ${tx.tenantId} and c.tenant_id = l.tenant_id and c.id = l.client_id
      and c.backchannel_logout_uri is null`);
}
