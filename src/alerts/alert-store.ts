/** Alerts as they were raised, and what was known of a tenant when they were last looked for. */

import { sql } from 'kysely';
import { type Database, db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import type { TenantId } from '../kernel/ids.ts';
import type { Usage } from '../licensing/admit.ts';
import type { Alert, Comparison, Raised } from '../licensing/alert.ts';
import type { Contract } from '../licensing/contract.ts';
import type { WaitingFacts } from '../licensing/waiting-alert.ts';
import { contractJson } from '../provisioning/contract-sql.ts';
import { isoSql, stagedJson } from '../provisioning/staged-sql.ts';

/** Tenants whose seats or contract changed since the last look, or whose day has come. */
export async function findAlertWork(database: Database, now: Date, most: number): Promise<TenantId[]> {
  const rows = await database.run(
    sql<{ tenant_id: TenantId }>`select tenant_id from find_alert_work(${now}, ${most})`,
  );
  return rows.map(({ tenant_id }) => tenant_id);
}

/** Locks what has been raised: of several gateways that look at the same time the second finds what the first one did. */
export async function lockRaised(tx: TenantTransaction): Promise<Raised & { lookAt: Date }> {
  tx.send(sql`insert into alert_states (tenant_id) values (${tx.tenantId}) on conflict do nothing`);
  const [row] = await tx.run(
    db
      .selectFrom('alert_states')
      .select(['period', 'marks', 'look_at'])
      .where('tenant_id', '=', tx.tenantId)
      .forUpdate(),
  );
  assert(row !== undefined, 'the row was made a moment ago');
  const { look_at: lookAt, ...raised } = row;
  return { ...raised, lookAt };
}

/** Sends that something changed which a look finds: it comes soon. */
export function lookForAlerts(tx: TenantTransaction): void {
  tx.send(sql`update alert_states set look_at = '1970-01-01' where tenant_id = ${tx.tenantId}`);
}

/** The seats and the contract as a look finds them. */
export interface PoolSeen extends WaitingFacts {
  usage: Usage;
  contract: Contract | undefined;
  settledAt: Date;
  excessSince: Date | null;
  blockLiftedAt: Date | null;
  failedDrafts: { id: string; name: string; failure: string }[];
  comparison: Comparison;
  missingDomains: { domain: string; since: string; isVerified: boolean }[];
}

/** Of a seat pool `p`. Where nobody is ever asked the queue is not looked through. */
const waitingClaimsJson = sql`case when exists (
    select from mappings m where m.tenant_id = p.tenant_id and m.approval in ('manual', 'when_full'))
  or exists (select from tenant_settings t where t.tenant_id = p.tenant_id and t.approvals <> '{}') then (
  select jsonb_build_object('people', count(*), 'since', ${isoSql(sql`min(d.claimed_at)`)})
  from decisions d where d.tenant_id = p.tenant_id and d.seat = 'waiting' and d.approval = 'pending'
  having count(*) > 0) end`;

/** Told of one by one; the others when these are decided. */
const editsToldMax = 20;

/** Of a seat pool `p`. */
const waitingEditsJson = sql`(
  select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'call', r.method || ' ' || r.path, 'by', r.actor ->> 'name',
    'since', ${isoSql(sql`r.created_at`)}) order by r.id), '[]')
  from (select * from edit_requests e where e.tenant_id = p.tenant_id and e.state in ('pending', 'applying')
    order by e.id limit ${editsToldMax}) r)`;

export async function selectPoolSeen(tx: TenantTransaction): Promise<PoolSeen> {
  const [row] = await tx.run(sql<
    Usage & Omit<PoolSeen, 'usage' | 'contract'> & { contract: Contract | null }
  >`
    select used - overage - on_hold as held, overage, on_hold as "onHold", unmanaged_paid as "unmanagedPaid",
      settled_at as "settledAt", excess_since as "excessSince", c.block_lifted_at as "blockLiftedAt", ${stagedJson} as staged, ${contractJson(tx.tenantId)} as contract,
      ${waitingClaimsJson} as "waitingClaims", ${waitingEditsJson} as "waitingEdits",
      (select coalesce(jsonb_agg(jsonb_build_object('id', m.id, 'name', m.name, 'failure', m.failure) order by m.id), '[]')
       from mapping_drafts m where m.tenant_id = p.tenant_id and m.failure is not null) as "failedDrafts",
      coalesce((select jsonb_build_object('differing', s.differing, 'miscounted', s.miscounted)
        from alert_states s where s.tenant_id = p.tenant_id), '{"differing": 0, "miscounted": 0}') as comparison,
      (select coalesce(jsonb_agg(jsonb_build_object('domain', d.domain, 'since', d.missing_since,
          'isVerified', d.verified_at is not null) order by d.domain), '[]')
       from domains d where d.tenant_id = p.tenant_id and d.missing_since is not null) as "missingDomains"
    from seat_pools p left join contracts c on c.tenant_id = p.tenant_id where p.tenant_id = ${tx.tenantId}
  `);
  assert(row !== undefined, 'every tenant has a seat pool');
  const { contract, held, overage, onHold, unmanagedPaid, ...known } = row;
  return { usage: { held, overage, onHold, unmanagedPaid }, ...known, contract: contract ?? undefined };
}

/** Sends what was seen and raised, and when to look again. */
export function writeLook(
  tx: TenantTransaction,
  { usage, settledAt, blockLiftedAt }: PoolSeen,
  raised: Raised,
  lookAt: Date,
): void {
  const columns = {
    seen_used: usage.held + usage.overage + usage.onHold,
    seen_unmanaged: usage.unmanagedPaid,
    seen_settled_at: settledAt,
    seen_lifted_at: blockLiftedAt,
    look_at: lookAt,
    period: raised.period,
    marks: [...raised.marks],
  };
  tx.send(db.updateTable('alert_states').set(columns).where('tenant_id', '=', tx.tenantId));
}

/** What is watched has changed apart from seats and contract. */
export function lookSooner(tx: TenantTransaction, now: Date): void {
  tx.send(sql`update alert_states set look_at = least(look_at, ${now}) where tenant_id = ${tx.tenantId}`);
}

export interface AlertItem {
  kind: Alert['kind'];
  at: string;
  /** For a person. */
  message: string;
  detail: object;
  /** As long as any of them stands in `Raised` it is not over. */
  marks: readonly string[];
}

export interface StoredAlert {
  id: string;
  raisedAt: Date;
  changedAt: Date;
  items: AlertItem[];
  acknowledgedAt: Date | null;
  acknowledgedBy: unknown;
  /** When nothing of it was the case any more. */
  overAt: Date | null;
}

/** Adds to an alert that was raised after `since` and that nobody has acknowledged; undefined: there is none. */
export async function extendAlert(
  tx: TenantTransaction,
  items: readonly AlertItem[],
  since: Date,
  now: Date,
): Promise<string | undefined> {
  const [row] = await tx.run(sql<{ id: string }>`
    update alerts set items = items || ${JSON.stringify(items)}::jsonb, changed_at = ${now}
    where tenant_id = ${tx.tenantId} and acknowledged_at is null and over_at is null and id = (
      select id from alerts where tenant_id = ${tx.tenantId} and acknowledged_at is null and over_at is null
        and raised_at > ${since} and raised_at <= ${now}
      order by id desc limit 1)
    returning id
  `);
  return row?.id;
}

export function insertAlert(tx: TenantTransaction, id: string, items: readonly AlertItem[], now: Date): void {
  tx.send(
    db.insertInto('alerts').values({
      ...{ tenant_id: tx.tenantId, id, raised_at: now, changed_at: now, items: JSON.stringify(items) },
      ...{ acknowledged_at: null, acknowledged_by: null },
    }),
  );
}

const columns = sql`id, raised_at as "raisedAt", changed_at as "changedAt", items, acknowledged_at as "acknowledgedAt",
  acknowledged_by as "acknowledgedBy", over_at as "overAt"`;

export interface AlertQuery {
  isOpen: boolean;
  /** Older than this id. */
  before: string;
  limit: number;
}

/** Closes the alerts of which nothing stands any more. Answers which. */
export async function closeOver(
  tx: TenantTransaction,
  standing: readonly string[],
  now: Date,
): Promise<string[]> {
  const rows = await tx.run(sql<{ id: string }>`
    update alerts set over_at = ${now}
    where tenant_id = ${tx.tenantId} and over_at is null and not exists (
      select from jsonb_array_elements(items) i, jsonb_array_elements_text(i -> 'marks') mark
      where mark = any(${[...standing]}::text[]))
    returning id
  `);
  return rows.map(({ id }) => id);
}

/** Newest first. */
export function selectAlerts(tx: TenantTransaction, query: AlertQuery): Promise<StoredAlert[]> {
  const { isOpen, before, limit } = query;
  return tx.run(sql<StoredAlert>`
    select ${columns} from alerts
    where tenant_id = ${tx.tenantId} and id < ${before} ${isOpen ? sql`and acknowledged_at is null and over_at is null` : sql``}
    order by id desc limit ${limit}
  `);
}

export async function selectAlert(tx: TenantTransaction, id: string): Promise<StoredAlert | undefined> {
  const [row] = await tx.run(
    sql<StoredAlert>`select ${columns} from alerts where tenant_id = ${tx.tenantId} and id = ${id}`,
  );
  return row;
}

/** undefined: there is none that is open. */
export async function acknowledge(
  tx: TenantTransaction,
  id: string,
  by: object,
  now: Date,
): Promise<StoredAlert | undefined> {
  const [row] = await tx.run(sql<StoredAlert>`
    update alerts set acknowledged_at = ${now}, acknowledged_by = ${JSON.stringify(by)}::jsonb
    where tenant_id = ${tx.tenantId} and id = ${id} and acknowledged_at is null returning ${columns}
  `);
  return row;
}
