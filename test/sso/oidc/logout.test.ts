/** Logouts between an OpenID provider and us: Back-Channel Logout 1.0 (OIDC-ATK-21), and RP-Initiated Logout 1.0. */

import { createHmac } from 'node:crypto';
import { UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newKey } from '../../oauth/issuer.ts';
import { made } from '../../support/gateway.ts';
import type { Said } from './hostile-provider.ts';
import { type Login, OidcScene } from './scene.ts';

const event = 'http://schemas.openid.net/event/backchannel-logout';
let scene: OidcScene;
beforeAll(async () => {
  scene = await OidcScene.start();
});
afterAll(() => scene.stop());

async function signIn(sub: string, sid: string | undefined): Promise<Login> {
  const login = await scene.begin();
  const address = `${sub}@example.com`;
  scene.provider.said = { claims: { sub, sid, email: address, preferred_username: address } };
  expect((await scene.comeBack(login)).status).toBe(303);
  return login;
}

const isSignedIn = async ({ browser }: Login) =>
  (await browser.send(`${scene.gateway.url}/sso/session`)).status === 200;

const url = () => scene.connection.backchannelLogoutUrl.replace(/^https?:\/\/[^/]+/, scene.gateway.url);
const now = () => Math.floor(Date.now() / 1000);

/** A logout token; a claim that is undefined is left out. */
async function logoutToken(said: Said = {}): Promise<string> {
  return await scene.provider.idToken({
    header: { typ: 'logout+jwt' },
    ...said,
    claims: {
      ...{ nonce: undefined, email: undefined, email_verified: undefined, preferred_username: undefined },
      ...{ sub: 'ada', sid: 's1', events: { [event]: {} }, jti: crypto.randomUUID() },
      ...said.claims,
    },
  });
}

const tell = (body: Record<string, string> | string) =>
  fetch(url(), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: typeof body === 'string' ? body : new URLSearchParams(body).toString(),
  });
const statusOf = async (said?: Said) => (await tell({ logout_token: await logoutToken(said) })).status;

it('many logout tokens at once are all taken, and wait for no deadlock', async () => {
  const people = Array.from({ length: 24 }, (_, n) => `many${n}`);
  const logins: Login[] = [];
  for (const sub of people) logins.push(await signIn(sub, `s-${sub}`));
  const tokens = await Promise.all(people.map((sub) => logoutToken({ claims: { sub, sid: `s-${sub}` } })));
  const answers = await Promise.all(tokens.map((logout_token) => tell({ logout_token })));
  expect(answers.map(({ status }) => status)).toEqual(people.map(() => 200));
  expect(await Promise.all(logins.map(isSignedIn))).toEqual(people.map(() => false));
});

describe('a logout token', () => {
  const said = { sub: 'ada', sid: 's9', email: 'ada@example.com', preferred_username: 'ada@example.com' };
  it.each([
    { names: 'the session', claims: { sid: 's9', sub: undefined }, status: 403 },
    { names: 'the person', claims: { sid: undefined }, status: 403 },
    { names: 'both', claims: { sid: 's9' }, status: 403 },
    { names: 'another session', claims: { sid: 's8' }, status: 303 },
    { names: 'another person', claims: { sub: 'eve', sid: 's9' }, status: 303 },
  ])(
    'that names $names: a login that was begun before and comes back after it is answered $status',
    async ({ claims, status }) => {
      await signIn('ada', 's9');
      const held = await scene.begin();
      expect(await statusOf({ claims })).toBe(200);
      scene.provider.said = { claims: said };
      expect((await scene.comeBack(held)).status).toBe(status);
      expect((await scene.newest()).reason).toBe(status === 403 ? 'revoked' : null);
    },
  );
});

