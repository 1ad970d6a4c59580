/** What a store would send to the database, caught before it is sent, so that a test can ask for its plan. */

import type { CompiledQuery } from 'kysely';
import { type Database, db, type Query } from '../../src/db/database.ts';
import { inTenant, type TenantTransaction } from '../../src/db/tenant-transaction.ts';
import type { TenantId } from '../../src/kernel/ids.ts';

/** The statements that `work` sends; each is answered with no rows. */
export async function captured(
  tenantId: TenantId,
  work: (tx: TenantTransaction) => Promise<unknown>,
): Promise<CompiledQuery[]> {
  const statements: CompiledQuery[] = [];
  const catchIt = (query: Query<unknown>) => {
    statements.push(query.compile(db));
  };
  await work({
    tenantId,
    run: async (query) => {
      catchIt(query);
      return [];
    },
    count: async (query) => {
      catchIt(query);
      return 0;
    },
    send: catchIt,
    commit: () => {},
    flushAfterCommit: () => {},
    afterCommit: () => {},
  });
  return statements;
}

/** A node of a plan, with the figures of having run it. */
export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

/** Every node of the plan with which the statement runs as the request role with that tenant set. */
export async function planOf(
  database: Database,
  tenantId: TenantId,
  statement: CompiledQuery,
): Promise<PlanNode[]> {
  const explain: CompiledQuery<{ 'QUERY PLAN': { Plan: PlanNode }[] }> = {
    ...statement,
    rows: undefined as never,
    sql: `explain (analyze, timing off, format json) ${statement.sql}`,
  } as never;
  const rows = await inTenant(database, tenantId, (tx) => tx.run({ compile: () => explain }));
  return rows.flatMap((row) => row['QUERY PLAN'].flatMap(({ Plan }) => nodesOf(Plan)));
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
