/** Makes tenants, operators, keys, directories and their tokens. A secret is answered once and kept as its hash. */

import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { type Database, db } from '../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { type DirectoryId, newId, type TenantId } from '../kernel/ids.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import type { Lineage } from './lineage.ts';
import { dislocate, locate } from './locator-store.ts';
import type { DirectoryKind, KeyRole, Tenant } from './tenant.ts';

const firstOperatorId = '00000000-0000-7000-8000-000000000001';

/** @throws Fault `conflict` when the slug is taken. */
export async function createTenant(
  database: Database,
  door: Omit<Door, 'tenantId'>,
  draft: { name: string; slug: string },
): Promise<Tenant> {
  const tenant: Tenant = { ...draft, id: newId<TenantId>(door.now.getTime()), createdAt: door.now };
  try {
    await inTenant(database, tenant.id, async (tx) => {
      const salt = randomBytes(16).toString('hex');
      tx.send(
        db.insertInto('tenants').values({
          tenant_id: tenant.id,
          slug: tenant.slug,
          name: tenant.name,
          created_at: door.now,
          tie_salt: salt,
        }),
      );
      locate(tx, 'slug', tenant.slug);
      const newest = sql<number>`(select max(version) from catalogue_versions)`;
      tx.send(
        db
          .insertInto('seat_pools')
          .values({ tenant_id: tenant.id, ceiling: 0, due_at: null, catalogue_version: newest }),
      );
      const event = { action: 'tenant.created', subject: tenant.id, after: draft };
      appendAudit(tx, { ...door, tenantId: tenant.id }, [event]);
    });
  } catch (error) {
    if (brokenConstraint(error) !== 'tenant_locators_key') throw error;
    throw new Fault('conflict', `slug "${draft.slug}" is taken by another tenant.`, { field: 'slug' });
  }
  return tenant;
}

/** @param maker The key that makes it. */
export async function createOperator(
  database: Database,
  now: Date,
  name: string,
  maker: Lineage,
): Promise<{ id: string; key: string }> {
  const [id, key] = [newId<string>(now.getTime()), newToken('key')];
  const row = { id, name, key_hash: hashToken(key), created_at: now, made_by: [...maker] };
  await database.run(db.insertInto('operators').values(row));
  return { id, key };
}

/** Ends an operator's key at once. @throws Fault `not_found`; `conflict` for the holder of OPERATOR_KEY. */
export async function revokeOperator(database: Database, id: string): Promise<void> {
  if (id === firstOperatorId) {
    throw new Fault('conflict', 'The first operator goes with OPERATOR_KEY: change it and start again.');
  }
  const gone = await database.run(db.deleteFrom('operators').where('id', '=', id).returning('id'));
  if (gone.length === 0) throw new Fault('not_found', `There is no operator ${id}.`);
}

/** Makes the holder of OPERATOR_KEY the first operator, and whoever held an earlier one no longer. */
export async function ensureFirstOperator(database: Database, key: string, now: Date): Promise<void> {
  const hash = hashToken(key);
  // Whoever was made with this key before is the first operator from now on.
  await database.run(
    db.deleteFrom('operators').where('key_hash', '=', hash).where('id', '!=', firstOperatorId),
  );
  const row = { id: firstOperatorId, name: 'first operator', key_hash: hash, created_at: now };
  await database.run(
    db
      .insertInto('operators')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ key_hash: hash })),
  );
}

/** @param maker The key that makes it. */
export async function createKey(
  database: Database,
  door: Door,
  draft: { name: string; role: KeyRole; expiresAt: Date | null },
  maker: Lineage,
): Promise<{ id: string; key: string }> {
  const [id, key] = [newId<string>(door.now.getTime()), newToken('key')];
  await inTenant(database, door.tenantId, async (tx) => {
    tx.send(
      db.insertInto('api_keys').values({
        tenant_id: tx.tenantId,
        id,
        name: draft.name,
        role: draft.role,
        key_hash: hashToken(key),
        created_at: door.now,
        expires_at: draft.expiresAt,
        made_by: [...maker],
      }),
    );
    locate(tx, 'api_key', hashToken(key));
    appendAudit(tx, door, [{ action: 'key.created', subject: id, after: draft }]);
  });
  return { id, key };
}

/** @throws Fault `not_found`. */
export async function revokeKey(database: Database, door: Door, id: string): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const gone = await tx.run(
      db
        .deleteFrom('api_keys')
        .where('tenant_id', '=', tx.tenantId)
        .where('id', '=', id)
        .returning('key_hash'),
    );
    forget(tx, 'api_key', gone[0]?.key_hash, `There is no key ${id}.`);
    appendAudit(tx, door, [{ action: 'key.revoked', subject: id }]);
  });
}

function forget(
  tx: TenantTransaction,
  kind: 'directory_token' | 'api_key',
  hash: string | undefined,
  why: string,
) {
  if (hash === undefined) throw new Fault('not_found', why);
  dislocate(tx, kind, [hash]);
}

export interface Directory {
  id: DirectoryId;
  name: string;
  kind: DirectoryKind;
  createdAt: Date;
}

export async function createDirectory(
  database: Database,
  door: Door,
  draft: { name: string; kind: DirectoryKind },
): Promise<Directory> {
  const directory: Directory = { ...draft, id: newId<DirectoryId>(door.now.getTime()), createdAt: door.now };
  await inTenant(database, door.tenantId, async (tx) => {
    tx.send(
      db.insertInto('directories').values({
        tenant_id: tx.tenantId,
        id: directory.id,
        name: draft.name,
        kind: draft.kind,
        created_at: door.now,
      }),
    );
    appendAudit(tx, door, [{ action: 'directory.created', subject: directory.id, after: draft }]);
  });
  return directory;
}

/** Several tokens of a directory live at a time, so that they can be rotated. @throws Fault `not_found`. */
export async function issueToken(
  database: Database,
  door: Door,
  directoryId: DirectoryId,
  draft: { name: string; expiresAt: Date | null },
): Promise<{ id: string; token: string }> {
  const [id, token] = [newId<string>(door.now.getTime()), newToken('directory')];
  try {
    await inTenant(database, door.tenantId, async (tx) => {
      tx.send(
        db.insertInto('directory_tokens').values({
          tenant_id: tx.tenantId,
          id,
          directory_id: directoryId,
          name: draft.name,
          token_hash: hashToken(token),
          created_at: door.now,
          expires_at: draft.expiresAt,
        }),
      );
      locate(tx, 'directory_token', hashToken(token));
      appendAudit(tx, door, [{ action: 'token.issued', subject: id, after: { directoryId, ...draft } }]);
    });
  } catch (error) {
    if (brokenConstraint(error) !== 'directory_tokens_directory') throw error;
    throw new Fault('not_found', `There is no directory ${directoryId}.`);
  }
  return { id, token };
}

/** The token stops working with the next request. @throws Fault `not_found`. */
export async function revokeToken(
  database: Database,
  door: Door,
  directoryId: DirectoryId,
  id: string,
): Promise<void> {
  await inTenant(database, door.tenantId, async (tx) => {
    const gone = await tx.run(
      db
        .deleteFrom('directory_tokens')
        .where('tenant_id', '=', tx.tenantId)
        .where('directory_id', '=', directoryId)
        .where('id', '=', id)
        // An access token ends with its client.
        .where('client_id', 'is', null)
        .returning('token_hash'),
    );
    forget(tx, 'directory_token', gone[0]?.token_hash, `There is no token ${id} of this directory.`);
    appendAudit(tx, door, [{ action: 'token.revoked', subject: id, before: { directoryId } }]);
  });
}
