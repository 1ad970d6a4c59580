/**
 * Metadata by URL: what a refresh takes by itself, what waits for an admin, and where the gateway does not fetch. The servers are
 * real; that of https has a certificate of its own, which the tests alone trust.
 */

import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { made, startGateway } from '../support/gateway.ts';
import { attribute, goodResponse, idpEntityId, newKeys } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { base64, jit, post, startTarget, type Target } from './target.ts';

let target: Target;
let servers: Server[];
let listener: RequestListener;
let [secure, plain] = ['', ''];
/** Real time cannot be waited for. */
const clock = { at: Date.now() };

beforeAll(async () => {
  const { certificate: cert, privateKey: key } = await newKeys();
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  target = await startTarget({ config: { testClock: true } });
  const serve: RequestListener = (request, response) => listener(request, response);
  servers = [createSecureServer({ key, cert }, serve), createServer(serve)];
  await Promise.all(
    servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
  );
  const [one, two] = servers.map((server) => (server.address() as AddressInfo).port);
  [secure, plain] = [`https://127.0.0.1:${one}/metadata`, `http://127.0.0.1:${two}/metadata`];
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await target.gateway.close();
  vi.unstubAllEnvs();
});

let [entityId, ssoUrl] = ['', ''];
let certificates: string[] = [];
let logout = '';
beforeEach(() => {
  logout = '';
  [entityId, ssoUrl, certificates] = ['urn:idp', 'http://localhost:1/sso', [target.keys.certificate]];
  listener = (_request, response) =>
    response.end(
      metadataOf(entityId, ssoUrl, ...certificates).replace(
        '<md:SingleSignOnService',
        `${logout}<md:SingleSignOnService`,
      ),
    );
});

const base = () => `/tenants/${target.tenant.slug}/connections`;
const create = (metadataUrl: string) =>
  target.gateway.api('POST', base(), { protocol: 'saml', name: 'x', metadataUrl, jit });
const read = (id: string) => made(target.gateway.api('GET', `${base()}/${id}`));
const trail = async (id: string) =>
  (await made(target.gateway.api('GET', `/tenants/${target.tenant.slug}/audit?limit=200`))).items
    .filter(({ subject }: { subject: string }) => subject === id)
    .map(({ action }: { action: string }) => action);
const alerts = async () =>
  (await made(target.gateway.api('GET', `/tenants/${target.tenant.slug}/alerts`))).items.flatMap(
    ({ items }: { items: object[] }) => items,
  );

async function forward(hours: number): Promise<void> {
  clock.at += hours * 3_600_000;
  await made(target.gateway.api('PUT', '/clock', { now: new Date(clock.at).toISOString() }));
}
const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 200 });

it('a refresh takes other certificates by itself, where https vouches for them', async () => {
  const { id, metadata } = await made(create(secure));
  expect(metadata).toMatchObject({ url: secure, error: null, pendingChange: null });
  certificates = [target.keys.certificate, target.strangers.certificate];
  await forward(25);
  await soon(async () => expect((await read(id)).identityProvider.certificates).toHaveLength(2));
  certificates = [target.strangers.certificate];
  await forward(25);
  await soon(async () => expect((await read(id)).identityProvider.certificates).toHaveLength(1));
  expect(await trail(id)).toEqual([
    ...['connection.certificates_changed', 'connection.certificates_changed', 'connection.created'],
  ]);
});

it('a refresh that answers after an admin has had the same address read again changes nothing', async () => {
  const url = `${secure}?held`;
  const { id } = await made(create(url));
  let answerLate: (() => void) | undefined;
  const late = metadataOf(entityId, ssoUrl, ...certificates);
  const answer = listener;
  listener = (request, response) => {
    if (!request.url?.endsWith('?held') || answerLate !== undefined) return answer(request, response);
    answerLate = () => response.end(late);
  };
  await forward(25);
  await soon(async () => expect(answerLate).toBeDefined());
  certificates = [target.strangers.certificate];
  const { identityProvider } = await made(target.gateway.api('PUT', `${base()}/${id}`, { metadataUrl: url }));
  answerLate?.();
  await new Promise((done) => setTimeout(done, 1000));
  expect((await read(id)).identityProvider).toEqual(identityProvider);
  expect(await trail(id)).toEqual(['connection.updated', 'connection.created']);
});

const slo = (location: string, binding = 'HTTP-Redirect') =>
  `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding}" Location="${location}"/>`;

