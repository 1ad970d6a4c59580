/** Rows of mappings, and the tie between a mapping and its group. Every write here is made under the pool's lock. */

import { sql } from 'kysely';
import type { AuditEvent } from '../audit/audit-event.ts';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { fold } from '../kernel/fold.ts';
import type { GroupId, MappingId } from '../kernel/ids.ts';
import type { Mapping } from '../licensing/mapping.ts';
import type { AwaitedName } from './awaited-name.ts';
import type { StoredMapping } from './mapping-draft.ts';
import { type Pool, withMappings } from './pool.ts';
import { isAwaiting } from './pool-store.ts';

/**
 * Groups come by their names (shared) and mappings look for them (exclusive) one after the other: two that run at the
 * same time would not see each other, and the mapping would wait for a group that is there. Taken before any row.
 */
export function lockGroupNames(tx: TenantTransaction, as: 'group' | 'mapping'): void {
  const lock = sql.raw(as === 'group' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock');
  tx.send(sql`select ${lock}(hashtextextended(${`${tx.tenantId} group names`}, 0))`);
}

export async function isAwaited(tx: TenantTransaction, name: AwaitedName): Promise<boolean> {
  const rows = await tx.run(
    sql`select from mappings m where m.tenant_id = ${tx.tenantId} and ${isAwaiting(name)} limit 1`,
  );
  return rows.length > 0;
}

/** The pool with the rules as they are then, and what became of which mappings. */
export interface Rebound {
  pool: Pool;
  audit: AuditEvent[];
}

/** Binds the mappings that wait for such a group to it. */
export async function bindMappings(
  tx: TenantTransaction,
  pool: Pool,
  groupId: GroupId,
  name: AwaitedName,
): Promise<Rebound> {
  const rows = await tx.run(sql<{ id: MappingId }>`
    update mappings m set group_id = ${groupId} where m.tenant_id = ${tx.tenantId} and ${isAwaiting(name)} returning m.id
  `);
  if (rows.length > 0) setMapped(tx, groupId, true);
  const bound = new Set(rows.map((row) => row.id));
  return {
    pool: withMappings(pool, (mapping) => (bound.has(mapping.id) ? { ...mapping, groupId } : mapping)),
    audit: [...bound].map((id) => ({ action: 'mapping.bound', subject: id, after: { groupId } })),
  };
}

/**
 * Makes the mappings of a group that goes away wait for it again: by the name that it has now or its externalId; those written with an
 * externalId by that alone.
 */
export async function unbindMappings(
  tx: TenantTransaction,
  pool: Pool,
  groupId: GroupId,
  displayName: string,
): Promise<Rebound> {
  const isByName = sql`(group_display_name is not null or group_external_id is null)`;
  const rows = await tx.run(sql<{ id: MappingId; displayName: string | null; externalId: string | null }>`
    update mappings set group_id = null,
      group_display_name = case when ${isByName} then ${displayName} end,
      group_display_name_key = case when ${isByName} then ${fold(displayName)} end,
      group_external_id = case when ${isByName} then (
        select min(s.external_id) from group_sources s where s.tenant_id = ${tx.tenantId} and s.group_id = ${groupId}
      ) else group_external_id end
    where tenant_id = ${tx.tenantId} and group_id = ${groupId}
    returning id, group_display_name as "displayName", group_external_id as "externalId"
  `);
  return {
    pool: withMappings(pool, (mapping) =>
      mapping.groupId === groupId ? { ...mapping, groupId: null } : mapping,
    ),
    audit: rows.map(({ id, ...names }) => ({
      action: 'mapping.unbound',
      subject: id,
      before: { groupId },
      after: {
        group:
          names.displayName === null ? { externalId: names.externalId } : { displayName: names.displayName },
      },
    })),
  };
}

export function setMapped(tx: TenantTransaction, groupId: GroupId, mapped: boolean): void {
  tx.send(
    db
      .updateTable('groups')
      .set({ mapped })
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', groupId)
      .where('mapped', '!=', mapped),
  );
}

/** Sends what differs. Constraint `mappings_priority` is checked when all have their priorities. */
export function writeMappings(
  tx: TenantTransaction,
  { gone, written }: { gone: readonly StoredMapping[]; written: readonly StoredMapping[] },
  now: Date,
): void {
  if (gone.length > 0) {
    const ids = gone.map(({ id }) => id);
    tx.send(sql`delete from mappings where tenant_id = ${tx.tenantId} and id = any(${ids}::uuid[])`);
  }
  if (written.length === 0) return;
  const rows = written.map(rowOf);
  const columns = Object.keys(rowOf(written[0] as StoredMapping)).filter((name) => name !== 'id');
  const assigned = columns.map((name) => sql`${sql.ref(name)} = ${sql.ref(`excluded.${name}`)}`);
  tx.send(sql`
    insert into mappings (tenant_id, created_at, id, ${sql.join(columns.map((name) => sql.ref(name)))})
    select ${tx.tenantId}, ${now}, r.id, ${sql.join(columns.map((name) => sql.ref(`r.${name}`)))}
    from jsonb_populate_recordset(null::mappings, ${JSON.stringify(rows)}::jsonb) as r
    on conflict (tenant_id, id) do update set ${sql.join(assigned)}
  `);
}

function rowOf(mapping: StoredMapping) {
  return {
    id: mapping.id,
    priority: mapping.priority,
    group_id: mapping.groupId,
    group_display_name: mapping.groupDisplayName,
    group_display_name_key: mapping.groupDisplayName === null ? null : fold(mapping.groupDisplayName),
    group_external_id: mapping.groupExternalId,
    role: mapping.role,
    workspaces: mapping.workspaces,
    fallback_role: mapping.fallbackRole,
    role_value: mapping.roleValue,
    claim_value: mapping.claimValue,
    valid_from: mapping.validFrom,
    valid_until: mapping.validUntil,
    may_preempt: mapping.mayPreempt,
    approval: mapping.approval,
    sub_pool: mapping.subPool,
  };
}

/** All mappings, best priority first. */
export async function selectMappings(tx: TenantTransaction): Promise<StoredMapping[]> {
  const rows = await tx.run(
    db.selectFrom('mappings').selectAll().where('tenant_id', '=', tx.tenantId).orderBy('priority'),
  );
  return rows.map((row) => ({
    id: row.id as MappingId,
    priority: row.priority,
    groupId: row.group_id as GroupId | null,
    groupDisplayName: row.group_display_name,
    groupExternalId: row.group_external_id,
    role: row.role,
    workspaces: row.workspaces,
    fallbackRole: row.fallback_role as Mapping['fallbackRole'],
    roleValue: row.role_value,
    claimValue: row.claim_value,
    validFrom: row.valid_from,
    validUntil: row.valid_until,
    mayPreempt: row.may_preempt,
    approval: row.approval,
    subPool: row.sub_pool,
  }));
}

/**
 * Ids of the groups a name leads to: at most two are read, since more than one is ambiguous already. Locked, none is
 * deleted before the mapping names it.
 */
export async function findGroups(
  tx: TenantTransaction,
  by: { id: GroupId } | { displayName: string } | { externalId: string },
  as: 'locked' | 'asTheyAre',
): Promise<GroupId[]> {
  const groups = db
    .selectFrom('groups as g')
    .select('g.id')
    .where('g.tenant_id', '=', tx.tenantId)
    .limit(2)
    .$if(as === 'locked', (query) => query.forNoKeyUpdate(['g']));
  if ('id' in by) return idsOf(await tx.run(groups.where('g.id', '=', by.id)));
  if ('displayName' in by)
    return idsOf(await tx.run(groups.where('g.display_name_key', '=', fold(by.displayName))));
  return idsOf(
    await tx.run(
      groups
        .innerJoin('group_sources as s', (join) =>
          join.onRef('s.tenant_id', '=', 'g.tenant_id').onRef('s.group_id', '=', 'g.id'),
        )
        .where('s.external_id', '=', by.externalId),
    ),
  );
}

function idsOf(rows: { id: string }[]): GroupId[] {
  return rows.map((row) => row.id as GroupId);
}
