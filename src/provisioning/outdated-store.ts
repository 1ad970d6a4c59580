/** Looks in the trail for whether what an edit request replaces was changed since it was asked for. */

import { sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { UserId } from '../kernel/ids.ts';
import { type Change, changingActions, changingOf, type Replaced } from './replaced.ts';

/** By these words alone the index of the edits is found. */
const isEdit = sql`action in (${sql.join(changingActions.map((action) => sql.lit(action)))})`;

/** The latest change. A sub-pool is known to the trail by its name alone. */
export async function selectChangeSince(
  tx: TenantTransaction,
  requestId: string,
  replaces: Replaced,
): Promise<Change | undefined> {
  const { any, own } = changingOf(replaces);
  const itself = await subjectsOf(tx, replaces);
  const [change] = await tx.run(sql<Change>`
    select action, actor, at from audit_trail
    where tenant_id = ${tx.tenantId} and ${isEdit}
      and seq > (select max(seq) from audit_events
        where tenant_id = ${tx.tenantId} and subject = ${requestId} and action = 'edit.requested')
      and (action = any(${any}::text[]) or (action = any(${own}::text[])
        and coalesce(subject, after ->> 'name', before ->> 'name') = any(${itself}::text[])))
    order by seq desc limit 1
  `);
  return change;
}

async function subjectsOf(tx: TenantTransaction, replaces: Replaced): Promise<string[]> {
  if (replaces.what !== 'pins') return 'id' in replaces ? [replaces.id] : [];
  const people = await tx.run(sql<{ id: UserId }>`
    select id from users where tenant_id = ${tx.tenantId} and user_name_key = any(${replaces.names}::text[])
  `);
  return people.map(({ id }) => id);
}
