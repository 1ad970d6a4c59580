/**
 * Batches of a large edit that are being written: for their people, a range of ids, nobody else may decide meanwhile. Their rows
 * are written before the pool is locked; a claim is made and given back while it is.
 */

import { sql } from 'kysely';
import { Restart, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';

/** The first and the last of them. */
export interface Range {
  first: UserId;
  last: UserId;
}

/** Longer than any statement may take: what is older was left by a process that died. */
const isAlive = sql`claimed_at > clock_timestamp() - interval '30 seconds'`;

/** About as long as one is under way. */
const waitMs = 60;

/** Answers false, and claims nothing, where another batch has some of these people. */
export async function claimBatch(tx: TenantTransaction, { first, last }: Range): Promise<boolean> {
  tx.send(sql`delete from evaluation_batches where tenant_id = ${tx.tenantId} and not ${isAlive}`);
  const rows = await tx.run(sql`
    insert into evaluation_batches (tenant_id, first_id, last_id)
    select ${tx.tenantId}, ${first}, ${last}
    where not exists (select from evaluation_batches
      where tenant_id = ${tx.tenantId} and first_id <= ${last}::uuid and last_id >= ${first}::uuid)
    returning first_id
  `);
  return rows.length > 0;
}

/** Answers whether the claim was still there. */
export async function releaseBatch(tx: TenantTransaction, { first }: Range): Promise<boolean> {
  const deleted = await tx.count(
    sql`delete from evaluation_batches where tenant_id = ${tx.tenantId} and first_id = ${first}`,
  );
  return deleted > 0;
}

/** @throws Restart, to come again once the batch is written that one of these people is in. */
export async function waitForBatches(tx: TenantTransaction, userIds: readonly UserId[]): Promise<void> {
  if (userIds.length === 0) return;
  const rows = await tx.run(sql`
    select from evaluation_batches b where b.tenant_id = ${tx.tenantId} and ${isAlive}
      and exists (select from unnest(${userIds}::uuid[]) u (id) where u.id between b.first_id and b.last_id) limit 1
  `);
  if (rows.length > 0) throw new Restart(waitMs);
}

/** Whether any is under way. */
export async function isAnyBatch(tx: TenantTransaction): Promise<boolean> {
  const rows = await tx.run(
    sql`select from evaluation_batches where tenant_id = ${tx.tenantId} and ${isAlive} limit 1`,
  );
  return rows.length > 0;
}
