/** Errors of the command line say what to do. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { runCli } from './support.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const run = (args: string[], environment: Record<string, string> = {}) =>
  runCli(args, { GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey, ...environment });

it.each([
  ['an unknown noun', ['tenants', 'list'], 2, /Did you mean tenant\?\)\nSee: npm run -s gateway -- --help/],
  [
    'an unknown verb',
    ['tenant', 'destroy'],
    2,
    /After "tenant" comes one of: create, list, show\. See: .*tenant --help/,
  ],
  ['a missing flag', ['tenant', 'create', '--name', 'x'], 2, /See: .* tenant create --help/],
  ['a missing argument', ['users', 'show', '--tenant', 't'], 2, /'user'\nSee: .* users show --help/],
  ['no tenant', ['users', 'list', '--tenant', 'nobody'], 1, /`tenant list` shows those there are/],
  [
    'no truth',
    ['settings', 'set', '--tenant', 't', '--parking', 'x'],
    2,
    /false\nSee: .* settings set --help/,
  ],
])('says what to do about %s', async (_what, args, code, advice) => {
  expect(await run(args)).toMatchObject({ code, out: '', err: expect.stringMatching(advice) });
});

it('says what to do about an id of nothing, a key of another gateway, and one that may not', async () => {
  const { slug } = await gateway.createTenant();
  const id = '00000000-0000-7000-8000-00000000000a';
  const nothing = await run(['connection', 'show', '--tenant', slug, id]);
  expect(nothing.err).toMatch(/^404: .*\n`connection list` shows those there are/);
  const other = await run(['tenant', 'list'], { OPERATOR_KEY: 'another-gateways-key-0123456789abcdef' });
  expect([other.code, other.err]).toEqual([
    1,
    expect.stringMatching(/^401: .*\nThe key came from OPERATOR_KEY\. Set/),
  ]);
  const auditor = await made(gateway.api('POST', `/tenants/${slug}/keys`, { name: 'a', role: 'auditor' }));
  const refused = await run(['tenant', 'list'], { OPERATOR_KEY: auditor.key });
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringMatching(/^403: .* it takes an operator's\.\nThe key came from OPERATOR_KEY\. Set/),
  ]);
});

it('says what helps who has no pin and no kept place', async () => {
  const { slug, directoryToken } = await gateway.createTenant();
  const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'ann' };
  await made(gateway.scim(await directoryToken('okta'), 'POST', '/Users', user));
  for (const [verb, advice] of [
    ['show-pin', /^404: .*\n`users pin` gives one/],
    ['unpin', /^404: .*\n`users pin` gives one/],
    ['release-hold', /^404: .*\n`users list --seat hold` shows/],
  ] as const) {
    expect((await run(['users', verb, '--tenant', slug, 'ann'])).err).toMatch(advice);
  }
});

it('says what to do where nobody answers, and where there is no key', async () => {
  const silent = await run(['tenant', 'list'], { GATEWAY_URL: 'http://127.0.0.1:9' });
  expect(silent.err).toMatch(/Is it running\? `npm start` starts one; .* set GATEWAY_URL/);
  const keyless = await run(['tenant', 'list'], { OPERATOR_KEY: '', DATA_DIR: '/nonexistent' });
  expect(keyless.err).toMatch(/: set it, or set DATA_DIR to the folder of a gateway that was started/);
});
