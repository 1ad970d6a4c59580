/** Access tokens by client secret (RFC 6749 §4.4, §2.3.1): what they open, when they end, and how wrong requests are refused. */

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import {
  askToken,
  assertionType,
  aUser,
  basic,
  bySecret,
  type Form,
  grant,
  newClient,
  newDirectory,
} from './support.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let directory: string;
let client: { clientId: string; clientSecret: string };
let database: pg.Client;

beforeAll(async () => {
  gateway = await startGateway();
  tenant = await gateway.createTenant();
  directory = await newDirectory(gateway, tenant);
  client = await newClient(gateway, directory);
  database = new pg.Client({ connectionString: gateway.databaseUrl });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await gateway.close();
});

/** As the tenant, since its rows are hidden from everybody else. */
async function rows(text: string, of = tenant.tenantId): Promise<Record<string, unknown>[]> {
  await database.query(`select set_config('app.tenant_id', $1, false)`, [of]);
  return (await database.query(text)).rows;
}

const tokenOf = async (form: Form, headers?: Record<string, string>): Promise<string> =>
  (await made(askToken(gateway, form, headers))).access_token;

describe('a token', () => {
  it.each<[string, () => [Form, Record<string, string>?]]>([
    ['by HTTP Basic', () => [grant, basic(client.clientId, client.clientSecret)]],
    ['by the body', () => [bySecret(client)]],
  ])('is had %s, and opens SCIM', async (_how, request) => {
    const { status, headers, body } = await askToken(gateway, ...request());
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('pragma')).toBe('no-cache');
    expect(headers.get('x-request-id')).not.toBeNull();
    expect(body).toEqual({
      access_token: expect.stringMatching(/^bgw_at_[\w-]{43}$/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'scim',
    });
    const user = aUser(`${body.access_token.slice(-8)}@x.example`);
    expect((await gateway.scim(body.access_token, 'POST', '/Users', user)).status).toBe(201);
    expect((await gateway.scim(body.access_token, 'GET', '/Users')).status).toBe(200);
    expect((await gateway.api('GET', '/tenants', undefined, body.access_token)).status).toBe(401);
  });

  it('is read whatever the case of the scheme, the charset and the space in the form', async () => {
    const encoded = basic(client.clientId, client.clientSecret).authorization.slice(6);
    const headers = {
      authorization: `bASIC ${encoded}`,
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    };
    const form = `grant_type=client%5Fcredentials&scope=+scim+&resource=&unknown=1&client_id=${client.clientId}`;
    expect((await askToken(gateway, form, headers)).status).toBe(200);
  });

  it('names its client where something was done with it', async () => {
    const user = await made(
      gateway.scim(await tokenOf(bySecret(client)), 'POST', '/Users', aUser('who@x.example')),
    );
    const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/audit?subject=${user.id}`));
    expect(items[0].actor).toMatchObject({ kind: 'directory', client: client.clientId });
  });

  it('ends after an hour, and goes when the client gets another', async () => {
    const other = await newClient(gateway, directory);
    const token = await tokenOf(bySecret(other));
    const [row] = await rows(
      `select expires_at - created_at as lives from directory_tokens where client_id = '${other.id}'`,
    );
    expect(row?.lives).toMatchObject({ hours: 1 });
    await rows(`update directory_tokens set expires_at = now() where client_id = '${other.id}'`);
    expect((await gateway.scim(token, 'GET', '/Users')).status).toBe(401);
    const locators = `select key from tenant_locators l where kind = 'directory_token' and tenant_id = '${tenant.tenantId}'
      and not exists (select from directory_tokens t where t.token_hash = l.key)`;
    await tokenOf(bySecret(other));
    const left = await rows(`select id from directory_tokens where client_id = '${other.id}'`);
    expect(left).toHaveLength(1);
    expect(await rows(locators)).toEqual([]);
  });

  it('is none of those that admins issue', async () => {
    await tokenOf(bySecret(client));
    const [row] = await rows(`select id from directory_tokens where client_id = '${client.clientId}'`);
    expect((await made(gateway.api('GET', `${directory}/tokens`))).items).toEqual([]);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/rotate'],
    ] as const) {
      const { status, body } = await gateway.api(method, `${directory}/tokens/${row?.id}${path}`);
      expect([method, status, body.code]).toEqual([method, 404, 'not_found']);
    }
  });
});

describe('a secret', () => {
  it('works beside others until it expires or is revoked, and tells when it was used', async () => {
    const first = await newClient(gateway, directory);
    const path = `${directory}/clients/${first.id}`;
    const soon = new Date(Date.now() + 1500).toISOString();
    const second = await made(gateway.api('POST', `${path}/secrets`, { expiresAt: soon }));
    const third = await made(gateway.api('POST', `${path}/secrets`));
    expect(second).toEqual({
      id: expect.any(String),
      clientSecret: expect.stringMatching(/^bgw_cs_/),
      createdAt: expect.any(String),
      expiresAt: soon,
    });
    const status = async (secret: string) =>
      (await askToken(gateway, bySecret({ clientId: first.id, clientSecret: secret }))).status;
    expect(await Promise.all([first, second, third].map((one) => status(one.clientSecret)))).toEqual([
      200, 200, 200,
    ]);

    const { secrets } = await made(gateway.api('GET', path));
    expect(secrets.map((secret: object) => Object.keys(secret))).toEqual(
      Array(3).fill(['id', 'createdAt', 'expiresAt', 'lastUsedAt']),
    );
    expect(secrets.every(({ lastUsedAt }: { lastUsedAt: string }) => Date.parse(lastUsedAt) > 0)).toBe(true);

    await new Promise((done) => setTimeout(done, 1600));
    expect(await status(second.clientSecret)).toBe(401);
    expect((await gateway.api('DELETE', `${path}/secrets/${third.id}`)).status).toBe(204);
    expect((await gateway.api('DELETE', `${path}/secrets/${third.id}`)).status).toBe(404);
    expect(await status(third.clientSecret)).toBe(401);
    expect(await status(first.clientSecret)).toBe(200);
  });

  it('is one of ten at most', async () => {
    const { id } = await newClient(gateway, directory);
    const path = `${directory}/clients/${id}/secrets`;
    const answers = await Promise.all(Array.from({ length: 12 }, () => gateway.api('POST', path)));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      ...Array(9).fill(201),
      ...Array(3).fill(409),
    ]);
  });
});

describe('a removed client', () => {
  it('gets no token, and those it had end at once', async () => {
    const other = await newClient(gateway, directory);
    const tokens = await Promise.all([1, 2].map(() => tokenOf(bySecret(other))));
    for (const token of tokens) expect((await gateway.scim(token, 'GET', '/Users')).status).toBe(200);
    expect((await gateway.api('DELETE', `${directory}/clients/${other.id}`)).status).toBe(204);
    for (const token of tokens) {
      const { status, headers } = await gateway.scim(token, 'GET', '/Users');
      expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    }
    expect((await askToken(gateway, bySecret(other))).status).toBe(401);
    const hidden = `select kind from tenant_locators l where tenant_id = '${tenant.tenantId}' and (key = '${other.id}' or
      kind = 'directory_token' and not exists (select from directory_tokens t where t.token_hash = l.key))`;
    expect(await rows(hidden)).toEqual([]);
  });

  it('leaves nothing of a token that is issued at that moment', async () => {
    const other = await newClient(gateway, directory);
    const [row] = await rows(`select tenant_id, directory_id from oauth_clients where id = '${other.id}'`);
    // As the token endpoint does it, but slowly.
    await database.query('begin');
    await database.query(
      `insert into directory_tokens (tenant_id, id, directory_id, name, token_hash, created_at, expires_at, client_id)
       values ($1, gen_random_uuid(), $2, 'x', 'slow', now(), now() + interval '1 hour', $3)`,
      [row?.tenant_id, row?.directory_id, other.id],
    );
    await database.query(`insert into tenant_locators values ('directory_token', 'slow', $1)`, [
      row?.tenant_id,
    ]);
    const removed = gateway.api('DELETE', `${directory}/clients/${other.id}`);
    await new Promise((done) => setTimeout(done, 300));
    await database.query('commit');
    expect((await removed).status).toBe(204);
    const orphans = `select key from tenant_locators l where tenant_id = '${tenant.tenantId}'
      and kind = 'directory_token' and not exists (select from directory_tokens t where t.token_hash = l.key)`;
    expect(await rows(orphans)).toEqual([]);
  });
});

describe('a scope', () => {
  it('is what was asked for, within what the client may have', async () => {
    const both = await newClient(gateway, directory, { scopes: ['scim.read', 'scim'] });
    expect(both.scopes).toEqual(['scim', 'scim.read']);
    const scopeOf = async (scope: string) =>
      (await askToken(gateway, { ...bySecret(both), scope })).body.scope;
    expect(await scopeOf('')).toBe('scim scim.read');
    expect(await scopeOf('scim.read')).toBe('scim.read');
    expect(await scopeOf('scim.read  scim scim')).toBe('scim scim.read');
    for (const scope of ['scim.write', 'scim admin', 'SCIM', 'scim\tscim.read']) {
      const { status, body } = await askToken(gateway, { ...bySecret(both), scope });
      expect([scope, status, body.error]).toEqual([scope, 400, 'invalid_scope']);
    }
    const { status, body } = await askToken(gateway, { ...bySecret(client), scope: 'scim.read' });
    expect([status, body.error]).toEqual([400, 'invalid_scope']);
  });

  it('to read lets nothing be written', async () => {
    const reader = await newClient(gateway, directory, { scopes: ['scim.read'] });
    const token = await tokenOf(bySecret(reader));
    const id = '00000000-0000-7000-8000-00000000000a';
    for (const [method, path] of [
      ['POST', '/Users'],
      ['PUT', `/Users/${id}`],
      ['PATCH', `/Groups/${id}`],
      ['DELETE', `/Users/${id}`],
    ] as const) {
      const { status, headers, body } = await gateway.scim(
        token,
        method,
        path,
        method === 'DELETE' ? undefined : {},
      );
      expect([method, status, body.status]).toEqual([method, 403, '403']);
      expect(headers.get('www-authenticate')).toBe('Bearer error="insufficient_scope", scope="scim"');
    }
    for (const path of ['/Users', '/Groups', '/ServiceProviderConfig', '/Schemas']) {
      expect((await gateway.scim(token, 'GET', path)).status).toBe(200);
    }
    expect((await gateway.scim(token, 'DELETE', '/Nothing')).status).toBe(404);
  });
});

describe('a request that is wrong', () => {
  const wrong = 'bgw_cs_wrong';
  const secretOf = () => ({ client_id: client.clientId, client_secret: client.clientSecret });
  const cases: [string, () => [Form, Record<string, string>?], number, string][] = [
    ['no grant', () => [secretOf()], 400, 'invalid_request'],
    ['nothing at all', () => [''], 400, 'invalid_request'],
    ['another grant', () => [{ ...bySecret(client), grant_type: 'password' }], 400, 'unsupported_grant_type'],
    ['no proof', () => [{ ...grant, client_id: client.clientId }], 401, 'invalid_client'],
    ['no client', () => [{ ...grant, client_secret: wrong }], 400, 'invalid_request'],
    ['a wrong secret', () => [{ ...bySecret(client), client_secret: wrong }], 401, 'invalid_client'],
    ['a wrong secret by Basic', () => [grant, basic(client.clientId, wrong)], 401, 'invalid_client'],
    ['its hash', () => [{ ...bySecret(client), client_secret: 'a'.repeat(64) }], 401, 'invalid_client'],
    ['a client that is no id', () => [{ ...bySecret(client), client_id: 'acme' }], 401, 'invalid_client'],
    [
      'a client that nobody has',
      () => [{ ...bySecret(client), client_id: '00000000-0000-7000-8000-00000000000a' }],
      401,
      'invalid_client',
    ],
    ['Bearer', () => [bySecret(client), { authorization: 'Bearer x' }], 401, 'invalid_client'],
    ['Basic without a colon', () => [grant, { authorization: 'Basic YWJj' }], 401, 'invalid_client'],
    [
      'Basic that is no base64',
      () => [grant, { authorization: 'Basic §'.replace('§', '!') }],
      401,
      'invalid_client',
    ],
    [
      'two secrets',
      () => [bySecret(client), basic(client.clientId, client.clientSecret)],
      400,
      'invalid_request',
    ],
    [
      'a secret and an assertion',
      () => [{ ...bySecret(client), client_assertion: 'x' }],
      400,
      'invalid_request',
    ],
    [
      'another client in the body',
      () => [{ ...grant, client_id: 'x' }, basic(client.clientId, client.clientSecret)],
      400,
      'invalid_request',
    ],
    [
      'a parameter twice',
      () => [[...Object.entries(bySecret(client)), ['scope', 'scim'], ['scope', 'scim']]],
      400,
      'invalid_request',
    ],
    [
      'an unknown one twice',
      () => [`${new URLSearchParams(bySecret(client))}&x=&x=1`],
      400,
      'invalid_request',
    ],
    ['a form that is none', () => ['grant_type=%zz'], 400, 'invalid_request'],
    ['bytes that are no UTF-8', () => ['grant_type=%ff'], 400, 'invalid_request'],
    ['JSON', () => ['{}', { 'content-type': 'application/json' }], 400, 'invalid_request'],
    [
      'a secret as an assertion',
      () => [
        { ...grant, client_id: client.clientId, client_assertion_type: assertionType, client_assertion: 'x' },
      ],
      401,
      'invalid_client',
    ],
    ['a body that is too large', () => [`x=${'y'.repeat(65_536)}`], 413, 'invalid_request'],
    ['a NUL', () => [{ ...bySecret(client), client_secret: '\0' }], 401, 'invalid_client'],
  ];
  it.each(cases)('%s', async (_what, request, status, error) => {
    const answer = await askToken(gateway, ...request());
    expect([answer.status, answer.body.error]).toEqual([status, error]);
    expect(answer.body.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Basic realm="Blue Gateway"' : null);
  });
});
