/** Appends to and reads the audit trail. Nothing updates or deletes it: the request role may not. */

import { type RawBuilder, type Selectable, sql } from 'kysely';
import { prepared } from '../db/database.ts';
import type { Tables } from '../db/tables.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { parseId, type UserId } from '../kernel/ids.ts';
import type { AuditEvent } from './audit-event.ts';
import type { Door } from './door.ts';

/** Sends the entries as one statement, in their order. */
export function appendAudit(tx: TenantTransaction, door: Door, events: readonly AuditEvent[]): void {
  if (events.length === 0) return;
  tx.send(
    prepared(sql`
    insert into audit_events (tenant_id, at, actor, request_id, action, subject, before, after, inputs)
    select ${tx.tenantId}, ${door.now}, ${JSON.stringify(door.actor)}::jsonb, coalesce(e."requestId", ${door.requestId}),
      e.action, e.subject, e.before, e.after, e.inputs
    from jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
      as e (action text, subject text, before jsonb, after jsonb, inputs jsonb, "requestId" text)
  `),
  );
}

export interface AuditQuery {
  /** Id of who did it. */
  actor: string | undefined;
  subject: string | undefined;
  action: string | undefined;
  /** From this instant on. */
  from: Date | undefined;
  /** Before this instant. */
  to: Date | undefined;
  /** Older than this `seq`. */
  before: number;
  limit: number;
}

export type AuditRow = Omit<Selectable<Tables['audit_trail']>, 'tenant_id' | 'inputs'>;

/**
 * Newest first. As `audit_trail` tells it, which would tell of everybody before it is known who is on the page: of a batch those behind
 * the place are taken apart one batch after the other until there are enough, and documents are made of the page alone.
 */
export function selectAudit(tx: TenantTransaction, query: AuditQuery): Promise<AuditRow[]> {
  const page = sql.join([selectAlone(tx, query), ...selectTogether(tx, query)], sql` union all `);
  return tx.run(sql<AuditRow>`
    select seq, at, actor, action, subject, request_id,
      coalesce(with_roles(tenant_id, before), decision_document(tenant_id, decision_before)) as before,
      coalesce(with_roles(tenant_id, after), decision_document(tenant_id, decision_after)) as after
    from (${page}) page order by seq desc limit ${query.limit}
  `);
}

/** Events that have a row of their own. */
function selectAlone(tx: TenantTransaction, query: AuditQuery): RawBuilder<unknown> {
  const { subject, action, before, limit } = query;
  return sql`(
    select tenant_id, seq, at, actor, action, subject, request_id, before, after, decision_before, decision_after from audit_events
    where ${conditions(tx, query)} and seq < ${before}
      ${subject === undefined ? sql`` : sql`and subject = ${subject}`} ${action === undefined ? sql`` : sql`and action = ${action}`}
    order by seq desc limit ${limit})`;
}

/** Those that share one with others; none where no such event can be meant. */
function selectTogether(tx: TenantTransaction, query: AuditQuery): RawBuilder<unknown>[] {
  const { subject, action = toldTogether, before, limit } = query;
  const person = subject === undefined ? undefined : parseId<UserId>(subject);
  if (action !== toldTogether || (subject !== undefined && person === undefined)) return [];
  const among =
    person === undefined
      ? sql``
      : sql`and first_subject <= ${person} and last_subject >= ${person} and ${person}::uuid = any(subjects)`;
  return [
    sql`(
    select b.tenant_id, b.first_seq + c.place - 1, b.at, b.actor, ${toldTogether}, c.subject::text, b.request_id, null, null, c.before, c.after
    from (select * from audit_batches where ${conditions(tx, query)} and first_seq < ${before} ${among}) b
    cross join lateral unnest(b.subjects, b.changes) with ordinality as c (subject, before, after, place)
    where b.first_seq + c.place - 1 < ${before} ${subject === undefined ? sql`` : sql`and c.subject::text = ${subject}`}
    order by b.first_seq desc, c.place desc limit ${limit})`,
  ];
}

const toldTogether = 'decision.changed';

/** Of what all events of a batch have in common. */
function conditions(tx: TenantTransaction, { actor, from, to }: AuditQuery): RawBuilder<unknown> {
  return sql.join(
    [
      sql`tenant_id = ${tx.tenantId}`,
      ...(actor === undefined ? [] : [sql`${actor} in (actor ->> 'id', actor -> 'approvedBy' ->> 'id')`]),
      ...(from === undefined ? [] : [sql`at >= ${from}`]),
      ...(to === undefined ? [] : [sql`at < ${to}`]),
    ],
    sql` and `,
  );
}
