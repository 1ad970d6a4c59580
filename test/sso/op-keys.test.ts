/** The keys of the OpenID provider, on two gateways with one database; and what has expired there. */

import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import * as openid from 'openid-client';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { digest } from '../../src/kernel/digest.ts';
import { clearIssued } from '../../src/tenants/leftovers-flow.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { type Application, applicationOf, type OpScene, startScene } from './op-scene.ts';

let gateway: TestGateway;
let second: TestGateway;
let scene: OpScene;
let app: Application;
/** As the role that owns the tables. */
let owner: pg.Client;

beforeAll(async () => {
  gateway = await startGateway();
  const { databaseUrl, url: publicUrl } = gateway;
  second = await startGateway({ databaseUrl, config: { publicUrl } });
  // Both want a first key at the same moment.
  const [here, there] = await Promise.all([kids(gateway), kids(second)]);
  expect(here).toEqual(there);
  expect(here).toHaveLength(1);
  scene = await startScene(gateway);
  app = await scene.application();
  owner = new pg.Client({ connectionString: gateway.databaseUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await second.close();
  await gateway.close();
});

async function kids({ url }: TestGateway): Promise<string[]> {
  const { keys } = (await (await fetch(`${url}/oidc/jwks`)).json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
}

/** Another one each time: an application goes by the keys that it has read for a minute. */
const signIn = async () => scene.signIn(await applicationOf(gateway.url, app));
const signedWith = async () => decodeProtectedHeader((await signIn()).tokens.id_token ?? '').kid;
const rotate = (afterMinutes: number) =>
  made(gateway.api('POST', '/openid-keys', { afterMinutes })).then(({ items }) => items);

describe('rotation', () => {
  it('publishes the new key before it signs, on every gateway within seconds; what was signed stays good', async () => {
    const [old = ''] = await kids(gateway);
    const { tokens } = await signIn();
    expect((await rotate(60)).map(({ state }: { state: string }) => state)).toEqual(['signing', 'next']);
    for (const one of [gateway, second]) {
      await vi.waitFor(async () => expect(await kids(one)).toHaveLength(2), { timeout: 5000 });
    }
    expect(await signedWith()).toBe(old);
    await owner.query(
      `update openid_keys set signs_from = now() where purpose = 'signing' and generation = 2`,
    );
    await vi.waitFor(async () => expect(await signedWith()).not.toBe(old), { timeout: 5000 });
    const published = createRemoteJWKSet(new URL(`${gateway.url}/oidc/jwks`));
    await jwtVerify(tokens.id_token ?? '', published);
    const { items } = await made(gateway.api('GET', '/openid-keys'));
    expect(items.map(({ state }: { state: string }) => state)).toEqual(['retiring', 'signing']);
    await openid.refreshTokenGrant(app.config, tokens.refresh_token ?? '');
  });

  it('in an emergency a key signs at once, also before one that is to sign later; what has served its time is gone', async () => {
    const was = await signedWith();
    await owner.query(`update openid_keys set signs_from = signs_from - interval '14 hours'`);
    const items = await rotate(60);
    expect(items.map(({ state }: { state: string }) => state)).toEqual(['signing', 'next']);
    await rotate(0);
    await vi.waitFor(async () => expect(await signedWith()).not.toBe(was), { timeout: 5000 });
    const { rows } = await owner.query(
      `select generation from openid_keys where purpose = 'signing' order by 1`,
    );
    expect(rows).toEqual([{ generation: 2 }, { generation: 3 }, { generation: 4 }]);
  });

  it('is for operators alone, and no private part of a key stands in the database or the answers', async () => {
    const { key } = await made(scene.api('POST', '/keys', { name: 'owner', role: 'owner' }));
    expect((await gateway.api('POST', '/openid-keys', {}, key)).status).toBe(403);
    const { rows } = await owner.query(`select encode(sealed, 'escape') as sealed from openid_keys`);
    expect(JSON.stringify(rows)).not.toContain('kty');
    const jwks = await (await fetch(`${gateway.url}/oidc/jwks`)).text();
    expect(jwks).not.toMatch(/"(d|p|q|dp|dq|qi)":/);
  });
});

describe('two gateways', () => {
  it('a login begun at one is finished at the other', async () => {
    const browser = new Browser();
    const fresh = await applicationOf(gateway.url, app);
    const pending = await fresh.begin();
    const page = await scene.open(browser, pending.url.href);
    const back = await scene.answer(browser, page.url, 'ada');
    // A browser knows one address of both.
    for (const [name, value] of browser.cookiesOf(gateway.url))
      browser.cookiesOf(second.url).set(name, value);
    let here = back.replace(gateway.url, second.url);
    for (let hop = 0; hop < 4 && here.startsWith(second.url); hop += 1) {
      const next = (await browser.send(here)).headers.get('location') ?? '';
      here = new URL(next, second.url).href.replace(gateway.url, second.url);
    }
    const other = await applicationOf(second.url, app).catch((error: Error) => error.message);
    expect(other, 'the issuer is one').toContain('issuer');
    expect((await fresh.exchange(here, pending)).claims()?.sub).toBeTruthy();
  });
});

describe('what is stored', () => {
  it('holds no token, code or cookie', async () => {
    const { tokens, browser } = await signIn();
    const { rows } = await owner.query('select * from openid_artefacts');
    const stored = JSON.stringify(rows);
    const cookies = [...browser.cookiesOf(gateway.url)].filter(([name]) => /op/.test(name));
    expect(cookies.length).toBeGreaterThan(0);
    for (const secret of [tokens.access_token, tokens.refresh_token, ...cookies.map(([, value]) => value)]) {
      expect(stored).not.toContain(secret);
    }
    expect(stored).toContain(digest(`AccessToken ${tokens.access_token}`));
  });

  it('goes when it has expired', async () => {
    await signIn();
    const count = async () => (await owner.query('select from openid_artefacts')).rowCount ?? 0;
    const before = await count();
    await owner.query(
      `update openid_artefacts set expires_at = now() - interval '1 second' where model <> 'Grant'`,
    );
    const database = openDatabase({ url: gateway.databaseUrl, poolSize: 1 });
    await clearIssued(database, new Date());
    await database.close();
    const left = await owner.query('select distinct model from openid_artefacts');
    expect(left.rows).toEqual([{ model: 'Grant' }]);
    expect(await count()).toBeLessThan(before);
    expect((await signIn()).tokens.access_token).toBeTruthy();
  });
});
