/**
 * Keeps policy `block` from stopping an identity provider. Entra puts a job that fails too often into quarantine, and then
 * leavers are deprovisioned late because joiners had no seat: before that, `block` stands as `queue`.
 */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { termsAt } from '../licensing/contract.ts';
import {
  countWrites,
  type DirectoryRefusals,
  findRefusedTenants,
  liftBlock,
  restoreBlock,
  selectRefusals,
} from './block-guard-store.ts';
import { lockPool } from './pool-store.ts';

/** What is too much. */
export interface GuardLine {
  /** Refusals of one directory, where they are so many percent of its writes. */
  refusals: number;
  percent: number;
  /** Refusals whatever their share. */
  refusalsAlone: number;
}

const usualLine: GuardLine = {
  refusals: limits.blockGuardRefusals,
  percent: limits.blockGuardPercent,
  refusalsAlone: limits.blockGuardRefusalsAlone,
};
/** Over the short time writes from before do not hide a burst; over the long one a slow cycle adds up. */
const windows = [limits.blockGuardMinutes, limits.blockGuardMinutesLong];

/** Since when refusals count at all. */
export function guardedSince(now: Date): Date {
  return minutesBefore(now, Math.max(...windows));
}

function minutesBefore(now: Date, minutes: number): Date {
  return new Date(now.getTime() - minutes * 60_000);
}

/**
 * Lifts `block` for the tenants that are near the line.
 *
 * @throws AggregateError of the tenants for which it failed, after the others.
 */
export async function guardBlocks(database: Database, now: Date, line = usualLine): Promise<void> {
  const failures: unknown[] = [];
  for (const tenantId of await findRefusedTenants(database, guardedSince(now), line.refusals)) {
    await guardBlock(database, tenantId, now, line).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} tenants are not guarded`);
}

async function guardBlock(database: Database, tenantId: TenantId, now: Date, line: GuardLine): Promise<void> {
  const door: Door = { tenantId, actor: { kind: 'system', rule: 'block guard' }, now, requestId: null };
  await inTenant(database, tenantId, async (tx) => {
    // Without the pool's lock: as a rule the share is far from the line, and nobody should wait for that.
    const found = await findOverLine(tx, now, line);
    if (found === undefined) return;
    const { contract } = await lockPool(tx);
    // Written anew, or lifted by another gateway, meanwhile.
    if (termsAt(contract, now).policy !== 'block') return;
    liftBlock(tx, now);
    appendAudit(tx, door, [{ action: 'seats.block_lifted', subject: null, inputs: { ...found, line } }]);
  });
}

interface OverLine extends DirectoryRefusals {
  minutes: number;
  /** At least so many. */
  writes: number;
}

/** Calls that could not be recorded are missing among the writes: then the line is met earlier. */
async function findOverLine(
  tx: TenantTransaction,
  now: Date,
  line: GuardLine,
): Promise<OverLine | undefined> {
  for (const minutes of windows) {
    const since = minutesBefore(now, minutes);
    for (const { directoryId, refusals } of await selectRefusals(tx, since, line.refusals)) {
      const most = Math.floor((refusals * 100) / line.percent);
      const writes = await countWrites(tx, directoryId, since, most + 1);
      if (writes <= most || refusals >= line.refusalsAlone) return { directoryId, refusals, minutes, writes };
    }
  }
  return undefined;
}

/** The policy stands as written again, whatever was refused before. */
export async function clearBlockGuard(database: Database, door: Door): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    await lockPool(tx);
    const liftedAt = await restoreBlock(tx);
    if (liftedAt === undefined) return;
    appendAudit(tx, door, [{ action: 'seats.block_restored', subject: null, before: { liftedAt } }]);
  });
}
