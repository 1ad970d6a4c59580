/** What the command line says where a table alone would mislead: nothing was done, or nobody reads on. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';
import { root } from '../support/sources.ts';
import { runCli } from './support.ts';

let gateway: TestGateway;
let slug: string;
let directoryToken: TestTenant['directoryToken'];
beforeAll(async () => {
  gateway = await startGateway();
  await made(gateway.api('POST', '/operators', { name: 'second' }));
  ({ slug, directoryToken } = await gateway.createTenant());
});
afterAll(() => gateway.close());

const run = (...args: string[]) =>
  runCli([...args, '--tenant', slug], { GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey });
const settings = (body: object) => made(gateway.api('PUT', `/tenants/${slug}/settings`, body));
const contract = (startsOn: string) =>
  run(
    'contract',
    'set',
    '--tier',
    'T',
    '--paid-seats',
    '5',
    '--starts-on',
    startsOn,
    '--ends-on',
    '2099-12-31',
  );

it('says what a day looks like, and a time', async () => {
  const day = await contract('1.12.2026');
  expect([day.code, day.err]).toEqual([1, '400: "startsOn" must be a day, YYYY-MM-DD.\n']);
  const key = { name: 'k', role: 'admin', expiresAt: 'tomorrow' };
  const { body } = await gateway.api('POST', `/tenants/${slug}/keys`, key);
  expect(body.detail).toMatch(/^"expiresAt" must be a time in ISO 8601( or |\.)/);
});

it('says that no batch is open, where none is', async () => {
  await settings({ settlement: 'staged' });
  expect((await run('seats', 'plan')).out).toBe('No batch is open: nobody waits for the end of one.\n');
  expect((await run('seats', 'settle')).out).toBe('No batch is open: nothing was done.\n');
  expect((await contract('2020-01-01')).code).toBe(0);
  const mapping = { group: { displayName: 'Eng' }, role: 'team_member', workspaces: ['w'], priority: 1 };
  await made(gateway.api('POST', `/tenants/${slug}/mappings`, mapping));
  const token = await directoryToken('okta');
  const schema = 'urn:ietf:params:scim:schemas:core:2.0';
  const user = { schemas: [`${schema}:User`], userName: 'ann' };
  const members = [{ value: (await made(gateway.scim(token, 'POST', '/Users', user))).id }];
  const group = { schemas: [`${schema}:Group`], displayName: 'Eng', members };
  await made(gateway.scim(token, 'POST', '/Groups', group));
  expect((await run('seats', 'plan')).out).toContain('gained: 1');
  expect((await run('seats', 'settle')).out).toMatch(/^held: 1$/m);
});

it('says that an edit waits for somebody else, and how it is approved', async () => {
  await settings({ twoPersonRule: true });
  const { out } = await contract('2021-01-01');
  const [, id] = /^id: (.*)$/m.exec(out) ?? [];
  expect(out).toMatch(
    new RegExp(`\nNothing was done yet: .*\`edit-request approve --tenant ${slug} ${id}\`\\.\n$`),
  );
});

it('ends quietly where nobody reads what it says', async () => {
  for (const args of [['users', 'list', '--tenant', slug], ['--help']]) {
    const child = spawn(process.execPath, ['src/cli/main.ts', ...args], {
      cwd: root,
      env: { ...process.env, GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey },
    });
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (text) => {
      err += text;
    });
    const [code] = await once(child, 'close');
    expect([code, err]).toEqual([0, '']);
  }
});
