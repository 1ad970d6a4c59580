/** Applications that know nothing but OpenID Connect sign people in at /oidc, over HTTP. */

import { decodeJwt } from 'jose';
import * as openid from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asTenant } from '../requests/support.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { type Application, type OpScene, shown, startScene } from './op-scene.ts';

let gateway: TestGateway;
let scene: OpScene;
let app: Application;
const log: string[] = [];

beforeAll(async () => {
  gateway = await startGateway({ config: { logLevel: 'info' }, onLog: (line) => log.push(line) });
});
afterAll(() => gateway.close());
beforeEach(async () => {
  scene = await startScene(gateway);
  app = await scene.application({ postLogoutRedirectUris: ['https://app.example.com/'] });
});

const errorOf = (url: string) => new URL(url).searchParams.get('error');
const idOf = async () => (await made(scene.api('GET', '/users'))).items[0].id;
const mfa = 'urn:example:mfa';

describe('a login', () => {
  it('goes by the identity provider once, and tells the application who came', async () => {
    const { tokens, browser } = await scene.signIn(app);
    const claims = tokens.claims();
    const id = await idOf();
    expect(claims).toMatchObject({ iss: `${gateway.url}/oidc`, aud: app.clientId, sub: id });
    expect((claims?.exp ?? 0) - (claims?.iat ?? 0)).toBe(600);
    expect(await openid.fetchUserInfo(app.config, tokens.access_token, id)).toEqual({
      sub: id,
      ...{ name: 'Person ada@example.com', preferred_username: 'ada@example.com', email: 'ada@example.com' },
      ...{ updated_at: expect.any(Number), groups: [], tenant: scene.slug, workspaces: ['*'] },
      roles: [{ role: 'view_only', billing: 'free', workspace: '*' }],
      seat: { state: 'none', position: null },
    });
    const other = await scene.application({ name: 'Other' });
    const pending = await other.begin({ scope: 'openid' });
    const page = await scene.open(browser, pending.url.href);
    const second = await other.exchange(page.url, pending);
    expect(second.claims()?.sub).toBe(id);
    expect(await openid.fetchUserInfo(other.config, second.access_token, id)).toEqual({ sub: id });
  });

  it('is there at once for whoever is signed in to the gateway already', async () => {
    const browser = new Browser();
    await scene.login(browser, `${gateway.url}/sso/login?tenant=${scene.slug}`);
    const pending = await app.begin({ prompt: 'none' });
    const asked = await scene.open(browser, pending.url.href);
    expect(errorOf(asked.url), 'the application has no session here yet').toBe('login_required');
    const silent = await app.begin();
    const { url } = await scene.open(browser, silent.url.href);
    expect((await app.exchange(url, silent)).claims()?.sub).toBe(await idOf());
  });

  it('without a page: prompt=none has a code for whoever is signed in, and login_required for others', async () => {
    const { browser } = await scene.signIn(app);
    const pending = await app.begin({ prompt: 'none' });
    const { url } = await scene.open(browser, pending.url.href);
    expect((await app.exchange(url, pending)).claims()?.sub).toBe(await idOf());
    const stranger = await scene.open(new Browser(), (await app.begin({ prompt: 'none' })).url.href);
    expect(errorOf(stranger.url)).toBe('login_required');
  });

  it('keeps the way back over the choice of several connections, and takes the one that is named', async () => {
    const second = await scene.connect();
    const browser = new Browser();
    const pending = await app.begin();
    const chooser = await scene.open(browser, pending.url.href);
    const [, link = ''] =
      new RegExp(`href="(/oidc/interaction/[^"]*${scene.connection.id})"`).exec(chooser.text) ?? [];
    const callback = await scene.login(browser, new URL(link, gateway.url).href);
    expect((await app.exchange(callback, pending)).claims()?.sub).toBe(await idOf());
    const named = await app.begin({ connection: second.id });
    const there = await scene.open(browser, named.url.href);
    expect(there.url, 'a session of another connection does not answer').toContain('SAMLRequest=');
  });

  it('goes back to where the application says it was, and carries its state', async () => {
    const pending = await app.begin({ state: 'deep/link?x=1' });
    const callback = await scene.login(new Browser(), pending.url.href);
    expect(new URL(callback).searchParams.get('state')).toBe('deep/link?x=1');
  });

  it('is not another person’s than the one that id_token_hint names', async () => {
    await scene.person('bo@example.com');
    const bo = (await scene.signIn(app, new Browser(), 'bo')).tokens.id_token ?? '';
    const browser = new Browser();
    const fresh = await scene.login(browser, (await app.begin({ id_token_hint: bo })).url.href);
    expect(errorOf(fresh)).toBe('login_required');
    const pending = await app.begin({ id_token_hint: bo });
    const asked = await scene.open(browser, pending.url.href);
    const { url } = await scene.open(browser, await scene.answer(browser, asked.url, 'bo'));
    expect((await app.exchange(url, pending)).claims()?.sub).toBe(decodeJwt(bo).sub);
    const silent = await scene.open(
      browser,
      (await app.begin({ id_token_hint: bo, prompt: 'none' })).url.href,
    );
    expect(new URL(silent.url).searchParams.get('code')).not.toBeNull();
  });

  it('is refused, in the words of the protocol, to whoever has no role', async () => {
    await made(scene.api('PUT', '/settings', { defaultRole: 'none' }));
    const callback = await scene.login(new Browser(), (await app.begin()).url.href);
    expect(errorOf(callback)).toBe('access_denied');
  });

  it('leaves no code, token, cookie or secret in the log', async () => {
    const { tokens, browser } = await scene.signIn(app);
    await openid.refreshTokenGrant(app.config, tokens.refresh_token ?? '');
    const all = log.join('');
    const secrets = [tokens.access_token, tokens.refresh_token, tokens.id_token, app.clientSecret];
    for (const secret of [...secrets, ...browser.cookiesOf(gateway.url).values()]) {
      expect(all).not.toContain(secret);
    }
    await fetch(
      `${gateway.url}/oidc/auth?client_id=${app.clientId}&response_type=code&redirect_uri=https://x.example/secret`,
    );
    expect(log.join('')).toMatch(/"error":"invalid_redirect_uri","detail":"redirect_uri did not match/);
    expect(log.join('')).not.toContain('x.example');
    expect(all).not.toMatch(/code=|state=|SAMLRe/);
    expect(all).toContain('/oidc/*');
  });
});

describe('step-up', () => {
  it.each([
    ['prompt=login', { prompt: 'login' }],
    ['max_age=0', { max_age: '0' }],
  ])('%s: the person shows again who they are, and an old answer is none', async (_what, params) => {
    const { browser } = await scene.signIn(app);
    const pending = await app.begin(params);
    const asked = await scene.open(browser, pending.url.href);
    expect(asked.url).toContain('SAMLRequest=');
    const back = await scene.answer(browser, asked.url, 'ada', shown());
    const { url } = await scene.open(browser, back);
    const { auth_time: at = 0 } = (await app.exchange(url, pending)).claims() ?? {};
    expect(Math.abs(Date.now() / 1000 - Number(at))).toBeLessThan(20);
    const again = await scene.open(browser, (await app.begin(params)).url.href);
    expect(await scene.refusedStepUp(browser, again.url, shown(-3_600_000))).toBe(true);
  });

  it('max_age: who was asked anew may take minutes to come back', async () => {
    const browser = new Browser();
    const asked = await scene.open(browser, (await app.begin({ max_age: '60' })).url.href);
    const { id } = await made(scene.api('GET', ''));
    await asTenant(gateway, id, (client) =>
      client.query(`update sso_requests set asked_at = asked_at - interval '5 minutes'`),
    );
    // The session is there; that the application asked before this is not so here.
    await scene.answer(browser, asked.url, 'ada', shown(-240_000));
  });

  it('acr_values: a session that shows less does not answer, and one that shows it is told', async () => {
    const { browser } = await scene.signIn(app);
    const pending = await app.begin({ acr_values: mfa });
    const asked = await scene.open(browser, pending.url.href);
    expect(asked.url).toContain('SAMLRequest=');
    const back = await scene.answer(browser, asked.url, 'ada', shown(0, mfa));
    const { url } = await scene.open(browser, back);
    expect((await app.exchange(url, pending)).claims()?.acr).toBe(mfa);
    const weak = new Browser();
    const less = await scene.open(weak, (await app.begin({ acr_values: mfa })).url.href);
    expect(await scene.refusedStepUp(weak, less.url, shown())).toBe(true);
  });

  it('max_age: a login that is older is made again', async () => {
    const { browser } = await scene.signIn(app, new Browser(), 'ada');
    const fresh = await scene.open(browser, (await app.begin({ max_age: '600' })).url.href);
    expect(new URL(fresh.url).searchParams.get('code')).not.toBeNull();
    const old = new Browser();
    const pending = await app.begin();
    const asked = await scene.open(old, pending.url.href);
    await scene.open(old, await scene.answer(old, asked.url, 'ada', shown(-3_600_000)));
    const again = await scene.open(old, (await app.begin({ max_age: '600' })).url.href);
    expect(again.url).toContain('SAMLRequest=');
  });
});

describe('tokens', () => {
  it('a refresh gives new ones, and the old refresh token used again ends them all', async () => {
    const { tokens } = await scene.signIn(app);
    const next = await openid.refreshTokenGrant(app.config, tokens.refresh_token ?? '');
    expect(next.refresh_token).not.toBe(tokens.refresh_token);
    await openid.fetchUserInfo(app.config, next.access_token, await idOf());
    await expect(openid.refreshTokenGrant(app.config, tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    await expect(openid.refreshTokenGrant(app.config, next.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('are revoked by the application, and go with it', async () => {
    const { tokens } = await scene.signIn(app);
    await openid.tokenRevocation(app.config, tokens.refresh_token ?? '');
    await expect(openid.refreshTokenGrant(app.config, tokens.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    const { tokens: more } = await scene.signIn(app);
    await made(scene.api('DELETE', `/clients/${app.clientId}`));
    await expect(openid.fetchUserInfo(app.config, more.access_token, await idOf())).rejects.toThrow();
  });

  it('the secret is good in the header, too', async () => {
    const { tokens } = await scene.signIn(app);
    const basic = Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64');
    const answer = await fetch(`${gateway.url}/oidc/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token ?? '',
      }),
    });
    expect(answer.status).toBe(200);
  });
});

describe('discovery', () => {
  it('tells the issuer’s own addresses, whatever host a request names', async () => {
    const { origin, hostname, port } = new URL(gateway.url);
    const { request } = await import('node:http');
    const document = await new Promise<string>((done) => {
      const headers = { host: 'evil.example.com', 'x-forwarded-host': 'evil.example.com' };
      const path = '/oidc/.well-known/openid-configuration';
      request({ hostname, port, path, headers }, async (answer) => {
        let text = '';
        for await (const chunk of answer) text += chunk;
        done(text);
      }).end();
    });
    expect(document).not.toContain('evil');
    expect(JSON.parse(document)).toMatchObject({
      issuer: `${origin}/oidc`,
      authorization_endpoint: `${origin}/oidc/auth`,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
    });
    const server = await fetch(`${origin}/.well-known/oauth-authorization-server/oidc`);
    expect(server.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(server.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(server.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await server.json()).toEqual(JSON.parse(document));
  });
});

it('behind TLS, cookies go over TLS alone, and addresses are https', async () => {
  const secure = await startGateway({ config: { publicUrl: 'https://gateway.example.com' } });
  try {
    const { slug } = await secure.createTenant();
    const body = { name: 'Blue', redirectUris: ['https://app.example.com/callback'] };
    const { clientId, issuer } = await made(secure.api('POST', `/tenants/${slug}/clients`, body));
    expect(issuer).toBe('https://gateway.example.com/oidc');
    const query = new URLSearchParams({
      ...{
        client_id: clientId,
        response_type: 'code',
        scope: 'openid',
        redirect_uri: body.redirectUris[0] ?? '',
      },
      ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
    });
    const answer = await fetch(`${secure.url}/oidc/auth?${query}`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/^\/oidc\/interaction/),
    ]);
    const cookies = answer.headers.getSetCookie();
    expect(cookies.length).toBeGreaterThan(3);
    for (const cookie of cookies) expect(cookie).toMatch(/; samesite=lax; secure; httponly/i);
    const jwks = await (await fetch(`${secure.url}/oidc/.well-known/openid-configuration`)).json();
    expect(jwks).toMatchObject({ jwks_uri: 'https://gateway.example.com/oidc/jwks' });
  } finally {
    await secure.close();
  }
});
