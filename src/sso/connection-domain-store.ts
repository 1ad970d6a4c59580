/** Which domains a connection serves: the people of a verified one sign in through it. */

import { sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId } from '../kernel/ids.ts';
import type { Connection } from './connection.ts';

/** Of rows of `sso_connections`, in their order. */
export const servedDomains = sql<string[]>`array(
  select s.domain from sso_connection_domains s
  where s.tenant_id = sso_connections.tenant_id and s.connection_id = sso_connections.id order by s.domain)`;

export function writeConnectionDomains(
  tx: TenantTransaction,
  id: ConnectionId,
  domains: readonly string[],
): void {
  tx.send(
    db
      .deleteFrom('sso_connection_domains')
      .where('tenant_id', '=', tx.tenantId)
      .where('connection_id', '=', id),
  );
  tx.send(sql`
    insert into sso_connection_domains (tenant_id, connection_id, domain)
    select ${tx.tenantId}, ${id}, domain from unnest(${domains}::text[]) as named (domain)
  `);
}

/** Switched on, and serving the domain while that is verified; in the order of their names. */
export async function selectConnectionsOfDomain(
  tx: TenantTransaction,
  domain: string,
): Promise<Pick<Connection, 'id' | 'name' | 'protocol'>[]> {
  const rows = await tx.run(
    sql<Pick<Connection, 'id' | 'name' | 'protocol'>>`
      select c.id, c.name, c.protocol from sso_connection_domains s
      join domains d on d.tenant_id = s.tenant_id and d.domain = s.domain and d.verified_at is not null
      join sso_connections c on c.tenant_id = s.tenant_id and c.id = s.connection_id and c.enabled
      where s.tenant_id = ${tx.tenantId} and s.domain = ${domain} order by c.name, c.id`,
  );
  return rows;
}
