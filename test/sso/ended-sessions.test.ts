/** All sessions of a connection end at once, however many they are, and what was begun before makes none. */

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { clearLeftovers } from '../../src/tenants/leftovers-flow.ts';
import { made } from '../support/gateway.ts';
import { goodResponse } from './forge.ts';
import { type Begun, post, startTarget, type Target } from './target.ts';

let target: Target;
let database: Database;

beforeAll(async () => {
  target = await startTarget();
  database = openDatabase({ url: target.gateway.databaseUrl });
});
afterAll(async () => {
  await database.close();
  await target.gateway.close();
});

async function signIn(): Promise<Begun> {
  const begun = await target.begin();
  expect((await post(begun, goodResponse(begun))).status).toBe(303);
  return begun;
}

const isSignedIn = async ({ browser }: Begun) =>
  (await browser.send(`${target.gateway.url}/sso/session`)).status === 200;

const run = (query: ReturnType<typeof sql>) =>
  inTenant(database, target.tenant.tenantId as TenantId, (tx) => tx.run(query));
const sessions = async () => (await run(sql`select from sso_sessions`)).length;
const signals = async () => (await run(sql`select from signal_events`)).length;
const end = () => target.gateway.api('DELETE', `${target.path}/sessions`);

it('more than one statement ends are gone when it is answered, each receiver is told, and people sign in again', async () => {
  const begun = await signIn();
  const { tenantId } = target.tenant;
  await run(sql`
    insert into signal_receivers (tenant_id, id, name, audience, token_hash, created_at)
    values (${tenantId}, ${tenantId}, 'x', 'x', 'x', now())`);
  await run(sql`
    insert into signal_streams (tenant_id, id, receiver_id, events, status, created_at)
    values (${tenantId}, ${tenantId}, ${tenantId},
      '{https://schemas.openid.net/secevent/caep/event-type/session-revoked}', 'enabled', now())`);
  const more = 2 * limits.sessionsEndedPerStatement;
  await run(sql`
    insert into sso_sessions (tenant_id, token_hash, user_id, connection_id, created_at, expires_at, authenticated_at, epoch)
    select tenant_id, 'more ' || n, user_id, connection_id, created_at, expires_at, authenticated_at, epoch
    from sso_sessions, generate_series(1, ${more}) n`);
  expect(await sessions()).toBe(more + 1);
  expect((await end()).status).toBe(204);
  expect([await sessions(), await isSignedIn(begun)]).toEqual([0, false]);
  expect(await signals()).toBeGreaterThan(0);
  expect(await isSignedIn(await signIn())).toBe(true);
});

it('an answer to what was asked before, which comes after, lets nobody in', async () => {
  const begun = await target.begin();
  const answer = goodResponse(begun);
  await end();
  await target.expectRefused(await post(begun, answer), 'request');
});

it('also where the connection is switched off and on again', async () => {
  const [begun, held] = [await signIn(), await target.begin()];
  const answer = goodResponse(held);
  await made(target.gateway.api('PUT', target.path, { enabled: false }));
  await made(target.gateway.api('PUT', target.path, { enabled: true }));
  expect(await isSignedIn(begun)).toBe(false);
  await target.expectRefused(await post(held, answer), 'request');
});

it('what a process that died left to delete opens nothing, and goes with the housekeeping', async () => {
  await end();
  const begun = await signIn();
  await run(sql`update sso_connections set session_epoch = session_epoch + 1`);
  const later = await signIn();
  expect([await sessions(), await isSignedIn(begun), await isSignedIn(later)]).toEqual([2, false, true]);
  await clearLeftovers(database, new Date());
  expect([await sessions(), await isSignedIn(later)]).toEqual([1, true]);
});
