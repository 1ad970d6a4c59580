/** What an application behind /oidc asks of a login goes on to an OpenID provider, and its answer is held to it (Core §3.1.2.1, §2). */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asTenant } from '../../requests/support.ts';
import { made } from '../../support/gateway.ts';
import { Browser } from '../browser.ts';
import { type Application, applicationOf } from '../op-scene.ts';
import { OidcScene } from './scene.ts';

const redirectUri = 'https://app.example.com/callback';
const mfa = 'urn:example:mfa';
const ada = { sub: 'ada', email: 'ada@example.com', preferred_username: 'ada@example.com' };
const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

let scene: OidcScene;
let app: Application;
let browser: Browser;
beforeAll(async () => {
  scene = await OidcScene.start();
  const path = `/tenants/${scene.tenant.slug}`;
  await made(scene.gateway.api('PUT', `${path}/settings`, { defaultRole: 'view_only' }));
  const client = await made(
    scene.gateway.api('POST', `${path}/clients`, { name: 'Blue', redirectUris: [redirectUri] }),
  );
  app = await applicationOf(scene.gateway.url, { ...client, redirectUri });
});
afterAll(() => scene.stop());
beforeEach(() => {
  browser = new Browser();
});

/** From the application to the identity provider. */
async function begin(params: Record<string, string>) {
  const pending = await app.begin(params);
  const url = await follow(pending.url.href);
  expect(url).toContain(scene.provider.issuer);
  return { pending, asked: scene.provider.ask(url) };
}

/** Until the browser leaves the gateway, or is shown a page there. */
async function follow(from: string): Promise<string> {
  let url = from;
  for (let hop = 0; hop < 12 && new URL(url).origin === new URL(scene.gateway.url).origin; hop += 1) {
    const page = await browser.send(url);
    if (page.status !== 303) break;
    url = new URL(page.headers.get('location') ?? '', url).href;
  }
  return url;
}

/** The identity provider says how the person signed in; answers what the application is told of them. */
async function comeBack({ pending, asked }: Awaited<ReturnType<typeof begin>>, claims: object) {
  scene.provider.said = { claims: { ...ada, ...claims } };
  const page = await scene.comeBack({ browser, asked });
  expect(page.status).toBe(303);
  const url = await follow(new URL(page.headers.get('location') ?? '', scene.gateway.url).href);
  return (await app.exchange(url, pending)).claims();
}

describe('a login that is fresh enough is told to the application:', () => {
  it('max_age asks for a login within it, and gets the time of it', async () => {
    const login = await begin({ max_age: '600' });
    expect(login.asked.query.get('max_age')).toBe('600');
    const at = secondsAgo(300);
    expect(await comeBack(login, { auth_time: at })).toMatchObject({ auth_time: at });
  });

  it('prompt=login asks the person anew', async () => {
    const login = await begin({ prompt: 'login' });
    expect(login.asked.query.get('prompt')).toBe('login');
    const at = secondsAgo(0);
    expect(await comeBack(login, { auth_time: at })).toMatchObject({ auth_time: at });
  });

  it('who was asked anew may take minutes to come back', async () => {
    const { asked } = await begin({ prompt: 'login' });
    await asTenant(scene.gateway, scene.tenant.tenantId, (client) =>
      client.query(`update sso_requests set asked_at = asked_at - interval '5 minutes'`),
    );
    scene.provider.said = { claims: { ...ada, auth_time: secondsAgo(240) } };
    expect((await scene.comeBack({ browser, asked })).status).toBe(303);
  });

  it('acr_values asks for one of them, and gets it', async () => {
    const login = await begin({ acr_values: mfa });
    expect(login.asked.query.get('acr_values')).toBe(mfa);
    expect(await comeBack(login, { auth_time: secondsAgo(0), acr: mfa })).toMatchObject({ acr: mfa });
  });
});

describe('the answer is refused:', () => {
  it.each<[string, reasons: string, params: Record<string, string>, claims: object]>([
    [
      'OIDC-ATK-10: auth_time is older than max_age',
      'step_up|time',
      { max_age: '600' },
      { auth_time: secondsAgo(3600) },
    ],
    ['OIDC-ATK-10: it does not say when', 'step_up|token', { max_age: '600' }, { auth_time: undefined }],
    ['OIDC-ATK-10: auth_time is no number', 'step_up|token', { max_age: '600' }, { auth_time: 'now' }],
    [
      'OIDC-ATK-10: prompt=login, and the login is an old one',
      'step_up|time',
      { prompt: 'login' },
      { auth_time: secondsAgo(3600) },
    ],
    [
      'prompt=login, and it does not say when',
      'step_up|token',
      { prompt: 'login' },
      { auth_time: undefined },
    ],
    ['acr_values: another', 'step_up', { acr_values: mfa }, { acr: 'urn:example:password' }],
    ['acr_values: none', 'step_up', { acr_values: mfa }, {}],
  ])('%s', async (_name, reasons, params, claims) => {
    const { asked } = await begin(params);
    scene.provider.said = { claims: { ...ada, ...claims } };
    await scene.expectRefused(await scene.comeBack({ browser, asked }), reasons);
  });
});
