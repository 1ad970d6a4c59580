/** What an application's requests cost the database. */

import * as openid from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { Browser } from './browser.ts';
import { type Application, type OpScene, startScene } from './op-scene.ts';

let gateway: TestGateway;
let scene: OpScene;
let app: Application;
const statements: string[] = [];
const waits: string[] = [];

beforeAll(async () => {
  const note = (list: string[]) => (text: string) => {
    // The keys are read every two seconds, whoever asks.
    if (!text.includes('openid_keys')) list.push(text);
  };
  gateway = await startGateway({ observe: { onStatement: note(statements), onWait: note(waits) } });
  scene = await startScene(gateway);
  app = await scene.application();
});
afterAll(() => gateway.close());

async function costOf(work: () => Promise<unknown>) {
  statements.length = 0;
  waits.length = 0;
  await work();
  return [statements.length, waits.length];
}

it('a further login, its code, its claims and a refresh: so many statements, BEGIN and COMMIT included, and waits', async () => {
  const browser = new Browser();
  const { tokens } = await scene.signIn(app, browser);
  const pending = await app.begin();
  let callback = '';
  const login = await costOf(async () => {
    callback = (await scene.open(browser, pending.url.href)).url;
  });
  const code = await costOf(() => app.exchange(callback, pending));
  const claims = await costOf(() =>
    openid.fetchUserInfo(app.config, tokens.access_token, openid.skipSubjectCheck),
  );
  const refresh = await costOf(() => openid.refreshTokenGrant(app.config, tokens.refresh_token ?? ''));
  const strange = await costOf(() =>
    fetch(`${gateway.url}/oidc/me`, { headers: { authorization: 'Bearer x' } }),
  );
  expect({ login, code, claims, refresh, strange }).toEqual({
    login: [17, 9],
    code: [10, 8],
    claims: [7, 5],
    refresh: [10, 8],
    strange: [1, 1],
  });
});
