/** Creations whose answer may not have reached whoever asked (scim/creation-flow.ts). */

import { sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { DirectoryId } from '../kernel/ids.ts';

/** A resource that is to be made for a POST. */
export interface Creation<Id extends string> {
  readonly id: Id;
  /** SHA-256 in hex of what was asked for. */
  readonly draftHash: string;
}

/** Sends that the creation is not answered yet. */
export function insertUnanswered(
  tx: TenantTransaction,
  { id, draftHash }: Creation<string>,
  directoryId: DirectoryId,
  now: Date,
): void {
  tx.send(
    db.insertInto('unanswered_creations').values({
      tenant_id: tx.tenantId,
      resource_id: id,
      directory_id: directoryId,
      draft_hash: draftHash,
      created_at: now,
    }),
  );
}

/** The newest unanswered creation of that content, if any. */
export function selectUnanswered(
  tx: TenantTransaction,
  directoryId: DirectoryId,
  draftHash: string,
  since: Date,
): Promise<{ id: string; createdAt: Date }[]> {
  return tx.run(sql`
    select resource_id as id, created_at as "createdAt" from unanswered_creations
    where tenant_id = ${tx.tenantId} and created_at >= ${since} and directory_id = ${directoryId}
      and draft_hash = ${draftHash}
    order by created_at desc limit 1
  `);
}

export function deleteUnanswered(tx: TenantTransaction, ids: readonly string[]): void {
  tx.send(
    sql`delete from unanswered_creations where tenant_id = ${tx.tenantId} and resource_id = any(${ids}::uuid[])`,
  );
}
