/** Where look-ups across tenants find an outside key: each key of a tenant stands in `tenant_locators`. */

import { db } from '../db/database.ts';
import type { Tables } from '../db/tables.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';

export type LocatorKind = Tables['tenant_locators']['kind'];

export function locate(tx: TenantTransaction, kind: LocatorKind, key: string): void {
  tx.send(db.insertInto('tenant_locators').values({ kind, key, tenant_id: tx.tenantId }));
}

export function dislocate(tx: TenantTransaction, kind: LocatorKind, keys: readonly string[]): void {
  if (keys.length === 0) return;
  tx.send(
    db
      .deleteFrom('tenant_locators')
      .where('tenant_id', '=', tx.tenantId)
      .where('kind', '=', kind)
      .where('key', 'in', keys),
  );
}
