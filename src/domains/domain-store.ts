/** Rows of domains. Whose a verified one is stands in `tenant_locators`. */

import { sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Domain, DomainCheck } from './domain.ts';

/** The tenants that have shown that these domains are theirs. */
export async function findDomains(
  database: Database,
  domains: readonly string[],
): Promise<ReadonlyMap<string, TenantId>> {
  const rows = await database.run(
    sql<{ domain: string; tenant_id: TenantId }>`select * from find_domains(${domains}::text[])`,
  );
  return new Map(rows.map(({ domain, tenant_id }) => [domain, tenant_id]));
}

/** Verified domains at which it is time to look again. */
export async function findDueDomains(
  database: Database,
  now: Date,
  most: number,
): Promise<{ tenantId: TenantId; domain: string }[]> {
  return await database.run(
    sql<{
      tenantId: TenantId;
      domain: string;
    }>`select tenant_id as "tenantId", domain from find_due_domains(${now}, ${most})`,
  );
}

function select(tx: TenantTransaction) {
  return db
    .selectFrom('domains')
    .select(['domain', 'challenge', 'created_at as createdAt', 'verified_at as verifiedAt'])
    .select(['checked_at as checkedAt', 'missing_since as missingSince'])
    .where('tenant_id', '=', tx.tenantId);
}

export async function selectDomain(tx: TenantTransaction, domain: string): Promise<Domain | undefined> {
  const [row] = await tx.run(select(tx).where('domain', '=', domain));
  return row;
}

/** As `selectDomain`, and nobody changes or removes it until the transaction ends. */
export async function lockDomain(tx: TenantTransaction, domain: string): Promise<Domain | undefined> {
  const [row] = await tx.run(select(tx).where('domain', '=', domain).forUpdate());
  return row;
}

/** Those of them that are verified, which stay so until the transaction ends. */
export async function holdVerifiedDomains(
  tx: TenantTransaction,
  domains: readonly string[],
): Promise<string[]> {
  const held = select(tx).where('domain', 'in', domains).where('verified_at', 'is not', null);
  return (await tx.run(held.orderBy('domain').forShare())).map(({ domain }) => domain);
}

/** In their order. */
export async function selectDomains(tx: TenantTransaction, after: string, limit: number): Promise<Domain[]> {
  return await tx.run(select(tx).where('domain', '>', after).orderBy('domain').limit(limit));
}

export async function countDomains(tx: TenantTransaction): Promise<number> {
  const [row] = await tx.run(
    sql<{ count: number }>`select count(*) as count from domains where tenant_id = ${tx.tenantId}`,
  );
  return row?.count ?? 0;
}

/** Constraint `domains_pkey` refuses one that is there. */
export function insertDomain(tx: TenantTransaction, { domain, challenge, createdAt }: Domain): void {
  tx.send(
    db.insertInto('domains').values({ tenant_id: tx.tenantId, domain, challenge, created_at: createdAt }),
  );
}

export function updateDomain(tx: TenantTransaction, domain: string, check: DomainCheck): void {
  tx.send(
    db
      .updateTable('domains')
      .set({
        verified_at: check.verifiedAt,
        checked_at: check.checkedAt,
        missing_since: check.missingSince,
        check_at: check.checkAt,
      })
      .where('tenant_id', '=', tx.tenantId)
      .where('domain', '=', domain),
  );
}

export function deleteDomain(tx: TenantTransaction, domain: string): void {
  tx.send(db.deleteFrom('domains').where('tenant_id', '=', tx.tenantId).where('domain', '=', domain));
}
