/** Appends to and reads the audit trail. Nothing updates or deletes it: the request role may not. */

import { sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { AuditEvent } from './audit-event.ts';
import type { Door } from './door.ts';

/** Sends the entries as one statement, in their order. */
export function appendAudit(tx: TenantTransaction, door: Door, events: readonly AuditEvent[]): void {
  if (events.length === 0) return;
  tx.send(sql`
    insert into audit_events (tenant_id, at, actor, request_id, action, subject, before, after, inputs)
    select ${tx.tenantId}, ${door.now}, ${JSON.stringify(door.actor)}::jsonb, ${door.requestId}, e.*
    from jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
      as e (action text, subject text, before jsonb, after jsonb, inputs jsonb)
  `);
}

/** Newest first, entries older than `before` (a `seq`). */
export function selectAudit(
  tx: TenantTransaction,
  filter: { subject: string | undefined; action: string | undefined; before: number; limit: number },
) {
  const { subject, action, before, limit } = filter;
  return tx.run(
    db
      .selectFrom('audit_events')
      .select(['seq', 'at', 'actor', 'action', 'subject', 'before', 'after', 'request_id'])
      .where('tenant_id', '=', tx.tenantId)
      .where('seq', '<', before)
      .$if(subject !== undefined, (query) => query.where('subject', '=', subject ?? null))
      .$if(action !== undefined, (query) => query.where('action', '=', action ?? ''))
      .orderBy('seq', 'desc')
      .limit(limit),
  );
}
