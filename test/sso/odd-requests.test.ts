/** Requests that no browser and no program would make, at every address that anybody can reach: none is a failure of ours. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let paths: string[];
let receiver: Record<string, string>;

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  const post = (what: string, body: object) =>
    made(gateway.api('POST', `/tenants/${tenant.slug}/${what}`, body));
  // Nothing listens there.
  const issuer = 'http://localhost:1';
  const oidc = { protocol: 'oidc', name: 'P', issuer, clientId: 'c', clientSecret: 's' };
  const { id } = await post('connections', { ...oidc, revocationIssuer: issuer });
  const { token } = await post('signal-receivers', { name: 'R', audience: 'https://receiver.example' });
  receiver = { authorization: `Bearer ${token}` };
  const headers = { ...receiver, 'content-type': 'application/json' };
  const streamMade = await fetch(`${gateway.url}/ssf/stream`, { method: 'POST', headers, body: '{}' });
  const { stream_id: stream } = (await streamMade.json()) as { stream_id: string };
  paths = [
    ...['/sso', '/sso/session', '/sso/login', '/sso/logout', '/sso/logged-out'],
    ...['jwks', 'backchannel-logout', 'callback'].map((end) => `/sso/oidc/${id}/${end}`),
    ...['login', 'acs', 'slo', 'metadata'].map((end) => `/sso/saml/${id}/${end}`),
    ...['/sso/oidc/x%00/login', '/oauth/token', `/oauth/global-token-revocation/${id}`],
    ...['/oauth/global-token-revocation/%00', '/.well-known/ssf-configuration', '/ssf/stream'],
    ...['/ssf/status', '/ssf/verify', `/ssf/poll/${stream}`, '/ssf/poll/%00', '/oidc/auth'],
    ...['/oidc/auth/x', '/oidc/token', '/oidc/token/revocation', '/oidc/me', '/oidc/jwks'],
    ...['/oidc/session/end', '/oidc/session/end/confirm', '/oidc/session/end/success'],
    ...['/oidc/interaction/%00', `/oidc/interaction/x/${id}`, '/oidc/.well-known/openid-configuration'],
    ...['/.well-known/oauth-authorization-server/oidc', '/oidc/x'],
  ];
});
afterAll(() => gateway.close());

const names = [
  ...['state', 'code', 'iss', 'return', 'login_hint', 'email', 'tenant', 'stream_id', 'client_id', 'scope'],
  ...['redirect_uri', 'id_token_hint', 'post_logout_redirect_uri', 'SAMLRequest', 'SAMLResponse', 'SigAlg'],
  ...['Signature', 'RelayState', 'grant_type', 'client_secret', 'token', 'logout_token', 'ui_locales'],
];
const values: Record<string, (name: string) => string> = {
  twice: (name) => `${name}=a&${name}=b`,
  empty: (name) => `${name}=`,
  NUL: (name) => `${name}=%00`,
  'as a list': (name) => `${name}[]=a&${name}[x]=b`,
  'not UTF-8': (name) => `${name}=%ff%fe`,
  long: (name) => `${name}=${'a'.repeat(300)}`,
};
const queries = [
  ...Object.values(values).map((write) => names.map(write).join('&')),
  ...names.map((name) => `${name}=%00`),
  ...['%', '&&=&', '__proto__=1&constructor=2', `login_hint=${'a'.repeat(8000)}`],
  ...['email=%00@x.example', `email=${'a'.repeat(4000)}@x.example`],
];
const json = [
  ...[
    '{}',
    'null',
    '[]',
    '"x"',
    '{',
    '{"ack":["\\u0000"]}',
    '{"ack":["\\ud800"]}',
    '{"setErrs":{"\\u0000":{}}}',
  ],
  ...[
    '{"maxEvents":1e308}',
    '{"stream_id":"\\u0000","status":"paused"}',
    '{"delivery":{"method":"\\u0000"}}',
  ],
  ...['{"__proto__":{"stream_id":"x"}}', '[['.repeat(10_000), JSON.stringify('x'.repeat(200_000))],
];
const types = [
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded; charset=utf-7',
];
const headers: Record<string, string>[] = [
  { cookie: 'bgw_session=%00; bgw_login_1=x; _session=%00' },
  { cookie: 'bgw_session=%E0%A4%A' },
  { authorization: 'Basic AAAA' },
  { authorization: `Basic ${Buffer.from('%00:%00').toString('base64')}` },
  { authorization: 'Bearer' },
  { 'accept-language': '\u00ff,;q=x'.repeat(200) },
];

async function statusOf(path: string, init: RequestInit): Promise<number> {
  for (;;) {
    const { status, body } = await fetch(gateway.url + path, { redirect: 'manual', ...init });
    await body?.cancel();
    if (status !== 429) return status;
    await new Promise((done) => setTimeout(done, 200));
  }
}

it('is answered without a failure', async () => {
  const failed: string[] = [];
  const ask = async (path: string, init: RequestInit) => {
    const status = await statusOf(path, init);
    // 503: an identity provider is not there.
    if (status >= 500 && status !== 503) failed.push(`${init.method} ${path} ${String(init.body)} ${status}`);
  };
  for (const path of paths) {
    const own = path.startsWith('/ssf') ? receiver : {};
    const form = { ...own, 'content-type': 'application/x-www-form-urlencoded' };
    for (const query of queries) await ask(`${path}?${query}`, { method: 'GET', headers: own });
    for (const more of headers) await ask(path, { method: 'GET', headers: { ...own, ...more } });
    for (const body of queries) await ask(path, { method: 'POST', headers: form, body });
    for (const type of types) {
      await ask(path, { method: 'POST', headers: { ...own, 'content-type': type }, body: 'x=%ff' });
    }
    for (const method of path === '/ssf/stream' ? ['POST', 'PUT', 'PATCH'] : ['POST']) {
      for (const body of json) {
        await ask(path, { method, headers: { ...own, 'content-type': 'application/json' }, body });
      }
    }
    for (const method of ['HEAD', 'OPTIONS', 'PUT']) await ask(path, { method, headers: own });
  }
  expect(failed).toEqual([]);
}, 120_000);
