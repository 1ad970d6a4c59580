/**
 * OpenID Connect with a real browser, both ways: an OpenID provider as identity provider, and an application that signs people in
 * through `/oidc`. Provider and application are on `localhost`, the gateway on `127.0.0.1`.
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as openid from 'openid-client';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { type RealBrowser, startRealBrowser } from '../support/real-browser.ts';
import { expectAccessible } from './accessible.ts';
import { samlpAttributes, startIdentityProvider } from './identity-provider.ts';
import { type Application, applicationOf, type Receiver, startReceiver } from './op-scene.ts';
import { client, startUpstreamProvider, type UpstreamProvider } from './upstream-provider.ts';

const real: RealBrowser | undefined = await startRealBrowser();
let gateway: TestGateway;
let tenant: TestTenant;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(async () => {
  await real?.close();
  await gateway.close();
});
beforeEach(async () => {
  tenant = await gateway.createTenant();
  if (real === undefined) return;
  context = await real.browser.newContext({ locale: 'en-GB' });
  page = await context.newPage();
  return () => context.close();
});

const api = (method: string, path: string, body: object) =>
  made(gateway.api(method, `/tenants/${tenant.slug}${path}`, body));
const sessionStatus = async () => (await page.goto(`${gateway.url}/sso/session`))?.status();

describe.skipIf(real === undefined)('an OpenID provider as identity provider', () => {
  let upstream: UpstreamProvider;
  beforeAll(async () => {
    upstream = await startUpstreamProvider();
  });
  afterAll(() => upstream.close());

  it('signs in, again without being asked, and out at both', async () => {
    const body = { protocol: 'oidc', name: 'Provider', issuer: upstream.issuer, ...client };
    const more = { singleLogout: true, jit: { create: true } };
    const connection = await api('POST', '/connections', { ...body, ...more });
    upstream.register(connection);
    const { loginUrl, loggedOutUrl } = connection;
    await page.goto(`${loginUrl}?return=/sso/session`);
    await page.fill('[name=login]', 'ada');
    await page.fill('[name=password]', 'x');
    await page.locator('[type=submit]').first().click();
    await page.waitForURL(/interaction/);
    await page.locator('[type=submit]').first().click();
    await page.waitForURL(`${gateway.url}/sso/session`);

    await page.goto(loginUrl);
    expect(page.url()).toBe(`${gateway.url}/sso`);
    await expectAccessible(page);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(/session\/end/);
    await page.locator('[type=submit]').first().click();
    await page.waitForURL((url) => url.href.startsWith(loggedOutUrl));
    expect(await page.textContent('main')).toContain('signed out, here and at your organisation');
    await expectAccessible(page);
    expect(await sessionStatus()).toBe(401);
    await page.goBack();
    await page.getByRole('link', { name: 'Sign in again' }).click();
    await page.waitForURL((url) => url.href.startsWith(`${upstream.issuer}/interaction/`));
  });
});

describe.skipIf(real === undefined)('an application behind /oidc', () => {
  let idp: Awaited<ReturnType<typeof startIdentityProvider>>;
  let blue: Server;
  let origin: string;
  let receiver: Receiver;
  let app: Application;
  let acsUrl: string;

  beforeAll(async () => {
    idp = await startIdentityProvider(() => acsUrl);
    blue = createServer((_request, response) => response.end('Blue'));
    await new Promise<void>((done) => blue.listen(0, 'localhost', done));
    origin = `http://localhost:${(blue.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await idp.close();
    blue.closeAllConnections();
    await new Promise((done) => blue.close(done));
  });
  beforeEach(async () => {
    receiver = await startReceiver();
    await api('PUT', '/settings', { defaultRole: 'view_only' });
    const jit = { create: true, attributes: samlpAttributes };
    const body = { protocol: 'saml', name: 'IdP', metadataXml: idp.metadataXml, jit };
    acsUrl = (await api('POST', '/connections', body)).acsUrl;
    const redirectUri = `${origin}/callback`;
    const registered = await api('POST', '/clients', {
      ...{ name: 'Blue', redirectUris: [redirectUri], postLogoutRedirectUris: [`${origin}/`] },
      backchannelLogoutUri: receiver.url,
    });
    app = await applicationOf(gateway.url, { ...registered, redirectUri });
    return () => receiver.close();
  });

  /** As far as the application's callback. */
  async function authorize(params: Record<string, string> = {}) {
    const pending = await app.begin(params);
    await page.goto(pending.url.href);
    await page.waitForURL((url) => url.origin === origin);
    return { callback: page.url(), pending };
  }
  const answers = (idpUrl: string) => {
    const seen: string[] = [];
    page.on('request', (request) => request.url().startsWith(idpUrl) && seen.push(request.url()));
    return seen;
  };

  it('signs people in, again without the identity provider, and out everywhere', async () => {
    const first = await authorize();
    const tokens = await app.exchange(first.callback, first.pending);
    const sub = tokens.claims()?.sub ?? '';
    expect(await openid.fetchUserInfo(app.config, tokens.access_token, sub)).toMatchObject({
      email: 'ada@example.com',
    });

    const asked = answers(idp.ssoUrl);
    const again = await authorize();
    expect((await app.exchange(again.callback, again.pending)).claims()?.sub).toBe(sub);
    const silent = await authorize({ prompt: 'none' });
    expect(new URL(silent.callback).searchParams.has('code')).toBe(true);
    expect(asked).toEqual([]);

    const end = openid.buildEndSessionUrl(app.config, { post_logout_redirect_uri: `${origin}/` });
    await page.goto(end.href);
    expect(await page.textContent('main')).toContain('Blue asks to sign you out');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL((url) => url.href.startsWith(`${origin}/`));
    expect(await sessionStatus()).toBe(401);
    const refused = await authorize({ prompt: 'none' });
    expect(new URL(refused.callback).searchParams.get('error')).toBe('login_required');
    await vi.waitFor(() => expect(receiver.received.join()).toContain('logout_token='), { timeout: 8000 });
  });

  it('is told when people sign out at the gateway', async () => {
    const { callback, pending } = await authorize();
    await app.exchange(callback, pending);
    await page.goto(`${gateway.url}/sso`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await vi.waitFor(() => expect(receiver.received.join()).toContain('logout_token='), { timeout: 8000 });
  });
});
