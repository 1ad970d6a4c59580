/** Answers of an OpenID provider that must be refused (OIDC-ATK): each with the same page, a typed reason in the trace, and a good login after it. */

import { createHash, createHmac } from 'node:crypto';
import { exportSPKI, importJWK, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newKey } from '../../oauth/issuer.ts';
import { made } from '../../support/gateway.ts';
import { Browser, type Page } from '../browser.ts';
import type { Said } from './hostile-provider.ts';
import { OidcScene } from './scene.ts';

let scene: OidcScene;
beforeAll(async () => {
  scene = await OidcScene.start();
  await scene.goodLogin();
});
afterAll(() => scene.stop());

/** As whom a new person signs in: the address that the gateway takes for theirs. */
async function addressOf(claims: Record<string, unknown>, userinfo: Record<string, unknown>) {
  const login = await scene.begin();
  scene.provider.said = { claims };
  scene.provider.userinfo = userinfo;
  expect((await scene.comeBack(login)).status).toBe(303);
  scene.provider.userinfo = undefined;
  const page = await login.browser.send(`${scene.gateway.url}/sso/session`);
  return JSON.parse(page.text).email;
}

const now = () => Math.floor(Date.now() / 1000);
const compact = (header: object, payload: object) =>
  [header, payload].map((one) => Buffer.from(JSON.stringify(one)).toString('base64url')).join('.');

describe('the ID token is refused:', () => {
  const cases: Record<string, [reasons: string, said: () => Said | Promise<Said>]> = {
    'OIDC-ATK-02: another nonce': ['in_response_to', () => ({ claims: { nonce: 'other' } })],
    'OIDC-ATK-02: no nonce': ['in_response_to|token', () => ({ claims: { nonce: undefined } })],
    'OIDC-ATK-05: alg none': [
      'token|signature',
      () => ({ idToken: (claims) => new UnsecuredJWT(claims).encode() }),
    ],
    'OIDC-ATK-05: HS256 with the client secret': [
      'token|signature',
      () => ({ idToken: (claims) => hmac(claims, 'secret') }),
    ],
    'OIDC-ATK-05: HS256 with the public key': [
      'token|signature',
      async () => {
        const pem = await exportSPKI((await importJWK(scene.provider.key.jwk, 'RS256')) as CryptoKey);
        return { idToken: (claims) => hmac(claims, pem) };
      },
    ],
    'OIDC-ATK-06: a garbage signature': [
      'signature',
      () => ({
        idToken: (claims) => `${compact({ alg: 'RS256', kid: 'k1' }, claims)}.${'A'.repeat(342)}`,
      }),
    ],
    'OIDC-ATK-06: another key of the same kid': ['signature', async () => ({ key: await newKey('k1') })],
    'OIDC-ATK-07: another audience': ['audience|token', () => ({ claims: { aud: 'other' } })],
    'OIDC-ATK-07: no audience': ['audience|token', () => ({ claims: { aud: undefined } })],
    'OIDC-ATK-07: several audiences without azp': [
      'audience|token',
      () => ({ claims: { aud: ['gateway', 'x'] } }),
    ],
    'OIDC-ATK-07: another azp': ['audience|token', () => ({ claims: { aud: ['gateway', 'x'], azp: 'x' } })],
    'OIDC-ATK-08: expired': ['time', () => ({ claims: { exp: now() - 600 } })],
    'OIDC-ATK-08: no exp': ['token|time', () => ({ claims: { exp: undefined } })],
    'OIDC-ATK-08: nbf in the future': ['time|token', () => ({ claims: { nbf: now() + 600 } })],
    'OIDC-ATK-08: no sub': ['token', () => ({ claims: { sub: undefined } })],
    'OIDC-ATK-08: an unknown crit': [
      'token|signature',
      () => ({ idToken: (claims) => signed({ alg: 'RS256', kid: 'k1', crit: ['x'], x: 1 }, claims) }),
    ],
    'OIDC-ATK-09: issued in the future': ['time', () => ({ claims: { iat: now() + 600 } })],
    'OIDC-ATK-09: it does not say when it was issued': ['token|time', () => ({ claims: { iat: undefined } })],
    'OIDC-ATK-11: another issuer': ['issuer|token', () => ({ claims: { iss: 'https://other.example' } })],
    'OIDC-ATK-14: the key stands in the header': [
      'signature',
      async () => {
        const key = await newKey('k9');
        return { key, header: { jwk: key.jwk, jku: 'http://localhost:1/jwks', x5u: 'http://localhost:1/x' } };
      },
    ],
  };
  for (const [name, [reasons, said]] of Object.entries(cases)) {
    it(name, async () => {
      const login = await scene.begin();
      scene.provider.said = await said();
      await scene.expectRefused(await scene.comeBack(login), reasons);
    });
  }
});

