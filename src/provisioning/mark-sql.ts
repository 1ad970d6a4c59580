/** Marks for Blue: these people's roles there may differ from what was decided. The sync takes them away. */

import { type RawBuilder, sql } from 'kysely';
import type { TenantTransaction } from '../db/tenant-transaction.ts';

/**
 * An insert of marks. Who is marked already keeps the place in the line, and waits no longer for another try.
 *
 * @param people Selects `user_id`, of each once.
 */
export function marking(tx: TenantTransaction, people: RawBuilder<unknown>, now: Date): RawBuilder<unknown> {
  return sql`
    insert into blue_sync (tenant_id, user_id, marked_at)
    select ${tx.tenantId}, m.user_id, ${now} from (${people}) m order by m.user_id
    on conflict (tenant_id, user_id) do update set desired_version = blue_sync.desired_version + 1, not_before = null`;
}
