/**
 * Blue, as an application that knows nothing but OpenID Connect, behind /oidc, and an OpenID provider that is not ours before the
 * gateway, with a real browser: in, again without being asked, and out everywhere.
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { type RealBrowser, startRealBrowser } from '../support/real-browser.ts';
import { client, startUpstreamProvider, type UpstreamProvider } from './upstream-provider.ts';

const real: RealBrowser | undefined = await startRealBrowser();
let gateway: TestGateway;
let tenant: TestTenant;
let upstream: UpstreamProvider;
let blue: Blue;
let deeper = '';

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  upstream = await startUpstreamProvider();
  const path = `/tenants/${tenant.slug}`;
  await made(gateway.api('PUT', `${path}/settings`, { defaultRole: 'view_only' }));
  const body = { protocol: 'oidc', name: 'Upstream', issuer: upstream.issuer, ...client };
  const more = { singleLogout: true, jit: { create: true } };
  const connection = await made(gateway.api('POST', `${path}/connections`, { ...body, ...more }));
  upstream.register(connection);
  deeper = connection.loginUrl;
  blue = await Blue.start();
  const registration = {
    ...{ name: 'Blue', redirectUris: [`${blue.url}/callback`], postLogoutRedirectUris: [`${blue.url}/bye`] },
    backchannelLogoutUri: `${blue.url}/backchannel`,
  };
  await blue.join(await made(gateway.api('POST', `${path}/clients`, registration)));
});
afterAll(async () => {
  await real?.close();
  await blue.close();
  await gateway.close();
  await upstream.close();
});

/** One person's Blue: it shows the claims that it was told, and forgets them when it is told so. */
class Blue {
  readonly url: string;
  readonly #server: Server;
  #config: openid.Configuration | undefined;
  #pending = { verifier: '', state: '' };
  /** The ID token of who is signed in. */
  #idToken = '';
  loggedOut = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://localhost:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Blue> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, 'localhost', done));
    const blue = new Blue(server);
    server.on('request', async (request, response) => {
      const { status, location, text = '' } = await blue.#answer(new URL(request.url ?? '/', blue.url));
      response
        .writeHead(status, { 'content-type': 'text/html', ...(location ? { location } : {}) })
        .end(text);
    });
    return blue;
  }

  async join({ clientId, clientSecret }: { clientId: string; clientSecret: string }): Promise<void> {
    const issuer = new URL(`${gateway.url}/oidc`);
    const execute = [openid.allowInsecureRequests];
    this.#config = await openid.discovery(issuer, clientId, clientSecret, undefined, { execute });
  }

  close(): Promise<unknown> {
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(done));
  }

  async #answer(at: URL): Promise<{ status: number; location?: string; text?: string }> {
    const config = this.#config;
    if (config === undefined) return { status: 500 };
    switch (at.pathname) {
      case '/login':
        return { status: 302, location: await this.#loginUrl(config) };
      case '/callback': {
        const { verifier, state } = this.#pending;
        const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true };
        const tokens = await openid.authorizationCodeGrant(config, at, checks);
        this.#idToken = tokens.id_token ?? '';
        const told = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '');
        return { status: 200, text: `<h1>Welcome to Blue, ${told.name}</h1><p>${told.email}</p>` };
      }
      case '/logout': {
        const parameters = { id_token_hint: this.#idToken, post_logout_redirect_uri: `${this.url}/bye` };
        return { status: 302, location: openid.buildEndSessionUrl(config, parameters).href };
      }
      case '/backchannel':
        this.loggedOut += 1;
        return { status: 200 };
      default:
        return { status: 200, text: '<h1>Bye</h1>' };
    }
  }

  async #loginUrl(config: openid.Configuration): Promise<string> {
    this.#pending = { verifier: openid.randomPKCECodeVerifier(), state: openid.randomState() };
    return openid.buildAuthorizationUrl(config, {
      redirect_uri: `${this.url}/callback`,
      scope: 'openid profile email',
      state: this.#pending.state,
      code_challenge: await openid.calculatePKCECodeChallenge(this.#pending.verifier),
      code_challenge_method: 'S256',
    }).href;
  }
}

describe.skipIf(real === undefined)('a real browser', () => {
  it('comes into Blue through the gateway, again without being asked, and out everywhere', async () => {
    const context = await real?.browser.newContext({ locale: 'en-GB' });
    const page = await context?.newPage();
    if (page === undefined) throw new Error('no browser');
    const heading = () => page.locator('h1').textContent();

    await page.goto(`${blue.url}/login`);
    expect(page.url()).toContain(`${upstream.issuer}/interaction/`);
    await page.fill('[name=login]', 'ada');
    await page.fill('[name=password]', 'x');
    await page.click('[type=submit]');
    await page.click('[type=submit]');
    await page.waitForURL(`${blue.url}/callback**`);
    expect([await heading(), await page.textContent('p')]).toEqual([
      'Welcome to Blue, Ada Lovelace',
      'ada@example.com',
    ]);

    // Not asked again: by the gateway's session, and at the gateway itself by the provider's.
    await page.goto(`${blue.url}/login`);
    expect(await heading()).toBe('Welcome to Blue, Ada Lovelace');
    await page.goto(deeper);
    expect(page.url()).toBe(`${gateway.url}/sso`);
    await page.goto(`${blue.url}/login`);

    const before = blue.loggedOut;
    await page.goto(`${blue.url}/logout`);
    if (page.url().startsWith(gateway.url)) await page.getByRole('button').first().click();
    await page.waitForURL(`${blue.url}/bye**`);
    expect((await page.goto(`${gateway.url}/sso/session`))?.status()).toBe(401);
    await expect.poll(() => blue.loggedOut, { timeout: 5000 }).toBeGreaterThan(before);
    await context?.close();
  });
});
