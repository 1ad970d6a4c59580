/** The workspaces where somebody is in Blue, as its lists were last read, with what their addresses are made of. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';

export interface OwnWorkspaces {
  /** Slug of the organization. */
  organization: string;
  /** In no order; without those that the gateway's token can't administer, and so doesn't know. */
  workspaces: { name: string; slug: string }[];
}

/** undefined: Blue's lists were not read, or not since slugs are kept. */
export async function selectOwnWorkspaces(
  tx: TenantTransaction,
  userId: UserId,
): Promise<OwnWorkspaces | undefined> {
  const [row] = await tx.run(sql<OwnWorkspaces>`
    select c.actual ->> 'slug' as organization, coalesce((
      select jsonb_agg(jsonb_build_object('name', w ->> 'name', 'slug', w ->> 'slug'))
      from blue_people p
      join blue_members m on m.tenant_id = p.tenant_id and m.blue_user_id = p.blue_user_id
      cross join jsonb_array_elements(m.memberships) o
      join jsonb_array_elements(c.actual -> 'workspaces') w on w ->> 'id' = o ->> 'workspace' and w ->> 'slug' is not null
      where p.tenant_id = c.tenant_id and p.user_id = ${userId}
    ), '[]') as workspaces
    from blue_connections c
    where c.tenant_id = ${tx.tenantId} and c.actual_read_at is not null and c.actual ->> 'slug' is not null
  `);
  return row;
}
