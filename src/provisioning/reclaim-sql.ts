/** When people were last seen, and who lost a seat that lay idle, for queries about decisions and users. */

import { sql } from 'kysely';

/** Of a user `u` with the member of Blue `m`: the latest of signing on here and being active there; null: not known. */
export const seenAtSql = sql`greatest(u.last_sign_in_at, m.last_active_at)`;

/** From the user `u` to the member of Blue `m`, if the person was found there. */
export const joinMember = sql`
  left join blue_people b on b.tenant_id = u.tenant_id and b.user_id = u.id
  left join blue_members m on m.tenant_id = b.tenant_id and m.blue_user_id = b.blue_user_id`;
