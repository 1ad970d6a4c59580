/** Reads the contract as it was written, and the seats as they are. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import type { Usage } from '../licensing/admit.ts';
import { baseAt, type Contract, type ContractDraft } from '../licensing/contract.ts';
import type { StagedPeople } from '../licensing/waiting-alert.ts';
import { selectBases } from '../provisioning/contract-line-store.ts';
import { contractJson } from '../provisioning/contract-sql.ts';
import { stagedJson } from '../provisioning/staged-sql.ts';

/** As it was written, of the term that holds; undefined: none was written yet. */
export async function selectContract(tx: TenantTransaction, now: Date): Promise<ContractDraft | undefined> {
  return baseAt(await selectBases(tx), now)?.document ?? undefined;
}

/** The contract as the rules read it, with its lines. */
export async function selectContractInForce(tx: TenantTransaction): Promise<Contract | undefined> {
  const [row] = await tx.run(
    sql<{ contract: Contract | null }>`select ${contractJson(tx.tenantId)} as contract`,
  );
  return row?.contract ?? undefined;
}

export interface SeatCounts extends Usage {
  /** In the queue. */
  waiting: number;
  /** Without a place in it until somebody approves the claim. */
  awaitingApproval: number;
  batchOpenedAt: Date | null;
  settlesAt: Date | null;
  excessSince: Date | null;
  blockLiftedAt: Date | null;
  /** Whom the breaker holds back; null: nobody. */
  staged: StagedPeople | null;
}

export async function selectSeats(tx: TenantTransaction): Promise<SeatCounts> {
  const [row] = await tx.run(sql<SeatCounts>`
    select p.used - p.overage - p.on_hold as held, p.overage, p.on_hold as "onHold", p.unmanaged_paid as "unmanagedPaid",
      w.waiting, w."awaitingApproval",
      p.batch_opened_at as "batchOpenedAt", p.settles_at as "settlesAt", p.excess_since as "excessSince", ${stagedJson} as staged,
      (select c.block_lifted_at from contracts c where c.tenant_id = p.tenant_id) as "blockLiftedAt"
    from seat_pools p, (
      select count(*) filter (where d.approval is null) as waiting,
        count(*) filter (where d.approval is not null) as "awaitingApproval"
      from decisions d where d.tenant_id = ${tx.tenantId} and d.seat = 'waiting') w
    where p.tenant_id = ${tx.tenantId}
  `);
  assert(row !== undefined, 'every tenant has a seat pool');
  return row;
}
