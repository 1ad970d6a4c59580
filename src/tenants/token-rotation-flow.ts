/** Puts a new token in the place of a directory's old one, with a while in which both work. */

import { appendAudit } from '../audit/audit-store.ts';
import type { Door } from '../audit/door.ts';
import { type Database, db } from '../db/database.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import { type DirectoryId, newId } from '../kernel/ids.ts';
import { hashToken, newToken } from '../kernel/token.ts';
import { locate } from './locator-store.ts';

const minuteMs = 60_000;

/**
 * The new token has the old one's name and scope, and lives as long as the old one was made for. The old one ends after
 * the overlap, or when it would have ended anyway.
 *
 * @throws Fault `not_found`.
 */
export async function rotateToken(
  database: Database,
  door: Door,
  directoryId: DirectoryId,
  oldId: string,
  overlapMinutes: number,
): Promise<{ id: string; token: string }> {
  const [id, token] = [newId<string>(door.now.getTime()), newToken('directory')];
  await inTenant(database, door.tenantId, async (tx) => {
    const old = await lockToken(tx, directoryId, oldId);
    if (old === undefined) throw new Fault('not_found', `There is no token ${oldId} of this directory.`);
    const { name, scope } = old;
    const expiresAt = successorExpiry(old, door.now);
    const oldEnds = earlier(old.expires_at, new Date(door.now.getTime() + overlapMinutes * minuteMs));
    tx.send(
      db.insertInto('directory_tokens').values({
        tenant_id: tx.tenantId,
        id,
        directory_id: directoryId,
        name,
        scope,
        token_hash: hashToken(token),
        created_at: door.now,
        expires_at: expiresAt,
      }),
    );
    locate(tx, 'directory_token', hashToken(token));
    tx.send(
      db
        .updateTable('directory_tokens')
        .set({ expires_at: oldEnds })
        .where('tenant_id', '=', tx.tenantId)
        .where('id', '=', oldId),
    );
    appendAudit(tx, door, [
      { action: 'token.issued', subject: id, after: { directoryId, name, expiresAt, replaces: oldId } },
      {
        action: 'token.rotated',
        subject: oldId,
        before: { directoryId, expiresAt: old.expires_at },
        after: { directoryId, expiresAt: oldEnds, replacedBy: id },
      },
    ]);
  });
  return { id, token };
}

async function lockToken(tx: TenantTransaction, directoryId: DirectoryId, id: string) {
  const rows = await tx.run(
    db
      .selectFrom('directory_tokens')
      .select(['name', 'scope', 'created_at', 'expires_at'])
      .where('tenant_id', '=', tx.tenantId)
      .where('directory_id', '=', directoryId)
      .where('id', '=', id)
      .where('client_id', 'is', null)
      .forUpdate(),
  );
  return rows[0];
}

function successorExpiry(old: { created_at: Date; expires_at: Date | null }, now: Date): Date | null {
  if (old.expires_at === null) return null;
  return new Date(now.getTime() + old.expires_at.getTime() - old.created_at.getTime());
}

function earlier(a: Date | null, b: Date): Date {
  return a !== null && a < b ? a : b;
}
