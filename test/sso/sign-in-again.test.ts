/** "Sign in again": back to the connection that the browser came through, and to nothing that it doesn't know already. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made } from '../support/gateway.ts';
import { Browser, type Page } from './browser.ts';
import { goodResponse } from './forge.ts';
import { type Begun, post, startTarget, type Target } from './target.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target.gateway.close());

const linkIn = ({ text }: Page) =>
  /<a href="([^"]*)">(?:Sign in again|Opnieuw inloggen)<\/a>/.exec(text)?.[1];
const nowhere = '/sso/login';
const loginOf = ({ id } = target.connection) => `/sso/saml/${id}/login`;
const see = (browser: Browser, path: string) => browser.send(`${target.gateway.url}${path}`);

async function signIn(begun?: Begun): Promise<Browser> {
  const one = begun ?? (await target.begin());
  expect((await post(one, goodResponse(one))).status).toBe(303);
  return one.browser;
}

describe('leads to the same connection', () => {
  it('from a login that was refused, which the next one there is not', async () => {
    const begun = await target.begin();
    const page = await post(begun, goodResponse({ ...begun, keys: begun.strangers }));
    expect([page.status, linkIn(page)]).toEqual([403, loginOf()]);
    expect((await see(begun.browser, loginOf())).status).toBe(303);
  });

  it('after signing out, also in Dutch, and from where others send who is signed out', async () => {
    const begun = await target.begin();
    const browser = await signIn({ ...begun, browser: Object.assign(begun.browser, { language: 'nl' }) });
    const page = await browser.send(`${target.gateway.url}/sso/logout`, {});
    expect(page.text).toContain('Opnieuw inloggen');
    for (const one of [page, await see(browser, '/sso'), await see(browser, '/sso/logged-out')]) {
      expect(linkIn(one)).toBe(loginOf());
    }
  });

  it('where the session was ended, also by an admin', async () => {
    const browser = await signIn();
    expect((await target.gateway.api('DELETE', `${target.path}/sessions`)).status).toBe(204);
    expect(linkIn(await see(browser, '/sso'))).toBe(loginOf());
  });

  it('that the browser came through last', async () => {
    const browser = await signIn();
    const other = await target.begin(target.other);
    await signIn({ ...other, browser: mergedBrowser(browser, other.browser) });
    expect(linkIn(await see(browser, '/sso/logged-out'))).toBe(loginOf(target.other));
  });

  it('by a cookie that scripts can not read, and that stays at home when another site posts', async () => {
    const begun = await target.begin();
    const page = await post(begun, goodResponse(begun));
    const cookie = page.headers.getSetCookie().find((line) => line.startsWith('bgw_place='));
    expect(cookie).toContain(`bgw_place=saml.${target.connection.id};`);
    expect(cookie).toMatch(/Max-Age=2592000/i);
    for (const part of ['HttpOnly', 'SameSite=Lax', 'Path=/']) expect(cookie).toContain(part);
  });
});

describe('leads to the page that asks for an e-mail address', () => {
  it('whoever never signed in, and tells of no connection', async () => {
    for (const path of ['/sso', '/sso/logged-out', '/sso/login?tenant=nobody-here', '/oidc/interaction/x']) {
      const page = await see(new Browser(), path);
      expect([path, linkIn(page)]).toEqual([path, nowhere]);
      expect(page.text).not.toContain(target.connection.id);
    }
  });

  it('from a connection that is not there, or not open', async () => {
    const browser = await signIn();
    const unknown = loginOf({ ...target.connection, id: '0199d1a0-0000-7000-8000-000000000000' });
    expect(linkIn(await see(browser, unknown))).toBe(nowhere);
    await made(target.gateway.api('PUT', target.path, { enabled: false }));
    const page = await see(browser, loginOf());
    expect([page.status, linkIn(page)]).toEqual([404, nowhere]);
    await made(target.gateway.api('PUT', target.path, { enabled: true }));
  });

  it.each([
    ...[
      '',
      'x',
      'saml',
      'saml.',
      'saml.//evil.example',
      'https://evil.example/',
      'SAML.x',
      'saml.%2F%2Fevil',
    ],
    ...['saml.0199d1a0-0000-7000-8000-000000000000/../../..', 'smal.0199d1a0-0000-7000-8000-000000000000'],
    ...['saml.0199d1a0-0000-7000-8000-000000000000"><b>', '%E0%A4%A', 'saml.0199d1a0-0000-7000-8000'],
  ])('whose cookie is %j', async (value) => {
    const browser = new Browser();
    browser.cookiesOf(target.gateway.url).set('bgw_place', value);
    const page = await see(browser, '/sso');
    expect([page.status, linkIn(page)]).toEqual([200, nowhere]);
    expect(page.text).not.toMatch(/evil|<b>/);
  });
});

/** The first one with the cookies of the second, as a browser that began another login has them. */
function mergedBrowser(browser: Browser, other: Browser): Browser {
  for (const [name, value] of other.cookiesOf(target.gateway.url)) {
    browser.cookiesOf(target.gateway.url).set(name, value);
  }
  return browser;
}
