/** Rows of people who wait for an administrator's word before they are made, or were refused. */

import { type Selectable, sql } from 'kysely';
import type { Actor } from '../audit/audit-event.ts';
import { db } from '../db/database.ts';
import type { Tables } from '../db/tables.ts';
import type { TenantTransaction } from '../db/tenant-transaction.ts';
import { assert } from '../kernel/assert.ts';
import { digest } from '../kernel/digest.ts';
import type { ConnectionId } from '../kernel/ids.ts';
import type { ExternalIdentity } from './core/identity.ts';

/** Somebody who is not there yet, by the claims of a login. */
export interface Newcomer {
  identity: ExternalIdentity;
  /** Those that the groups claim names, folded. */
  groups: readonly string[];
}

export interface AccessRequest extends Newcomer {
  id: string;
  /** Of the claims: another one once a login says another thing. */
  revision: string;
  connectionId: ConnectionId;
  requestedAt: Date;
  lastLoginAt: Date;
  /** null: it waits. */
  refused: { at: Date; by: Actor; reason: string | null } | null;
}

type Row = Selectable<Tables['access_requests']>;

/** 64 bits, in hex. */
const revisionLength = 16;

/** Whether a subject has one, and how many wait. */
export async function selectStanding(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  subject: string,
): Promise<{ known: { id: string; isRefused: boolean } | null; waiting: number }> {
  const [row] = await tx.run(sql<{ known: { id: string; isRefused: boolean } | null; waiting: number }>`
    select (select jsonb_build_object('id', id, 'isRefused', refused_at is not null) from access_requests
        where tenant_id = ${tx.tenantId} and connection_id = ${connectionId} and subject = ${subject}) as known,
      (select count(*) from access_requests where tenant_id = ${tx.tenantId} and refused_at is null) as waiting
  `);
  return row ?? { known: null, waiting: 0 };
}

/** Writes a request, or what the claims of the subject's own now say, and answers which that is. */
export async function upsertAccessRequest(
  tx: TenantTransaction,
  request: Omit<AccessRequest, 'refused' | 'revision'>,
): Promise<{ id: string; isNew: boolean }> {
  const { id, connectionId, identity, groups, requestedAt, lastLoginAt } = request;
  const said = {
    identity: JSON.stringify(identity),
    claimed_groups: [...groups],
    last_login_at: lastLoginAt,
  };
  const [row] = await tx.run(
    db
      .insertInto('access_requests')
      .values({
        ...{ tenant_id: tx.tenantId, id, connection_id: connectionId, subject: identity.subject },
        ...{ requested_at: requestedAt, ...said },
      })
      .onConflict((conflict) => conflict.constraint('access_requests_subject').doUpdateSet(said))
      // No other transaction has written over a row that is new.
      .returning(['id', sql<boolean>`xmax = 0`.as('isNew')]),
  );
  assert(row !== undefined, 'written or written over');
  return row;
}

export async function selectAccessRequest(
  tx: TenantTransaction,
  id: string,
): Promise<AccessRequest | undefined> {
  const [row] = await tx.run(select(tx).where('id', '=', id));
  return row && toRequest(row);
}

/** The oldest first. */
export async function selectAccessRequests(
  tx: TenantTransaction,
  { after, limit, refused }: { after: string; limit: number; refused: boolean },
): Promise<AccessRequest[]> {
  const rows = await tx.run(
    select(tx)
      .where('id', '>', after)
      .where('refused_at', refused ? 'is not' : 'is', null)
      .orderBy('id')
      .limit(limit),
  );
  return rows.map(toRequest);
}

/** Answers false where it is no longer there, or was refused before. */
export async function refuseAccessRequest(
  tx: TenantTransaction,
  id: string,
  { at, by, reason }: NonNullable<AccessRequest['refused']>,
): Promise<boolean> {
  const written = await tx.count(
    db
      .updateTable('access_requests')
      .set({ refused_at: at, refused_by: JSON.stringify(by), reason })
      .where('tenant_id', '=', tx.tenantId)
      .where('id', '=', id)
      .where('refused_at', 'is', null),
  );
  return written === 1;
}

/** Takes it away, as it was until then; undefined: it is no longer there. */
export async function takeAccessRequest(
  tx: TenantTransaction,
  id: string,
): Promise<AccessRequest | undefined> {
  const [row] = await tx.run(
    db.deleteFrom('access_requests').where('tenant_id', '=', tx.tenantId).where('id', '=', id).returningAll(),
  );
  return row && toRequest(row);
}

/** Sends that whoever is linked needs no word any more. */
export function forgetAccessRequest(
  tx: TenantTransaction,
  connectionId: ConnectionId,
  subject: string,
): void {
  tx.send(
    db
      .deleteFrom('access_requests')
      .where('tenant_id', '=', tx.tenantId)
      .where('connection_id', '=', connectionId)
      .where('subject', '=', subject),
  );
}

function select(tx: TenantTransaction) {
  return db.selectFrom('access_requests').selectAll().where('tenant_id', '=', tx.tenantId);
}

function toRequest(row: Row): AccessRequest {
  const { refused_at: at, refused_by: by, reason } = row;
  return {
    id: row.id,
    // The database writes keys in an order of its own, and groups are sorted: the same claims are the same text.
    revision: digest(JSON.stringify([row.identity, row.claimed_groups])).slice(0, revisionLength),
    connectionId: row.connection_id as ConnectionId,
    identity: row.identity as ExternalIdentity,
    groups: row.claimed_groups,
    requestedAt: row.requested_at,
    lastLoginAt: row.last_login_at,
    refused: at === null ? null : { at, by: by as Actor, reason },
  };
}
