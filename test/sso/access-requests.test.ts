/** Who signs in for the first time, and waits for an administrator's word, over HTTP. */

import { setTimeout as sleep } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Door } from '../../src/audit/door.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { ConnectionId, TenantId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { keepAccessRequest } from '../../src/sso/access-request-flow.ts';
import { made } from '../support/gateway.ts';
import { attribute } from './forge.ts';
import {
  api,
  approve,
  connectionIs,
  groupsOf,
  list,
  login,
  requestOf,
  startNewcomers,
  target,
  userOf,
} from './newcomers.ts';
import { jit } from './target.ts';

let count = 0;
/** Nobody was here before. */
let someone = '';

beforeAll(startNewcomers);
afterAll(() => target.gateway.close());
beforeEach(async () => {
  count += 1;
  someone = `person${count}`;
  const attributes = { userName: 'userName', email: 'mail' };
  const policies = { enabled: true, approval: true, groupsClaim: 'groups', defaultRole: null };
  await connectionIs({ ...jit, ...policies, attributes });
});

const tenantId = () => target.tenant.tenantId as TenantId;
const keep = (database: Database, one: string, subject = one) => {
  const connectionId = target.connection.id as ConnectionId;
  const door: Door = {
    ...{ tenantId: tenantId(), now: new Date(), requestId: null },
    actor: { kind: 'connection', id: connectionId, name: 'x' },
  };
  const identity = {
    ...{ subject, externalId: undefined, userName: `${one}@example.com` },
    ...{ email: undefined, emailVerified: true, userNameVerified: true },
    ...{ givenName: undefined, familyName: undefined, displayName: undefined },
  };
  return keepAccessRequest(database, door, connectionId, { identity, groups: [] });
};

it('keeps who would be made as one request, with what the claims say now, and says so plainly', async () => {
  const page = await login(someone, attribute('mail', 'old@example.com'));
  expect(page.status).toBe(403);
  expect(page.text).toContain('<h1>Your access waits for approval</h1>');
  expect(await target.newest()).toMatchObject({ outcome: 'refused', reason: 'pending' });
  await login(someone, attribute('mail', `${someone}@new.example.com`) + groupsOf('Staff'));
  expect(await requestOf(someone)).toMatchObject({
    ...{ state: 'pending', email: `${someone}@new.example.com`, groups: ['staff'] },
    ...{ connection: target.connection.id, refusedAt: null },
  });
  expect(await userOf(someone)).toBeUndefined();
  expect(await list('/audit?action=access.requested')).toHaveLength(1);
});

it('makes who is approved at once, with role and seat; the next login is theirs', async () => {
  await login(someone, groupsOf('Staff'));
  const request = await requestOf(someone);
  const approved = await made(approve(request));
  expect(approved).toMatchObject({ seat: 'held', roles: [{ role: 'team_member', workspace: 'w1' }] });
  expect(await userOf(someone)).toMatchObject({ id: approved.user, seat: { state: 'held' } });
  expect(await requestOf(someone)).toBeUndefined();
  expect((await approve(request)).status).toBe(404);
  const [event] = await list('/audit?action=access.approved');
  expect(event).toMatchObject({
    actor: { kind: 'operator' },
    subject: request.id,
    after: { userId: approved.user },
  });
  expect((await login(someone)).status).toBe(303);
  expect(await target.newest()).toMatchObject({ user: approved.user });
});

it('remembers who was refused, until somebody lets them in after all', async () => {
  await login(someone);
  const { id } = await requestOf(someone);
  const refused = await made(api('POST', `/access-requests/${id}/refuse`, { reason: 'no longer with us' }));
  expect(refused).toMatchObject({ state: 'refused', reason: 'no longer with us' });
  expect((await api('POST', `/access-requests/${id}/refuse`, {})).status).toBe(409);
  const page = await login(someone);
  expect(page.text).toContain('You are not provisioned');
  expect(page.text).not.toContain('no longer with us');
  expect((await target.newest()).detail).toContain(id);
  expect(await requestOf(someone)).toBeUndefined();
  expect(await requestOf(someone, 'refused')).toMatchObject({ id });
  await made(approve(refused));
  expect((await login(someone)).status).toBe(303);
});

