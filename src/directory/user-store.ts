/** Rows of users: written, locked and read one at a time. Knows SQL; knows no decision and no SCIM message. */

import { sql } from 'kysely';
import { db } from '../db/database.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import type { DirectoryId, UserId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { columnsOf, type User } from './user.ts';

/** Sends the rows of a new user. Constraints `users_user_name`, `user_sources_external_id` refuse taken values. */
export function insertUser(
  tx: TenantTransaction,
  user: User,
  directoryId: DirectoryId | null,
  tieKey: string,
  {
    claimValues = [],
    defaultRole = null,
  }: { claimValues?: readonly string[]; defaultRole?: string | null } = {},
): void {
  const { userName, userNameKey, active, displayName, address, roleValues } = columnsOf(user.attributes);
  tx.send(
    db.insertInto('users').values({
      tenant_id: tx.tenantId,
      id: user.id,
      attributes: JSON.stringify(user.attributes),
      user_name: userName,
      user_name_key: userNameKey,
      active,
      display_name: displayName,
      address,
      tie_key: tieKey,
      role_values: roleValues,
      claim_values: [...claimValues],
      default_role: defaultRole,
      version: user.version,
      created_at: user.createdAt,
      last_modified: user.lastModified,
    }),
  );
  insertEmails(tx, user.id, user.attributes);
  if (directoryId !== null) upsertSource(tx, user.id, directoryId, user.externalId);
}

/** Sends the new attributes, version and time of a user that is locked. */
export function updateUser(tx: TenantTransaction, before: User, after: User): void {
  const { userName, userNameKey, active, displayName, address, emails, roleValues } = columnsOf(
    after.attributes,
  );
  const was = columnsOf(before.attributes);
  const isArrival = was.active !== active || was.address !== address;
  tx.send(
    db
      .updateTable('users')
      .set({
        attributes: JSON.stringify(after.attributes),
        user_name: userName,
        user_name_key: userNameKey,
        active,
        display_name: displayName,
        address,
        role_values: roleValues,
        version: after.version,
        last_modified: after.lastModified,
        ...(isArrival ? { address_order: sql<number>`nextval('address_order')` } : {}),
      })
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', after.id),
  );
  if (JSON.stringify(was.emails) === JSON.stringify(emails)) return;
  tx.send(db.deleteFrom('user_emails').where('tenant_id', '=', tx.tenantId).where('user_id', '=', after.id));
  insertEmails(tx, after.id, after.attributes);
}

function insertEmails(tx: TenantTransaction, userId: UserId, attributes: JsonObject): void {
  const { emails } = columnsOf(attributes);
  if (emails.length === 0) return;
  tx.send(sql`
    insert into user_emails (tenant_id, user_id, ordinal, type_key, value_key)
    select ${tx.tenantId}, ${userId}, e.ordinal, e.type_key, e.value_key
    from unnest(${emails.map((email) => email.typeKey)}::text[], ${emails.map((email) => email.valueKey)}::text[])
      with ordinality as e (type_key, value_key, ordinal)
  `);
}

/** Sends that the directory knows the user, by this externalId or by none. */
export function upsertSource(
  tx: TenantTransaction,
  userId: UserId,
  directoryId: DirectoryId,
  externalId: string | null,
): void {
  tx.send(
    db
      .insertInto('user_sources')
      .values({ tenant_id: tx.tenantId, user_id: userId, directory_id: directoryId, external_id: externalId })
      .onConflict((conflict) =>
        conflict.columns(['tenant_id', 'user_id', 'directory_id']).doUpdateSet({ external_id: externalId }),
      ),
  );
}

export function deleteUser(tx: TenantTransaction, id: UserId): void {
  tx.send(db.deleteFrom('users').where('tenant_id', '=', tx.tenantId).where('id', '=', id));
}

export interface KnownUser extends User {
  /** false: no write of this directory has touched the user yet. */
  isKnownToDirectory: boolean;
}

/** Locks a user's row for a change of anything but its keys. undefined: there is none of that id. */
export async function lockUser(
  tx: TenantTransaction,
  id: UserId,
  directoryId: DirectoryId | null,
): Promise<KnownUser | undefined> {
  const locking = tx.run(
    db
      .selectFrom('users')
      .select(['id', 'attributes', 'version', 'created_at', 'last_modified'])
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id)
      .forNoKeyUpdate(),
  );
  // A statement of its own: one that had to wait for the lock would still see the source as it was before.
  const reading = tx.run(
    db
      .selectFrom('user_sources')
      .select('external_id')
      .where('tenant_id', '=', tx.tenantId)
      .where('user_id', '=', id)
      .where('directory_id', '=', directoryId),
  );
  const [[row], [source]] = await Promise.all([locking, reading]);
  if (row === undefined) return undefined;
  return {
    id: row.id as UserId,
    attributes: row.attributes as JsonObject,
    externalId: source?.external_id ?? null,
    version: row.version,
    createdAt: row.created_at,
    lastModified: row.last_modified,
    isKnownToDirectory: source !== undefined,
  };
}
