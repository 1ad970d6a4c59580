/** A page of people, in the order of their ids, of a list that shows some of them for what was decided. */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserView } from '../provisioning/user-view.ts';
import { selectUserViews } from '../provisioning/user-view-store.ts';
import { afterId, type PageRequest, readLimit } from './paging.ts';

/** @param condition On `u` (users). */
export async function selectPeoplePage(
  tx: TenantTransaction,
  query: PageRequest,
  condition: RawBuilder<unknown>,
  now: Date,
): Promise<UserView[]> {
  const where = sql`u.id > ${afterId(query)} and ${condition}`;
  const page = { directoryId: null, withGroups: false, withTotal: false, offset: 0, limit: readLimit(query) };
  return (await selectUserViews(tx, { where, ...page }, now)).views;
}
