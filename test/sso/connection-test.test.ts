/** An admin tries a connection: a login that shows what would come of it, and does nothing. */

import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { limits } from '../../src/kernel/limits.ts';
import { made } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { askedIn, attribute, goodResponse } from './forge.ts';
import { OidcScene } from './oidc/scene.ts';
import { base64, jit, startTarget, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target.gateway.close());

async function begin(browser = new Browser()) {
  const test = await made(target.gateway.api('POST', `${target.path}/tests`));
  const page = await browser.send(test.url);
  expect(page.status).toBe(303);
  const asked = askedIn(page.headers.get('location') ?? '');
  const { keys, strangers } = target;
  const { acsUrl, entityId: audience } = target.connection;
  return { test, begun: { browser, keys, strangers, acsUrl, audience, ...asked } };
}
type Test = Awaited<ReturnType<typeof begin>>;

const post = ({ begun }: Test, xml: string) =>
  begun.browser.send(begun.acsUrl, { SAMLResponse: base64(xml), RelayState: begun.relayState }, true);
const reportOf = async ({ test }: Test) =>
  (await made(target.gateway.api('GET', `${target.path}/tests/${test.id}`))).report;
const count = async (path: string) =>
  (await made(target.gateway.api('GET', `/tenants/${target.tenant.slug}/${path}`))).items.length;

describe('a test login', () => {
  it('shows the claims, the identity, and who would be made with which roles; and nothing is done', async () => {
    await made(
      target.gateway.api('PUT', `/tenants/${target.tenant.slug}/settings`, { defaultRole: 'view_only' }),
    );
    const test = await begin();
    expect(await reportOf(test)).toBeNull();
    const before = [await count('users'), await count('logins')];
    const attributes = attribute('userName', 'ada@example.com') + attribute('groups', 'a', 'b');
    const page = await post(test, goodResponse(test.begun, { attributes }));
    expect(page.status).toBe(200);
    expect(page.text).toContain('would be let in');
    expect(page.text).toContain('ada@example.com (would be made)');
    expect(await reportOf(test)).toMatchObject({
      steps: ['gate', 'request', 'signature', 'policy', 'identity', 'session'],
      reason: null,
      claims: { userName: ['ada@example.com'] },
      identity: { userName: 'ada@example.com' },
      user: { userName: 'ada@example.com', isNew: true },
      roles: ['view_only'],
    });
    expect([await count('users'), await count('logins')]).toEqual(before);
    expect(page.headers.getSetCookie().join()).not.toContain('bgw_session=bgw');
    expect((await test.begun.browser.send(`${target.gateway.url}/sso/session`)).status).toBe(401);
    await target.goodLogin();
  });

  it('says who is there already, and runs on a connection that is switched off', async () => {
    await target.goodLogin();
    await made(target.gateway.api('PUT', target.path, { enabled: false }));
    const test = await begin();
    await post(test, goodResponse(test.begun));
    expect(await reportOf(test)).toMatchObject({ reason: null, user: { isNew: false } });
    expect((await new Browser().send(target.connection.acsUrl.replace(/acs$/, 'login'))).status).toBe(404);
    await made(target.gateway.api('PUT', target.path, { enabled: true }));
  });

  it.each<[string, string, (test: Test) => string]>([
    ['signature', 'a stranger’s signature', ({ begun }) => goodResponse({ ...begun, keys: begun.strangers })],
    ['audience', 'another audience', ({ begun }) => goodResponse(begun, { audience: 'https://x.example' })],
    [
      'subject',
      'a transient NameID',
      ({ begun }) =>
        goodResponse(begun, {
          nameId: '<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient">x</saml:NameID>',
        }),
    ],
  ])('says why it would be refused: %s', async (reason, _what, write) => {
    const test = await begin();
    const page = await post(test, write(test));
    expect(page.text).toContain('would be refused');
    expect(await reportOf(test)).toMatchObject({ reason, user: null });
    await target.goodLogin();
  });

  it('shows what came where that is why it would be refused', async () => {
    const test = await begin();
    const nameId = '<saml:NameID Format="urn:x">ada@example.com</saml:NameID>';
    const attributes = attribute('userName', 'ada@example.com') + attribute('id', '7');
    await post(test, goodResponse(test.begun, { nameId, attributes }));
    expect(await reportOf(test)).toMatchObject({
      reason: 'subject',
      claims: { NameID: ['ada@example.com', 'urn:x'], userName: ['ada@example.com'], id: ['7'] },
      identity: null,
    });
  });

  it('says what the identity provider refuses itself, which ends the test', async () => {
    const status =
      '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:RequestDenied"/></samlp:StatusCode>';
    const before = await count('logins');
    const test = await begin();
    const page = await post(test, goodResponse(test.begun, { status }));
    expect(page.text).toContain('would be refused');
    const refused = { steps: [], reason: 'status', detail: expect.stringContaining('RequestDenied') };
    expect(await reportOf(test)).toMatchObject(refused);
    expect(await count('logins')).toBe(before);
    expect((await post(test, goodResponse(test.begun))).status).toBe(403);
    expect(await reportOf(test)).toMatchObject(refused);
  });

  it('by OpenID Connect, too', async () => {
    const scene = await OidcScene.start();
    const path = `/tenants/${scene.tenant.slug}/connections/${scene.connection.id}/tests`;
    const { id, url } = await made(scene.gateway.api('POST', path));
    const browser = new Browser();
    const page = await browser.send(url);
    const asked = scene.provider.ask(page.headers.get('location') ?? '');
    expect((await scene.comeBack({ browser, asked })).text).toContain('would be let in');
    const { report } = await made(scene.gateway.api('GET', `${path}/${id}`));
    expect(report).toMatchObject({ claims: { sub: ['ada'] }, user: { isNew: true } });
    expect((await browser.send(`${scene.gateway.url}/sso/session`)).status).toBe(401);

    scene.provider.said = { claims: { 'a\0b': 'c\0d', preferred_username: ['x', 'y'] } };
    const second = await made(scene.gateway.api('POST', path));
    const location = (await browser.send(second.url)).headers.get('location') ?? '';
    const refused = await scene.comeBack({ browser, asked: scene.provider.ask(location) });
    expect(refused.text).toContain('would be refused');
    expect((await made(scene.gateway.api('GET', `${path}/${second.id}`))).report).toMatchObject({
      reason: 'claim',
      claims: { 'a\ufffdb': ['c\ufffdd'], preferred_username: ['x', 'y'] },
    });
    await scene.stop();
  });

  it('in a browser that is signed in at another tenant, whose session stays', async () => {
    const scene = await OidcScene.start();
    const other = await scene.beside();
    const { browser } = await other.goodLogin();
    const path = `/tenants/${scene.tenant.slug}/connections/${scene.connection.id}/tests`;
    const { url } = await made(scene.gateway.api('POST', path));
    const asked = scene.provider.ask((await browser.send(url)).headers.get('location') ?? '');
    expect((await scene.comeBack({ browser, asked })).text).toContain('would be let in');
    const session = await browser.send(`${scene.gateway.url}/sso/session`);
    expect(JSON.parse(session.text).tenant).toBe(other.tenant.slug);
    await other.stop();
    await scene.stop();
  });

  it('says that the identity provider is not reached', async () => {
    const scene = await OidcScene.start();
    const path = `/tenants/${scene.tenant.slug}/connections/${scene.connection.id}/tests`;
    const { id, url } = await made(scene.gateway.api('POST', path));
    await scene.provider.stop();
    expect((await new Browser().send(url)).status).toBe(503);
    const { report } = await made(scene.gateway.api('GET', `${path}/${id}`));
    expect(report).toMatchObject({ steps: [], reason: 'provider', user: null });
    await scene.gateway.close();
  });
});

