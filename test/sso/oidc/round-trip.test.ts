/**
 * Signing in by OpenID Connect with a provider that is not ours (oidc-provider), on `localhost` while the gateway is on
 * `127.0.0.1`: discovery, login, a second login without being asked, and signing out there.
 */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../../support/gateway.ts';
import { Browser, formOf, type Page } from '../browser.ts';
import { client, startUpstreamProvider, type UpstreamProvider } from '../upstream-provider.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let provider: UpstreamProvider;
let issuer = '';
// biome-ignore lint/suspicious/noExplicitAny: as the admin API answers it.
let connection: any;

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  provider = await startUpstreamProvider();
  issuer = provider.issuer;
  const body = { protocol: 'oidc', name: 'x', issuer, ...client };
  const more = { singleLogout: true, jit: { create: true } };
  connection = await made(gateway.api('POST', `/tenants/${tenant.slug}/connections`, { ...body, ...more }));
  provider.register(connection);
});
afterAll(async () => {
  await gateway.close();
  await provider.close();
});

/** Goes where it is sent until a page is shown, at the provider or here. */
async function follow(browser: Browser, first: Page): Promise<Page> {
  let page = first;
  for (let hop = 0; hop < 12 && page.status >= 302 && page.status <= 303; hop += 1) {
    page = await browser.send(new URL(page.headers.get('location') ?? '', page.url).href);
  }
  return page;
}

/** The provider's own pages: a login with whatever name, and a consent. */
async function passForms(browser: Browser, at: Page): Promise<Page> {
  let page = at;
  for (let n = 0; n < 3 && page.url.startsWith(issuer); n += 1) {
    const { action, fields } = formOf(page);
    const prompt = /name="prompt" value="(\w+)"/.exec(page.text)?.[1] ?? 'login';
    const form =
      prompt === 'login' ? { ...fields, prompt, login: 'ada', password: 'x' } : { ...fields, prompt };
    page = await follow(browser, await browser.send(action || page.url, form));
  }
  return page;
}

it('signs in, again without being asked, and out at both', async () => {
  const browser = new Browser();
  const asked = await follow(browser, await browser.send(`${gateway.url}/sso/login?tenant=${tenant.slug}`));
  expect(asked.url).toContain(`${issuer}/interaction/`);
  const landed = await passForms(browser, asked);
  expect([landed.status, new URL(landed.url).pathname]).toEqual([200, '/sso']);
  const session = JSON.parse((await browser.send(`${gateway.url}/sso/session`)).text);
  expect(session).toMatchObject({
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    connection: connection.id,
  });

  // Another window: the provider knows the browser, and asks nothing.
  const again = await follow(browser, await browser.send(connection.loginUrl));
  expect([again.status, new URL(again.url).pathname]).toEqual([200, '/sso']);

  const out = await browser.send(`${gateway.url}/sso/logout`, {});
  const link = /<a href="([^"]*)"/.exec(out.text)?.[1]?.replaceAll('&#38;', '&') ?? '';
  const there = await browser.send(link);
  const { action, fields } = formOf(there);
  const back = await follow(browser, await browser.send(action, { ...fields, logout: 'yes' }));
  expect(back.url).toBe(connection.loggedOutUrl);
  expect(back.text).toContain('signed out, here and at your organisation');
  const anew = await follow(browser, await browser.send(connection.loginUrl));
  expect(anew.url).toContain(`${issuer}/interaction/`);
});
