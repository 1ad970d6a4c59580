/**
 * Signing in with a real browser. The identity provider is on `localhost`, the gateway on `127.0.0.1`: the answer is a POST from
 * another site, and the browser alone decides which cookies go with it. Each page is looked at by axe, and all work without a script.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DnsServer, startDnsServer, verifiedDomain } from '../support/dns-server.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { type RealBrowser, startRealBrowser } from '../support/real-browser.ts';
import { expectAccessible } from './accessible.ts';
import { samlpAttributes, startIdentityProvider } from './identity-provider.ts';

const real: RealBrowser | undefined = await startRealBrowser();
const contexts: BrowserContext[] = [];
let gateway: TestGateway;
let idp: Awaited<ReturnType<typeof startIdentityProvider>>;
let dns: DnsServer;
let tenant: TestTenant;
let acsUrl = '';

beforeAll(async () => {
  dns = await startDnsServer();
  gateway = await startGateway({ config: { dnsResolver: dns.address } });
  idp = await startIdentityProvider(() => acsUrl);
});
afterAll(async () => {
  await real?.close();
  await gateway.close();
  await idp.close();
  await dns.close();
});
beforeEach(async () => {
  tenant = await gateway.createTenant();
  return async () => {
    await Promise.all(contexts.splice(0).map((one) => one.close()));
  };
});

async function connect(
  jit: object = { create: true, attributes: samlpAttributes },
  name = 'Test IdP',
  change: object = {},
) {
  const body = { protocol: 'saml', name, metadataXml: idp.metadataXml, jit, ...change };
  const connection = await made(gateway.api('POST', `/tenants/${tenant.slug}/connections`, body));
  acsUrl = connection.acsUrl;
}

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await real?.browser.newContext({ locale: 'en-GB', ...options });
  if (context === undefined) throw new Error('no browser');
  contexts.push(context);
  return await context.newPage();
}

const loginUrl = (more = '') => `${gateway.url}/sso/login?tenant=${tenant.slug}${more}`;
const heading = (page: Page) => page.locator('h1').textContent();

async function login(page: Page, more = ''): Promise<void> {
  await page.goto(loginUrl(more));
  await page.waitForURL((url) => url.origin === gateway.url);
}

describe.skipIf(real === undefined)('a real browser', () => {
  it('signs in by a POST of another site, again, and out', async () => {
    await connect();
    const page = await open();
    const sent = page.waitForRequest(acsUrl);
    await login(page);
    expect(page.url()).toBe(`${gateway.url}/sso`);
    expect(await heading(page)).toBe('You are signed in');
    expect((await (await sent).allHeaders()).cookie).toContain('bgw_login_');
    await expectAccessible(page);
    // The session is Lax: it stays at home when the identity provider posts.
    const again = page.waitForRequest(acsUrl);
    await login(page, '&return=/sso/session');
    expect((await (await again).allHeaders()).cookie).not.toContain('bgw_session');
    expect(page.url()).toBe(`${gateway.url}/sso/session`);
    expect(await page.textContent('body')).toContain('"email":"ada@example.com"');
    await page.goto(`${gateway.url}/sso`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(await heading(page)).toBe('You are not signed in');
    await expectAccessible(page);
    expect((await page.goto(`${gateway.url}/sso/session`))?.status()).toBe(401);
  });

  it('is not signed out by a form of another site', async () => {
    await connect();
    const page = await open();
    await login(page);
    const form = `<form method="post" action="${gateway.url}/sso/logout"><button>Go</button></form>`;
    await page.route('http://localhost/', (route) => route.fulfill({ contentType: 'text/html', body: form }));
    await page.goto('http://localhost/');
    await page.getByRole('button').click();
    await page.waitForURL(`${gateway.url}/sso/logout`);
    expect((await page.goto(`${gateway.url}/sso/session`))?.status()).toBe(200);
  });

  it('shows who is not let in what to do, with a reference', async () => {
    await connect({ attributes: samlpAttributes });
    const page = await open();
    await login(page);
    expect(await heading(page)).toBe('Signing in did not work');
    expect(await page.textContent('main')).toContain('You are not provisioned');
    const reference = await page.textContent('code');
    const { body } = await gateway.api('GET', `/tenants/${tenant.slug}/logins/${reference}`);
    expect(body).toMatchObject({ reason: 'not_provisioned' });
    await expectAccessible(page);
  });

  it('lets people choose by keyboard alone, on a phone', async () => {
    await connect(undefined, 'Another');
    await connect();
    const page = await open({ viewport: { width: 320, height: 640 } });
    await page.goto(loginUrl());
    expect(await heading(page)).toBe('Choose how you sign in');
    await expectAccessible(page);
    const focused = () => page.locator(':focus').textContent();
    await page.keyboard.press('Tab');
    while ((await focused()) !== 'Test IdP') await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${gateway.url}/sso`);
    await expectAccessible(page);
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Sign out');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  });

  it('asks for an e-mail address in Dutch', async () => {
    const page = await open({ locale: 'nl-NL' });
    await page.goto(`${gateway.url}/sso/login`);
    expect([await heading(page), await page.getAttribute('html', 'lang')]).toEqual(['Inloggen', 'nl']);
    await expectAccessible(page);
    await page.keyboard.type('ada@nowhere.example');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await expectAccessible(page);
  });

  it('leads from an e-mail address to its identity provider, and to where people wanted', async () => {
    await verifiedDomain(gateway, dns, tenant, 'work.example');
    await connect(undefined, undefined, { domains: ['work.example'] });
    const page = await open();
    await page.goto(`${gateway.url}/sso/login?return=/sso/session`);
    await page.keyboard.type('ada@work.example');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${gateway.url}/sso/session`);
  });

  it('asks whoever is signed in at another organisation before it signs them out there', async () => {
    await connect();
    const page = await open({ locale: 'nl-NL', viewport: { width: 320, height: 640 } });
    await login(page);
    tenant = await gateway.createTenant();
    await connect();
    await login(page, '&return=/sso/session');
    expect(await heading(page)).toBe('Je bent al ingelogd');
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Ingelogd blijven' }).click();
    expect(await heading(page)).toBe('Je bent ingelogd');
    await login(page, '&return=/sso/session');
    await page.getByRole('button', { name: 'Uitloggen en verdergaan' }).click();
    await page.waitForURL(`${gateway.url}/sso/session`);
    expect(await page.textContent('body')).toContain(`"tenant":"${tenant.slug}"`);
  });

  it('lets in whom the identity provider sends unasked, after a click', async () => {
    await connect(undefined, undefined, { allowIdpInitiated: true });
    const page = await open({ locale: 'nl-NL' });
    await page.goto(idp.ssoUrl);
    await page.waitForURL(acsUrl);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Verder naar inloggen' }).click();
    await page.waitForURL(`${gateway.url}/sso`);
    expect(await heading(page)).toBe('Je bent ingelogd');
  });

  it('shows who waits for an administrator that it is so, and the administrator’s test what came', async () => {
    await connect({ create: true, approval: true, attributes: samlpAttributes });
    const page = await open({ locale: 'nl-NL', viewport: { width: 320, height: 640 } });
    await login(page);
    expect(await heading(page)).toBe('Je toegang wacht op goedkeuring');
    await expectAccessible(page);
    const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/connections`));
    const { url } = await made(
      gateway.api('POST', `/tenants/${tenant.slug}/connections/${items[0].id}/tests`),
    );
    await page.goto(url);
    await page.waitForURL(acsUrl);
    expect(await page.textContent('main')).toContain('ada@example.com');
    expect(await page.textContent('dd[lang=en]')).toContain('pending: The access request');
    await expectAccessible(page);
  });

  it('goes on to the identity provider to be signed out there, by itself or by the link', async () => {
    const slo = idp.ssoUrl.replace('/sso', '/slo');
    const service = `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${slo}"/>`;
    const metadataXml = idp.metadataXml.replace('<md:SingleSignOnService', `${service}$&`);
    await connect(undefined, undefined, { metadataXml });
    const page = await open();
    await login(page);
    // An answer without a page leaves the one that led there.
    const asked: string[] = [];
    await page.route(`${slo}**`, (route) => {
      asked.push(route.request().url());
      return route.fulfill({ status: 204 });
    });
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect.poll(() => asked.length).toBe(1);
    expect(await heading(page)).toBe('You are not signed in');
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Sign out at your organisation' }).click();
    await expect.poll(() => asked.length).toBe(2);
    expect(asked[1]).toBe(asked[0]);
  });

  it('takes the request to the identity provider by a POST, which may lead on to another site', async () => {
    const hop = createServer((_request, response) => response.writeHead(307, { location: idp.ssoUrl }).end());
    await new Promise<void>((done) => hop.listen(0, '127.0.0.1', done));
    const { port } = hop.address() as AddressInfo;
    const metadataXml = idp.metadataXml
      .replace('HTTP-Redirect', 'HTTP-POST')
      .replace(`"${idp.ssoUrl}"`, `"http://127.0.0.1:${port}/sso"`);
    await connect(undefined, undefined, { metadataXml });
    const page = await open();
    await login(page);
    await page.waitForURL(`${gateway.url}/sso`);
    expect(await heading(page)).toBe('You are signed in');
    const stuck = await open();
    await stuck.route(`http://127.0.0.1:${port}/sso`, (route) => route.fulfill({ status: 204 }));
    await stuck.goto(loginUrl(), { waitUntil: 'commit' });
    await stuck.getByRole('button').waitFor();
    await expectAccessible(stuck);
    const without = await open({ javaScriptEnabled: false, locale: 'nl-NL' });
    await without.goto(loginUrl());
    expect(await heading(without)).toBe('Op weg naar je organisatie');
    await without.getByRole('button', { name: 'Verder' }).click();
    await without.waitForURL(idp.ssoUrl);
    await without.locator('input[type=submit], button').first().click();
    await without.waitForURL(`${gateway.url}/sso`);
    await new Promise((done) => hop.close(done));
  });

  it('needs no script on pages of ours', async () => {
    await connect();
    const page = await open({ javaScriptEnabled: false });
    await page.goto(loginUrl());
    // The identity provider's page posts by a script, or by its button.
    await page.locator('input[type=submit], button').first().click();
    await page.waitForURL(`${gateway.url}/sso`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(await heading(page)).toBe('You are not signed in');
    await page.getByRole('link', { name: 'Sign in again' }).click();
    await page.waitForURL((url) => url.href.startsWith(idp.ssoUrl));
  });
});
