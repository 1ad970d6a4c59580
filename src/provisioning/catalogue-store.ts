/** Versions of the role catalogue, who uses what of it, and which tenants are still to be decided for with the newest. */

import { sql } from 'kysely';
import type { Actor } from '../audit/audit-event.ts';
import { type Connection, type Database, db, type Query } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId, UserId } from '../kernel/ids.ts';
import { type Catalogue, catalogueOf, type RoleEntry, type RoleKey } from '../licensing/catalogue.ts';
import { marking } from './mark-sql.ts';
import { setsWith } from './role-set-sql.ts';

/** All tenants have the same versions: they are read in a tenant's transaction and outside of any. */
interface Reader {
  run<Row>(query: Query<Row>): Promise<Row[]>;
}

export interface CatalogueVersion extends Catalogue {
  recordedAt: Date;
  actor: Actor;
  reason: string;
}

/** Newest first, those before a version. */
export async function selectCatalogueVersions(
  reader: Reader,
  before: number,
  most: number,
): Promise<CatalogueVersion[]> {
  const rows = await reader.run(
    db
      .selectFrom('catalogue_versions')
      .selectAll()
      .where('version', '<', before)
      .orderBy('version', 'desc')
      .limit(most),
  );
  return rows.map(({ version, roles, recorded_at: recordedAt, actor, reason }) => ({
    ...catalogueOf({ version, roles: roles as unknown as RoleEntry[] }),
    ...{ recordedAt, actor: actor as unknown as Actor, reason },
  }));
}

const beyondAll = 2_147_483_647;

export async function selectNewestCatalogue(reader: Reader): Promise<CatalogueVersion> {
  const [newest] = await selectCatalogueVersions(reader, beyondAll, 1);
  if (newest === undefined) throw new Error('the migration made the first version');
  return newest;
}

/** Until the transaction ends: no new version, or (`use`) none but for those who use one in the same way. */
export function lockCatalogue(
  connection: Connection | TenantTransaction,
  as: 'use' | 'change',
): Promise<unknown> {
  const lock = sql.raw(as === 'use' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock');
  return connection.run(sql`select ${lock}(hashtextextended('role catalogue', 0))`);
}

/** Runs `work` in one transaction of the owner's in which nobody else changes the catalogue. */
export async function changingCatalogue<T>(
  database: Database,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  return await database.withConnection(async (connection) => {
    await connection.send('BEGIN');
    try {
      await lockCatalogue(connection, 'change');
      const result = await work(connection);
      await connection.send('COMMIT');
      return result;
    } catch (error) {
      await connection.send('ROLLBACK').catch(() => {
        connection.broken = true;
      });
      throw error;
    }
  });
}

export async function insertCatalogueVersion(
  connection: Connection,
  { version, roles, recordedAt, actor, reason }: Omit<CatalogueVersion, 'find' | 'roleOf'>,
): Promise<void> {
  const row = { version, recorded_at: recordedAt, reason };
  await connection.run(
    db
      .insertInto('catalogue_versions')
      .values({ ...row, actor: JSON.stringify(actor), roles: JSON.stringify(roles) }),
  );
}

export interface FallbackUse {
  /** Slug of the tenant. */
  slug: string;
  /** null: its contract. */
  mapping_id: string | null;
  role: RoleKey;
}

/** Contracts and mappings that fall back to one of these roles. */
export function selectFallbackUses(
  reader: Reader,
  roles: readonly RoleKey[],
  most: number,
): Promise<FallbackUse[]> {
  return reader.run(sql<FallbackUse>`select * from find_fallback_uses(${roles}::text[], ${most})`);
}

/** Tenants that were not decided for with this version yet. */
export async function findCatalogueWork(
  database: Database,
  version: number,
  most: number,
): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_catalogue_work(${version}, ${most})`,
  );
  return rows.map((row) => row.tenant_id);
}

/** How many tenants were not decided for with this version yet. */
export async function countCatalogueWork(database: Database, version: number): Promise<number> {
  const [row] = await database.run(
    sql<{ tenants: number }>`select count(*) as tenants from find_catalogue_work(${version}, null)`,
  );
  return row?.tenants ?? 0;
}

/** Sends that the tenant is decided for with this version. */
export function writeCatalogueVersion(tx: TenantTransaction, version: number): void {
  tx.send(
    db.updateTable('seat_pools').set({ catalogue_version: version }).where('tenant_id', '=', tx.tenantId),
  );
}

/**
 * Sends that whoever has one of these roles may differ from what Blue has, and that Blue's lists are read first: who is paid
 * there was told by the version before.
 */
export function markRolesForBlue(tx: TenantTransaction, roles: readonly RoleKey[], now: Date): void {
  const people = sql`
    select user_id from decisions where tenant_id = ${tx.tenantId} and effective_id in ${setsWith(tx, roles)}`;
  tx.send(marking(tx, people, now));
  tx.send(sql`
    update blue_connections set actual_read_at = null, reads_asked = reads_asked + 1
    where tenant_id = ${tx.tenantId}
  `);
}

/** The first of these people in the order of their userNames. */
export function selectNames(
  tx: TenantTransaction,
  ids: readonly UserId[],
  most: number,
): Promise<{ id: UserId; userName: string }[]> {
  return tx.run(sql<{ id: UserId; userName: string }>`
    select id, user_name as "userName" from users where tenant_id = ${tx.tenantId} and id = any(${ids}::uuid[])
    order by user_name_key limit ${most}
  `);
}
