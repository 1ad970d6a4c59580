/** When people were last seen, and who lost a seat that lay idle, for queries about decisions and users. */

import { type RawBuilder, sql } from 'kysely';

/** Of a user `u` with the member of Blue `m`: the latest of signing on here and being active there; null: not known. */
export const seenAtSql = sql`greatest(u.last_sign_in_at, m.last_active_at)`;

/** From the user `u` to the member of Blue `m`, if the person was found there. */
export const joinMember = sql`
  left join blue_people b on b.tenant_id = u.tenant_id and b.user_id = u.id
  left join blue_members m on m.tenant_id = b.tenant_id and m.blue_user_id = b.blue_user_id`;

/** The same of a few people: looked up one by one, whatever the statistics say. @param user A row that names `tenant_id`. */
export function seenAtOf(user: RawBuilder<unknown>, userId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`greatest(
    (select s.last_sign_in_at from users s where s.tenant_id = ${user}.tenant_id and s.id = ${userId}),
    (select m.last_active_at from blue_members m where m.tenant_id = ${user}.tenant_id and m.blue_user_id = (
      select b.blue_user_id from blue_people b where b.tenant_id = ${user}.tenant_id and b.user_id = ${userId})))`;
}
