/** Attacks on the OpenID provider, each by its id: refused without a failure of ours, and a good login works right after it. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { type Application, type OpScene, shown, startScene } from './op-scene.ts';

let gateway: TestGateway;
let scene: OpScene;
let app: Application;

beforeAll(async () => {
  gateway = await startGateway();
  scene = await startScene(gateway);
});
afterAll(() => gateway.close());
beforeEach(async () => {
  app = await scene.application({ postLogoutRedirectUris: ['https://app.example.com/'] });
});

type Form = Record<string, string>;

/** A call of the token endpoint as an application makes it. */
async function token(form: Form, as: Pick<Application, 'clientId' | 'clientSecret'> = app) {
  const credentials = { client_id: as.clientId, client_secret: as.clientSecret };
  const body = new URLSearchParams({ ...credentials, ...form });
  const answer = await fetch(`${gateway.url}/oidc/token`, { method: 'POST', body });
  return { status: answer.status, body: (await answer.json()) as Record<string, string> };
}

const userinfo = async (accessToken = '') =>
  (await fetch(`${gateway.url}/oidc/me`, { headers: { authorization: `Bearer ${accessToken}` } })).status;
const refreshed = (refreshToken = '', as = app) =>
  token({ grant_type: 'refresh_token', refresh_token: refreshToken }, as);
const parameter = (url: string, name: string) => new URL(url).searchParams.get(name);

/** A code that nobody has redeemed. */
async function freshCode(browser = new Browser(), of = app) {
  const pending = await of.begin();
  const callback = await scene.login(browser, pending.url.href);
  const form = {
    grant_type: 'authorization_code',
    code: parameter(callback, 'code') ?? '',
    redirect_uri: of.redirectUri,
    code_verifier: pending.verifier,
  };
  return { form, browser };
}

async function goodLogin(): Promise<void> {
  const { tokens } = await scene.signIn(app);
  expect(await userinfo(tokens.access_token)).toBe(200);
}

function withoutChallenge(params: URLSearchParams): void {
  params.delete('code_challenge');
  params.delete('code_challenge_method');
}

/** What the address of an authorization request comes to when a part of it is another. */
async function asked(change: (params: URLSearchParams) => void, browser = new Browser()) {
  const { url } = await app.begin();
  change(url.searchParams);
  return await scene.open(browser, url.href);
}

describe('OP-ATK-01: a code is used twice', () => {
  it('the second is refused, and everything the first one got is void', async () => {
    const { form } = await freshCode();
    const first = await token(form);
    expect(first.status).toBe(200);
    expect(await token(form)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await userinfo(first.body.access_token)).toBe(401);
    expect(await refreshed(first.body.refresh_token)).toMatchObject({ status: 400 });
    await goodLogin();
  });

  it('at the same moment: at most one is answered, and nothing stands of it', async () => {
    const { form } = await freshCode();
    const answers = await Promise.all(Array.from({ length: 8 }, () => token(form)));
    const [winner, ...more] = answers.filter(({ status }) => status === 200);
    expect(more).toEqual([]);
    expect(answers.every(({ status }) => status === 200 || status === 400)).toBe(true);
    expect(await userinfo(winner?.body.access_token)).toBe(401);
    await goodLogin();
  });
});

describe('OP-ATK-02: PKCE is left out or weakened', () => {
  it.each<[string, (params: URLSearchParams) => void]>([
    ['none', withoutChallenge],
    ['plain', (params) => params.set('code_challenge_method', 'plain')],
    ['plain by default', (params) => params.delete('code_challenge_method')],
  ])('%s', async (_what, change) => {
    expect(parameter((await asked(change)).url, 'error')).toBe('invalid_request');
    await goodLogin();
  });

  it.each([
    ['another verifier', { code_verifier: 'a'.repeat(43) }],
    ['no verifier', { code_verifier: '' }],
  ])('%s', async (_what, change) => {
    const { form } = await freshCode();
    expect(await token({ ...form, ...change })).toMatchObject({ status: 400 });
    await goodLogin();
  });
});

describe('OP-ATK-03: the browser is to be sent elsewhere', () => {
  it.each([
    'https://app.example.com/callback/',
    'https://app.example.com/callback/../x',
    'https://app.example.com:8443/callback',
    'http://app.example.com/callback',
    'https://app.example.com/callback?next=x',
    'https://app.example.com/callback#x',
    'https://app.example.com@evil.example.com/callback',
    'https://evil.example.com/callback',
    'javascript:alert(1)',
  ])('%s', async (uri) => {
    const page = await asked((params) => params.set('redirect_uri', uri));
    expect(page.status).toBe(400);
    expect(page.headers.get('location')).toBeNull();
    expect(page.text).toMatch(/<code>[0-9a-f-]{36}<\/code>/);
    await goodLogin();
  });

  it('two of them: the one that is registered hears of it', async () => {
    const { url } = await asked((params) => params.append('redirect_uri', 'https://evil.example.com/'));
    expect([new URL(url).host, parameter(url, 'error')]).toEqual(['app.example.com', 'invalid_request']);
    await goodLogin();
  });
});

