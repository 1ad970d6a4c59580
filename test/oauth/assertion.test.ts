/** Access tokens by assertion (RFC 7523, ENTRA-88): which assertions are taken, and what an issuer can do to us. */

import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { assertionOf, newKey, TestIssuer, type TestKey } from './issuer.ts';
import {
  askToken,
  assertionType,
  aUser,
  byAssertion,
  bySecret,
  grant,
  newClient,
  newDirectory,
} from './support.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let directory: string;
let issuer: TestIssuer;
let key: TestKey;
let clientId: string;
/** What the clock that only goes forward is ahead of itself. */
let aheadMs = 0;

const audience = 'api://8f3c5b1e-0000-4000-8000-000000000001';
const subject = '5a1f0c62-0000-4000-8000-000000000002';

beforeAll(async () => {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  directory = await newDirectory(gateway, tenant);
  key = await newKey('k1');
});
afterAll(async () => {
  await gateway.close();
  vi.restoreAllMocks();
});
beforeEach(async () => {
  // So that no test uses up what the next one may ask for.
  aheadMs += 60_000;
  issuer = await TestIssuer.start();
  issuer.keys = [key.jwk];
  ({ clientId } = await newClient(gateway, directory, { issuer: issuer.url, audience, subject }));
});
afterEach(() => issuer.stop());

const claims = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: issuer.url,
  aud: audience,
  sub: subject,
  ...more,
});
const seconds = (fromNow: number) => Math.floor(Date.now() / 1000) + fromNow;
const ask = async (assertion: string | Promise<string>, client = clientId) =>
  await askToken(gateway, byAssertion(client, await assertion));
const statusOf = async (assertion: string | Promise<string>) => (await ask(assertion)).status;
const refusal = async (assertion: string | Promise<string>) => {
  const { status, body } = await ask(assertion);
  expect([status, body.error]).toEqual([401, 'invalid_client']);
  return body.error_description as string;
};

