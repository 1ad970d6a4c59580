/** What an admin writes of an OpenID connection; and that no address it leads to is one of our own network. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '../../oauth/issuer.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { Browser } from '../browser.ts';
import { OidcScene } from './scene.ts';

let scene: OidcScene;
beforeAll(async () => {
  scene = await OidcScene.start();
});
afterAll(() => scene.stop());

const path = () => `/tenants/${scene.tenant.slug}/connections`;
const good = () => ({
  ...{
    protocol: 'oidc',
    name: 'x',
    issuer: scene.provider.issuer,
    clientId: 'gateway',
    clientSecret: 'secret',
  },
});

describe('a connection', () => {
  it('shows what the provider must be told, and never its secret', async () => {
    const answer = await scene.gateway.api('GET', `${path()}/${scene.connection.id}`);
    const { callbackUrl, backchannelLogoutUrl, jwksUrl, loggedOutUrl } = answer.body;
    for (const url of [callbackUrl, backchannelLogoutUrl, jwksUrl, loggedOutUrl])
      expect(url).toMatch(/\/sso\//);
    expect(JSON.stringify(answer.body)).not.toContain('"secret"');
  });

  it.each([
    ['issuer', { issuer: undefined }],
    ['issuer', { issuer: 'https://login.microsoftonline.com/common/v2.0' }],
    ['issuer', { issuer: 'https://login.microsoftonline.com/organizations/v2.0' }],
    ['issuer', { issuer: 'file:///etc/passwd' }],
    ['issuer', { issuer: 'https://idp.example/?x=1' }],
    ['clientId', { clientId: undefined }],
    ['clientSecret', { clientSecret: undefined }],
    ['scopes', { scopes: ['profile'] }],
    ['metadataXml', { metadataXml: '<x/>' }],
    ['wantAssertionsSigned', { wantAssertionsSigned: true }],
  ])('is refused by the name of the field: %s', async (field, change) => {
    const answer = await scene.gateway.api('POST', path(), { ...good(), ...change });
    expect(answer).toMatchObject({ status: 400, body: { field } });
  });

  it('keeps what a change does not name, the secret too, and its protocol', async () => {
    await scene.set({ name: 'Renamed' });
    await scene.goodLogin();
    const answer = await scene.gateway.api('PUT', `${path()}/${scene.connection.id}`, { protocol: 'saml' });
    expect(answer).toMatchObject({ status: 400, body: { field: 'protocol' } });
  });

  it('sends the secret of one issuer to no other, be it by the way of a method that needs none', async () => {
    const other = await scene.beside();
    const at = `/tenants/${other.tenant.slug}/connections/${other.connection.id}`;
    const put = (body: object) => scene.gateway.api('PUT', at, body);
    const issuer = `${other.provider.issuer}/moved`;
    const refused = { status: 400, body: { field: 'clientSecret' } };
    expect(await put({ issuer })).toMatchObject(refused);
    expect(await put({ issuer, clientAuthMethod: 'private_key_jwt' })).toMatchObject({ status: 200 });
    expect(await put({ clientAuthMethod: 'client_secret_basic' })).toMatchObject(refused);
    const own = { clientAuthMethod: 'client_secret_basic', clientSecret: 'another' };
    expect(await put(own)).toMatchObject({ status: 200 });
    await other.stop();
  });

  it('SAML-ATK-58: answers nothing at the addresses of the other protocol', async () => {
    for (const end of ['login', 'metadata', 'slo']) {
      const url = `${scene.gateway.url}/sso/saml/${scene.connection.id}/${end}`;
      expect((await new Browser().send(url)).status, end).toBe(404);
    }
    const posted = await new Browser().send(`${scene.gateway.url}/sso/saml/${scene.connection.id}/acs`, {
      SAMLResponse: 'PHg+',
      RelayState: 'x',
    });
    expect(posted.status).toBe(403);
  });
});

describe('the gateway shows that it is the client', () => {
  const last = () => scene.provider.asked.findLast(({ path: one }) => one === '/token');

  it('by client_secret_basic, and by client_secret_post', async () => {
    await scene.goodLogin();
    expect(last()?.authorization).toBe(`Basic ${Buffer.from('gateway:secret').toString('base64')}`);
    await scene.set({ clientAuthMethod: 'client_secret_post' });
    await scene.goodLogin();
    expect(new URLSearchParams(last()?.body).get('client_secret')).toBe('secret');
    await scene.set({ clientAuthMethod: 'client_secret_basic' });
  });

  it('by private_key_jwt, with the key that its jwksUrl shows', async () => {
    await scene.set({ clientAuthMethod: 'private_key_jwt' });
    await scene.goodLogin();
    const form = new URLSearchParams(last()?.body);
    const { pathname } = new URL(scene.connection.jwksUrl);
    const keys = createRemoteJWKSet(new URL(`${scene.gateway.url}${pathname}`));
    const { payload } = await jwtVerify(form.get('client_assertion') ?? '', keys, { issuer: 'gateway' });
    expect(payload.sub).toBe('gateway');
    await scene.set({ clientAuthMethod: 'client_secret_basic' });
  });

  it.each(['PS256', 'ES256'])('and takes ID tokens of %s where the connection says so', async (alg) => {
    const other = await scene.beside();
    other.provider.key = await newKey('k2', alg);
    other.provider.keys = [other.provider.key.jwk];
    await other.set({ idTokenSignedResponseAlg: alg });
    await other.goodLogin();
    await other.stop();
  });
});

describe('organisations', () => {
  it('OIDC-ATK-11: somebody of another Google Workspace is refused', async () => {
    await scene.set({ hostedDomain: 'acme.example' });
    for (const hd of [undefined, 'other.example']) {
      const login = await scene.begin();
      expect(login.asked.query.get('hd')).toBe('acme.example');
      scene.provider.said = { claims: { hd } };
      expect((await scene.comeBack(login)).status).toBe(403);
      expect((await scene.newest()).reason).toBe('organisation');
    }
    const login = await scene.begin();
    scene.provider.said = { claims: { hd: 'acme.example' } };
    expect((await scene.comeBack(login)).status).toBe(303);
    await scene.set({ hostedDomain: null });
  });
});

describe('OIDC-ATK-17: what a hostile provider leads to is not fetched:', () => {
  let strict: TestGateway;
  let own: ReturnType<typeof createServer>;
  let hits = 0;
  beforeAll(async () => {
    strict = await startGateway({ config: { allowPrivateNetworks: false } });
    own = createServer((_request, response) => {
      hits += 1;
      response.end('{}');
    });
    await new Promise<void>((done) => own.listen(0, '127.0.0.1', done));
  });
  afterAll(async () => {
    await strict.close();
    await new Promise((done) => own.close(done));
  });

  it.each([
    'http://127.0.0.1/',
    'https://127.0.0.1/',
    'https://localhost/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://169.254.169.254/',
    'https://10.0.0.1/',
    'https://192.168.0.1/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://0.0.0.0/',
    'https://2130706433/',
    'https://0x7f.1/',
    'ftp://idp.example/',
    'https://user:pw@idp.example/',
  ])('an issuer at %s', async (issuer) => {
    const tenant = await strict.createTenant();
    const answer = await strict.api('POST', `/tenants/${tenant.slug}/connections`, { ...good(), issuer });
    expect(answer).toMatchObject({ status: 400, body: { field: 'issuer' } });
  });

  const endpoints = ['token_endpoint', 'jwks_uri', 'userinfo_endpoint'] as const;
  it.each(endpoints)(
    'a discovery document whose %s is of another protocol or no address',
    async (name) => {
      for (const url of [
        'file:///etc/passwd',
        'gopher://127.0.0.1/',
        'x',
        `ftp://127.0.0.1:${(own.address() as AddressInfo).port}/`,
      ]) {
        const other = await scene.beside();
        try {
          other.provider.discovery = { ...other.provider.discovery, [name]: url };
          const login = await other.begin();
          const page = await other.comeBack(login);
          expect(page.status).toBe(403);
          expect((await other.newest()).reason).toMatch(/^(provider|token|exchange|signature)$/);
        } finally {
          await other.stop();
        }
      }
      expect(hits).toBe(0);
    },
    60_000,
  );

  it('a discovery document of another issuer, none, an endless one, a redirect: the login does not begin', async () => {
    const answers: Record<string, (response: import('node:http').ServerResponse) => void> = {
      'another issuer': (response) =>
        response.end(JSON.stringify({ ...scene.provider.discovery, issuer: 'https://x.example' })),
      'no document': (response) => response.writeHead(404).end(),
      'no JSON': (response) => response.end('<html>'),
      'a redirect': (response) =>
        response
          .writeHead(302, { location: `http://127.0.0.1:${(own.address() as AddressInfo).port}/` })
          .end(),
      endless: (response) => {
        const more = () => {
          if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
        };
        response.on('error', () => {});
        more();
      },
    };
    for (const [name, answer] of Object.entries(answers)) {
      const other = await scene.beside();
      try {
        other.provider.instead.set('/.well-known/openid-configuration', (_request, response) =>
          answer(response),
        );
        const page = await new Browser().send(other.connection.loginUrl);
        expect(page.status, name).toBe(503);
        expect(page.headers.get('retry-after'), name).toBe('5');
      } finally {
        await other.stop();
      }
    }
    expect(hits).toBe(0);
  }, 60_000);
});
