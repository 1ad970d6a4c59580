/** What a tenant has decided about roles and seats, as one JSON value. */

import { type RawBuilder, sql } from 'kysely';
import type { TenantId } from '../kernel/ids.ts';
import { type Catalogue, catalogueOf } from '../licensing/catalogue.ts';
import type { Mapping, Rules } from '../licensing/mapping.ts';
import type { SubPoolDraft } from '../licensing/sub-pool.ts';

type MappingRow = Omit<Mapping, 'validFrom' | 'validUntil'> & {
  validFrom: string | null;
  validUntil: string | null;
};
type Settings = Omit<Rules, 'mappings' | 'defaultWorkspaces' | 'catalogue'>;

export interface RulesRow {
  mappings: MappingRow[];
  subPools: SubPoolDraft[];
  catalogue: Pick<Catalogue, 'version' | 'roles'>;
  defaultWorkspaces: string[];
  /** null: the tenant has chosen nothing. */
  settings: Settings | null;
}

/** Of a tenant that has chosen nothing; the table's columns have the same. */
export const usualRules: Settings = {
  defaultRole: 'none',
  order: 'sticky',
  settlement: 'immediate',
  holdMinutes: 60,
  tombstoneHours: 72,
  noticeHours: 24,
  approvals: {},
  breaker: { percent: 10, people: 20 },
};

export function rulesJson(tenantId: TenantId): RawBuilder<unknown> {
  return sql`jsonb_build_object(
    'mappings', (select coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'priority', m.priority, 'groupId', m.group_id,
        'roleValue', m.role_value, 'claimValue', m.claim_value, 'role', m.role, 'workspaces', m.workspaces,
        'fallbackRole', m.fallback_role, 'validFrom', m.valid_from, 'validUntil', m.valid_until,
        'mayPreempt', m.may_preempt, 'approval', m.approval, 'subPool', m.sub_pool) order by m.priority), '[]')
      from mappings m where m.tenant_id = ${tenantId}),
    'subPools', ${subPoolsJson(tenantId)},
    'catalogue', ${catalogueJson(tenantId)},
    'defaultWorkspaces', (select coalesce(max(b.default_workspaces), '{}')
      from blue_connections b where b.tenant_id = ${tenantId}),
    'settings', (select jsonb_build_object('defaultRole', s.default_role, 'order', s.seat_order,
        'settlement', s.settlement, 'holdMinutes', s.hold_minutes, 'tombstoneHours', s.tombstone_hours, 'noticeHours', s.notice_hours, 'approvals', s.approvals, 'breaker', case when s.breaker_people is not null then
        jsonb_build_object('percent', s.breaker_percent, 'people', s.breaker_people) end)
      from tenant_settings s where s.tenant_id = ${tenantId}))`;
}

/** In the order of their names; empty where there are none. */
export function subPoolsJson(tenantId: TenantId): RawBuilder<SubPoolDraft[]> {
  return sql`(select coalesce(jsonb_agg(jsonb_build_object('name', n.name, 'seats', n.seats, 'borrowLimit', n.borrow_limit)
      order by n.name), '[]')
    from sub_pools n where n.tenant_id = ${tenantId})`;
}

/** The version that the tenant was decided for with last: a newer one counts from the moment that it is adopted. */
export function catalogueJson(tenantId: TenantId): RawBuilder<Pick<Catalogue, 'version' | 'roles'>> {
  return sql`(select jsonb_build_object('version', c.version, 'roles', c.roles)
    from seat_pools own join catalogue_versions c on c.version = own.catalogue_version
    where own.tenant_id = ${tenantId})`;
}

export function toRules({ mappings, catalogue, defaultWorkspaces, settings }: RulesRow): Rules {
  return {
    mappings: mappings.map((row) => ({
      ...row,
      validFrom: toDate(row.validFrom),
      validUntil: toDate(row.validUntil),
    })),
    catalogue: catalogueOf(catalogue),
    defaultWorkspaces,
    ...(settings ?? usualRules),
  };
}

function toDate(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