describe('a logout token ends', () => {
  it('the one session that it names by sid', async () => {
    const [one, two] = [await signIn('ada', 's1'), await signIn('ada', 's2')];
    expect(await statusOf()).toBe(200);
    expect([await isSignedIn(one), await isSignedIn(two)]).toEqual([false, true]);
  });

  it('all sessions of the person that it names by sub alone, and nobody else’s', async () => {
    const [one, two, other] = [
      await signIn('ada', 's1'),
      await signIn('ada', 's2'),
      await signIn('eve', 's3'),
    ];
    expect(await statusOf({ claims: { sid: undefined } })).toBe(200);
    expect([await isSignedIn(one), await isSignedIn(two), await isSignedIn(other)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('nothing where sid and sub are of two people', async () => {
    const one = await signIn('ada', 's1');
    expect(await statusOf({ claims: { sub: 'eve' } })).toBe(200);
    expect(await isSignedIn(one)).toBe(true);
  });
});

describe('OIDC-ATK-21: a logout token is refused', () => {
  let ada: Login;
  beforeEach(async () => {
    ada = await signIn('ada', 's1');
  });
  const hmac = (claims: object) => {
    const parts = [{ alg: 'HS256' }, claims].map((one) =>
      Buffer.from(JSON.stringify(one)).toString('base64url'),
    );
    return `${parts.join('.')}.${createHmac('sha256', 'secret').update(parts.join('.')).digest('base64url')}`;
  };
  const cases: Record<string, () => Said | Promise<Said>> = {
    'with alg none': () => ({ idToken: (claims) => new UnsecuredJWT(claims).encode() }),
    'signed with the client secret': () => ({ idToken: hmac }),
    'signed by somebody else': async () => ({ key: await newKey('k1') }),
    'signed by another algorithm': async () => ({ key: await newKey('k2', 'ES256') }),
    'without the event': () => ({ claims: { events: undefined } }),
    'with another event': () => ({ claims: { events: { 'http://other.example': {} } } }),
    'whose events are a text': () => ({ claims: { events: event } }),
    'with a nonce, as an ID token has one': () => ({ claims: { nonce: 'x' } }),
    'of another issuer': () => ({ claims: { iss: 'https://other.example' } }),
    'for another client': () => ({ claims: { aud: 'other' } }),
    'without jti': () => ({ claims: { jti: undefined } }),
    'that names nobody': () => ({ claims: { sub: undefined, sid: undefined } }),
    'that never expires': () => ({ claims: { exp: undefined } }),
    'that has expired': () => ({ claims: { exp: now() - 600 } }),
    'written long ago': () => ({ claims: { iat: now() - 3600, exp: now() + 300 } }),
    'that does not say when it was written': () => ({ claims: { iat: undefined } }),
    'that is none': () => ({ idToken: 'x.y.z' }),
  };
  for (const [name, said] of Object.entries(cases)) {
    it(name, async () => {
      expect(await statusOf(await said())).toBe(400);
      expect(await isSignedIn(ada)).toBe(true);
    });
  }

  it('that was used before', async () => {
    const token = await logoutToken({ claims: { sid: 'other' } });
    expect((await tell({ logout_token: token })).status).toBe(200);
    expect((await tell({ logout_token: token })).status).toBe(400);
  });

  it('that comes twice, not at all, or is too long', async () => {
    const token = await logoutToken();
    expect((await tell(`logout_token=${token}&logout_token=${token}`)).status).toBe(400);
    expect((await tell('x=1')).status).toBe(400);
    expect((await tell({ logout_token: 'a'.repeat(9000) })).status).toBe(400);
    expect(await isSignedIn(ada)).toBe(true);
  });

  it('as an ID token of a login, which is none', async () => {
    const login = await scene.begin();
    scene.provider.said = {};
    expect((await tell({ logout_token: await scene.provider.idToken() })).status).toBe(400);
    expect((await scene.comeBack(login)).status).toBe(303);
  });
});

describe('somebody signs out here', () => {
  it('and there, with the ID token as a hint, where the connection wants that', async () => {
    await scene.set({ singleLogout: true });
    const login = await scene.goodLogin();
    const page = await login.browser.send(`${scene.gateway.url}/sso/logout`, {});
    const link = /<a href="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&#38;', '&') ?? '';
    const to = new URL(link);
    expect(`${to.origin}${to.pathname}`).toBe(`${scene.provider.issuer}/logout`);
    expect(to.searchParams.get('id_token_hint')?.split('.')).toHaveLength(3);
    expect(to.searchParams.get('post_logout_redirect_uri')).toBe(scene.connection.loggedOutUrl);
    expect(await isSignedIn(login)).toBe(false);
    const back = await login.browser.send(`${scene.gateway.url}/sso/logged-out`);
    expect(back.text).toContain('signed out, here and at your organisation');
    expect(back.text).toContain(`<a href="/sso/oidc/${scene.connection.id}/login">Sign in again</a>`);
    await scene.set({ singleLogout: false });
  });

  it('and here alone otherwise, also where the provider does not answer', async () => {
    const login = await scene.goodLogin();
    const page = await login.browser.send(`${scene.gateway.url}/sso/logout`, {});
    expect(page.text).toContain('Your organisation may still keep you signed in');
  });

  it('and no ID token is kept in the clear', async () => {
    await scene.set({ singleLogout: true });
    await scene.goodLogin();
    const { items } = await made(scene.gateway.api('GET', `/tenants/${scene.tenant.slug}/audit`));
    expect(JSON.stringify(items)).not.toMatch(/eyJ|"secret"/);
  });
});
