/** Writes of the contract, and what its dates bring about by themselves. */

import { sql } from 'kysely';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { type Database, db } from '../db/database.ts';
import { inTenant } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { ContractDraft } from '../licensing/contract.ts';
import { decide } from './decide-flow.ts';
import { lockPool } from './decision-store.ts';

/** Writes the base line of the contract; more seats are granted at once, in the order of the queue. */
export async function putContract(
  database: Database,
  door: Door,
  draft: ContractDraft,
): Promise<ContractDraft> {
  const columns = {
    kind: draft.kind,
    tier: draft.tier,
    paid_seats: draft.paidSeats,
    starts_on: draft.startsOn,
    ends_on: draft.endsOn,
    payment_schedule: draft.paymentSchedule,
    overage_policy: draft.policy,
    fallback_role: draft.fallbackRole,
    terms: draft.terms,
    document_reference: draft.documentReference,
    account_manager: draft.accountManager,
    billing_portal_url: draft.billingPortalUrl,
  };
  await inTenant(database, door.tenantId, async (tx) => {
    const [pool, [before]] = await Promise.all([
      lockPool(tx),
      tx.run(db.selectFrom('contracts').selectAll().where('tenant_id', '=', tx.tenantId)),
    ]);
    tx.send(
      db
        .insertInto('contracts')
        .values({ tenant_id: tx.tenantId, ...columns })
        .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet(columns)),
    );
    const { audit } = await decide(tx, door, { ...pool, contract: draft }, { everyone: true });
    const event = { action: 'contract.written', subject: null, before: before ?? null, after: columns };
    appendAudit(tx, door, [event, ...audit]);
  });
  return draft;
}

/**
 * Tenants of whose contracts a date has come: everybody is decided for again. Answers how many there were.
 *
 * @throws AggregateError of the tenants for which it failed, after the others were settled.
 */
export async function settleDue(database: Database, now: Date, most: number): Promise<number> {
  const due = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_due_pools(${now}, ${most})`,
  );
  const failures: unknown[] = [];
  for (const { tenant_id: tenantId } of due) {
    const door: Door = { tenantId, actor: { kind: 'system', rule: 'contract date' }, now, requestId: null };
    await settle(database, door).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) {
    throw new AggregateError(failures, `${failures.length} of ${due.length} tenants could not be settled`);
  }
  return due.length;
}

/** Decides for everybody again; where nothing changed, nothing is written. Answers how many decisions changed. */
export async function settle(database: Database, door: Door): Promise<number> {
  return await inTenant(database, door.tenantId, async (tx) => {
    const { audit } = await decide(tx, door, await lockPool(tx), { everyone: true });
    appendAudit(tx, door, audit);
    return audit.length;
  });
}
