/** Large edits that are still to be carried out: whom they may concern. Written and cleared while the seat pool is locked. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import type { Affected } from './affected.ts';

export interface EvaluationRequest {
  id: number;
  affected: Affected;
  keepUntil: Date | null;
}

/** Sends that these are to be compared with the rules, once the transaction is over. */
export function writeRequest(tx: TenantTransaction, affected: Affected, keepUntil: Date | null): void {
  tx.send(sql`
    insert into evaluation_requests (tenant_id, affected, keep_until)
    values (${tx.tenantId}, ${JSON.stringify(affected)}::jsonb, ${keepUntil})
  `);
}

/** The oldest. */
export async function firstRequest(tx: TenantTransaction): Promise<EvaluationRequest | undefined> {
  const [row] = await tx.run(sql<
    Omit<EvaluationRequest, 'affected'> & { affected: Omit<Affected, 'endedBy'> & { endedBy?: string } }
  >`
    select id, affected, keep_until as "keepUntil" from evaluation_requests
    where tenant_id = ${tx.tenantId} order by id limit 1
  `);
  if (row === undefined) return undefined;
  const { endedBy, ...others } = row.affected;
  return { ...row, affected: endedBy === undefined ? others : { ...others, endedBy: new Date(endedBy) } };
}

/** Whether it is still to be carried out: another process may have done so. */
export async function isRequested(tx: TenantTransaction, id: number): Promise<boolean> {
  const rows = await tx.run(
    sql`select from evaluation_requests where tenant_id = ${tx.tenantId} and id = ${id}`,
  );
  return rows.length > 0;
}

/** Whether nobody else is still to be decided for but whom it concerns. */
export async function isAlone(tx: TenantTransaction, id: number): Promise<boolean> {
  const [{ alone = false } = {}] = await tx.run(sql<{ alone: boolean }>`
    select not exists (select from evaluation_requests where tenant_id = ${tx.tenantId} and id <> ${id})
      and not exists (select from evaluation_marks where tenant_id = ${tx.tenantId} and not staged) as alone
  `);
  return alone;
}

/** Sends that everybody it concerns has been decided for. */
export function deleteRequest(tx: TenantTransaction, id: number): void {
  tx.send(sql`delete from evaluation_requests where tenant_id = ${tx.tenantId} and id = ${id}`);
}

/** Sends that these have been decided for while a large edit is carried out: what it found of them no longer counts. */
export function writeDecided(tx: TenantTransaction, userIds: readonly UserId[]): void {
  if (userIds.length === 0) return;
  tx.send(sql`
    insert into evaluation_decided (tenant_id, user_id) select ${tx.tenantId}, d.id from unnest(${userIds}::uuid[]) as d (id)
    on conflict (tenant_id, user_id) do update set decided_by = excluded.decided_by
  `);
}

/** Sends that no large edit is carried out any more. */
export function forgetDecided(tx: TenantTransaction): void {
  tx.send(sql`delete from evaluation_decided where tenant_id = ${tx.tenantId}`);
}

/**
 * Sends that the transaction decides for many: it may keep them in memory, and COMMIT need not wait for the disk while others
 * wait for the pool. What a server that dies loses of it is found again: the request goes only with the last of it, and commits
 * are written in their order.
 */
export function beginBulk(tx: TenantTransaction): void {
  tx.send(sql`select set_config('synchronous_commit', 'off', true), set_config('work_mem', '32MB', true)`);
}
