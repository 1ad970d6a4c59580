/** Whatever ends a session of the gateway ends what hangs on it, and applications are told within seconds (Back-Channel Logout 1.0). */

import { setTimeout as sleep } from 'node:timers/promises';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import * as openid from 'openid-client';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { Browser, formOf } from './browser.ts';
import {
  type Application,
  type OpScene,
  type Receiver,
  shown,
  startReceiver,
  startScene,
} from './op-scene.ts';

let [gateway, second]: TestGateway[] = [];
let receiver: Receiver;
let scene: OpScene;
let app: Application;
const log: string[] = [];

beforeAll(async () => {
  const onLog = (line: string) => log.push(line);
  gateway = await startGateway({ config: { logLevel: 'warn' }, onLog });
  // Both deliver.
  const { databaseUrl, url: publicUrl } = gateway;
  second = await startGateway({ databaseUrl, onLog, config: { logLevel: 'warn', publicUrl } });
});
afterAll(async () => {
  await second?.close();
  await gateway?.close();
});
beforeEach(async () => {
  receiver = await startReceiver();
  scene = await startScene(first());
  app = await scene.application({
    postLogoutRedirectUris: ['https://app.example.com/'],
    backchannelLogoutUri: receiver.url,
  });
  return async () => {
    await receiver.close();
  };
});

function first(): TestGateway {
  if (gateway === undefined) throw new Error('not started');
  return gateway;
}

const scim = (method: string, path: string, body?: object) =>
  made(first().scim(scene.directoryToken, method, path, body));
