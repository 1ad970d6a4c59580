/** A trail without a gateway: entries written by themselves, sealed and verified through the flows, and changed as the owner can. */

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import pg from 'pg';
import { appendAudit } from '../../src/audit/audit-store.ts';
import { sealTrail } from '../../src/audit/seal-flow.ts';
import { type Verification, type VerifyRequest, verifyTrail } from '../../src/audit/verify-flow.ts';
import type { Database } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { signerFor } from '../../src/kernel/signer.ts';
import { testActor } from '../support/tenants.ts';

export const signer = signerFor('audit', Buffer.alloc(32, 7));

export class Trail {
  readonly database: Database;
  readonly tenantId: TenantId;

  constructor(database: Database, tenantId: TenantId) {
    this.database = database;
    this.tenantId = tenantId;
  }

  /** One transaction with so many entries, the time of each a second behind the one before. */
  async write(count = 1, now = new Date('2026-03-10T12:00:00Z')): Promise<void> {
    const door = { tenantId: this.tenantId, actor: testActor, now, requestId: null };
    const events = Array.from({ length: count }, (_, n) => ({
      ...{ action: 'user.updated', subject: `s${n}`, before: { n }, after: { n: n + 1 } },
    }));
    await inTenant(this.database, this.tenantId, async (tx) => appendAudit(tx, door, events));
  }

  sealNow(most = 1000): Promise<number> {
    return sealTrail(this.database, signer, { tenantId: this.tenantId, now: new Date(), most });
  }

  /** All that is written: other tests write on the same server, and what is under way there is waited for. */
  async seal(most = 1000): Promise<number> {
    await untilSealable(this.database);
    return await this.sealNow(most);
  }

  verify(change: Partial<VerifyRequest> = {}, as = signer): Promise<Verification> {
    const { tenantId } = this;
    const whole = { tenantId, from: { number: 0, entries: 0 }, kept: undefined, isOver: () => false };
    return verifyTrail(this.database, as, { ...whole, ...change });
  }
}

/** Resolves once each transaction that had begun is over. */
export async function untilSealable(database: Database): Promise<void> {
  const [{ coming } = { coming: '' }] = await database.run(
    sql<{ coming: string }>`select pg_snapshot_xmax(pg_current_snapshot())::text as coming`,
  );
  const isOver = sql<{
    isOver: boolean;
  }>`select pg_snapshot_xmin(pg_current_snapshot()) >= ${coming}::xid8 as "isOver"`;
  while ((await database.run(isOver))[0]?.isOver !== true) await sleep(5);
}

const tables = ['audit_events', 'audit_batches', 'audit_seals', 'role_sets', 'decisions'];

/** Who owns the tables, and is held up by nothing. */
export async function openOwner(url: string): Promise<pg.Client> {
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  for (const table of tables) await owner.query(`alter table ${table} no force row level security`);
  return owner;
}