describe('an assertion', () => {
  it('gets a token that opens SCIM, as Entra asks for it', async () => {
    const { status, body } = await askToken(gateway, {
      ...byAssertion(clientId, await assertionOf({ key, claims: claims() })),
      scope: 'scim',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'scim' });
    expect((await gateway.scim(body.access_token, 'POST', '/Users', aUser('wif@x.example'))).status).toBe(
      201,
    );
    expect(issuer.asked).toHaveLength(2);
  });

  it.each(['RS384', 'PS256', 'ES256', 'ES384', 'ES512'])('may be signed by %s', async (alg) => {
    const other = await newKey(alg, alg);
    issuer.keys = [key.jwk, other.jwk];
    expect(await statusOf(assertionOf({ key: other, claims: claims() }))).toBe(200);
  });

  it('may name several audiences, and be off by a minute', async () => {
    expect(await statusOf(assertionOf({ key, claims: claims({ aud: ['x', audience] }) }))).toBe(200);
    const late = claims({ exp: seconds(-40) });
    const early = claims({ nbf: seconds(40), iat: seconds(40) });
    expect(await statusOf(assertionOf({ key, claims: late }))).toBe(200);
    expect(await statusOf(assertionOf({ key, claims: early }))).toBe(200);
  });

  it.each<[string, () => Record<string, unknown>, string]>([
    ['another issuer', () => ({ iss: `${issuer.url}/` }), 'iss'],
    ['no issuer', () => ({ iss: undefined }), 'iss'],
    ['another audience', () => ({ aud: `${audience}/` }), 'aud'],
    ['other audiences', () => ({ aud: ['a', 'b'] }), 'aud'],
    ['no audience', () => ({ aud: undefined }), 'aud'],
    ['another subject', () => ({ sub: subject.toUpperCase() }), 'sub'],
    ['no subject', () => ({ sub: undefined }), 'sub'],
    ['no end', () => ({ exp: undefined }), 'exp'],
    ['an end that is past', () => ({ exp: seconds(-90) }), 'expired'],
    ['an end far ahead', () => ({ exp: seconds(25 * 3600) }), '24 hours'],
    ['an end that is no number', () => ({ exp: '9999999999' as never }), 'exp'],
    ['a beginning to come', () => ({ nbf: seconds(90) }), 'nbf'],
    ['a birth to come', () => ({ iat: seconds(90) }), 'iat'],
  ])('with %s is refused', async (_what, more, named) => {
    expect(await refusal(assertionOf({ key, claims: claims(more()) }))).toContain(named);
  });

  it('must be signed by a key that the issuer publishes', async () => {
    const stranger = await newKey('k1');
    await refusal(assertionOf({ key: stranger, claims: claims() }));
    await refusal(assertionOf({ key: { ...stranger, kid: 'k9' }, claims: claims() }));
    // A key in the header is nobody's but the sender's.
    await refusal(assertionOf({ key: stranger, claims: claims(), header: { jwk: stranger.jwk } }));
    const good = await assertionOf({ key, claims: claims() });
    const [head, , signature] = good.split('.');
    const other = Buffer.from(JSON.stringify(claims({ exp: seconds(600) }))).toString('base64url');
    await refusal([head, other, signature].join('.'));
    expect(await statusOf(good)).toBe(200);
  });

  it('must be signed, by an algorithm of public keys', async () => {
    await refusal(new UnsecuredJWT(claims({ exp: seconds(300) })).encode());
    const body = Buffer.from(JSON.stringify(claims({ exp: seconds(300) }))).toString('base64url');
    const pem = await exportSPKI((await importJWK(key.jwk, 'RS256', { extractable: true })) as never);
    for (const secret of [pem, key.jwk.n ?? '', '']) {
      const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid: key.kid })).toString('base64url');
      const signature = createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url');
      await refusal(`${head}.${body}.${signature}`);
    }
    for (const alg of ['none', 'None', '', 'RS1', 'EdDSA']) {
      const head = Buffer.from(JSON.stringify({ alg, kid: key.kid })).toString('base64url');
      expect(await refusal(`${head}.${body}.`)).toContain('algorithm');
    }
    expect(issuer.asked).toEqual([]);
  });

  it('may have no header that must be understood', async () => {
    const header = { crit: ['b64'], b64: true };
    expect(await refusal(assertionOf({ key, claims: claims(), header }))).toContain('crit');
  });

  it('is of the algorithm that its key is for', async () => {
    issuer.keys = [{ ...key.jwk, alg: 'RS512' }];
    await refusal(assertionOf({ key, claims: claims() }));
  });

  it.each(['', 'x', 'a.b', 'a.b.c', 'a.b.c.d.e', '..', '💥', `${'A'.repeat(17_000)}`])(
    'is no %s',
    async (text) => {
      const { status, body } = await ask(text);
      expect([400, 401]).toContain(status);
      expect(['invalid_request', 'invalid_client']).toContain(body.error);
      expect(issuer.asked).toEqual([]);
    },
  );

  it('comes with its type and its client', async () => {
    const assertion = await assertionOf({ key, claims: claims() });
    const all = byAssertion(clientId, assertion);
    for (const [name, told] of [
      ['client_id', 'client_id'],
      ['client_assertion_type', assertionType],
      ['client_assertion', 'client_assertion'],
    ] as const) {
      const { status, body } = await askToken(gateway, { ...all, [name]: '' });
      expect([status, body.error]).toEqual([400, 'invalid_request']);
      expect(body.error_description).toContain(told);
    }
    const { status } = await askToken(gateway, { ...grant, ...all, client_assertion_type: 'urn:saml2' });
    expect(status).toBe(400);
  });

  it('of one client opens no other, and no secret opens its client', async () => {
    const other = await newClient(gateway, directory, { issuer: issuer.url, audience, subject: 'another' });
    const secretive = await newClient(gateway, directory);
    const assertion = await assertionOf({ key, claims: claims() });
    expect((await ask(assertion, other.clientId)).status).toBe(401);
    expect((await ask(assertion, secretive.clientId)).status).toBe(401);
    const { status } = await askToken(gateway, bySecret({ clientId, clientSecret: secretive.clientSecret }));
    expect(status).toBe(401);
    const secrets = await gateway.api('POST', `${directory}/clients/${clientId}/secrets`, {});
    expect([secrets.status, secrets.body.code]).toEqual([409, 'conflict']);
  });
});

describe('keys', () => {
  it('are fetched once, and again after ten minutes', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => statusOf(assertionOf({ key, claims: claims() }))),
    );
    expect(all).toEqual(Array(8).fill(200));
    expect(issuer.asked).toHaveLength(2);
    aheadMs += 9 * 60_000;
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
    expect(issuer.asked).toHaveLength(2);
    aheadMs += 61_000;
    issuer.keys = [];
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(401);
    expect(issuer.asked).toHaveLength(4);
  });

  it('that are new are found, but not looked for all the time', async () => {
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
    const next = await newKey('k2');
    issuer.keys = [key.jwk, next.jwk];
    expect(await statusOf(assertionOf({ key: next, claims: claims() }))).toBe(401);
    expect(issuer.asked).toHaveLength(2);
    aheadMs += 31_000;
    expect(await statusOf(assertionOf({ key: next, claims: claims() }))).toBe(200);
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
    expect(issuer.asked).toHaveLength(4);
    const nobodys = { ...next, kid: 'k3' };
    for (let time = 0; time < 3; time += 1) await refusal(assertionOf({ key: nobodys, claims: claims() }));
    expect(issuer.asked).toHaveLength(4);
  });

  it('that can’t be had anew serve on for an hour, and are asked for now and then', async () => {
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
    issuer.instead = (_request, response) => response.writeHead(500).end();
    aheadMs += 11 * 60_000;
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
    expect(issuer.asked).toHaveLength(3);
    aheadMs += 50 * 60_000;
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(503);
    issuer.instead = undefined;
    aheadMs += 6000;
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
  });

  it('that were had serve on while the issuer is away', async () => {
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
    issuer.instead = (_request, response) => response.writeHead(500).end();
    aheadMs += 31_000;
    expect(await statusOf(assertionOf({ key: { ...key, kid: 'new' }, claims: claims() }))).toBe(503);
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
  });
});

