/** A browser has one session: who signs in there anew, or as somebody else, leaves none behind. */

import * as openid from 'openid-client';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { asTenant } from '../requests/support.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { Browser, formOf } from './browser.ts';
import { OidcScene } from './oidc/scene.ts';
import { type Application, type OpScene, type Receiver, startReceiver, startScene } from './op-scene.ts';

let gateway: TestGateway;
let receiver: Receiver;
let [scene, elsewhere]: OpScene[] = [];
let app: Application;

beforeAll(async () => {
  gateway = await startGateway();
  [scene, elsewhere] = [await startScene(gateway), await startScene(gateway)];
});
afterAll(() => gateway.close());
beforeEach(async () => {
  receiver = await startReceiver();
  app = await here().application({ backchannelLogoutUri: receiver.url });
  return async () => {
    await receiver.close();
  };
});

function here(): OpScene {
  if (scene === undefined) throw new Error('not started');
  return scene;
}
function there(): OpScene {
  if (elsewhere === undefined) throw new Error('not started');
  return elsewhere;
}

const loginUrl = ({ connection }: OpScene) => connection.acsUrl.replace(/acs$/, 'login');
const cookieOf = (browser: Browser) => browser.cookiesOf(gateway.url).get('bgw_session') ?? '';
async function isSession(cookie: string): Promise<boolean> {
  const browser = new Browser();
  browser.cookiesOf(gateway.url).set('bgw_session', cookie);
  return (await browser.send(`${gateway.url}/sso/session`)).status === 200;
}
const refresh = (token: string | undefined) => openid.refreshTokenGrant(app.config, token ?? '');
const replaced = async (of: OpScene) =>
  (await made(of.api('GET', '/audit?limit=200'))).items.filter(
    ({ action }: { action: string }) => action === 'user.session_replaced',
  );

it('at another tenant whoever has a session is asked first, and a link or a page of somebody else ends nothing', async () => {
  const { browser } = await here().signIn(app);
  const page = await there().open(
    browser,
    `${loginUrl(there())}?return=/sso/blue&login_hint=ada@example.com`,
  );
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('You are signed in already')]);
  const { action, fields } = formOf(page);
  const beginning = '/login?return=%2Fsso%2Fblue&login_hint=ada%40example.com';
  expect([action, fields.to]).toEqual(['/sso/switch', expect.stringContaining(beginning)]);
  const posted = await browser.send(`${gateway.url}/sso/switch`, fields, true);
  const again = await there().open(browser, new URL(posted.headers.get('location') ?? '', posted.url).href);
  expect(again.text).toContain('You are signed in already');
  expect(await isSession(cookieOf(browser))).toBe(true);
});

it.each<[string, (url: string) => string]>([
  ['with a slash at its end', (url) => `${url}/`],
  ['in other letters', (url) => url.replace('/sso/saml', '/SSO/Saml')],
  ['with a letter escaped', (url) => url.replace('/saml/', '/s%61ml/')],
])('nor is it left out where the address is written %s', async (_how, write) => {
  const { browser } = await here().signIn(app);
  const page = await browser.send(write(loginUrl(there())));
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('You are signed in already')]);
});

it.each(['image', 'iframe', 'empty'])('a login does not begin as a part of a page: %s', async (dest) => {
  const headers = { 'sec-fetch-dest': dest };
  const answer = await fetch(loginUrl(there()), { headers, redirect: 'manual' });
  expect([answer.status, answer.headers.getSetCookie()]).toEqual([400, []]);
});

const tenantIdOf = async ({ slug }: OpScene): Promise<string> =>
  (await made(gateway.api('GET', `/tenants/${slug}`))).id;

it('a session whose connection’s sessions were ended hands nothing on to the next', async () => {
  const { browser, tokens } = await here().signIn(app);
  // What a process that died leaves for the housekeeping.
  await asTenant(gateway, await tenantIdOf(here()), (client) =>
    client.query('update sso_connections set session_epoch = session_epoch + 1'),
  );
  await here().login(browser, loginUrl(here()));
  await expect(refresh(tokens.refresh_token)).rejects.toThrow();
});

it.each([
  'https://evil.example/',
  '//evil.example',
  '/\\evil.example',
  '/sso/../api',
  'javascript:alert(1)',
  '',
])('from the page that asks nobody is led to "%s"', async (to) => {
  const browser = new Browser();
  const page = await browser.send(`${gateway.url}/sso/switch`, { to });
  expect([page.status, page.headers.get('location')]).toEqual([303, '/sso']);
});