describe('OP-ATK-04: an application shows what is another’s', () => {
  it('a code, a refresh token, a secret, or its own secret in the address', async () => {
    const other = await scene.application({ name: 'Other' });
    const { form } = await freshCode();
    expect(await token(form, other)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    const { tokens } = await scene.signIn(app);
    expect(await refreshed(tokens.refresh_token, other)).toMatchObject({ status: 400 });
    const mixed = { clientId: app.clientId, clientSecret: other.clientSecret };
    expect(await token((await freshCode()).form, mixed)).toMatchObject({ status: 401 });
    const query = new URLSearchParams({ client_id: app.clientId, client_secret: app.clientSecret });
    const body = new URLSearchParams((await freshCode()).form);
    const answer = await fetch(`${gateway.url}/oidc/token?${query}`, { method: 'POST', body });
    expect([400, 401]).toContain(answer.status);
    await goodLogin();
  });

  it('the hash of a secret, which the database holds, is none', async () => {
    const { hashToken } = await import('../../src/kernel/token.ts');
    const stolen = { clientId: app.clientId, clientSecret: hashToken(app.clientSecret) };
    expect(await token((await freshCode()).form, stolen)).toMatchObject({ status: 401 });
    await goodLogin();
  });
});

describe('OP-ATK-05: a login that another browser began', () => {
  it('is finished by nobody else, signed in or not', async () => {
    const begun = await app.begin();
    const mine = new Browser();
    const interaction = (await mine.send(begun.url.href)).headers.get('location') ?? '';
    const { browser: victim } = await scene.signIn(app);
    for (const browser of [victim, new Browser()]) {
      const page = await browser.send(new URL(interaction, gateway.url).href);
      expect([page.status, page.headers.get('location')]).toEqual([400, null]);
      const resumed = await browser.send(
        new URL(interaction.replace('interaction', 'auth'), gateway.url).href,
      );
      expect([resumed.status, resumed.headers.get('location')]).toEqual([400, null]);
    }
    await goodLogin();
  });

  it('a cookie that the gateway has not signed is none', async () => {
    const mine = new Browser();
    const interaction = (await mine.send((await app.begin()).url.href)).headers.get('location') ?? '';
    const forger = new Browser();
    const uid = interaction.split('/').at(-1) ?? '';
    forger.cookiesOf(gateway.url).set('bgw_op_interaction', uid).set('bgw_op_interaction.sig', 'x');
    expect((await forger.send(new URL(interaction, gateway.url).href)).status).toBe(400);
    await goodLogin();
  });
});

describe('OP-ATK-06: a session of one tenant, an application of another', () => {
  it('never answers: the application’s own identity provider is asked', async () => {
    const elsewhere = await startScene(gateway);
    const foreign = await elsewhere.application();
    const { browser } = await scene.signIn(app);
    const silent = await elsewhere.open(browser, (await foreign.begin({ prompt: 'none' })).url.href);
    expect(parameter(silent.url, 'error')).toBe('login_required');
    const pending = await foreign.begin();
    const page = await elsewhere.openInstead(browser, pending.url.href);
    expect(page.url).toContain('SAMLRequest=');
    const back = await elsewhere.answer(browser, page.url, 'ada', shown());
    const { url } = await elsewhere.open(browser, back);
    const [theirs] = (await made(elsewhere.api('GET', '/users'))).items;
    expect((await foreign.exchange(url, pending)).claims()?.sub).toBe(theirs.id);
    // And back again: what stands in this browser now is the other tenant's.
    const again = await scene.open(browser, (await app.begin({ prompt: 'none' })).url.href);
    expect(parameter(again.url, 'error')).toBe('login_required');
    await goodLogin();
  });

  it('nor does it by naming the other tenant, or its connection', async () => {
    const elsewhere = await startScene(gateway);
    const { browser } = await scene.signIn(app);
    const named = await asked((params) => params.set('tenant', elsewhere.slug), browser);
    expect(parameter(named.url, 'error')).toBe('invalid_request');
    const through = await asked((params) => params.set('connection', elsewhere.connection.id), browser);
    expect(parameter(through.url, 'error')).toBe('access_denied');
    const chosen = await asked(() => {}, browser);
    expect(parameter(chosen.url, 'code')).not.toBeNull();
    const { url } = await app.begin({ prompt: 'login' });
    const interaction = (await browser.send(url.href)).headers.get('location') ?? '';
    const forced = await scene.open(
      browser,
      new URL(`${interaction}/${elsewhere.connection.id}`, gateway.url).href,
    );
    expect(parameter(forced.url, 'error')).toBe('access_denied');
    await goodLogin();
  });
});

describe('OP-ATK-07: somebody who was deactivated', () => {
  it('has no token, no session and no code from that moment on', async () => {
    const id = await scene.person('eve@example.com');
    const { tokens, browser } = await scene.signIn(app, new Browser(), 'eve');
    const code = await scene.open(browser, (await app.begin()).url.href);
    const late = await app.begin();
    const asking = new Browser();
    const interaction = await scene.open(asking, late.url.href);
    await made(
      gateway.scim(scene.directoryToken, 'PATCH', `/Users/${id}`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', path: 'active', value: false }],
      }),
    );
    expect(await userinfo(tokens.access_token)).toBe(401);
    expect(await refreshed(tokens.refresh_token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    const redeemed = await token({
      grant_type: 'authorization_code',
      code: parameter(code.url, 'code') ?? '',
      redirect_uri: app.redirectUri,
    });
    expect(redeemed).toMatchObject({ status: 400 });
    const silent = await scene.open(browser, (await app.begin({ prompt: 'none' })).url.href);
    expect(parameter(silent.url, 'error')).toBe('login_required');
    expect(await scene.refused(asking, interaction.url, 'eve')).toBe(true);
    await goodLogin();
  });
});

describe('OP-ATK-08: an ID token is taken for a session', () => {
  it('is short-lived, and opens nothing here', async () => {
    const { tokens } = await scene.signIn(app);
    const { exp = 0, iat = 0 } = tokens.claims() ?? {};
    expect(exp - iat).toBeLessThanOrEqual(600);
    expect(await userinfo(tokens.id_token)).toBe(401);
    expect(await refreshed(tokens.id_token)).toMatchObject({ status: 400 });
    await goodLogin();
  });
});

describe('OP-ATK-09: a logout that leads elsewhere, or is another’s', () => {
  const end = (params: Form, browser = new Browser()) =>
    browser.send(`${gateway.url}/oidc/session/end?${new URLSearchParams(params)}`);

  it('an address that is not registered, and hints that are not ours', async () => {
    const { tokens, browser } = await scene.signIn(app);
    const hint = tokens.id_token ?? '';
    const [head, body] = hint.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const refused: Form[] = [
      { id_token_hint: hint, post_logout_redirect_uri: 'https://evil.example.com/' },
      { client_id: app.clientId, post_logout_redirect_uri: 'https://app.example.com/callback' },
      { id_token_hint: `${head}.${body}.${'A'.repeat(342)}` },
      { id_token_hint: `${none}.${body}.` },
      { id_token_hint: hint, client_id: (await scene.application()).clientId },
    ];
    for (const params of refused) {
      const page = await end(params, browser);
      expect([page.status, page.headers.get('location')], JSON.stringify(params)).toEqual([400, null]);
    }
    expect((await browser.send(`${gateway.url}/sso/session`)).status, 'nobody was signed out').toBe(200);
    const silent = await scene.open(browser, (await app.begin({ prompt: 'none' })).url.href);
    expect(parameter(silent.url, 'code')).not.toBeNull();
    await goodLogin();
  });

  it('without a client, an address is not gone to', async () => {
    const { browser } = await scene.signIn(app);
    const page = await end({ post_logout_redirect_uri: 'https://evil.example.com/' }, browser);
    expect(page.text).not.toContain('evil');
    await goodLogin();
  });
});

describe('what is not spoken here', () => {
  it.each<[string, string, Form?]>([
    ['dynamic registration', '/oidc/reg', {}],
    ['implicit flow', '/oidc/auth?response_type=id_token&client_id=x'],
    ['a path that is nowhere', '/oidc/nowhere'],
    ['the password grant', '/oidc/token', { grant_type: 'password' }],
    ['a client that is none', '/oidc/auth?client_id=%00&response_type=code'],
  ])('%s is refused without a failure of ours', async (_what, path, form) => {
    const page = await new Browser().send(`${gateway.url}${path}`, form);
    expect(page.status).toBeGreaterThanOrEqual(400);
    expect(page.status).toBeLessThan(500);
    expect(page.text).not.toMatch(/ at .*\.js:\d/);
  });

  it.each<[string, string]>([
    ['id_token_hint', 'garbage'],
    ['id_token_hint', 'eyJhbGciOiJub25lIn0.e30.'],
    ['max_age', '-1'],
    ['max_age', 'NaN'],
    ['prompt', 'none login'],
    ['prompt', 'consent'],
    ['connection', "' or 1=1"],
    ['tenant', '\u0000'],
    ['scope', 'openid \u0000'],
    ['response_mode', 'web_message'],
    ['request', 'eyJhbGciOiJub25lIn0.e30.'],
    ['resource', 'https://elsewhere.example.com/'],
    ['claims', '{"id_token":{"sub":{"value":"x"}}}'],
  ])('%s=%s ends at the application or at a page, and in no failure of ours', async (name, value) => {
    const page = await asked((params) => params.set(name, value));
    if (page.url.startsWith(app.redirectUri)) {
      expect(parameter(page.url, 'error')).toMatch(/^(invalid|unsupported|request)_|login_required/);
    } else if (!page.url.includes('SAMLRequest=')) {
      expect([page.status, page.text]).toEqual([400, expect.stringContaining('<code>')]);
    }
    await goodLogin();
  });

  it('a body that is too large', async () => {
    const page = await new Browser().send(`${gateway.url}/oidc/token`, { code: 'x'.repeat(70_000) });
    expect(page.status).toBe(413);
  });
});
