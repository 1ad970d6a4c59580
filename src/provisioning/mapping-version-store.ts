/** Rows of numbered sets of mappings, and of drafts of sets. */

import { type RawBuilder, sql } from 'kysely';
import type { Actor } from '../audit/audit-event.ts';
import type { Door } from '../audit/door.ts';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { MappingDraftId, MappingId } from '../kernel/ids.ts';
import { affectedIds } from './affected-sql.ts';
import { namedBy } from './due.ts';
import type { StoredMapping } from './mapping-draft.ts';
import type { MappingSet } from './mapping-set.ts';
import type { DraftResult, MappingVersion, StoredSetDraft } from './mapping-version.ts';
import { setsVia } from './role-set-sql.ts';

/** Sends the set as the next version. Under the pool's lock, so that no number is drawn twice. */
export function appendVersion(tx: TenantTransaction, door: Door, cause: string, mappings: MappingSet): void {
  tx.send(sql`
    insert into mapping_versions (tenant_id, number, at, actor, cause, size, mappings)
    select ${tx.tenantId}, coalesce(max(number), 0) + 1, ${door.now}, ${JSON.stringify(door.actor)}::jsonb, ${cause},
      ${mappings.length}::int, ${JSON.stringify(mappings)}::jsonb
    from mapping_versions where tenant_id = ${tx.tenantId}
  `);
}

/** The number of the set that is in force; 0: there was none yet. */
export async function selectNewestVersion(tx: TenantTransaction): Promise<number> {
  const [row] = await tx.run(sql<{ number: number }>`
    select coalesce(max(number), 0) as number from mapping_versions where tenant_id = ${tx.tenantId}
  `);
  return row?.number ?? 0;
}

/** Newest first, before that number. */
export async function selectVersions(
  tx: TenantTransaction,
  before: number,
  limit: number,
): Promise<MappingVersion[]> {
  const rows = await tx.run(
    db
      .selectFrom('mapping_versions')
      .select(['number', 'at', 'actor', 'cause', 'size'])
      .where('tenant_id', '=', tx.tenantId)
      .where('number', '<', before)
      .orderBy('number', 'desc')
      .limit(limit),
  );
  return rows.map((row) => ({ ...row, actor: row.actor as unknown as Actor }));
}

export async function selectVersion(
  tx: TenantTransaction,
  number: number,
): Promise<(MappingVersion & { mappings: MappingSet }) | undefined> {
  const [row] = await tx.run(
    db
      .selectFrom('mapping_versions')
      .select(['number', 'at', 'actor', 'cause', 'size', 'mappings'])
      .where('tenant_id', '=', tx.tenantId)
      .where('number', '=', number),
  );
  if (row === undefined) return undefined;
  return { ...row, actor: row.actor as unknown as Actor, mappings: toSet(row.mappings) };
}

/** Times are text in JSON; of what came later older sets say nothing. */
function toSet(document: unknown): MappingSet {
  const toDate = (text: unknown) => (text === null ? null : new Date(text as string));
  return (document as StoredMapping[]).map((mapping) => ({
    ...mapping,
    validFrom: toDate(mapping.validFrom),
    validUntil: toDate(mapping.validUntil),
    approval: mapping.approval ?? null,
    subPool: mapping.subPool ?? null,
  }));
}

export async function countDrafts(tx: TenantTransaction): Promise<number> {
  const [row] = await tx.run(
    sql<{ count: number }>`select count(*) from mapping_drafts where tenant_id = ${tx.tenantId}`,
  );
  return row?.count ?? 0;
}

/** Sends the draft as it now is. */
export function writeDraft(tx: TenantTransaction, draft: StoredSetDraft): void {
  const columns = {
    name: draft.name,
    based_on: draft.basedOn,
    mappings: JSON.stringify(draft.mappings),
    department: draft.department,
    go_live_on: draft.goLiveOn,
    created_at: draft.createdAt,
    activate_at: draft.activateAt,
    rebase: draft.rebase,
    agreed_losses: draft.agreedLosses,
    activated_as: draft.activated?.version ?? null,
    activated_at: draft.activated?.at ?? null,
    touched: [...draft.touched],
    failure: draft.failure,
  };
  tx.send(
    db
      .insertInto('mapping_drafts')
      .values({ tenant_id: tx.tenantId, id: draft.id, ...columns })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'id']).doUpdateSet(columns)),
  );
}

export function deleteDraft(tx: TenantTransaction, id: MappingDraftId): void {
  tx.send(db.deleteFrom('mapping_drafts').where('tenant_id', '=', tx.tenantId).where('id', '=', id));
}

export async function selectDraft(
  tx: TenantTransaction,
  id: MappingDraftId,
): Promise<StoredSetDraft | undefined> {
  return (await select(tx, sql`id = ${id}`))[0];
}

/** As `selectDraft`; nobody changes it before the transaction ends. */
export async function lockDraft(
  tx: TenantTransaction,
  id: MappingDraftId,
): Promise<StoredSetDraft | undefined> {
  return (await select(tx, sql`id = ${id} for no key update`))[0];
}

export function selectDrafts(tx: TenantTransaction, after: string, limit: number): Promise<StoredSetDraft[]> {
  return select(tx, sql`id > ${after} order by id limit ${limit}`);
}

/** The first whose time has come. */
export async function selectDueDraft(tx: TenantTransaction, now: Date): Promise<StoredSetDraft | undefined> {
  return (await select(tx, sql`activate_at <= ${now} order by activate_at, id limit 1`))[0];
}

/** As `selectDueDraft`, locked. */
export async function lockDueDraft(tx: TenantTransaction, now: Date): Promise<StoredSetDraft | undefined> {
  return (await select(tx, sql`activate_at <= ${now} order by activate_at, id limit 1 for no key update`))[0];
}

interface DraftRow extends Omit<StoredSetDraft, 'mappings' | 'activated'> {
  mappings: unknown;
  activatedAs: number | null;
  activatedAt: Date | null;
}

async function select(tx: TenantTransaction, where: RawBuilder<unknown>): Promise<StoredSetDraft[]> {
  const rows = await tx.run(sql<DraftRow>`
    select id, name, based_on as "basedOn", mappings, department, go_live_on as "goLiveOn", created_at as "createdAt",
      activate_at as "activateAt", rebase, agreed_losses as "agreedLosses", activated_as as "activatedAs", activated_at as "activatedAt",
      touched::text[] as touched, failure
    from mapping_drafts where tenant_id = ${tx.tenantId} and ${where}
  `);
  return rows.map(({ mappings, activatedAs, activatedAt, ...rest }) => ({
    ...rest,
    mappings: toSet(mappings),
    activated:
      activatedAs === null || activatedAt === null ? null : { version: activatedAs, at: activatedAt },
  }));
}

/** How many have a role by one of these mappings, and with what seat. */
export async function countDraftResult(tx: TenantTransaction, mappings: MappingSet): Promise<DraftResult> {
  const vias = mappings.map(({ id }: { id: MappingId }) => `MAPPING:${id}`);
  const [row] = await tx.run(sql<DraftResult>`
    select count(*) as people, count(*) filter (where d.seat = 'held') as held,
      count(*) filter (where d.seat = 'overage') as overage, count(*) filter (where d.seat = 'waiting') as queued
    from (${affectedIds(tx, namedBy(mappings))}) a (id)
    join decisions d on d.tenant_id = ${tx.tenantId} and d.user_id = a.id
    where d.requested_id in ${setsVia(tx, vias)}
  `);
  return row ?? { people: 0, held: 0, overage: 0, queued: 0 };
}