it('at another tenant: the session of the first is over, applications there are told, and its trail says so', async () => {
  const { browser, tokens } = await here().signIn(app);
  const [first, before] = [cookieOf(browser), await replaced(here())];
  const { url } = await there().openInstead(browser, loginUrl(there()));
  await there().open(browser, await there().answer(browser, url, 'ada'));
  expect([await isSession(first), await isSession(cookieOf(browser))]).toEqual([false, true]);
  await expect(refresh(tokens.refresh_token)).rejects.toThrow();
  await vi.waitFor(() => expect(receiver.received).toHaveLength(1), { timeout: 5000, interval: 50 });
  expect(await replaced(here())).toHaveLength(before.length + 1);
  expect((await replaced(here()))[0]).toMatchObject({
    subject: tokens.claims()?.sub,
    before: { connection: here().connection.id },
  });
  expect(await replaced(there())).toEqual([]);
});

it('as the same person: what applications were given goes on with the new session, and ends with it', async () => {
  const { browser, tokens } = await here().signIn(app);
  const [first, before] = [cookieOf(browser), await replaced(here())];
  await here().login(browser, loginUrl(here()));
  expect([await isSession(first), await isSession(cookieOf(browser))]).toEqual([false, true]);
  const next = await refresh(tokens.refresh_token);
  expect([receiver.received, await replaced(here())]).toEqual([[], before]);
  await browser.send(`${gateway.url}/sso/logout`, {});
  await expect(refresh(next.refresh_token)).rejects.toThrow();
});

it('a login that is refused ends nothing, nor does one whose cookie names another session', async () => {
  const { browser } = await here().signIn(app);
  const asked = await here().open(browser, loginUrl(here()));
  expect(await here().refused(browser, asked.url, 'nobody')).toBe(true);
  expect(await isSession(cookieOf(browser))).toBe(true);

  const other = await here().signIn(app);
  const mine = await here().open(browser, loginUrl(here()));
  const cookies = browser.cookiesOf(gateway.url);
  const [name, value = ''] = [...cookies].find(([one]) => one.startsWith('bgw_login_')) ?? ['', ''];
  const [secret, tenant] = value.split('.');
  expect(tenant).toBe(cookieOf(other.browser).split('.')[0]);
  cookies.set(name, `${secret}.${tenant}.${'0'.repeat(64)}`);
  expect(await here().refused(browser, mine.url, 'ada')).toBe(true);
  expect([await isSession(cookieOf(browser)), await isSession(cookieOf(other.browser))]).toEqual([
    true,
    true,
  ]);
});

/** Of two logins in one browser each has a cookie of its own, but for one pair in 32. */
async function beginBoth(browser: Browser, one: OidcScene, two: OidcScene) {
  const cookies = browser.cookiesOf(one.gateway.url);
  const kept = () => [...cookies.keys()].filter((name) => name.startsWith('bgw_login_'));
  for (;;) {
    for (const name of kept()) cookies.delete(name);
    const begun = [await one.begin(undefined, browser), await two.begin(undefined, browser)] as const;
    if (kept().length === 2) return begun;
  }
}

it('through an OpenID provider, begun before somebody signed in elsewhere: they are asked when it comes back', async () => {
  const provider = await OidcScene.start();
  try {
    const other = await provider.beside();
    const browser = new Browser();
    const [begun, mine] = await beginBoth(browser, other, provider);
    provider.provider.said = {};
    expect((await provider.comeBack(mine)).status).toBe(303);
    other.provider.said = { claims: { nonce: begun.asked.nonce } };
    const page = await other.comeBack(begun);
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('You are signed in already')]);
    const session = await browser.send(`${provider.gateway.url}/sso/session`);
    expect(JSON.parse(session.text).tenant).toBe(provider.tenant.slug);
    const left = await asTenant(provider.gateway, other.tenant.tenantId, (client) =>
      client.query('select from sso_sessions'),
    );
    expect(left.rowCount, 'nobody is signed in there').toBe(0);
    await other.stop();
  } finally {
    await provider.stop();
  }
});

it('through an OpenID provider, in two windows: the later login replaces the session of the earlier', async () => {
  const provider = await OidcScene.start();
  try {
    const browser = new Browser();
    const cookies = browser.cookiesOf(provider.gateway.url);
    const isOver = async (cookie: string) => {
      const other = new Browser();
      other.cookiesOf(provider.gateway.url).set('bgw_session', cookie);
      return (await other.send(`${provider.gateway.url}/sso/session`)).status === 401;
    };
    const [earlier, later] = await beginBoth(browser, provider, provider);
    const finish = async (login: typeof later) => {
      provider.provider.said = { claims: { nonce: login.asked.nonce } };
      expect((await provider.comeBack(login)).status).toBe(303);
      return cookies.get('bgw_session') ?? '';
    };
    const sessions = [await finish(earlier), await finish(later)];
    expect(await Promise.all(sessions.map(isOver))).toEqual([true, false]);
  } finally {
    await provider.stop();
  }
});