describe('an issuer', () => {
  const unavailable = async () => {
    const { status, headers, body } = await ask(assertionOf({ key, claims: claims() }));
    expect([status, body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(headers.get('retry-after')).toBe('5');
    return body.error_description as string;
  };

  it('that is down is told, asked rarely, and found again', async () => {
    issuer.instead = (request) => request.socket.destroy();
    expect(await unavailable()).toContain('does not answer');
    const asked = issuer.asked.length;
    await unavailable();
    expect(issuer.asked).toHaveLength(asked);
    issuer.instead = undefined;
    aheadMs += 6000;
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
  });

  it('that is silent is waited for a while, and by nobody else', async () => {
    issuer.instead = () => {};
    const begun = Date.now();
    const waiting = unavailable();
    const client = await newClient(gateway, directory);
    expect((await askToken(gateway, bySecret(client))).status).toBe(200);
    expect(Date.now() - begun).toBeLessThan(2000);
    await waiting;
    expect(Date.now() - begun).toBeLessThan(7000);
  }, 20_000);

  it('that drips is given no more time', async () => {
    issuer.instead = (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(' '), 100);
      response.on('close', () => clearInterval(drip));
    };
    const begun = Date.now();
    await unavailable();
    expect(Date.now() - begun).toBeLessThan(7000);
  }, 20_000);

  it('that is huge is read no further', async () => {
    let sent = 0;
    issuer.instead = (_request, response) => {
      response.writeHead(200);
      const more = () => {
        while (sent < 50_000_000 && response.writable) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, ' '))) return response.once('drain', more);
        }
        return response.end();
      };
      more();
    };
    expect(await unavailable()).toContain('larger than');
    expect(sent).toBeLessThan(20_000_000);
  });

  it.each<[string, (found: TestIssuer) => void, string]>([
    [
      'of another name',
      (found) => Object.assign(found.discovery, { issuer: 'https://other.example' }),
      'another issuer',
    ],
    ['without keys', (found) => Object.assign(found.discovery, { jwks_uri: undefined }), 'jwks_uri'],
    [
      'with keys elsewhere',
      (found) => Object.assign(found.discovery, { jwks_uri: 'file:///etc/passwd' }),
      'https',
    ],
    ['with a list of no keys', (found) => Object.assign(found, { keys: 'none' }), 'key set'],
    [
      'that sends elsewhere',
      (found) => {
        found.instead = (_request, response) => response.writeHead(302, { location: '/x' }).end();
      },
      '302',
    ],
    [
      'that speaks HTML',
      (found) => {
        found.instead = (_request, response) => response.end('<html>');
      },
      'JSON',
    ],
    [
      'that answers a list',
      (found) => {
        found.instead = (_request, response) => response.end('[]');
      },
      'another issuer',
    ],
    [
      'that nests',
      (found) => {
        found.instead = (_request, response) => response.end('['.repeat(200_000) + ']'.repeat(50_000));
      },
      'JSON',
    ],
  ])('%s is refused', async (_what, spoil, told) => {
    spoil(issuer);
    expect(await unavailable()).toContain(told);
  });

  it('may publish what it likes beside the key', async () => {
    const { n = '' } = key.jwk;
    issuer.keys = [
      ...([
        null,
        1,
        'x',
        [],
        {},
        { kty: 'oct', k: 'AAAA', kid: 'k1' },
        { kty: '__proto__', kid: 'k1' },
      ] as never[]),
      { kty: 'RSA', kid: 'k1', n: 'A'.repeat(100_000), e: 'AQAB' },
      { kty: 'RSA', kid: 'k1', n, e: n },
      { ...key.jwk, use: 'enc' },
      { ...key.jwk, x5c: ['A'.repeat(20_000)], key_ops: ['sign'], ext: 'no' as never },
    ];
    expect(await statusOf(assertionOf({ key, claims: claims() }))).toBe(200);
  });

  it('that publishes a point on no curve is to blame for it', async () => {
    const curve = await newKey('k1', 'ES256');
    issuer.keys = [{ ...curve.jwk, x: 'AAAA' }];
    const { status } = await ask(assertionOf({ key: curve, claims: claims() }));
    expect([401, 503]).toContain(status);
  });
});

it('connects to no private network unless that is allowed', async () => {
  const strict = await startGateway({
    config: { allowPrivateNetworks: false },
    databaseUrl: gateway.databaseUrl,
  });
  try {
    const assertion = await assertionOf({ key, claims: claims() });
    const { status, body } = await askToken(strict, byAssertion(clientId, assertion));
    expect([status, body.error_description]).toEqual([503, expect.stringContaining('does not answer')]);
    expect(issuer.asked).toEqual([]);
    const draft = { name: 'x', issuer: issuer.url, audience, subject };
    const refused = await strict.api('POST', `${directory}/clients`, draft);
    expect([refused.status, refused.body.field]).toEqual([400, 'issuer']);
  } finally {
    await strict.close();
  }
  expect((await made(gateway.api('GET', `${directory}/clients/${clientId}`))).secrets).toEqual([]);
});