const setActive = (id: string, value: boolean) =>
  scim('PATCH', `/Users/${id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'active', value }],
  });
/** The decision stands, and gives nothing. */
async function duplicate(id: string): Promise<void> {
  const emails = [{ value: 'bo@example.com', primary: true }];
  await scene.person('bo@example.com');
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
  await scim('PATCH', `/Users/${id}`, {
    schemas,
    Operations: [{ op: 'add', path: 'emails', value: emails }],
  });
  const { items } = await made(scene.api('GET', '/users'));
  expect(items.find((user: { id: string }) => user.id === id).seat.reason).toBe('DUPLICATE_EMAIL');
}

const idOf = async () => (await made(scene.api('GET', '/users'))).items[0].id;

/** The one logout token that comes within five seconds, as the application checks it. */
async function told(): Promise<JWTPayload> {
  await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(0), {
    timeout: 5000,
    interval: 50,
  });
  const token = new URLSearchParams(receiver.received[0]).get('logout_token') ?? '';
  const keys = createRemoteJWKSet(new URL(`${first().url}/oidc/jwks`));
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    ...{ issuer: `${first().url}/oidc`, audience: app.clientId, typ: 'logout+jwt', algorithms: ['RS256'] },
    requiredClaims: ['iat', 'exp', 'jti', 'sub', 'sid', 'events'],
  });
  expect(protectedHeader.kid).toBeTruthy();
  expect(payload.nonce).toBeUndefined();
  expect(payload.events).toEqual({ 'http://schemas.openid.net/event/backchannel-logout': {} });
  return payload;
}

async function isOver({ browser, tokens }: Awaited<ReturnType<OpScene['signIn']>>): Promise<void> {
  const me = await fetch(`${first().url}/oidc/me`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  expect(me.status).toBe(401);
  await expect(openid.refreshTokenGrant(app.config, tokens.refresh_token ?? '')).rejects.toMatchObject({
    error: 'invalid_grant',
  });
  const { url } = await scene.open(browser, (await app.begin({ prompt: 'none' })).url.href);
  expect(new URL(url).searchParams.get('error')).toBe('login_required');
  expect((await browser.send(`${first().url}/sso/session`)).status).toBe(401);
}

describe('what ends a session', () => {
  it.each<[string, (id: string, browser: Browser) => Promise<unknown>]>([
    ['deactivation over SCIM', (id) => setActive(id, false)],
    ['deletion over SCIM', (id) => scim('DELETE', `/Users/${id}`)],
    ['an address that another has already, which leaves no role', (id) => duplicate(id)],
    ['the loss of the last role', () => made(scene.api('PUT', '/settings', { defaultRole: 'none' }))],
    [
      'its connection switched off',
      () =>
        made(scene.api('PUT', `/connections/${scene.connection.id}`, { protocol: 'saml', enabled: false })),
    ],
    ['its connection removed', () => made(scene.api('DELETE', `/connections/${scene.connection.id}`))],
    ['signing out at the gateway', (_id, browser) => browser.send(`${first().url}/sso/logout`, {})],
  ])('%s: tokens are void when the call is answered, and the application is told', async (_what, act) => {
    const login = await scene.signIn(app);
    const id = await idOf();
    const claims = login.tokens.claims();
    await act(id, login.browser);
    await isOver(login);
    expect(await told()).toMatchObject({ sub: id, sid: claims?.sid });
    expect(claims?.sub).toBe(id);
    await new Promise((done) => setTimeout(done, 600));
    expect(receiver.received, 'one of two gateways tells it, once').toHaveLength(1);
  });

  it('signing out at the application ends the gateway’s session, and the way leads back', async () => {
    const login = await scene.signIn(app);
    const sid = login.tokens.claims()?.sid;
    const url = openid.buildEndSessionUrl(app.config, {
      id_token_hint: login.tokens.id_token ?? '',
      post_logout_redirect_uri: 'https://app.example.com/',
      state: 'bye',
    });
    const page = await login.browser.send(url.href);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Blue asks to sign you out');
    const { action, fields } = formOf(page);
    const done = await login.browser.send(action, { ...fields, logout: 'yes' });
    expect([done.status, done.headers.get('location')]).toEqual([303, 'https://app.example.com/?state=bye']);
    await isOver(login);
    expect(await told()).toMatchObject({ sid });
  });

  it('tells each application that the session was used at, and no session besides', async () => {
    const other = await scene.application({ backchannelLogoutUri: receiver.url });
    const { browser } = await scene.signIn(app);
    const pending = await other.begin();
    await other.exchange((await scene.open(browser, pending.url.href)).url, pending);
    const elsewhere = await scene.signIn(app);
    await browser.send(`${first().url}/sso/logout`, {});
    await vi.waitFor(() => expect(receiver.received).toHaveLength(2), { timeout: 5000 });
    await openid.refreshTokenGrant(app.config, elsewhere.tokens.refresh_token ?? '');
  });

  it('a step-up goes on with what stands, and signing out ends that as well', async () => {
    const login = await scene.signIn(app);
    const other = await scene.application({ backchannelLogoutUri: receiver.url });
    const pending = await other.begin({ prompt: 'login' });
    const asked = await scene.open(login.browser, pending.url.href);
    const back = await scene.answer(login.browser, asked.url, 'ada', shown());
    await other.exchange((await scene.open(login.browser, back)).url, pending);
    const tokens = await openid.refreshTokenGrant(app.config, login.tokens.refresh_token ?? '');
    expect(receiver.received).toEqual([]);
    await login.browser.send(`${first().url}/sso/logout`, {});
    await vi.waitFor(() => expect(receiver.received).toHaveLength(2), { timeout: 5000 });
    await expect(openid.refreshTokenGrant(app.config, tokens.refresh_token ?? '')).rejects.toThrow();
  });

  it('who signs in as another in the same browser is signed out as the first', async () => {
    await scene.person('bo@example.com');
    const login = await scene.signIn(app);
    const asked = await scene.open(login.browser, (await app.begin({ prompt: 'login' })).url.href);
    await scene.open(login.browser, await scene.answer(login.browser, asked.url, 'bo', shown()));
    expect(await told()).toMatchObject({ sid: login.tokens.claims()?.sid });
    await expect(openid.refreshTokenGrant(app.config, login.tokens.refresh_token ?? '')).rejects.toThrow();
  });

  it('and somebody reactivated signs in anew', async () => {
    const { tokens } = await scene.signIn(app);
    const id = await idOf();
    await setActive(id, false);
    await setActive(id, true);
    await expect(openid.refreshTokenGrant(app.config, tokens.refresh_token ?? '')).rejects.toThrow();
    expect((await scene.signIn(app)).tokens.claims()?.sub).toBe(id);
  });
});

it('signing out while codes and refresh tokens are exchanged leaves none that is good', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { browser, tokens } = await scene.signIn(app);
    const pending = await app.begin({ prompt: 'none' });
    const callback = (await scene.open(browser, pending.url.href)).url;
    const [, ...exchanges] = await Promise.allSettled([
      sleep(round * 3).then(() => browser.send(`${first().url}/sso/logout`, {})),
      app.exchange(callback, pending),
      openid.refreshTokenGrant(app.config, tokens.refresh_token ?? ''),
    ]);
    for (const exchange of exchanges) {
      if (exchange.status === 'rejected') {
        expect(exchange.reason).toMatchObject({ error: 'invalid_grant' });
        continue;
      }
      const headers = { authorization: `Bearer ${exchange.value.access_token}` };
      expect((await fetch(`${first().url}/oidc/me`, { headers })).status).toBe(401);
      const more = openid.refreshTokenGrant(app.config, exchange.value.refresh_token ?? '');
      await expect(more).rejects.toMatchObject({ error: 'invalid_grant' });
    }
  }
});

it('leaving the group that gave the last role, while others keep theirs', async () => {
  const bo = await scene.person('bo@example.com');
  const id = (await made(scene.api('GET', '/users'))).items.find((user: { id: string }) => user.id !== bo).id;
  const members = [{ value: id }, { value: bo }];
  const group = await scim('POST', '/Groups', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    ...{ displayName: 'Staff', members },
  });
  const mapping = { group: { id: group.id }, role: 'view_only', workspaces: ['*'], priority: 1 };
  await made(scene.api('POST', '/mappings', mapping));
  await made(scene.api('PUT', '/settings', { defaultRole: 'none' }));
  const [ada, other] = [await scene.signIn(app), await scene.signIn(app, new Browser(), 'bo')];
  await scim('PATCH', `/Groups/${group.id}`, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'remove', path: 'members', value: [{ value: id }] }],
  });
  await isOver(ada);
  expect(await told()).toMatchObject({ sub: id });
  await openid.refreshTokenGrant(app.config, other.tokens.refresh_token ?? '');
});

describe('an application that does not listen', () => {
  it('is tried again with another token, and holds up nothing', async () => {
    receiver.answers(503);
    const { browser } = await scene.signIn(app);
    await browser.send(`${first().url}/sso/logout`, {});
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), { timeout: 5000 });
    receiver.answers(204);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(2), { timeout: 8000 });
    expect(receiver.received[0]).not.toBe(receiver.received[1]);
    expect(log.join('')).toContain('a client was not told of a logout');
    expect(log.join('')).not.toContain('logout_token');
  }, 20_000);

  it('is given up after the last try, and the trail says so', async () => {
    receiver.answers(500);
    const { browser } = await scene.signIn(app);
    const id = await idOf();
    const client = new pg.Client({ connectionString: first().databaseUrl });
    await client.connect();
    await browser.send(`${first().url}/sso/logout`, {});
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), { timeout: 5000 });
    await client.query('alter table openid_logouts no force row level security');
    const last = limits.openIdLogoutTriesMax - 1;
    await client.query('update openid_logouts set tries = $1, next_at = now()', [last]);
    const trail = () => made(scene.api('GET', '/audit?action=logout.undelivered'));
    await vi.waitFor(async () => expect((await trail()).items).toHaveLength(1), { timeout: 5000 });
    expect((await trail()).items[0]).toMatchObject({
      ...{ actor: { kind: 'system', rule: 'back-channel logout' }, subject: id },
      after: { clientId: app.clientId, problem: 'it answers 500', tries: limits.openIdLogoutTriesMax },
    });
    expect((await client.query('select from openid_logouts')).rowCount).toBe(0);
    await client.query('alter table openid_logouts force row level security');
    await client.end();
  });
});
