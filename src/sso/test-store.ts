/** Tests of connections: who may begin one, and what came of it. */

import { sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ConnectionId } from '../kernel/ids.ts';
import type { TestReport } from './core/test-report.ts';

export interface NewTest {
  id: string;
  connectionId: ConnectionId;
  hash: string;
  createdAt: Date;
  beginUntil: Date;
  expiresAt: Date;
}

export function insertTest(tx: TenantTransaction, test: NewTest): void {
  tx.send(
    db.insertInto('sso_tests').values({
      ...{ tenant_id: tx.tenantId, id: test.id, connection_id: test.connectionId, token_hash: test.hash },
      ...{
        created_at: test.createdAt,
        begin_until: test.beginUntil,
        expires_at: test.expiresAt,
        report: null,
      },
    }),
  );
}

/** undefined: there is none, it was begun before, or it is too late. */
export async function takeTest(
  tx: TenantTransaction,
  hash: string,
  now: Date,
): Promise<{ id: string; connectionId: ConnectionId } | undefined> {
  const [row] = await tx.run(
    db
      .updateTable('sso_tests')
      .set({ begin_until: now })
      .where('tenant_id', '=', tx.tenantId)
      .where('token_hash', '=', hash)
      .where('begin_until', '>', now)
      .returning(['id', 'connection_id as connectionId']),
  );
  return row && { id: row.id, connectionId: row.connectionId as ConnectionId };
}

/** Of those that are over but still there, the newest counts. */
export async function countTests(tx: TenantTransaction, connectionId: ConnectionId): Promise<number> {
  const [row] = await tx.run(sql<{ count: number }>`
    select count(*)::integer as count from sso_tests where tenant_id = ${tx.tenantId} and connection_id = ${connectionId}
  `);
  return row?.count ?? 0;
}

export interface Test {
  id: string;
  createdAt: Date;
  /** Once it was begun, when that was. */
  beginUntil: Date;
  expiresAt: Date;
  /** null: nobody came back yet. */
  report: TestReport | null;
}

export async function selectTest(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  id: string,
  now: Date,
): Promise<Test | undefined> {
  const [row] = await tx.run(
    db
      .selectFrom('sso_tests')
      .selectAll()
      .where('tenant_id', '=', tx.tenantId)
      .where('connection_id', '=', connectionId)
      .where('id', '=', id)
      .where('expires_at', '>', now),
  );
  return (
    row && {
      ...{ id: row.id, createdAt: row.created_at, beginUntil: row.begin_until, expiresAt: row.expires_at },
      report: row.report as TestReport | null,
    }
  );
}

export function writeReport(tx: TenantTransaction, id: string, report: TestReport): void {
  tx.send(
    db
      .updateTable('sso_tests')
      .set({ report: JSON.stringify(report) })
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id),
  );
}
