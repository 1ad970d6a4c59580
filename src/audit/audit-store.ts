/** Appends to and reads the audit trail. Nothing updates or deletes it: the request role may not. */

import { sql } from 'kysely';
import { db, prepared } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
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

/** Newest first. */
export function selectAudit(tx: TenantTransaction, query: AuditQuery) {
  const { actor, subject, action, from, to, before, limit } = query;
  const conditions = [
    ...(actor === undefined
      ? []
      : [sql<boolean>`${actor} in (actor ->> 'id', actor -> 'approvedBy' ->> 'id')`]),
    ...(subject === undefined ? [] : [sql<boolean>`subject = ${subject}`]),
    ...(action === undefined ? [] : [sql<boolean>`action = ${action}`]),
    ...(from === undefined ? [] : [sql<boolean>`at >= ${from}`]),
    ...(to === undefined ? [] : [sql<boolean>`at < ${to}`]),
  ];
  return tx.run(
    db
      .selectFrom('audit_trail')
      .select(['seq', 'at', 'actor', 'action', 'subject', 'before', 'after', 'request_id'])
      .where('tenant_id', '=', tx.tenantId)
      .where('seq', '<', before)
      .where((where) => where.and(conditions))
      .orderBy('seq', 'desc')
      .limit(limit),
  );
}
