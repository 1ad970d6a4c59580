/**
 * Tries a recorded call again without doing it: what it would answer and change now. The directory is seen as it is
 * today, its kind and its extension schemas included.
 */

import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { RehearsalTooLong, rehearse } from '../db/rehearsal.ts';
import { inTenant, type TenantTransaction } from '../db/tenant-transaction.ts';
import { Fault } from '../kernel/fault.ts';
import type { DirectoryId, TenantId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { limits } from '../kernel/limits.ts';
import { lockGroupNames } from '../provisioning/mapping-store.ts';
import { lockPool } from '../provisioning/pool-store.ts';
import { readParameters } from '../scim/core/search-request.ts';
import { type Describe, type Message, performMessage } from '../scim/message-flow.ts';
import { selectDirectoryCaller } from '../tenants/directory-caller-store.ts';
import { actorOf } from '../tenants/tenant.ts';
import { selectRequest } from './request-store.ts';

export interface Replay {
  /** What was answered then. */
  recordedStatus: number;
  status: number;
  /** Groups without their members. */
  body: JsonObject | null;
  /** What the audit trail would say. */
  changes: { action: string; subject: string | null; before: unknown; after: unknown }[];
}

export interface ReplayDeps {
  database: Database;
  now: Date;
  /** Where the SCIM endpoints are, without a slash at the end. */
  baseUrl: string;
  describe: Describe;
}

/** @throws Fault `not_found`; `conflict` for a call that can't be tried again, and why; `rate_limited`. */
export async function replay(deps: ReplayDeps, tenantId: TenantId, id: string): Promise<Replay> {
  const { database, now, baseUrl, describe } = deps;
  const [call, caller] = await inTenant(database, tenantId, async (tx) => {
    const found = await selectRequest(tx, id);
    if (found === undefined) throw new Fault('not_found', `There is no recorded call ${id}.`);
    return [
      found,
      await selectDirectoryCaller(tx, found.directory_id as DirectoryId, found.token_id),
    ] as const;
  });
  if (caller === undefined) throw notReplayable('its directory is gone');
  const message = messageOf(call);
  const requestId = randomUUID();
  const work = async (rehearsal: Database) => {
    await refuseSecond(rehearsal, tenantId);
    const door = { tenantId, actor: actorOf(caller), now, requestId };
    const asking = { database: rehearsal, caller, door, baseUrl };
    if (!isRead(message)) await inTenant(rehearsal, tenantId, lockAll);
    const { status, body } = await performMessage(asking, message, describe);
    const changes = await inTenant(rehearsal, tenantId, (tx) => selectChanges(tx, requestId));
    return { recordedStatus: call.status, status, body, changes };
  };
  const msMax = limits.replayMsMax;
  return await rehearse(database, { tenantId, msMax }, work).catch((error: unknown) => {
    if (error instanceof RehearsalTooLong)
      throw notReplayable(`it takes longer than ${msMax / 1000} seconds`);
    throw error;
  });
}

/** What is tried locks what it touches: one after the other, those who write have their turn in between. */
async function refuseSecond(rehearsal: Database, tenantId: TenantId): Promise<void> {
  const [row] = await inTenant(rehearsal, tenantId, (tx) =>
    tx.run(
      sql<{
        isFirst: boolean;
      }>`select pg_try_advisory_xact_lock(hashtextextended(${`replay ${tenantId}`}, 0)) as "isFirst"`,
    ),
  );
  if (row?.isFirst) return;
  throw new Fault('rate_limited', 'Another call of this tenant is being tried again: wait for it.', {
    retryAfterSeconds: 1,
  });
}

function isRead({ method, path }: Message): boolean {
  return method === 'GET' || method === 'HEAD' || /\/\.search\/?$/i.test(path);
}

/**
 * The first locks of all writers (db/tenant-transaction.ts). One operation after the other in one transaction would take
 * them behind rows of people, and whoever provisions meanwhile in the right order would be refused as a deadlock.
 */
async function lockAll(tx: TenantTransaction): Promise<void> {
  lockGroupNames(tx, 'mapping');
  await lockPool(tx);
}

function messageOf(call: NonNullable<Awaited<ReturnType<typeof selectRequest>>>): Message {
  if (call.truncated) throw notReplayable('its body was longer than is kept');
  return {
    method: call.method,
    path: call.path.replace(/^\/scim\/v2/i, ''),
    query: readParameters(queryOf(call.query)),
    body: bodyOf(call.request_body),
  };
}

function queryOf(text: string): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(new URLSearchParams(text).keys())) {
    const values = new URLSearchParams(text).getAll(name);
    query[name] = values.length === 1 ? String(values[0]) : values;
  }
  return query;
}

function bodyOf(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw notReplayable('its body was no JSON');
  }
}

function notReplayable(why: string): Fault {
  return new Fault('conflict', `The call can't be tried again: ${why}.`);
}

function selectChanges(tx: TenantTransaction, requestId: string): Promise<Replay['changes']> {
  return tx.run(sql`
    select action, subject, before, after from audit_trail
    where tenant_id = ${tx.tenantId} and request_id = ${requestId} order by seq
  `);
}
