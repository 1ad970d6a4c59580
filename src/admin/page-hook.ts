/** Answers one page of a tenant's rows. */

import type { FastifyRequest } from 'fastify';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { adminTenantOf } from './admin-auth-hook.ts';
import { afterId, type Page, type PageRequest, readLimit, toPage } from './paging.ts';

/** @param select Rows in id order, after an id, at most so many. */
export async function tenantPage<Row extends { id: string }, Item>(
  database: Database,
  request: FastifyRequest,
  query: PageRequest,
  select: (tx: TenantTransaction, after: string, most: number) => Promise<Row[]>,
  show: (row: Row) => Item,
): Promise<Page<Item>> {
  const after = afterId(query);
  const rows = await inTenant(database, adminTenantOf(request).id, (tx) =>
    select(tx, after, readLimit(query)),
  );
  return toPage(query, rows, ({ id }) => id, show);
}
