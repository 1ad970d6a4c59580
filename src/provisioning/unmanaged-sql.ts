/** Who has a paid role in Blue that the gateway did not give. */

import { type RawBuilder, sql } from 'kysely';

/**
 * Of users `u` of whom nothing was decided: Blue lists a member with the address who has a paid role, and was never one of ours. So
 * blue/known-store.ts counts them.
 */
export function isPaidInBlue(u: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql`exists (
    select from blue_members b where b.tenant_id = ${u}.tenant_id and b.address = ${u}.address and b.paid_workspaces <> '{}'
      and not exists (select from blue_people k where k.tenant_id = b.tenant_id and (k.blue_user_id = b.blue_user_id or k.address = b.address)))`;
}
