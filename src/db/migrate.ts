/** Brings a database to the newest migration, and makes the roles that requests run under. */

import { Kysely, PostgresDialect, sql } from 'kysely';
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
import { ConfigurationError } from '../kernel/configuration-error.ts';

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
};

/** Requests run as the first; look-ups across tenants are functions that belong to the second. */
const roles = ['blue_gateway_request', 'blue_gateway_finder'];
const oldestServer = 150_000;
const connectMsMax = 5_000;

/** @throws ConfigurationError when the server can't be reached, is too old, or the roles can't be made. */
export async function migrate(url: string): Promise<void> {
  await withServer(url, async (db) => {
    await makeRoles(db);
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: async () => migrations },
    }).migrateToLatest();
    if (error !== undefined) throw error;
  });
}

/** As `migrate` before it changes anything. @throws ConfigurationError when the server can't be reached or is too old. */
export async function checkDatabase(url: string): Promise<void> {
  await withServer(url, async () => {});
}

async function withServer(url: string, work: (db: Kysely<unknown>) => Promise<void>): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: connectMsMax });
  pool.on('error', () => {});
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await checkServer(db);
    await work(db);
  } finally {
    await db.destroy();
  }
}

/** The newest migration's name: the database is current when it has run. */
export const newestMigration = Object.keys(migrations).sort().at(-1) ?? '';

async function checkServer(db: Kysely<unknown>): Promise<void> {
  let version: number;
  try {
    const { rows } = await sql<{
      version: string;
    }>`select current_setting('server_version_num') as version`.execute(db);
    version = Number(rows[0]?.version);
  } catch (cause) {
    throw new ConfigurationError([
      `DATABASE_URL: the database cannot be reached (${(cause as Error).message})`,
    ]);
  }
  if (version < oldestServer) {
    throw new ConfigurationError([
      `DATABASE_URL: PostgreSQL 15 or newer is needed, this is ${Math.floor(version / 10_000)}`,
    ]);
  }
}

async function makeRoles(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ rolname: string; member: boolean }>`
    select rolname, case when current_setting('server_version_num')::integer >= 160000
      -- Who made a role is a member that may not act as it until that is granted.
      then pg_has_role(current_user, oid, 'set') else pg_has_role(current_user, oid, 'member') end as member
    from pg_roles where rolname = any(${roles})
  `.execute(db);
  const [{ self } = { self: '' }] = (
    await sql<{ self: string }>`select quote_ident(current_user) as self`.execute(db)
  ).rows;
  const statements = roles.flatMap((role) => {
    const known = rows.find((row) => row.rolname === role);
    if (known?.member) return [];
    const grant = `grant ${role} to current_user`;
    return known === undefined ? [`create role ${role} nologin`, grant] : [grant];
  });
  try {
    for (const statement of statements) await sql.raw(statement).execute(db).catch(unlessThere);
  } catch (cause) {
    const script = statements.map((statement) => `  ${statement.replace('current_user', self)};`);
    throw new ConfigurationError([
      `DATABASE_URL: its role may not create roles (${(cause as Error).message}); run as an administrator:\n${script.join('\n')}`,
    ]);
  }
}

/** Another gateway, on another database of the server perhaps, made the role at the same time. */
function unlessThere(error: unknown): void {
  const code = error instanceof pg.DatabaseError ? error.code : undefined;
  const isMade = code === '42710' || (code === '23505' && /pg_authid/.test((error as Error).message));
  if (!isMade) throw error;
}
