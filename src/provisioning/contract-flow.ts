/** Writes of the contract, and what its dates bring about by themselves. */

import type { AuditEvent } from '../audit/audit-event.ts';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { type Database, db } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { newId } from '../kernel/ids.ts';
import { type Contract, type ContractDraft, termsSigned } from '../licensing/contract.ts';
import { startOf } from '../licensing/contract-day.ts';
import { restoreBlock } from './block-guard-store.ts';
import {
  insertLine,
  type StoredLine,
  selectBases,
  selectChanges,
  supersedeBases,
  supersedeLine,
} from './contract-line-store.ts';
import { decide } from './decide-flow.ts';
import { lockFallbacks, requireFreeFallbacks } from './fallback-flow.ts';
import type { Pool } from './pool.ts';
import { lockPool } from './pool-store.ts';
import { byContract, type LineDraft, unknownLine, withBase, withLine, withLines } from './prospect.ts';

/**
 * Writes or corrects the base line of the contract; other lines stay. More seats are granted at once, in the order of the queue.
 * Where a contract holds already, one with a first day to come holds from then on.
 *
 * @throws Fault `invalid` for a paid fallback role, or days outside of which a line would come to lie.
 */
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
    allowance_percent: draft.allowancePercent,
    grace_days: draft.graceDays,
    evaluation_grace_days: draft.evaluationGraceDays,
    decrease_grace_days: draft.decreaseGraceDays,
  };
  await inTenant(database, door.tenantId, async (tx) => {
    await lockFallbacks(tx, [draft.fallbackRole]);
    await requireFreeFallbacks(tx, [{ role: draft.fallbackRole, field: 'fallbackRole' }]);
    const [pool, [before]] = await Promise.all([
      lockPool(tx),
      tx.run(db.selectFrom('contracts').selectAll().where('tenant_id', '=', tx.tenantId)),
    ]);
    const contract = withBase(pool, draft, door.now);
    const signed = termsSigned(contract);
    if (signed[0]?.startsOn === draft.startsOn)
      tx.send(
        db
          .insertInto('contracts')
          .values({ tenant_id: tx.tenantId, ...columns })
          .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet(columns)),
      );
    if (startOf(draft.startsOn) <= door.now) await restoreBlock(tx);
    const kept = signed.map(({ startsOn }) => startsOn).filter((day) => day !== draft.startsOn);
    supersedeBases(tx, kept, door.now);
    insertLine(tx, baseLineOf(draft, door.now));
    const event = { action: 'contract.written', subject: null, before: before ?? null, after: columns };
    await decideAnew(tx, door, pool, contract, event);
  });
  return draft;
}

function baseLineOf(draft: ContractDraft, now: Date): StoredLine {
  return {
    id: newId(now.getTime()),
    kind: 'base',
    effectiveOn: draft.startsOn,
    endsOn: null,
    setsSeats: true,
    paidSeats: draft.paidSeats,
    tier: draft.tier,
    contractEndsOn: draft.endsOn,
    reason: null,
    documentReference: draft.documentReference,
    document: draft,
    recordedAt: now,
    supersededAt: null,
  };
}

/**
 * Adds a line to the contract. What it changes today is done at once; what it changes later, at its instant.
 *
 * @throws Fault `conflict` when there is no contract; `invalid` naming the field for days that lie wrong.
 */
export async function addLine(database: Database, door: Door, draft: LineDraft): Promise<StoredLine> {
  const line: StoredLine = {
    ...draft,
    id: newId(door.now.getTime()),
    document: null,
    recordedAt: door.now,
    supersededAt: null,
  };
  await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    const contract = withLine(pool, draft);
    insertLine(tx, line);
    await decideAnew(tx, door, pool, contract, {
      action: `contract.${draft.kind === 'amendment' ? 'amended' : 'line_added'}`,
      subject: line.id,
      after: draft,
    });
  });
  return line;
}

/**
 * Takes a line out of the contract, as if it had never been; the books keep it. Of base lines that is one which has not begun.
 *
 * @throws Fault `not_found`; `conflict` for a base line that has lines of its own, and where a line would come to lie after the last day.
 */
export async function withdrawLine(database: Database, door: Door, id: string): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const pool = await lockPool(tx);
    const { line, contract } = await contractWithout(tx, pool, id, door.now);
    supersedeLine(tx, id, door.now);
    const event = { action: 'contract.line_withdrawn', subject: id, before: line };
    await decideAnew(tx, door, pool, contract, event);
  });
}

/** @throws Fault as `withdrawLine`. */
export async function contractWithout(
  tx: TenantTransaction,
  { contract }: Pick<Pool, 'contract'>,
  id: string,
  now: Date,
): Promise<{ line: StoredLine; contract: Contract }> {
  const [bases, lines] = await Promise.all([selectBases(tx), selectChanges(tx)]);
  const awaited = bases.find((one) => one.id === id && now < startOf(one.effectiveOn));
  if (contract !== undefined && awaited !== undefined && bases.length > 1) {
    if (lines.some(({ effectiveOn }) => awaited.effectiveOn <= effectiveOn))
      throw new Fault(
        'conflict',
        'Lines of what was signed ahead would become lines of what is in force: withdraw them first.',
      );
    const later = contract.later?.filter(({ startsOn }) => startsOn !== awaited.effectiveOn) ?? [];
    return { line: awaited, contract: { ...contract, later } };
  }
  const line = lines.find((one) => one.id === id);
  if (contract === undefined || line === undefined) throw unknownLine(id);
  return {
    line,
    contract: withLines(
      contract,
      lines.filter((one) => one !== line),
    ),
  };
}

async function decideAnew(
  tx: TenantTransaction,
  door: Door,
  pool: Pool,
  contract: Contract | undefined,
  event: AuditEvent,
): Promise<void> {
  const { affected, ...prospect } = byContract(pool, contract, door.now);
  // Whatever day it speaks of, it is new from now on.
  const written = { ...prospect.pool, settledAt: door.now };
  const { audit } = await decide(tx, door, written, affected, { isSettled: true });
  appendAudit(tx, door, [event, ...audit]);
}
