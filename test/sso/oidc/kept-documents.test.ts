/** An OpenID provider whose documents can't be read anew: what it said before is used on, for a while. Time is moved on. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { OidcScene } from './scene.ts';

const discovery = '/.well-known/openid-configuration';
const minuteMs = 60_000;
let scene: OidcScene;
let aheadMs = 0;
function forward(ms: number): void {
  aheadMs += ms;
  vi.setSystemTime(Date.now() + ms);
}
let lines: string[] = [];

beforeAll(async () => {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
  vi.useFakeTimers({ toFake: ['Date'] });
  scene = await OidcScene.start({ config: { logLevel: 'warn' }, onLog: (line) => lines.push(line) });
});
afterAll(async () => {
  await scene.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});
beforeEach(async () => {
  forward(11 * minuteMs);
  await scene.goodLogin();
  lines = [];
});
afterEach(() => scene.provider.instead.clear());

async function login(): Promise<number> {
  const page = await scene.comeBack(await scene.begin());
  return page.status;
}
const fails = (path: string, status = 503) =>
  scene.provider.instead.set(path, (_request, response) => response.writeHead(status).end('<html>'));
const asksFor = (path: string) => scene.provider.asked.filter((one) => one.path === path).length;
const warnings = () => lines.filter((line) => line.includes('could not be read anew')).length;

it('its discovery document: logins go on, it is asked seldom, and found again', async () => {
  fails(discovery);
  const before = asksFor(discovery);
  forward(11 * minuteMs);
  expect([await login(), await login()]).toEqual([303, 303]);
  expect([asksFor(discovery) - before, warnings()]).toEqual([1, 1]);
  forward(2 * minuteMs);
  expect(await login()).toBe(303);
  forward(2 * minuteMs);
  expect(await login()).toBe(303);
  expect(asksFor(discovery) - before).toBe(2);
  scene.provider.instead.clear();
  forward(4 * minuteMs);
  expect(await login()).toBe(303);
  forward(9 * minuteMs);
  fails(discovery);
  expect([await login(), asksFor(discovery) - before]).toEqual([303, 3]);
});

it('its discovery document, for more than an hour: the login does not begin', async () => {
  fails(discovery);
  forward(61 * minuteMs);
  await expect(scene.begin()).rejects.toThrow();
  scene.provider.instead.clear();
  forward(6000);
  expect(await login()).toBe(303);
});

it('its keys: logins go on for an hour, and no longer', async () => {
  fails('/jwks');
  forward(30 * minuteMs);
  expect([await login(), warnings()]).toEqual([303, 1]);
  fails('/jwks', 200);
  forward(29 * minuteMs);
  expect(await login()).toBe(303);
  forward(6 * minuteMs);
  expect(await login()).toBe(403);
  scene.provider.instead.clear();
  expect(await login()).toBe(303);
});