async function signed(header: object, claims: object): Promise<string> {
  const text = compact(header, claims);
  const { privateKey } = scene.provider.key;
  const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', privateKey, Buffer.from(text));
  return `${text}.${Buffer.from(signature).toString('base64url')}`;
}

function hmac(claims: object, secret: string): string {
  const signed = compact({ alg: 'HS256', typ: 'JWT' }, claims);
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

describe('the way back is refused:', () => {
  const cases: Record<string, [reasons: string, act: () => Promise<Page>]> = {
    'OIDC-ATK-01: no state': ['unsolicited', async () => scene.comeBack(await scene.begin(), 'code=c')],
    'OIDC-ATK-01: another state': [
      'request',
      async () => scene.comeBack(await scene.begin(), { state: 'x' }),
    ],
    'OIDC-ATK-01: two states': [
      'unsolicited',
      async () => {
        const login = await scene.begin();
        return scene.comeBack(login, `code=c&state=${login.asked.state}&state=${login.asked.state}`);
      },
    ],
    'OIDC-ATK-01: in another browser': [
      'request',
      async () => scene.comeBack({ ...(await scene.begin()), browser: new Browser() }),
    ],
    'OIDC-ATK-03: a second time': [
      'request',
      async () => {
        const login = await scene.begin();
        expect((await scene.comeBack(login)).status).toBe(303);
        return scene.comeBack(login);
      },
    ],
    'OIDC-ATK-04: iss of somebody else (RFC 9207)': [
      'issuer|token',
      async () => scene.comeBack(await scene.begin(), { iss: 'https://other.example' }),
    ],
    'OIDC-ATK-04: to another connection': [
      'request',
      async () => {
        const other = await scene.connect({ name: 'Other' });
        const { browser, asked } = await scene.begin();
        const redirectUri = other.callbackUrl;
        const page = await scene.comeBack({ browser, asked: { ...asked, redirectUri } });
        await made(scene.gateway.api('DELETE', `/tenants/${scene.tenant.slug}/connections/${other.id}`));
        return page;
      },
    ],
    'OIDC-ATK-16: userinfo of somebody else': [
      'token',
      async () => {
        const login = await scene.begin();
        scene.provider.userinfo = { sub: 'eve', email: 'ada@example.com' };
        return scene.comeBack(login);
      },
    ],
    'OIDC-ATK-19: an error, whose description is told to nobody': [
      'status',
      async () => {
        const login = await scene.begin();
        const query = { error: 'access_denied', error_description: '<script>alert(1)</script>' };
        const { state } = login.asked;
        const page = await scene.comeBack(login, `${new URLSearchParams({ ...query, state })}`);
        expect(page.text).not.toContain('script');
        return page;
      },
    ],
    'OIDC-ATK-18: an endless answer of the token endpoint': [
      'provider',
      async () => {
        const login = await scene.begin();
        scene.provider.instead.set('/token', (_request, response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          const more = () => {
            if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
          };
          response.on('error', () => {});
          more();
        });
        return scene.comeBack(login);
      },
    ],
    'OIDC-ATK-18: no answer of the token endpoint': [
      'provider',
      async () => {
        const login = await scene.begin();
        scene.provider.instead.set('/token', () => {});
        return scene.comeBack(login);
      },
    ],
    'OIDC-ATK-17: a redirect of the token endpoint': [
      'exchange|provider|token',
      async () => {
        const login = await scene.begin();
        scene.provider.instead.set('/token', (_request, response) => {
          response.writeHead(307, { location: `${scene.gateway.url}/healthz` }).end();
        });
        return scene.comeBack(login);
      },
    ],
    'OIDC-ATK-03: a code that the provider does not know': [
      'exchange',
      async () => {
        const login = await scene.begin();
        scene.provider.instead.set('/token', (_request, response) => {
          response.writeHead(400, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ error: 'invalid_grant', error_description: '<b>x</b>' }));
        });
        return scene.comeBack(login);
      },
    ],
  };
  for (const [name, [reasons, act]] of Object.entries(cases)) {
    it(name, async () => {
      await scene.expectRefused(await act(), reasons);
    }, 20_000);
  }
});

