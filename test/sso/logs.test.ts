/** What people, identity providers, applications and receivers show to be let in is in no line of the log, however much is logged and whatever fails. */

import * as openid from 'openid-client';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { PushTarget, Receiver } from '../signals/receiver.ts';
import { made } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { askedIn, goodResponse } from './forge.ts';
import { OidcScene } from './oidc/scene.ts';
import { type Application, type OpScene, startReceiver, startScene } from './op-scene.ts';
import { base64 } from './target.ts';

const log: string[] = [];
const secrets: [what: string, value: string][] = [];
const keep = (what: string, value: string | null | undefined): string => {
  if (value == null || value.length < 12) throw new Error(`no ${what}: ${value}`);
  secrets.push([what, value]);
  return value;
};

let openId: OidcScene;
let scene: OpScene;
let app: Application;
let receiverToken = '';

beforeAll(async () => {
  openId = await OidcScene.start({ config: { logLevel: 'trace' }, onLog: (line) => log.push(line) });
  scene = await startScene(openId.gateway);
  app = await scene.application();
  keep('the operator’s key', openId.gateway.operatorKey);
  keep('a directory’s token', scene.directoryToken);
  keep('an application’s secret', app.clientSecret);
});
afterAll(() => openId.stop());
beforeEach(() => {
  return () => {
    const all = log.join('');
    const inLog = secrets.filter(([, value]) =>
      [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)].some((text) =>
        all.includes(text),
      ),
    );
    expect(inLog.map(([what]) => what)).toEqual([]);
    expect(all).not.toMatch(/SAMLRe|code_verifier=|client_secret/);
  };
});

function keepCookies(browser: Browser): void {
  for (const [name, value] of browser.cookiesOf(openId.gateway.url)) keep(`the cookie ${name}`, value);
}

/** As an application: all that comes to it, and all that it shows. */
async function signIn(browser = new Browser()): Promise<string> {
  const pending = await app.begin();
  for (const part of ['verifier', 'state', 'nonce'] as const) keep(part, pending[part]);
  const asked = await scene.open(browser, pending.url.href);
  keepCookies(browser);
  const { requestId, relayState } = askedIn(asked.url);
  keep('RelayState', relayState);
  keep('the id of an AuthnRequest', requestId);
  const callback = await scene.login(browser, pending.url.href);
  keepCookies(browser);
  keep('a code', new URL(callback).searchParams.get('code'));
  const tokens = await app.exchange(callback, pending);
  keep('an ID token', tokens.id_token);
  keep('an access token', tokens.access_token);
  await openid.fetchUserInfo(app.config, tokens.access_token, tokens.claims()?.sub ?? '');
  const next = await openid.refreshTokenGrant(app.config, keep('a refresh token', tokens.refresh_token));
  await openid.tokenRevocation(app.config, keep('the next refresh token', next.refresh_token));
  return tokens.access_token;
}

/** A response for a login that was begun, which is refused or not. */
async function postResponse(browser: Browser, isGood: boolean) {
  const { acsUrl, entityId } = scene.connection;
  const begun = await browser.send(acsUrl.replace(/acs$/, 'login'));
  const { requestId, relayState } = askedIn(begun.headers.get('location') ?? '');
  const own = { keys: scene.keys, strangers: scene.keys, acsUrl, audience: entityId, requestId };
  const xml = goodResponse(own, { subject: 'ada', ...(isGood ? {} : { audience: 'https://other.example' }) });
  keep('a response', base64(xml));
  keepCookies(browser);
  return await browser.send(acsUrl, { SAMLResponse: base64(xml), RelayState: relayState }, true);
}

it('when all is well', async () => {
  await signIn();
  const receiver = await startReceiver();
  const told = await scene.application({ backchannelLogoutUri: receiver.url });
  const { browser } = await scene.signIn(told);
  await browser.send(`${openId.gateway.url}/sso/logout`, {});
  await receiver.close();
  const connection = await openId.connect({ clientSecret: keep('a client secret', 'ours-at-the-provider') });
  await openId.comeBack(await openId.begin(connection), { code: keep('its code', 'code-of-the-provider') });
  const test = await made(scene.api('POST', `/connections/${scene.connection.id}/tests`));
  keep('a test’s address', test.url);
  await new Browser().send(test.url);
  expect(log.join('')).toContain('/sso/');
});

