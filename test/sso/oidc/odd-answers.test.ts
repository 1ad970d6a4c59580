/** What a provider says that no provider should: whatever it is, people see a page, and nothing fails here. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../browser.ts';
import { OidcScene } from './scene.ts';

let scene: OidcScene;
beforeAll(async () => {
  scene = await OidcScene.start();
});
afterAll(() => scene.stop());

const noAddresses: [string, unknown][] = [
  ['not there', undefined],
  ['null', null],
  ['a number', 5],
  ['no address', 'x'],
  ['a script', 'javascript:alert(1)//'],
  ['a file', 'file:///etc/passwd'],
];

async function saying<T>(change: object, look: (other: OidcScene) => Promise<T>): Promise<T> {
  const other = await scene.beside();
  try {
    other.provider.discovery = { ...other.provider.discovery, ...change };
    return await look(other);
  } finally {
    await other.stop();
  }
}

describe('OIDC-ATK-17: a discovery document leads browsers nowhere but to the web:', () => {
  it.each(noAddresses)('authorization_endpoint is %s', async (_what, authorization_endpoint) => {
    const page = await saying({ authorization_endpoint }, (other) =>
      new Browser().send(other.connection.loginUrl),
    );
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5']);
  });

  it.each(noAddresses)('end_session_endpoint is %s', async (_what, end_session_endpoint) => {
    await saying({ end_session_endpoint }, async (other) => {
      await other.set({ singleLogout: true });
      const { browser } = await other.goodLogin();
      const page = await browser.send(`${other.gateway.url}/sso/logout`, {});
      expect([page.status, page.text.includes('http-equiv="refresh"')]).toEqual([200, false]);
      expect((await browser.send(`${other.gateway.url}/sso/session`)).status).toBe(401);
    });
  });
});

describe('OIDC-ATK-11: a provider that says another issuer than it was asked for is none:', () => {
  it.each([
    ['a template, as Entra’s for all tenants', 'https://login.microsoftonline.com/{tenantid}/v2.0'],
    ['another one', 'https://other.example'],
    ['none', undefined],
  ])('%s', async (_what, issuer) => {
    const page = await saying({ issuer }, (other) => new Browser().send(other.connection.loginUrl));
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5']);
  });
});

describe('OIDC-ATK-18: claims that no row can hold', () => {
  // Too many bytes for an index, and nothing that the database could make smaller.
  const long = Array.from({ length: 3000 }, () => String.fromCharCode(0x4e00 + Math.random() * 20_000));
  it.each<[string, Record<string, unknown>]>([
    ['a sid with NUL', { sid: 'a\0' }],
    ['a sid with half a character', { sid: '\ud800' }],
    ['a long sid', { sid: long.slice(0, 1000).join('') }],
    ['an acr with NUL', { acr: 'a\0' }],
    ['a long acr', { acr: long.join('') }],
    ['a name with NUL', { 'a\0': 1 }],
    ['5000 names', Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`c${n}`, 1]))],
  ])('%s: the person is signed in all the same', async (_name, claims) => {
    const login = await scene.begin();
    scene.provider.said = { claims };
    expect((await scene.comeBack(login)).status).toBe(303);
  });

  it('a sub with NUL is nobody’s', async () => {
    const login = await scene.begin();
    scene.provider.said = { claims: { sub: 'a\0' } };
    await scene.expectRefused(await scene.comeBack(login), 'claim');
  });

  it.each<[string, Record<string, unknown>]>([
    ['sid', { sid: 'a\0' }],
    ['sub', { sub: 'a\0' }],
    ['jti', { sid: 's', jti: '\0' }],
  ])('a logout token whose %s has NUL is none', async (_name, claims) => {
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const usual = { sub: undefined, nonce: undefined, jti: crypto.randomUUID(), events };
    const logout_token = await scene.provider.idToken({ claims: { ...usual, ...claims } });
    const { status } = await new Browser().send(scene.connection.backchannelLogoutUrl, { logout_token });
    expect(status).toBe(400);
  });
});