describe('is not to be had', () => {
  it('twice by one address, or by another browser', async () => {
    const test = await begin();
    expect((await new Browser().send(test.test.url)).status).toBe(404);
    const elsewhere = { ...test, begun: { ...test.begun, browser: new Browser() } };
    expect((await post(elsewhere, goodResponse(test.begun))).status).toBe(403);
    expect(await reportOf(test)).toBeNull();
    expect((await post(test, goodResponse(test.begun))).text).toContain('would be let in');
  });

  it('too late, and what it shows is forgotten', async () => {
    const other = await startTarget({ config: { testClock: true } });
    const { gateway, path } = other;
    const [begun, late] = [
      await made(gateway.api('POST', `${path}/tests`)),
      await made(gateway.api('POST', `${path}/tests`)),
    ];
    expect((await new Browser().send(begun.url)).status).toBe(303);
    const after = async (minutes: number) => {
      const now = new Date(Date.parse(late.beginUntil) + (minutes - 10) * 60_000).toISOString();
      await made(gateway.api('PUT', '/clock', { now }));
      return await gateway.api('GET', `${path}/tests/${late.id}`);
    };
    expect((await after(11)).status).toBe(200);
    expect((await new Browser().send(late.url)).status).toBe(404);
    expect((await after(61)).status).toBe(404);
    await gateway.close();
  });

  it('by another tenant’s admin, with a wrong token, or by the answer to a real login', async () => {
    const test = await begin();
    const elsewhere = `/tenants/${target.elsewhere.slug}/connections/${target.connection.id}/tests/${test.test.id}`;
    expect((await target.gateway.api('GET', elsewhere)).status).toBe(404);
    expect((await new Browser().send(`${test.test.url}x`)).status).toBe(404);
    expect((await new Browser().send(`${target.gateway.url}/sso/test/x`)).status).toBe(404);
    // A real login beside it is a real one.
    await target.goodLogin();
    expect(await reportOf(test)).toBeNull();
  });
});

it('is begun so often in an hour, and not once more by those that are begun at once', async () => {
  const connections = `/tenants/${target.tenant.slug}/connections`;
  const body = { protocol: 'saml', name: 'other', metadataXml: target.metadataXml, jit };
  const { id } = await made(target.gateway.api('POST', connections, body));
  const database = openDatabase({ url: target.gateway.databaseUrl, poolSize: 1 });
  await inTenant(database, target.tenant.tenantId as TenantId, (tx) =>
    tx.run(sql`
      insert into sso_tests (tenant_id, id, connection_id, token_hash, created_at, begin_until, expires_at)
      select ${tx.tenantId}, gen_random_uuid(), ${id}, 'test ' || n, now(), now(), now() + interval '1 hour'
      from generate_series(1, ${limits.connectionTestsPerHourMax - 1}::integer) n`),
  );
  const begin = () => target.gateway.api('POST', `${connections}/${id}/tests`);
  let begun: ReturnType<typeof begin>[] = [];
  await inTenant(database, target.tenant.tenantId as TenantId, async (tx) => {
    await tx.run(sql`lock table sso_tests in share mode`);
    begun = Array.from({ length: 6 }, begin);
    // They come to where they would write, and wait for this to end.
    await sleep(500);
  });
  await database.close();
  const statuses = (await Promise.all(begun)).map(({ status }) => status);
  expect(statuses.sort()).toEqual([201, ...Array(5).fill(409)]);
});
