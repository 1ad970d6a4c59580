/** Brings a database to the newest migration, and makes the roles that requests run under. */

import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import * as foundation from '../../migrations/0001_foundation.ts';
import * as licensing from '../../migrations/0002_licensing.ts';
import * as scim from '../../migrations/0003_scim.ts';
import * as contractLines from '../../migrations/0004_contract_lines.ts';
import * as seats from '../../migrations/0005_seats.ts';
import * as testClock from '../../migrations/0006_test_clock.ts';
import * as mappingVersions from '../../migrations/0007_mapping_versions.ts';
import * as alerts from '../../migrations/0008_alerts.ts';
import * as catalogue from '../../migrations/0009_catalogue.ts';
import * as reclaim from '../../migrations/0010_reclaim.ts';
import * as staged from '../../migrations/0012_staged.ts';
import * as notice from '../../migrations/0013_notice.ts';
import * as approvals from '../../migrations/0014_approvals.ts';
import * as editRequests from '../../migrations/0016_edit_requests.ts';
import * as evaluation from '../../migrations/0017_evaluation.ts';
import * as subPools from '../../migrations/0018_sub_pools.ts';
import * as secondPerson from '../../migrations/0019_second_person.ts';
import * as alertsOver from '../../migrations/0020_alerts_over.ts';
import * as evaluationBatches from '../../migrations/0021_evaluation_batches.ts';
import * as roleSets from '../../migrations/0022_role_sets.ts';
import * as graceAndComparison from '../../migrations/0024_grace_and_comparison.ts';
import * as sso from '../../migrations/0025_sso.ts';
import * as askedLogins from '../../migrations/0026_asked_logins.ts';
import * as oidcConnections from '../../migrations/0027_oidc_connections.ts';
import * as openIdProvider from '../../migrations/0028_openid_provider.ts';
import * as domains from '../../migrations/0029_domains.ts';
import * as justInTime from '../../migrations/0030_just_in_time.ts';
import * as metadata from '../../migrations/0032_metadata.ts';
import * as signals from '../../migrations/0034_signals.ts';
import * as logouts from '../../migrations/0035_logouts.ts';
import * as connectionTests from '../../migrations/0036_connection_tests.ts';
import * as revocations from '../../migrations/0037_revocations.ts';
import * as lighterWrites from '../../migrations/0038_lighter_writes.ts';
import * as unasked from '../../migrations/0039_unasked.ts';
import * as roomOnPages from '../../migrations/0040_room_on_pages.ts';
import * as signedAhead from '../../migrations/0041_signed_ahead.ts';
import * as batchRows from '../../migrations/0042_batch_rows.ts';
import * as outdatedEdits from '../../migrations/0043_outdated_edits.ts';
import * as knownCapacity from '../../migrations/0044_known_capacity.ts';
import * as auditSeals from '../../migrations/0045_audit_seals.ts';
import * as givenWorkspaces from '../../migrations/0046_given_workspaces.ts';
import * as imports from '../../migrations/0048_imports.ts';
import { ConfigurationError } from '../kernel/configuration-error.ts';
import { type SchemaState, schemaProblem, schemaState } from './schema-state.ts';
import {
  appliedMigrations,
  missingRoles,
  ownerProblem,
  rolesProblem,
  tablesProblem,
  versionProblem,
  withServer,
} from './server.ts';

const migrations: Record<string, Migration> = {
  '0001_foundation': foundation,
  '0002_licensing': licensing,
  '0003_scim': scim,
  '0004_contract_lines': contractLines,
  '0005_seats': seats,
  '0006_test_clock': testClock,
  '0007_mapping_versions': mappingVersions,
  '0008_alerts': alerts,
  '0009_catalogue': catalogue,
  '0010_reclaim': reclaim,
  '0012_staged': staged,
  '0013_notice': notice,
  '0014_approvals': approvals,
  '0016_edit_requests': editRequests,
  '0017_evaluation': evaluation,
  '0018_sub_pools': subPools,
  '0019_second_person': secondPerson,
  '0020_alerts_over': alertsOver,
  '0021_evaluation_batches': evaluationBatches,
  '0022_role_sets': roleSets,
  '0024_grace_and_comparison': graceAndComparison,
  '0025_sso': sso,
  '0026_asked_logins': askedLogins,
  '0027_oidc_connections': oidcConnections,
  '0028_openid_provider': openIdProvider,
  '0029_domains': domains,
  '0030_just_in_time': justInTime,
  '0032_metadata': metadata,
  '0034_signals': signals,
  '0035_logouts': logouts,
  '0036_connection_tests': connectionTests,
  '0037_revocations': revocations,
  '0038_lighter_writes': lighterWrites,
  '0039_unasked': unasked,
  '0040_room_on_pages': roomOnPages,
  '0041_signed_ahead': signedAhead,
  '0042_batch_rows': batchRows,
  '0043_outdated_edits': outdatedEdits,
  '0044_known_capacity': knownCapacity,
  '0045_audit_seals': auditSeals,
  '0046_given_workspaces': givenWorkspaces,
  '0048_imports': imports,
};

/** In their order. */
export const migrationNames: readonly string[] = Object.keys(migrations).sort();

/** The newest migration's name: the database is current when it has run. */
export const newestMigration = migrationNames.at(-1) ?? '';

/** @throws ConfigurationError when the server can't be reached or is too old, or the schema or the role does not let it. */
export async function migrate(url: string): Promise<void> {
  await withServer(url, async (db) => {
    const { problem } = await lookAtSchema(db);
    if (problem !== undefined) throw new ConfigurationError([`DATABASE_URL: ${problem}`]);
    await makeRoles(db);
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: async () => migrations },
    }).migrateToLatest();
    if (error !== undefined) throw error;
  });
}

/** The schema that is there, and why no start gets on with it; changes nothing. */
export async function lookAtSchema(
  db: Kysely<unknown>,
): Promise<{ state?: SchemaState; problem: string | undefined }> {
  const unusable = (await versionProblem(db)) ?? (await ownerProblem(db));
  if (unusable !== undefined) return { problem: unusable };
  const state = schemaState(await appliedMigrations(db), migrationNames);
  const problem = schemaProblem(state, migrationNames);
  return { state, problem: problem ?? (state.kind === 'current' ? undefined : await tablesProblem(db)) };
}

async function makeRoles(db: Kysely<unknown>): Promise<void> {
  const missing = await missingRoles(db);
  try {
    for (const { statement } of missing) await sql.raw(statement).execute(db).catch(unlessThere);
  } catch (cause) {
    throw new ConfigurationError([`DATABASE_URL: ${rolesProblem(missing, (cause as Error).message)}`]);
  }
}

/** Another gateway, on another database of the server perhaps, made the role at the same time. */
function unlessThere(error: unknown): void {
  const code = error instanceof pg.DatabaseError ? error.code : undefined;
  const isMade = code === '42710' || (code === '23505' && /pg_authid/.test((error as Error).message));
  if (!isMade) throw error;
}
