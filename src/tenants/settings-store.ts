/** Reads and writes what a tenant has chosen. */

import { sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { fold } from '../kernel/fold.ts';
import { defaultSettings, type Settings } from './settings.ts';

export async function selectSettings(tx: TenantTransaction): Promise<Settings> {
  const [row] = await tx.run(
    db.selectFrom('tenant_settings').selectAll().where('tenant_id', '=', tx.tenantId),
  );
  if (row === undefined) return defaultSettings;
  const { breaker_percent: percent, breaker_people: people } = row;
  return {
    defaultRole: row.default_role,
    order: row.seat_order,
    settlement: row.settlement,
    holdMinutes: row.hold_minutes,
    tombstoneHours: row.tombstone_hours,
    noticeHours: row.notice_hours,
    breaker: percent === null || people === null ? null : { percent, people },
    reclaimDays: row.reclaim_days,
    approvals: row.approvals as Settings['approvals'],
    twoPersonRule: row.two_person_rule,
    parking: row.parking,
    exclusions: row.exclusions,
    requestRetentionDays: row.request_retention_days,
  };
}

/** Since when the two-person rule stands; null: it does not. */
export async function selectRuleSince(tx: TenantTransaction): Promise<Date | null> {
  const [row] = await tx.run(
    db.selectFrom('tenant_settings').select('two_person_since').where('tenant_id', '=', tx.tenantId),
  );
  return row?.two_person_since ?? null;
}

export function writeSettings(tx: TenantTransaction, settings: Settings, now: Date): void {
  const columns = {
    default_role: settings.defaultRole,
    seat_order: settings.order,
    settlement: settings.settlement,
    hold_minutes: settings.holdMinutes,
    tombstone_hours: settings.tombstoneHours,
    notice_hours: settings.noticeHours,
    breaker_percent: settings.breaker?.percent ?? null,
    breaker_people: settings.breaker?.people ?? null,
    reclaim_days: settings.reclaimDays,
    approvals: JSON.stringify(settings.approvals),
    two_person_rule: settings.twoPersonRule,
    parking: settings.parking,
    exclusions: settings.exclusions.map(fold),
    request_retention_days: settings.requestRetentionDays,
  };
  tx.send(
    db
      .insertInto('tenant_settings')
      .values({ tenant_id: tx.tenantId, ...columns, two_person_since: settings.twoPersonRule ? now : null })
      .onConflict((conflict) =>
        conflict.column('tenant_id').doUpdateSet({
          ...columns,
          two_person_since: settings.twoPersonRule
            ? sql<Date>`coalesce(tenant_settings.two_person_since, ${now})`
            : null,
        }),
      ),
  );
}
