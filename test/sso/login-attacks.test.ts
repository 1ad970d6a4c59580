/** Attacks on what surrounds a response: who somebody is taken for, the moment between two transactions, floods, cookies of others. */

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { made } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { attribute, goodResponse } from './forge.ts';
import { metadataOf } from './identity-provider.ts';
import { post, startTarget, type Target } from './target.ts';

let target: Target;
let database: pg.Client;
beforeAll(async () => {
  target = await startTarget();
  database = new pg.Client({ connectionString: target.gateway.databaseUrl });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await target.gateway.close();
});

/** Row-level security shows the owner nothing. */
const actAs = (tenantId: string) =>
  database.query(
    `select set_config('role', 'blue_gateway_request', true), set_config('app.tenant_id', $1, true)`,
    [tenantId],
  );
const loginUrl = () => target.connection.acsUrl.replace(/acs$/, 'login');

describe('somebody is not taken for somebody else:', () => {
  it.each(['\u00a0', '\u2003', '\ufeff'])('a NameID that ends in a space of Unicode: %j', async (space) => {
    await target.goodLogin();
    const { user } = await target.newest();
    const begun = await target.begin();
    const attributes = attribute('userName', `other-${space.codePointAt(0)}`);
    expect((await post(begun, goodResponse(begun, { subject: `ada${space}`, attributes }))).status).toBe(303);
    expect((await target.newest()).user).not.toBe(user);
  });

  it.each(['\u0085', '\u2028'])('a line end of XML 1.1 in the response: %j', async (end) => {
    const begun = await target.begin();
    const response = goodResponse(begun).replaceAll('>ada<', `>ada${end}<`);
    await target.expectRefused(await post(begun, response), 'xml');
  });

  it('a userName that is the address of a user of another userName', async () => {
    const token = await target.tenant.directoryToken('strict');
    const boss = {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'b1',
      emails: [{ value: 'boss@example.com', type: 'work', primary: true }],
    };
    expect((await target.gateway.scim(token, 'POST', '/Users', boss)).status).toBe(201);
    const begun = await target.begin();
    const attributes = attribute('userName', 'Boss@example.com');
    await target.expectRefused(
      await post(begun, goodResponse(begun, { subject: 'mallory', attributes })),
      'unproved',
    );
  });
});

describe('while an answer is read', () => {
  it.each([
    ['the identity provider is changed', { metadataXml: '' }],
    ['the connection is switched off, and on again', { enabled: false }],
  ])('%s: no session of it is left', async (_name, change) => {
    await target.goodLogin();
    const begun = await target.begin();
    // Holds the connection, as whoever changes it does, until the answer waits for it.
    await database.query('begin');
    await actAs(target.tenant.tenantId);
    await database.query('select from sso_connections where id = $1 for update', [target.connection.id]);
    const posted = post(begun, goodResponse(begun));
    await expect
      .poll(async () => {
        // Other databases of the server have waits of their own.
        const { rows } = await database.query(
          `select count(*)::int as n from pg_locks l join pg_stat_activity a on a.pid = l.pid
           where not l.granted and a.datname = current_database()`,
        );
        return rows[0].n;
      })
      .toBeGreaterThan(0);
    const settings =
      'metadataXml' in change
        ? `settings = settings || '{"entityId": "urn:test:next"}'::jsonb`
        : 'enabled = false';
    await database.query(`update sso_connections set ${settings} where id = $1`, [target.connection.id]);
    await database.query('delete from sso_sessions where connection_id = $1', [target.connection.id]);
    await database.query('commit');
    const page = await posted;
    const metadataXml = metadataOf('urn:test:forge', 'http://localhost:1/sso', target.keys.certificate);
    await made(target.gateway.api('PUT', target.path, { enabled: true, metadataXml }));
    await target.expectRefused(page, 'disabled');
    expect((await begun.browser.send(`${target.gateway.url}/sso/session`)).status).toBe(401);
  });
});

it('SAML-ATK-51: who posts anything without end fills no table, and a good login is still traced', async () => {
  const posts = Array.from({ length: 150 }, () =>
    new Browser().send(target.other.acsUrl, { SAMLResponse: 'AAAA' }),
  );
  expect(new Set((await Promise.all(posts)).map(({ status }) => status))).toEqual(new Set([403]));
  await database.query('begin');
  await actAs(target.elsewhere.tenantId);
  const { rows } = await database.query(
    'select count(*)::int as n from sso_logins where connection_id = $1',
    [target.other.id],
  );
  await database.query('commit');
  expect(rows[0].n).toBeGreaterThan(90);
  expect(rows[0].n).toBeLessThan(110);
  await target.goodLogin();
});

describe('a page of somebody else', () => {
  it('that begins logins in the browser of a visitor who is signed in leaves room for the longest answer', async () => {
    const begun = await target.begin();
    await post(begun, goodResponse(begun));
    const { browser } = begun;
    for (let i = 0; i < 250; i += 1) await browser.send(loginUrl());
    const longest = 'x'.repeat(limits.oidcAnswerLengthMax);
    expect((await browser.send(`${target.gateway.url}/sso?code=${longest}`)).status).toBe(200);
    const cookies = [...browser.cookiesOf(loginUrl())].map(([name, value]) => `__Host-${name}=${value}`);
    // What proxies take in one line.
    expect(cookies.join('; ').length).toBeLessThan(8000);
  });

  it('that posts a form to sign out does not take the session’s cookie', async () => {
    const begun = await target.begin();
    await post(begun, goodResponse(begun));
    await begun.browser.send(`${target.gateway.url}/sso/logout`, {}, true);
    expect((await begun.browser.send(`${target.gateway.url}/sso/session`)).status).toBe(200);
  });
});
