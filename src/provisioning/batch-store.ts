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

/** What is older was left by a process that died, or counts no more: shorter than whoever meets it waits. */
const isAlive = sql`claimed_at > clock_timestamp() - interval '10 seconds'`;

/** About as long as one is under way. */
const waitMs = 60;

/** A range, and by what its claim is known. */
export interface Claim extends Range {
  token: string;
}

/** undefined, and nothing is claimed, where another batch has some of these people. */
export async function claimBatch(tx: TenantTransaction, range: Range): Promise<Claim | undefined> {
  const { first, last } = range;
  tx.send(sql`delete from evaluation_batches where tenant_id = ${tx.tenantId} and not ${isAlive}`);
  const [claim] = await tx.run(sql<Pick<Claim, 'token'>>`
    insert into evaluation_batches (tenant_id, first_id, last_id)
    select ${tx.tenantId}, ${first}, ${last}
    where not exists (select from evaluation_batches
      where tenant_id = ${tx.tenantId} and first_id <= ${last}::uuid and last_id >= ${first}::uuid)
    returning token
  `);
  return claim === undefined ? undefined : { ...range, ...claim };
}

/** Answers whether the claim held until now: that nobody else decided for its people. */
export async function releaseBatch(tx: TenantTransaction, { first, token }: Claim): Promise<boolean> {
  const [was] = await tx.run(sql<{ isHeld: boolean }>`
    delete from evaluation_batches where tenant_id = ${tx.tenantId} and first_id = ${first} and token = ${token}
    returning ${isAlive} as "isHeld"
  `);
  return was?.isHeld ?? false;
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

/** @throws Restart, to come again once no batch is being written: for writes that may concern anybody. */
export async function waitForAnyBatch(tx: TenantTransaction): Promise<void> {
  if (await isAnyBatch(tx)) throw new Restart(waitMs);
}

/** Whether any is under way. */
export async function isAnyBatch(tx: TenantTransaction): Promise<boolean> {
  const rows = await tx.run(
    sql`select from evaluation_batches where tenant_id = ${tx.tenantId} and ${isAlive} limit 1`,
  );
  return rows.length > 0;
}