it('when it is refused', async () => {
  const { gateway } = openId;
  expect((await postResponse(new Browser(), false)).status).toBe(403);
  const wrong = keep('a secret that is wrong', 'a-secret-that-is-wrong');
  const refused = await fetch(`${gateway.url}/oidc/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{
        grant_type: 'refresh_token',
        refresh_token: keep('a token that is wrong', 'a-token-that-is-wrong'),
      },
      ...{ client_id: app.clientId, client_secret: wrong },
    }),
  });
  expect(refused.status).toBe(401);
  expect((await gateway.scim(wrong, 'GET', '/Users')).status).toBe(401);
  expect((await gateway.api('GET', '/tenants', undefined, wrong)).status).toBe(401);
  const connections = `/tenants/${scene.slug}/connections`;
  const odd = {
    protocol: 'oidc',
    name: 'x',
    issuer: 'https://x.example',
    clientId: 'x',
    clientSecret: wrong,
  };
  expect((await gateway.api('POST', connections, { ...odd, more: 1 })).status).toBe(400);
  expect((await gateway.api('POST', connections, { ...odd, clientSecret: [wrong] })).status).toBe(400);
  const broken = await fetch(`${gateway.url}/api/v1${connections}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.operatorKey}`, 'content-type': 'application/json' },
    body: `{"clientSecret": "${wrong}", `,
  });
  expect(broken.status).toBe(400);
  openId.provider.instead.set('/token', (_request, response) => void response.writeHead(500).end(wrong));
  await openId.comeBack(await openId.begin(), { code: keep('another code', 'another-code-of-it') });
  openId.provider.instead.clear();
});

it('to a receiver of signals that takes none', async () => {
  const push = await PushTarget.start();
  push.answers.push(401, 500, 400);
  const body = { name: 'Desk', audience: 'https://receiver.example' };
  ({ token: receiverToken } = await made(scene.api('POST', '/signal-receivers', body)));
  const receiver = new Receiver(openId.gateway, keep('a receiver’s token', receiverToken));
  const delivery = {
    ...{ method: 'urn:ietf:rfc:8935', endpoint_url: push.url },
    authorization_header: keep('a receiver’s authorization', 'Bearer what-the-receiver-takes'),
  };
  const stream = await receiver.send('POST', '/ssf/stream', { delivery });
  expect(stream.status).toBe(201);
  await receiver.send('POST', '/ssf/verify', {
    stream_id: stream.body.stream_id,
    state: keep('state', 'a-state-of-its-own'),
  });
  await expect.poll(() => push.pushes.length, { timeout: 10_000 }).toBeGreaterThan(0);
  keep('a signal', push.pushes[0]?.token);
  await push.stop();
});

it('when the database fails', async () => {
  const { gateway } = openId;
  const browser = new Browser();
  const access = await signIn(browser);
  const client = new pg.Client({ connectionString: gateway.databaseUrl });
  await client.connect();
  const before = log.length;
  const tables = [
    'sso_sessions',
    'openid_artefacts',
    'sso_logins',
    'sso_tests',
    'signal_receivers',
    'directory_tokens',
  ];
  // Whatever is read or written says what it was asked with, where it says anything.
  for (const table of tables) await client.query(`alter table ${table} rename to ${table}_away`);
  try {
    const failing = [
      await browser.send(`${gateway.url}/sso/session`),
      await browser.send(`${gateway.url}/sso/logout`, {}),
      await postResponse(new Browser(), true),
      await fetch(`${gateway.url}/oidc/me`, { headers: { authorization: `Bearer ${access}` } }),
      await fetch(`${gateway.url}/ssf/stream`, {
        headers: { authorization: `Bearer ${receiverToken}` },
      }),
      await gateway.scim(scene.directoryToken, 'GET', '/Users'),
      await scene.api('POST', `/connections/${scene.connection.id}/tests`),
    ];
    expect(failing.map(({ status }) => status).filter((status) => status < 500)).toEqual([]);
  } finally {
    for (const table of tables) await client.query(`alter table ${table}_away rename to ${table}`);
    await client.end();
  }
  expect(log.slice(before).filter((line) => line.includes('"level":50')).length).toBeGreaterThan(5);
});
