/** Rows of pins: roles that administrators gave by hand. */

import { sql } from 'kysely';
import type { Actor } from '../audit/audit-event.ts';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Pin } from '../licensing/pin.ts';

export interface StoredPin extends Pin {
  reason: string;
  actor: Actor;
  createdAt: Date;
}

export function writePin(tx: TenantTransaction, userId: UserId, pin: StoredPin): void {
  const columns = {
    role: pin.role,
    workspaces: pin.workspaces === null ? null : [...pin.workspaces],
    reason: pin.reason,
    until: pin.until,
    reserved: pin.reserved,
    actor: JSON.stringify(pin.actor),
    created_at: pin.createdAt,
  };
  tx.send(
    db
      .insertInto('pins')
      .values({ tenant_id: tx.tenantId, user_id: userId, ...columns })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'user_id']).doUpdateSet(columns)),
  );
}

export async function selectPin(tx: TenantTransaction, userId: UserId): Promise<StoredPin | undefined> {
  const [row] = await tx.run(
    db.selectFrom('pins').selectAll().where('tenant_id', '=', tx.tenantId).where('user_id', '=', userId),
  );
  if (row === undefined) return undefined;
  const { role, workspaces, reason, until, reserved, created_at: createdAt } = row;
  return { role, workspaces, reason, until, reserved, actor: row.actor as unknown as Actor, createdAt };
}

export function deletePin(tx: TenantTransaction, userId: UserId): void {
  tx.send(db.deleteFrom('pins').where('tenant_id', '=', tx.tenantId).where('user_id', '=', userId));
}

/** A reserved pin lapses when its person becomes inactive. */
export function endReservedPin(tx: TenantTransaction, userId: UserId): void {
  tx.send(sql`delete from pins where tenant_id = ${tx.tenantId} and user_id = ${userId} and reserved`);
}