it('lets nobody in by claims that nobody has seen', async () => {
  await login(someone);
  const seen = await requestOf(someone);
  await login(someone, groupsOf('Staff'));
  expect(await approve(seen)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect((await api('POST', `/access-requests/${seen.id}/approve`)).status).toBe(400);
  expect(await userOf(someone)).toBeUndefined();
  const now = await requestOf(someone);
  expect(now).toMatchObject({ id: seen.id, groups: ['staff'] });
  await login(someone, groupsOf('Staff'));
  const later = await requestOf(someone);
  expect(later.lastLoginAt > now.lastLoginAt, 'the same claims are no other request').toBe(true);
  await made(approve(now));
});

it('nor by such that come while the person is being made', async () => {
  await login(someone);
  const seen = await requestOf(someone);
  const database = openDatabase({ url: target.gateway.databaseUrl, poolSize: 1 });
  let approved: ReturnType<typeof approve> | undefined;
  await inTenant(database, tenantId(), async (tx) => {
    await tx.run(sql`update access_requests set claimed_groups = '{staff}' where id = ${seen.id}`);
    approved = approve(seen);
    // It comes to the row, and waits for this to end.
    await sleep(300);
  });
  await database.close();
  expect(await approved).toMatchObject({ status: 409 });
  expect(await userOf(someone)).toBeUndefined();
  expect(await requestOf(someone)).toMatchObject({ id: seen.id, groups: ['staff'] });
});

it('is one request of however many first logins at once, and the trail tells it once', async () => {
  expect(
    (await Promise.all(Array.from({ length: 8 }, () => login(someone)))).map(({ status }) => status),
  ).toEqual(Array(8).fill(403));
  const requests = (await list('/access-requests')).filter(
    ({ userName }: { userName: string }) => userName === `${someone}@example.com`,
  );
  const told = (await list('/audit?action=access.requested&limit=200')).filter(
    ({ after }: { after: { identity: { userName: string } } }) =>
      after.identity.userName === `${someone}@example.com`,
  );
  expect(told.map(({ subject }: { subject: string }) => subject)).toEqual([requests[0].id]);
  expect(requests).toHaveLength(1);
});

it('approves nobody at a connection that is switched off', async () => {
  await login(someone);
  const request = await requestOf(someone);
  await made(target.gateway.api('PUT', target.path, { enabled: false }));
  expect(await approve(request)).toMatchObject({ status: 409 });
  await made(target.gateway.api('PUT', target.path, { enabled: true }));
  expect(await userOf(someone)).toBeUndefined();
  await made(approve(request));
});

it('makes nobody beside a user whom the claims lead to', async () => {
  await login(someone);
  const token = await target.tenant.directoryToken('okta');
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
  await made(target.gateway.scim(token, 'POST', '/Users', { schemas, userName: `${someone}@example.com` }));
  const request = await requestOf(someone);
  expect(await approve(request)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect(await requestOf(someone)).toEqual(request);
});

it('of another tenant is not there', async () => {
  await login(someone);
  const { id, revision } = await requestOf(someone);
  const path = `/tenants/${target.elsewhere.slug}/access-requests`;
  expect((await target.gateway.api('POST', `${path}/${id}/approve`, { revision })).status).toBe(404);
  expect((await target.gateway.api('POST', `${path}/${id}/refuse`, {})).status).toBe(404);
  expect((await made(target.gateway.api('GET', path))).items).toEqual([]);
});

it('asks nobody any more about who is linked meanwhile', async () => {
  await login(someone);
  await connectionIs({ approval: false });
  expect((await login(someone)).status).toBe(303);
  await connectionIs({ approval: true });
  expect(await requestOf(someone)).toBeUndefined();
});

it('nor where that came while a login was under way, which would write the request down again', async () => {
  await login(someone);
  await made(approve(await requestOf(someone)));
  const database = openDatabase({ url: target.gateway.databaseUrl, poolSize: 1 });
  const [link] = await inTenant(database, tenantId(), (tx) =>
    tx.run(sql<{ subject: string }>`select subject from sso_links order by linked_at desc limit 1`),
  );
  await expect(keep(database, someone, link?.subject)).rejects.toThrow('sign in again');
  expect(await requestOf(someone)).toBeUndefined();
  await database.close();
});

it('keeps not one more than may wait of those who come at once', async () => {
  const database = openDatabase({ url: target.gateway.databaseUrl, poolSize: 8 });
  const inDatabase = (query: RawBuilder<{ waiting: number }>) =>
    inTenant(database, tenantId(), (tx) => tx.run(query));
  const count = sql<{ waiting: number }>`
    select count(*)::integer as waiting from access_requests where refused_at is null`;
  const [before] = await inDatabase(count);
  const many = limits.accessRequestsPerTenantMax - (before?.waiting ?? 0) - 1;
  await inDatabase(sql`
    insert into access_requests (tenant_id, id, connection_id, subject, identity, claimed_groups, requested_at, last_login_at)
    select ${tenantId()}, gen_random_uuid(), ${target.connection.id}, 'many ' || n, '{}', '{}', now(), now()
    from generate_series(1, ${many}::integer) n`);
  const people = Array.from({ length: 6 }, (_, n) => `${someone}-${n}`);
  const kept = await Promise.all(people.map((one) => keep(database, one)));
  expect(kept.map(({ reason }) => reason).sort()).toEqual([...Array(5).fill('not_provisioned'), 'pending']);
  expect(await inDatabase(count)).toEqual([{ waiting: limits.accessRequestsPerTenantMax }]);
  await inDatabase(sql`delete from access_requests where subject like 'many %'`);
  await database.close();
});
