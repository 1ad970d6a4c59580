/** Lets happen what the breaker stopped. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import { termsAt } from '../licensing/contract.ts';
import { releaseStaged } from './affected-sql.ts';
import { lockPool, writePool } from './pool-store.ts';
import { evaluateRest } from './rest-flow.ts';

/** Decides for everybody who is staged. Where nobody is, nothing happens. */
export async function letThrough(database: Database, door: Door): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    if (pool.stagedSince === null) return;
    releaseStaged(tx);
    const terms = termsAt(pool.contract, door.now);
    writePool(
      tx,
      pool,
      { ...pool, terms, evaluating: true, isSettled: false, stagedSince: null, losses: null },
      door.now,
    );
    appendAudit(tx, door, [
      { action: 'breaker.released', subject: null, before: { since: pool.stagedSince } },
    ]);
    tx.afterCommit((other) => evaluateRest(other, door));
  });
}
