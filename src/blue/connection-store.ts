/**
 * Rows of blue_connections: the settings, what the worker met, and the lease that keeps two workers from one tenant.
 * Leases run by the database's clock, which all processes share; due times by real time, as Blue does.
 */

import { type RawBuilder, sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import { catalogueOf } from '../licensing/catalogue.ts';
import { catalogueJson } from '../provisioning/rules-sql.ts';
import type { Connection, ConnectionSettings, Organization } from './connection.ts';
import type { Trouble } from './trouble.ts';

/** The worker no longer has the tenant: settings were changed, or it was away for too long. */
export class LeaseLost extends Error {
  constructor() {
    super('another worker has the tenant, or its connection was changed');
    this.name = 'LeaseLost';
  }
}

/** Tenants to work on now, those that wait longest first. */
export async function findBlueWork(
  database: Database,
  now: Date,
  driftBefore: Date,
  most: number,
): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_blue_work(${now}, ${driftBefore}, ${most})`,
  );
  return rows.map((row) => row.tenant_id);
}

/** undefined: the tenant has no connection. */
export async function selectConnection(tx: TenantTransaction): Promise<Connection | undefined> {
  const [row] = await tx.run(
    db
      .selectFrom('blue_connections as c')
      .leftJoin('seat_pools as p', 'p.tenant_id', 'c.tenant_id')
      .leftJoin('tenant_settings as s', 's.tenant_id', 'c.tenant_id')
      .selectAll('c')
      .select([
        'p.ceiling as paid_ceiling',
        's.exclusions',
        sql<
          string[]
        >`array(select distinct unnest(m.workspaces) from mappings m where m.tenant_id = c.tenant_id)`.as(
          'mapped',
        ),
        catalogueJson(tx.tenantId).as('catalogue'),
      ])
      .where('c.tenant_id', '=', tx.tenantId),
  );
  if (row === undefined) return undefined;
  const named = [...row.managed_workspaces, ...row.default_workspaces, ...row.mapped];
  return {
    organizationId: row.organization_id,
    tokenId: row.token_id,
    tokenSecret: row.token_secret,
    apiUrl: row.api_url,
    mode: row.mode,
    deactivation: row.deactivation,
    defaultWorkspaces: row.default_workspaces,
    drift: row.drift,
    invitationsPerHour: row.invitations_per_hour,
    state: row.state,
    cause: row.cause,
    failures: row.failures,
    lastContactAt: row.last_contact_at,
    nextTryAt: row.next_try_at,
    managedWorkspaces: [...new Set(named)].filter((workspace) => workspace !== '*').sort(),
    exclusions: row.exclusions ?? [],
    organization: row.actual as Organization | null,
    readAt: row.actual_read_at,
    readsAsked: row.reads_asked,
    sending: row.sending,
    invitations:
      row.invitations_since === null ? null : { since: row.invitations_since, sent: row.invitations_sent },
    paidCeiling: row.paid_ceiling,
    catalogue: catalogueOf(row.catalogue),
  };
}

/**
 * Writes the settings and begins anew: no back-off, no `stopped`, Blue's lists to be read, and whoever works on the
 * tenant loses it.
 */
export function upsertConnection(tx: TenantTransaction, settings: ConnectionSettings, sealed: Buffer): void {
  const columns = {
    organization_id: settings.organizationId,
    token_id: settings.tokenId,
    token_secret: sealed,
    api_url: settings.apiUrl,
    mode: settings.mode,
    deactivation: settings.deactivation,
    default_workspaces: settings.defaultWorkspaces,
    drift: settings.drift,
    invitations_per_hour: settings.invitationsPerHour,
    ...anew,
    actual_read_at: null,
    leased_by: null,
    leased_until: null,
  };
  tx.send(
    db
      .insertInto('blue_connections')
      .values({ tenant_id: tx.tenantId, ...columns })
      .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet(columns)),
  );
}

const anew = { state: 'ok', cause: null, failures: 0, next_try_at: null } as const;

/** Ends back-off and `stopped`; with `readLists` Blue's lists are read before anything else. */
export function retryConnection(tx: TenantTransaction, readLists: boolean): void {
  const read = { actual_read_at: null, reads_asked: sql<number>`reads_asked + 1` };
  tx.send(
    db
      .updateTable('blue_connections')
      .set({ ...anew, ...(readLists ? read : {}) })
      .where('tenant_id', '=', tx.tenantId),
  );
}

/** Lets the tenant wait, whoever works on it. */
export function restConnection(tx: TenantTransaction, until: Date, cause: string): void {
  tx.send(
    db
      .updateTable('blue_connections')
      .set({ state: 'waiting', cause, next_try_at: until })
      .where('tenant_id', '=', tx.tenantId),
  );
}

/** Takes the tenant for a worker unless another has it. */
export async function takeLease(
  database: Database,
  tenantId: TenantId,
  holder: string,
  ms: number,
): Promise<boolean> {
  const isFree = sql<boolean>`(leased_until is null or leased_until <= now())`;
  return await inTenant(database, tenantId, (tx) => writeLease(tx, holder, ms, isFree));
}

/** Keeps the tenant; false: it is lost. */
export async function renewLease(
  database: Database,
  tenantId: TenantId,
  holder: string,
  ms: number,
): Promise<boolean> {
  return await inTenant(database, tenantId, (tx) =>
    writeLease(tx, holder, ms, sql<boolean>`leased_by = ${holder}`),
  );
}

async function writeLease(
  tx: TenantTransaction,
  holder: string,
  ms: number,
  condition: RawBuilder<boolean>,
): Promise<boolean> {
  const taken = await tx.count(sql`
    update blue_connections set leased_by = ${holder}, leased_until = now() + ${ms} * interval '1 millisecond'
    where tenant_id = ${tx.tenantId} and ${condition}
  `);
  return taken === 1;
}

export async function releaseLease(database: Database, tenantId: TenantId, holder: string): Promise<void> {
  await inTenant(database, tenantId, async (tx) => {
    tx.send(
      db
        .updateTable('blue_connections')
        .set({ leased_by: null, leased_until: null })
        .where('tenant_id', '=', tx.tenantId)
        .where('leased_by', '=', holder),
    );
  });
}

/** What a worker writes of the connection it holds. */
type HolderChange = Partial<{
  state: Connection['state'];
  cause: string | null;
  failures: number;
  last_contact_at: Date;
  next_try_at: Date | null;
  managed_workspaces: string[];
  actual: string;
  actual_read_at: Date | null;
  sending: boolean;
  invitations_since: Date;
  invitations_sent: number;
}>;

/** Locks the connection's row for the rest of the transaction. @throws LeaseLost, so that nothing of it is kept. */
export async function changeAsHolder(
  tx: TenantTransaction,
  holder: string,
  change: HolderChange,
): Promise<void> {
  const changed = await tx.count(
    db
      .updateTable('blue_connections')
      .set(change)
      .where('tenant_id', '=', tx.tenantId)
      .where('leased_by', '=', holder)
      .where('leased_until', '>', sql<Date>`now()`),
  );
  if (changed === 0) throw new LeaseLost();
}

/** The lists are known as of `readAt`, unless somebody asked meanwhile for a newer reading. */
export async function noteRead(
  tx: TenantTransaction,
  holder: string,
  readAt: Date,
  readsAsked: number,
): Promise<void> {
  await changeAsHolder(tx, holder, { sending: false });
  tx.send(
    db
      .updateTable('blue_connections')
      .set({ actual_read_at: readAt })
      .where('tenant_id', '=', tx.tenantId)
      .where('reads_asked', '=', readsAsked),
  );
}

/** Blue did as it was told. */
export function contactAt(now: Date): HolderChange {
  return { state: 'ok', cause: null, failures: 0, last_contact_at: now, next_try_at: null };
}

/** Writes what was met, for whoever asks for the status. */
export async function noteTrouble(
  tx: TenantTransaction,
  holder: string,
  { state, cause, failures, nextTryAt }: Trouble,
): Promise<void> {
  await changeAsHolder(tx, holder, { state, cause, failures, next_try_at: nextTryAt });
}
