/**
 * Deletes what has served its time: recorded calls past their retention or over their number, expired access tokens,
 * creations whose answer nobody asks for again, batches of marks that no sync comes to, logins and sessions that are over, signals that nobody took. Each statement is a transaction, so that nothing is held up for long.
 */

import type { Database } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { limits } from '../kernel/limits.ts';
import { unfoldMarksBefore } from '../provisioning/mark-sql.ts';
import { deleteRequestsBefore } from '../requests/request-store.ts';
import { deleteSessionsOfEpochsBefore } from '../sessions/session-store.ts';
import { deleteExpiredArtefacts } from '../sso/op/artefact-store.ts';
import {
  deleteBeyond,
  deleteExpiredTokens,
  deleteSignalsBefore,
  deleteSsoBefore,
  deleteUnansweredBefore,
  findLeftovers,
} from './leftovers-store.ts';
import { selectSettings } from './settings-store.ts';

const dayMs = 24 * 60 * 60 * 1000;

const tenantsAtOnce = 100;
/** A look ends here, and the next goes on. */
const roundsMax = 20;

/**
 * Clears the tenants that have anything to clear. What is more than a look's worth is left to the next.
 *
 * @param isOver Whether the process is about to end.
 * @throws AggregateError of the tenants for which it failed, after the others were cleared.
 */
export async function clearLeftovers(
  database: Database,
  now: Date,
  isOver: () => boolean = () => false,
): Promise<void> {
  const failures = new Map<TenantId, unknown>();
  for (let round = 0; round < roundsMax; round += 1) {
    const found = await findLeftovers(database, now, tenantsAtOnce);
    // Who failed is found again; so is who has more to clear.
    const tenants = found.filter((tenantId) => !failures.has(tenantId));
    for (const tenantId of tenants) {
      if (isOver()) return;
      await clearTenant(database, tenantId, now).catch((error: unknown) => failures.set(tenantId, error));
    }
    if (found.length < tenantsAtOnce || tenants.length === 0) break;
  }
  if (failures.size > 0) {
    throw new AggregateError(failures.values(), `${failures.size} tenants could not be cleared`);
  }
}

async function clearTenant(database: Database, tenantId: TenantId, now: Date): Promise<void> {
  const { requestRetentionDays } = await inTenant(database, tenantId, selectSettings);
  const retainedFrom = new Date(now.getTime() - requestRetentionDays * dayMs);
  const answeredFrom = new Date(now.getTime() - limits.lostAnswerMs);
  await deleteInBatches(database, tenantId, (tx, most) => deleteRequestsBefore(tx, retainedFrom, most));
  await deleteInBatches(database, tenantId, (tx, most) => deleteExpiredTokens(tx, now, most));
  await deleteInBatches(database, tenantId, (tx, most) => deleteUnansweredBefore(tx, answeredFrom, most));
  const givenUpFrom = new Date(now.getTime() - limits.signalDaysMax * dayMs);
  await deleteInBatches(database, tenantId, (tx, most) => deleteSignalsBefore(tx, givenUpFrom, most));
  for (const table of [
    'sso_requests',
    'sso_assertions',
    'sso_revocations',
    'sso_sessions',
    'sso_tests',
  ] as const) {
    await deleteInBatches(database, tenantId, (tx, most) => deleteSsoBefore(tx, table, now, most));
  }
  await deleteInBatches(database, tenantId, deleteSessionsOfEpochsBefore);
  const unmetFrom = new Date(now.getTime() - dayMs);
  await deleteInBatches(database, tenantId, async (tx, most) =>
    (await unfoldMarksBefore(tx, unmetFrom)) === 0 ? 0 : most,
  );
  await deleteInBatches(database, tenantId, (tx, most) =>
    deleteSsoBefore(tx, 'sso_logins', retainedFrom, most),
  );
}

/** What the OpenID provider issued, of all tenants: it goes by real time, like its clients. */
export async function clearIssued(
  database: Database,
  realNow: Date,
  isOver: () => boolean = () => false,
): Promise<void> {
  const most = limits.housekeepingRowsPerStatement;
  for (let n = 0; n < roundsMax && !isOver(); n += 1) {
    if ((await deleteExpiredArtefacts(database, realNow, most)) < most) return;
  }
}

/** Recorded calls on top of the newest `kept`, and so with traces of logins, which anybody can cause. */
export async function clearExcess(
  database: Database,
  tenantId: TenantId,
  kept: number = limits.recordedRequestsPerTenantMax,
): Promise<void> {
  for (const table of ['recorded_requests', 'sso_logins'] as const) {
    await deleteInBatches(database, tenantId, (tx, most) => deleteBeyond(tx, table, kept, most));
  }
}

async function deleteInBatches(
  database: Database,
  tenantId: TenantId,
  deleteSome: (tx: TenantTransaction, most: number) => Promise<number>,
): Promise<void> {
  const most = limits.housekeepingRowsPerStatement;
  for (let n = 0; n < limits.housekeepingStatementsPerLook; n += 1) {
    if ((await inTenant(database, tenantId, (tx) => deleteSome(tx, most))) < most) return;
  }
}