it('a refresh takes addresses of single logout at an origin that is in use', async () => {
  const { id } = await made(create(secure));
  logout = slo('http://localhost:1/slo', 'HTTP-POST');
  await forward(25);
  const logoutPostUrl = 'http://localhost:1/slo';
  await soon(async () => expect((await read(id)).identityProvider).toMatchObject({ logoutPostUrl }));
  logout = '';
  await forward(25);
  await soon(async () => expect((await read(id)).identityProvider.logoutPostUrl).toBeNull());
  expect((await read(id)).metadata.pendingChange).toBeNull();
  expect(await trail(id)).toEqual([
    ...['connection.addresses_changed', 'connection.addresses_changed', 'connection.created'],
  ]);
});

it.each([
  [
    'another origin for single logout',
    () => secure,
    () => {
      logout = slo('http://localhost:2/slo');
    },
  ],
  [
    'another entityID',
    () => secure,
    () => {
      entityId = 'urn:another';
    },
  ],
  [
    'another address',
    () => secure,
    () => {
      ssoUrl = 'http://localhost:2/sso';
    },
  ],
  [
    'another certificate over http',
    () => plain,
    () => {
      certificates = [target.strangers.certificate];
    },
  ],
])('%s waits for an admin, who is told, and the old stays (SAML-ATK-55)', async (_what, url, change) => {
  const { id, identityProvider } = await made(create(url()));
  change();
  await forward(25);
  await soon(async () => expect((await read(id)).metadata.pendingChange).not.toBeNull());
  const { metadata, identityProvider: still } = await read(id);
  expect(still).toEqual(identityProvider);
  await soon(async () =>
    expect(await alerts()).toContainEqual(
      expect.objectContaining({
        kind: 'metadata_changed',
        detail: expect.objectContaining({ connection: id }),
      }),
    ),
  );
  const confirm = (seenAt: string) =>
    target.gateway.api('POST', `${base()}/${id}/metadata/confirm`, { seenAt });
  expect(await confirm(new Date(0).toISOString())).toMatchObject({ status: 409 });
  const confirmed = await made(confirm(metadata.pendingChange.seenAt));
  expect(confirmed.metadata.pendingChange).toBeNull();
  expect(confirmed.identityProvider).not.toEqual(identityProvider);
  expect(confirmed.identityProvider).toMatchObject({ entityId, ssoUrl });
  expect(await trail(id)).toEqual([
    ...['connection.metadata_confirmed', 'connection.metadata_held', 'connection.created'],
  ]);
});

it('another entityID that is confirmed makes the groups forgotten that the one before claimed (licensing I5)', async () => {
  const api = (method: string, path: string, body: object) =>
    made(target.gateway.api(method, `/tenants/${target.tenant.slug}${path}`, body));
  await api('PUT', '/contract', {
    ...{ kind: 'annual', tier: 'x', paidSeats: 5, startsOn: '2020-01-01', endsOn: '2999-01-01' },
    ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'none' },
  });
  await api('PUT', '/settings', { breaker: null });
  const mapping = { group: { claim: 'Staff' }, role: 'team_member', workspaces: ['w1'], priority: 1 };
  await api('POST', '/mappings', mapping);
  entityId = idpEntityId;
  const connection = await made(
    target.gateway.api('POST', base(), {
      ...{ protocol: 'saml', name: 'x', metadataUrl: secure, jit: { ...jit, groupsClaim: 'groups' } },
    }),
  );
  const begun = await target.begin(connection);
  const attributes = attribute('userName', 'ida@example.com') + attribute('groups', 'Staff');
  expect((await post(begun, goodResponse(begun, { subject: 'ida', attributes }))).status).toBe(303);
  const seat = async () =>
    (await made(target.gateway.api('GET', `/tenants/${target.tenant.slug}/users?search=ida@`))).items[0].seat
      .state;
  expect(await seat()).toBe('held');
  entityId = 'urn:another';
  await forward(25);
  await soon(async () => expect((await read(connection.id)).metadata.pendingChange).not.toBeNull());
  expect(await seat()).toBe('held');
  const { seenAt } = (await read(connection.id)).metadata.pendingChange;
  await made(target.gateway.api('POST', `${base()}/${connection.id}/metadata/confirm`, { seenAt }));
  expect(await seat()).toBe('none');
});

it('what can not be used leaves everything as it was, and is told after a day', async () => {
  const { id, identityProvider } = await made(create(secure));
  const old = new Date(Date.now() - 1000).toISOString();
  listener = (_request, response) =>
    response.end(
      metadataOf(entityId, ssoUrl, target.strangers.certificate).replace(
        'entityID',
        `validUntil="${old}" entityID`,
      ),
    );
  await forward(25);
  await soon(async () => expect((await read(id)).metadata.error).toContain('it was valid until'));
  expect((await read(id)).identityProvider).toEqual(identityProvider);
  await forward(26);
  await soon(async () =>
    expect(await alerts()).toContainEqual(
      expect.objectContaining({
        kind: 'metadata_failing',
        detail: expect.objectContaining({ connection: id }),
      }),
    ),
  );
  listener = (_request, response) => response.end(metadataOf(entityId, ssoUrl, ...certificates));
  await forward(2);
  await soon(async () =>
    expect((await read(id)).metadata).toMatchObject({ error: null, failingSince: null }),
  );
});

