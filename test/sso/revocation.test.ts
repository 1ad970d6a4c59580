/** Global Token Revocation (draft-parecki-oauth-global-token-revocation): an identity provider ends what a person has open here. */

import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assertionOf, newKey, TestIssuer, type TestKey } from '../oauth/issuer.ts';
import { made } from '../support/gateway.ts';
import { attribute, goodResponse, idpEntityId } from './forge.ts';
import { type Begun, post, startTarget, type Target } from './target.ts';

let target: Target;
let issuer: TestIssuer;
let key: TestKey;
let url = '';

beforeAll(async () => {
  target = await startTarget();
  issuer = await TestIssuer.start();
  key = await newKey('k1');
  issuer.keys = [key.jwk];
  const change = { revocationIssuer: issuer.url };
  ({ revocationUrl: url } = await made(target.gateway.api('PUT', target.path, change)));
});
afterAll(async () => {
  await target.gateway.close();
  await issuer.stop();
});

let begun: Begun;
beforeEach(async () => {
  begun = await signIn('ada');
});

async function signIn(subject: string): Promise<Begun> {
  const one = await target.begin();
  const userName = attribute('userName', `${subject}@example.com`);
  expect((await post(one, goodResponse(one, { subject, attributes: userName }))).status).toBe(303);
  return one;
}

const isSignedIn = async ({ browser }: Begun) =>
  (await browser.send(`${target.gateway.url}/sso/session`)).status === 200;

const local = () => url.replace(/^https?:\/\/[^/]+/, target.gateway.url);
const bearer = async (claims: Record<string, unknown> = {}, signer = key) => {
  const all = { iss: issuer.url, aud: url, sub: 'okta', jti: crypto.randomUUID(), ...claims };
  return `Bearer ${await assertionOf({ key: signer, claims: all })}`;
};

async function revoke(body: unknown, authorization?: string) {
  const answer = await fetch(local(), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: authorization ?? (await bearer()) },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

const ada = { sub_id: { format: 'iss_sub', iss: idpEntityId, sub: 'ada' } };

describe('a signed request', () => {
  it('ends the sessions of the person that it names by iss_sub, at once, and of nobody else', async () => {
    const other = await signIn('grace');
    expect((await revoke(ada)).status).toBe(204);
    expect([await isSignedIn(begun), await isSignedIn(other)]).toEqual([false, true]);
    const { items } = await made(
      target.gateway.api('GET', `/tenants/${target.tenant.slug}/audit?action=sessions.revoked`),
    );
    expect(items[0]).toMatchObject({ actor: { kind: 'connection', id: target.connection.id } });
  });

  it('and that it names by e-mail, whatever its case', async () => {
    const email = { sub_id: { format: 'email', email: 'Ada@EXAMPLE.com' } };
    expect((await revoke(email)).status).toBe(204);
    expect(await isSignedIn(begun)).toBe(false);
  });

  it('also of a login that is being written at that moment', async () => {
    const client = new pg.Client({ connectionString: target.gateway.databaseUrl });
    await client.connect();
    try {
      await client.query('begin');
      await client.query(`select set_config('app.tenant_id', $1, true)`, [target.tenant.tenantId]);
      // As a login does, which holds the connection until its session is there.
      const { rows } = await client.query(
        `insert into sso_sessions (tenant_id, token_hash, user_id, connection_id, created_at, expires_at, authenticated_at, epoch)
         select tenant_id, gen_random_uuid()::text, user_id, connection_id, created_at, expires_at, authenticated_at, epoch
         from sso_sessions where connection_id = $1 and upstream ->> 'sub' = 'ada' limit 1 returning token_hash`,
        [target.connection.id],
      );
      expect(rows).toHaveLength(1);
      const answer = revoke(ada);
      await new Promise((done) => setTimeout(done, 300));
      await client.query('commit');
      expect((await answer).status).toBe(204);
      const left = await client.query('select from sso_sessions where token_hash = $1', [rows[0].token_hash]);
      expect(left.rows).toEqual([]);
    } finally {
      await client.end();
    }
  });

  it('also of a login that was begun before, whose answer was held back', async () => {
    const held = await target.begin();
    const answer = goodResponse(held, { attributes: attribute('userName', 'ada@example.com') });
    expect((await revoke(ada)).status).toBe(204);
    await target.expectRefused(await post(held, answer), 'revoked');
  });

  it('lets the person sign in again', async () => {
    await revoke(ada);
    expect(await isSignedIn(await signIn('ada'))).toBe(true);
  });
});

describe('nothing ends by', () => {
  const cases: Record<string, () => Promise<{ status: number }>> = {
    '401 no token': () => revoke(ada, ''),
    '401 a key of somebody else': async () => revoke(ada, await bearer({}, await newKey('k1'))),
    '401 a token for another address': async () => revoke(ada, await bearer({ aud: `${url}x` })),
    '401 a token of another issuer': async () => revoke(ada, await bearer({ iss: 'https://x.example' })),
    '401 a token that has expired': async () =>
      revoke(ada, await bearer({ exp: Math.floor(Date.now() / 1000) - 600 })),
    '404 a subject of another issuer': () =>
      revoke({ sub_id: { ...ada.sub_id, iss: 'https://other.example' } }),
    '404 a subject that nobody has': () => revoke({ sub_id: { ...ada.sub_id, sub: 'Ada' } }),
    '404 an address that nobody has': () =>
      revoke({ sub_id: { format: 'email', email: 'nobody@example.com' } }),
    '400 a subject of another format': () =>
      revoke({ sub_id: { format: 'phone_number', phone_number: '+1' } }),
    '400 no subject': () => revoke({}),
  };
  for (const [name, ask] of Object.entries(cases)) {
    it(name, async () => {
      expect((await ask()).status).toBe(Number(name.slice(0, 3)));
      expect(await isSignedIn(begun)).toBe(true);
    });
  }

  it('a request to another tenant’s connection, where no issuer is named', async () => {
    const answer = await fetch(local().replace(target.connection.id, target.other.id), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: await bearer() },
      body: JSON.stringify(ada),
    });
    expect(answer.status).toBe(401);
  });
});

it('an issuer that leads into the own network is refused where private networks are', async () => {
  const answer = await target.gateway.api('PUT', target.path, { revocationIssuer: 'file:///etc/passwd' });
  expect(answer).toMatchObject({ status: 400, body: { field: 'revocationIssuer' } });
});
