/** Lines of the contract: appended and superseded, never changed, so that what was known at any instant can be told. */

import { type RawBuilder, sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { ContractDraft, ContractLine } from '../licensing/contract.ts';

/** A line with what is noted of it. */
export interface StoredLine extends Omit<ContractLine, 'kind'> {
  id: string;
  kind: ContractLine['kind'] | 'base';
  reason: string | null;
  documentReference: string | null;
  /** Of a base line the contract as it was written. */
  document: ContractDraft | null;
  recordedAt: Date;
  /** When it was corrected or withdrawn. */
  supersededAt: Date | null;
}

export function insertLine(tx: TenantTransaction, line: StoredLine): void {
  tx.send(
    db.insertInto('contract_lines').values({
      tenant_id: tx.tenantId,
      id: line.id,
      kind: line.kind,
      effective_on: line.effectiveOn,
      ends_on: line.endsOn,
      sets_seats: line.setsSeats,
      paid_seats: line.paidSeats,
      tier: line.tier,
      contract_ends_on: line.contractEndsOn,
      reason: line.reason,
      document_reference: line.documentReference,
      document: line.document === null ? null : JSON.stringify(line.document),
      recorded_at: line.recordedAt,
    }),
  );
}

/** Sends that the base lines no longer hold which begin on none of these days. */
export function supersedeBases(tx: TenantTransaction, kept: readonly string[], now: Date): void {
  tx.send(
    sql`update contract_lines set superseded_at = ${now} where tenant_id = ${tx.tenantId} and kind = 'base'
      and superseded_at is null and effective_on <> all(${kept}::date[])`,
  );
}

/** The base lines that hold: what was written first, and what was signed for the time after it. */
export function selectBases(tx: TenantTransaction): Promise<StoredLine[]> {
  return select(tx, sql`kind = 'base' and superseded_at is null`);
}

/** Sends that a line is withdrawn. */
export function supersedeLine(tx: TenantTransaction, id: string, now: Date): void {
  tx.send(
    sql`update contract_lines set superseded_at = ${now} where tenant_id = ${tx.tenantId} and id = ${id}
      and superseded_at is null`,
  );
}

/** What the base line is changed by, in the order of `selectLines`. */
export function selectChanges(tx: TenantTransaction): Promise<(StoredLine & ContractLine)[]> {
  return select<StoredLine & ContractLine>(tx, sql`kind <> 'base' and superseded_at is null`);
}

/**
 * The lines that held in the books at an instant, whatever has been recorded since; in the order of their days, and of one
 * day in the order in which they were recorded.
 */
export function selectLines(tx: TenantTransaction, books: Date): Promise<StoredLine[]> {
  return select(tx, sql`recorded_at <= ${books} and (superseded_at is null or superseded_at > ${books})`);
}

function select<T extends StoredLine>(tx: TenantTransaction, where: RawBuilder<unknown>): Promise<T[]> {
  return tx.run(sql<T>`
    select id, kind, effective_on as "effectiveOn", ends_on as "endsOn", sets_seats as "setsSeats",
      paid_seats as "paidSeats", tier, contract_ends_on as "contractEndsOn", reason,
      document_reference as "documentReference", document, recorded_at as "recordedAt", superseded_at as "supersededAt"
    from contract_lines where tenant_id = ${tx.tenantId} and ${where}
    order by effective_on, recorded_at, id
  `);
}
