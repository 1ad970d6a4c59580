/** Rows of edit_requests: calls that wait for a second person. */

import { sql } from 'kysely';
import { lookForAlerts } from '../alerts/alert-store.ts';
import type { Actor, Administrator } from '../audit/audit-event.ts';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { Lineage } from '../tenants/lineage.ts';
import type { Replaced } from './replaced.ts';

/** Why one person does not suffice. */
export type Delicacy = 'capacity' | 'block' | 'pin' | 'rule' | 'breaker';

/** A call of the admin API. */
export interface Call {
  method: 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v1`. */
  path: string;
  body: unknown;
}

export interface EditRequest extends Call {
  id: string;
  because: Delicacy[];
  /** Of one that was asked for before this was kept: null. */
  replaces: Replaced | null;
  actor: Administrator;
  /** The key that asked, and whom it descends from. */
  askedBy: Lineage;
  createdAt: Date;
  /** `outdated`: what it replaces was changed since. */
  state: 'pending' | 'applying' | 'approved' | 'refused' | 'outdated';
  decidedBy: Actor | null;
  decidedAt: Date | null;
}

export function insertEditRequest(tx: TenantTransaction, request: EditRequest): void {
  lookForAlerts(tx);
  tx.send(
    db.insertInto('edit_requests').values({
      tenant_id: tx.tenantId,
      id: request.id,
      method: request.method,
      path: request.path,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      because: request.because,
      actor: JSON.stringify(request.actor),
      asked_by: [...request.askedBy],
      created_at: request.createdAt,
      state: request.state,
      decided_by: null,
      decided_at: null,
      replaces: request.replaces === null ? null : JSON.stringify(request.replaces),
    }),
  );
}

/** Characters of a file that a list tells. */
const toldLengthMax = 1000;

/** Newest first, older than `before`; of files their beginning. */
export async function selectEditRequests(
  tx: TenantTransaction,
  before: string,
  most: number,
): Promise<EditRequest[]> {
  const rows = await tx.run(
    db
      .selectFrom('edit_requests')
      .select(['id', 'method', 'path', 'because', 'actor', 'asked_by', 'created_at', 'state'])
      .select(['decided_by', 'decided_at', 'replaces'])
      .select(
        sql<unknown>`case jsonb_typeof(body) when 'string' then to_jsonb(left(body #>> '{}', ${toldLengthMax})) else body end`.as(
          'body',
        ),
      )
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '<', before)
      .orderBy('id', 'desc')
      .limit(most),
  );
  return rows.map(toRequest);
}

export async function selectEditRequest(tx: TenantTransaction, id: string): Promise<EditRequest | undefined> {
  const [row] = await tx.run(
    db.selectFrom('edit_requests').selectAll().where('tenant_id', '=', tx.tenantId).where('id', '=', id),
  );
  return row === undefined ? undefined : toRequest(row);
}

/** Answers whether the request was in the state that it leaves: of two people who decide one does. */
export async function moveEditRequest(
  tx: TenantTransaction,
  id: string,
  from: EditRequest['state'],
  to: EditRequest['state'],
  decided: { by: Actor; at: Date } | null,
): Promise<boolean> {
  lookForAlerts(tx);
  const moved = await tx.count(sql`
    update edit_requests set state = ${to}, decided_by = ${decided === null ? null : JSON.stringify(decided.by)}::jsonb,
      decided_at = ${decided?.at ?? null}::timestamptz
    where tenant_id = ${tx.tenantId} and id = ${id} and state = ${from}
  `);
  return moved > 0;
}

/** Whose approval was begun before that, and came to no end, waits again: that approval is none any more. */
export async function releaseAbandoned(tx: TenantTransaction, id: string, begunBefore: Date): Promise<void> {
  await tx.run(sql`
    update edit_requests set state = 'pending', decided_by = null, decided_at = null
    where tenant_id = ${tx.tenantId} and id = ${id} and state = 'applying' and decided_at < ${begunBefore}
  `);
  // Of one that a process of before began, it counts from when it was first seen.
  await tx.run(sql`
    update edit_requests set decided_at = now() where tenant_id = ${tx.tenantId} and id = ${id} and state = 'applying' and decided_at is null
  `);
}

interface Row {
  id: string;
  method: string;
  path: string;
  body: unknown;
  because: string[];
  actor: unknown;
  asked_by: string[];
  created_at: Date;
  state: EditRequest['state'];
  decided_by: unknown;
  decided_at: Date | null;
  replaces: unknown;
}

function toRequest(row: Row): EditRequest {
  return {
    id: row.id,
    method: row.method as Call['method'],
    path: row.path,
    body: row.body ?? undefined,
    because: row.because as Delicacy[],
    replaces: row.replaces as Replaced | null,
    actor: row.actor as Administrator,
    askedBy: row.asked_by,
    createdAt: row.created_at,
    state: row.state,
    decidedBy: row.decided_by as Actor | null,
    decidedAt: row.decided_at,
  };
}
