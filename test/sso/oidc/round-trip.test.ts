/**
 * Signing in by OpenID Connect with a provider that is not ours (oidc-provider), on `localhost` while the gateway is on
 * `127.0.0.1`: discovery, login, a second login without being asked, and signing out there.
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../../support/gateway.ts';
import { Browser, formOf, type Page } from '../browser.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let server: Server;
let issuer = '';
// biome-ignore lint/suspicious/noExplicitAny: as the admin API answers it.
let connection: any;

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  server = createServer();
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const body = { protocol: 'oidc', name: 'x', issuer, clientId: 'gateway', clientSecret: 'secret' };
  const more = { singleLogout: true, jit: { create: true } };
  connection = await made(gateway.api('POST', `/tenants/${tenant.slug}/connections`, { ...body, ...more }));
  server.on('request', providerOf().callback());
});
afterAll(async () => {
  await gateway.close();
  await new Promise((done) => server.close(done));
});

function providerOf(): Provider {
  const address = { email: 'ada@example.com', email_verified: true };
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'gateway',
        client_secret: 'secret',
        redirect_uris: [connection.callbackUrl],
        post_logout_redirect_uris: [connection.loggedOutUrl],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...address, name: 'Ada Lovelace', preferred_username: address.email }),
    }),
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    cookies: { keys: ['x'] },
  });
}

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
