/**
 * What the OpenID provider issues. Ids are kept as hashes, and no payload holds one that opens anything. Sessions and grants hang
 * on a session of the gateway, all else on its grant: whatever ends the gateway's session takes them with it.
 */

import { sql } from 'kysely';
import { type Database, db } from '../../db/database.ts';
import { brokenConstraint, inTenant, type TenantTransaction } from '../../db/tenant-transaction.ts';
import { digest } from '../../kernel/digest.ts';
import type { TenantId, UserId } from '../../kernel/ids.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { toStorable } from '../../kernel/storable.ts';

/** Whose browser it is, where it is issued to one. */
export interface Holder {
  tenantId: TenantId;
  sessionHash: string;
}

export interface Artefact {
  model: string;
  id: string;
  payload: JsonObject;
  /** undefined: an interaction, or a browser that has not signed in. */
  holder: Holder | undefined;
  clientId: string | null;
  /** Under which it is issued; null: none. */
  grantId: string | null;
  expiresAt: Date;
}

export interface FoundArtefact {
  payload: JsonObject;
  sessionHash: string | null;
  consumedAt: Date | null;
}

export async function findArtefact(
  database: Database,
  model: string,
  id: string,
  now: Date,
): Promise<FoundArtefact | undefined> {
  const [row] = await database.run(
    sql<FoundArtefact>`
      select payload, session_hash as "sessionHash", consumed_at as "consumedAt" from openid_artefacts
      where id_hash = ${hashOf(model, id)} and expires_at > ${now}`,
  );
  return row;
}

/** What is issued under a grant that has been revoked meanwhile, or to a session that is over, is not kept: it is void at once. */
export async function saveArtefact(database: Database, artefact: Artefact): Promise<void> {
  try {
    await database.run(artefact.grantId === null ? insertHeld(artefact) : insertUnder(artefact));
  } catch (error) {
    if (!isOver(error)) throw error;
  }
}

/** The session or the client went while this was written. */
function isOver(error: unknown): boolean {
  return /^openid_(artefacts|sign_ins)_tenant_id_\w+_fkey$/.test(brokenConstraint(error) ?? '');
}

function insertHeld({ model, id, payload, holder, clientId, expiresAt }: Artefact) {
  return sql`
    insert into openid_artefacts (id_hash, model, tenant_id, session_hash, client_id, payload, expires_at)
    values (${hashOf(model, id)}, ${model}, ${holder?.tenantId ?? null}, ${holder?.sessionHash ?? null}, ${clientId},
      ${textOf(payload)}::jsonb, ${expiresAt})
    on conflict (id_hash) do update set payload = excluded.payload, expires_at = excluded.expires_at,
      tenant_id = excluded.tenant_id, session_hash = excluded.session_hash`;
}

function insertUnder({ model, id, payload, grantId, expiresAt }: Artefact) {
  return sql`
    insert into openid_artefacts (id_hash, model, tenant_id, session_hash, client_id, grant_hash, payload, expires_at)
    select ${hashOf(model, id)}, ${model}, g.tenant_id, g.session_hash, g.client_id, g.id_hash,
      ${textOf(payload)}::jsonb, ${expiresAt}
    from openid_artefacts g where g.id_hash = ${hashOf('Grant', grantId ?? '')}
    on conflict (id_hash) do update set payload = excluded.payload, expires_at = excluded.expires_at`;
}

/** false: it was used before. */
export async function consumeArtefact(
  database: Database,
  model: string,
  id: string,
  now: Date,
): Promise<boolean> {
  const rows = await database.run(
    sql`update openid_artefacts set consumed_at = ${now}
        where id_hash = ${hashOf(model, id)} and consumed_at is null returning model`,
  );
  return rows.length === 1;
}

export async function deleteArtefact(database: Database, model: string, id: string): Promise<void> {
  await database.run(db.deleteFrom('openid_artefacts').where('id_hash', '=', hashOf(model, id)));
}

/** With the grant itself. */
export async function deleteGrant(database: Database, grantId: string): Promise<void> {
  const hash = hashOf('Grant', grantId);
  await database.run(sql`delete from openid_artefacts where grant_hash = ${hash} or id_hash = ${hash}`);
}

/** Answers how many. */
export async function deleteExpiredArtefacts(database: Database, now: Date, most: number): Promise<number> {
  const rows = await database.run(sql`
    delete from openid_artefacts where id_hash = any (array(
      select id_hash from openid_artefacts where expires_at < ${now} limit ${most})) returning model`);
  return rows.length;
}

/** Before a client is told a sid, it is written down that it has to be told when that is over. */
export async function noteSignIns(
  database: Database,
  { tenantId, sessionHash }: Holder,
  userId: UserId,
  sids: ReadonlyMap<string, string>,
): Promise<void> {
  const note = inTenant(database, tenantId, async (tx) => {
    tx.send(sql`
      insert into openid_sign_ins (tenant_id, session_hash, client_id, sid, user_id)
      select ${tenantId}, ${sessionHash}, client_id, sid, ${userId}
      from unnest(${[...sids.keys()]}::uuid[], ${[...sids.values()]}::text[]) as new (client_id, sid)
      on conflict do nothing`);
  });
  await note.catch((error: unknown) => {
    if (!isOver(error)) throw error;
  });
}

/** What hung on one session hangs on another of the same person. */
export async function moveArtefacts(database: Database, from: Holder, to: string): Promise<void> {
  const { tenantId, sessionHash } = from;
  await database.run(sql`
    update openid_artefacts set session_hash = ${to}
    where tenant_id = ${tenantId} and session_hash = ${sessionHash}`);
}

export function moveSignIns(tx: TenantTransaction, from: string, to: string): void {
  tx.send(sql`
    update openid_sign_ins set session_hash = ${to}
    where tenant_id = ${tx.tenantId} and session_hash = ${from}`);
}

/** Some of it is as anybody sent it (`state`). */
function textOf(payload: JsonObject): string {
  return JSON.stringify(payload, (_name, value) => (typeof value === 'string' ? toStorable(value) : value));
}

function hashOf(model: string, id: string): string {
  return digest(`${model} ${id}`);
}