it('a signature by an unknown certificate lets nobody in, and the metadata is fetched soon', async () => {
  entityId = idpEntityId;
  const connection = await made(create(secure));
  certificates = [target.strangers.certificate];
  await forward(1);
  const begun = await target.begin(connection);
  const page = await begun.browser.send(
    connection.acsUrl,
    {
      SAMLResponse: base64(goodResponse({ ...begun, keys: target.strangers })),
      RelayState: begun.relayState,
    },
    true,
  );
  expect(page.status).toBe(403);
  await soon(async () => expect(await trail(connection.id)).toContain('connection.certificates_changed'));
});

it('all sessions of a connection end where an admin says so', async () => {
  await target.goodLogin();
  const answer = await target.gateway.api('DELETE', `${target.path}/sessions`);
  expect(answer.status).toBe(204);
  expect(await trail(target.connection.id)).toContain('connection.sessions_ended');
});

const problem = async (url: string) => {
  const { status, body } = await create(url);
  expect([status, body.field]).toEqual([400, 'metadataUrl']);
  return body.detail as string;
};
it('a template names the attributes, and people can not be made without a userName', async () => {
  const make = (change: object) =>
    target.gateway.api('POST', base(), { protocol: 'saml', name: 'x', metadataUrl: secure, ...change });
  const entra = await made(make({ template: 'entra', jit: { create: true } }));
  expect(entra.jit.attributes.subject).toBe('http://schemas.microsoft.com/identity/claims/objectidentifier');
  const attributes = { userName: 'mine' };
  const keycloak = await made(make({ template: 'keycloak', jit: { attributes } }));
  expect(keycloak).toMatchObject({
    jit: { create: false, attributes },
    nameIdFormat: expect.stringMatching(/persistent$/),
  });
  const { status, body } = await make({ jit: { create: true } });
  expect([status, body.field]).toEqual([400, 'jit.attributes.userName']);
});

const secret = 'what only the inside knows';

it.each<[string, RequestListener, RegExp]>([
  [
    'a redirect',
    (_q, r) => r.writeHead(302, { location: plain }).end(secret),
    /302.*address that it leads to/,
  ],
  ['a refusal', (_q, r) => r.writeHead(403).end(secret), /403/],
  ['what is no metadata', (_q, r) => r.end(secret), /can't be used/],
  [
    'an endless answer',
    (_q, r) => void setInterval(() => r.write(secret.repeat(10_000)), 1).unref(),
    /larger than/,
  ],
  [
    'a packed answer',
    (_q, r) => r.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.from('1f8b', 'hex')),
    /can't be used/,
  ],
  ['silence', () => {}, /does not answer/],
])(
  'SAML-ATK-56: %s is refused in words, and nothing of it is told',
  { timeout: 20_000 },
  async (_what, answer, words) => {
    listener = answer;
    const detail = await problem(secure);
    expect(detail).toMatch(words);
    expect(detail).not.toContain(secret);
  },
);

it.each(['file:///etc/passwd', 'ftp://example.com/', 'x', 'https://me:pw@example.com/'])(
  'SAML-ATK-56: %s is no address',
  async (url) => {
    await problem(url);
  },
);

it('SAML-ATK-56: private networks are closed unless they are opened', async () => {
  let asked = 0;
  listener = (_request, response) => {
    asked += 1;
    response.end(secret);
  };
  const { port } = new URL(secure);
  const closed = await startGateway({ config: { allowPrivateNetworks: false } });
  try {
    const { slug } = await closed.createTenant();
    const hosts = [
      '127.0.0.1',
      'localhost',
      '169.254.169.254',
      '[fd00::1]',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '10.0.0.1',
      '2130706433',
    ];
    for (const host of hosts) {
      const metadataUrl = `https://${host}:${port}/metadata`;
      const answer = await closed.api('POST', `/tenants/${slug}/connections`, {
        protocol: 'saml',
        name: 'x',
        metadataUrl,
      });
      expect([answer.status, answer.body.field, host]).toEqual([400, 'metadataUrl', host]);
    }
    const answer = await closed.api('POST', `/tenants/${slug}/connections`, {
      protocol: 'saml',
      name: 'x',
      metadataUrl: plain,
    });
    expect(answer.body.detail).toContain('must be an https URL');
    expect(asked).toBe(0);
  } finally {
    await closed.close();
  }
});