describe('who signs in', () => {
  it('OIDC-ATK-03: the code goes with the verifier of the challenge that the browser took along', async () => {
    const login = await scene.begin();
    await scene.comeBack(login);
    const { body = '' } = scene.provider.asked.findLast(({ path }) => path === '/token') ?? {};
    const verifier = new URLSearchParams(body).get('code_verifier') ?? '';
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(login.asked.challenge);
  });

  it.each([
    ['OIDC-ATK-12: an address that is not verified links nobody', { email_verified: false }],
    ['OIDC-ATK-12: nor one of which nothing is said', { email_verified: undefined }],
    ['OIDC-ATK-13: nor one that is verified, of a domain that the tenant has not shown to be its own', {}],
  ])('%s', async (_name, claims) => {
    const token = await scene.tenant.directoryToken('generic');
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const userName = `victim${Math.random()}@victim.example`;
    await made(scene.gateway.scim(token, 'POST', '/Users', { schemas, userName }));
    const login = await scene.begin();
    scene.provider.said = {
      claims: { sub: 'attacker', email: userName, preferred_username: userName, ...claims },
    };
    scene.provider.userinfo = { sub: 'attacker' };
    await scene.expectRefused(await scene.comeBack(login), 'unproved|foreign_domain');
  });

  it.each([
    [
      'one address in the ID token, another that is verified in userinfo',
      { email: 'mine@example.com', email_verified: undefined },
      { email: 'theirs@example.com', email_verified: true },
    ],
    [
      'an address in userinfo, and in the ID token that one is verified',
      { email: undefined, email_verified: true },
      { email: 'theirs@example.com' },
    ],
    [
      'an address in the ID token, and in userinfo that one is verified',
      { email: 'mine@example.com', email_verified: undefined },
      { email_verified: true },
    ],
  ])('OIDC-ATK-13: %s: neither is anybody’s', async (_name, claims, userinfo) => {
    const sub = crypto.randomUUID();
    expect(await addressOf({ sub, preferred_username: sub, ...claims }, { sub, ...userinfo })).toBeNull();
  });

  it('an address that userinfo alone names, and says to be verified, is the person’s', async () => {
    const sub = crypto.randomUUID();
    const email = `${sub}@example.com`;
    const claims = { sub, preferred_username: sub, email: undefined, email_verified: undefined };
    expect(await addressOf(claims, { sub, email, email_verified: true })).toBe(email);
  });

  it('OIDC-ATK-15: a new key is fetched once, and unknown ones not again and again', async () => {
    const fetches = () => scene.provider.asked.filter(({ path }) => path === '/jwks').length;
    const before = fetches();
    for (let n = 0; n < 5; n += 1) {
      const login = await scene.begin();
      scene.provider.said = { key: await newKey(`unknown${n}`) };
      expect((await scene.comeBack(login)).status).toBe(403);
    }
    expect(fetches() - before).toBeLessThanOrEqual(2);
    await scene.goodLogin();
  });

  it('OIDC-ATK-20: a login that others begin leads to our own provider, wherever they want it to go', async () => {
    const query =
      'iss=https%3A%2F%2Fevil.example&target_link_uri=https%3A%2F%2Fevil.example&return=//evil.example';
    const page = await new Browser().send(`${scene.connection.loginUrl}?${query}`);
    expect(page.headers.get('location')).toContain(`${scene.provider.issuer}/authorize?`);
    expect(page.headers.get('location')).not.toContain('evil');
  });
});
