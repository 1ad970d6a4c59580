/** Reads the contract as it was written, and the seats as they are. */

import { sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { FallbackRole } from '../licensing/catalogue.ts';
import type { Contract, ContractDraft } from '../licensing/contract.ts';
import { contractJson } from '../provisioning/contract-sql.ts';

/** undefined: none was written yet. */
export async function selectContract(tx: TenantTransaction): Promise<ContractDraft | undefined> {
  const [row] = await tx.run(db.selectFrom('contracts').selectAll().where('tenant_id', '=', tx.tenantId));
  if (row === undefined) return undefined;
  return {
    kind: row.kind,
    tier: row.tier,
    paidSeats: row.paid_seats,
    startsOn: row.starts_on,
    endsOn: row.ends_on,
    policy: row.overage_policy,
    fallbackRole: row.fallback_role as FallbackRole,
    paymentSchedule: row.payment_schedule,
    terms: row.terms,
    documentReference: row.document_reference,
    accountManager: row.account_manager,
    billingPortalUrl: row.billing_portal_url,
    evaluationGraceDays: row.evaluation_grace_days,
  };
}

/** The contract as the rules read it, with its lines. */
export async function selectContractInForce(tx: TenantTransaction): Promise<Contract | undefined> {
  const [row] = await tx.run(
    sql<{ contract: Contract | null }>`select ${contractJson(tx.tenantId)} as contract`,
  );
  return row?.contract ?? undefined;
}

export interface SeatCounts {
  held: number;
  waiting: number;
  unmanagedPaid: number;
}

export async function selectSeats(tx: TenantTransaction): Promise<SeatCounts> {
  const [row] = await tx.run(sql<SeatCounts>`
    select p.used as held, p.unmanaged_paid as "unmanagedPaid",
      (select count(*) from decisions d where d.tenant_id = p.tenant_id and d.seat = 'waiting') as waiting
    from seat_pools p where p.tenant_id = ${tx.tenantId}
  `);
  return row ?? { held: 0, waiting: 0, unmanagedPaid: 0 };
}
