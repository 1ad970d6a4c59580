/** What has become of the rows of an import: of each the seat that the person has now, or, of a dry run, would have. */

import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { SeatView } from '../licensing/effect.ts';
import { selectUserViews } from '../provisioning/user-view-store.ts';
import { readImport } from './import-flow.ts';
import { type CountedImport, type ImportedRow, type RowPage, selectRows } from './import-store.ts';

export interface RowView extends Omit<ImportedRow, 'seat'> {
  /** null: there is no such person. */
  seat: Pick<SeatView, 'state' | 'position' | 'reason'> | null;
}

/** A page of rows, in the order of the file. @throws Fault `not_found`. */
export async function readRows(
  tx: TenantTransaction,
  id: string,
  page: RowPage,
  now: Date,
): Promise<RowView[]> {
  await readImport(tx, id);
  const rows = await selectRows(tx, id, page);
  const userIds = rows.flatMap(({ userId }) => userId ?? []);
  const where = sql`u.id = any(${userIds}::uuid[])`;
  const selection = {
    where,
    directoryId: null,
    withGroups: false,
    withTotal: false,
    offset: 0,
    limit: page.most,
  };
  const { views } = userIds.length === 0 ? { views: [] } : await selectUserViews(tx, selection, now);
  const seatOf = new Map(
    views.map(({ user, seat: { state, position, reason } }) => [user.id, { state, position, reason }]),
  );
  return rows.map(({ seat, ...row }) => {
    const known = row.userId === null ? null : (seatOf.get(row.userId) ?? null);
    return { ...row, seat: seat === null ? known : { state: seat, position: null, reason: null } };
  });
}

/** All of them. @throws Fault `not_found`. */
export async function readResult(
  database: Database,
  tenantId: TenantId,
  id: string,
  now: Date,
): Promise<{ columns: readonly string[]; rows: RowView[] }> {
  const { columns }: CountedImport = await inTenant(database, tenantId, (tx) => readImport(tx, id));
  const rows: RowView[] = [];
  for (let after = 0, isMore = true; isMore; after = rows.at(-1)?.line ?? after) {
    const page = { after, most: rowsAtOnce };
    const read = await inTenant(database, tenantId, (tx) => readRows(tx, id, page, now));
    rows.push(...read);
    isMore = read.length === rowsAtOnce;
  }
  return { columns, rows };
}

const rowsAtOnce = 200;
