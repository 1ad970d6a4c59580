/** Commands that take a person: by id, userName or e-mail address, and what they say where that is nobody or more than one. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { runCli } from './support.ts';

let gateway: TestGateway;
let slug: string;
const ids: Record<string, string> = {};

beforeAll(async () => {
  gateway = await startGateway();
  const tenant = await gateway.createTenant();
  slug = tenant.slug;
  const token = await tenant.directoryToken('okta');
  const people = [
    ['ann', 'ann@acme.example'],
    ['anna', 'shared@acme.example'],
    ['bo', 'shared@acme.example'],
    ['ann@acme.example', 'other@acme.example'],
    ['gone', 'gone@acme.example'],
  ] as const;
  for (const [userName, value] of people) {
    const emails = [{ value, primary: true }];
    const body = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName, emails };
    ids[userName] = (await made(gateway.scim(token, 'POST', '/Users', body))).id;
  }
  await made(gateway.scim(token, 'DELETE', `/Users/${ids.gone}`));
});
afterAll(() => gateway.close());

const run = (...args: string[]) =>
  runCli([...args, '--tenant', slug], { GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey });

it.each([
  ['a userName, in full and whatever its case', 'ANN', 'ann'],
  ['an e-mail address', 'Other@acme.example', 'ann@acme.example'],
  ['an id', '', 'bo'],
])('takes %s', async (_what, written, userName) => {
  const shown = await run('users', 'show', written || (ids[userName] ?? ''), '--json');
  expect([shown.code, JSON.parse(shown.out).id]).toEqual([0, ids[userName]]);
});

it('explains, pins and lists calls by name, too', async () => {
  expect((await run('users', 'explain', 'anna')).out).toContain('sentence: anna');
  const pin = await run('users', 'pin', 'anna', '--role', 'client', '--reason', 'x');
  expect([pin.code, pin.err]).toEqual([0, '']);
  expect((await run('users', 'show-pin', 'anna')).out).toContain('role: client');
  await expect
    .poll(async () => (await run('request', 'list', '--subject', 'anna')).out, { timeout: 30_000 })
    .toMatch(/POST +\/scim\/v2\/Users/);
  expect((await run('request', 'list', '--subject', 'bo', '--method', 'PATCH')).out.trim()).toBe('(none)');
});

it('lists those who share an address, with their ids', async () => {
  const { code, out, err } = await run('users', 'explain', 'shared@acme.example');
  expect([code, out]).toEqual([1, '']);
  expect(err.trimEnd().split('\n')).toEqual([
    'More than one has "shared@acme.example": name one by the id.',
    `  ${ids.anna}  anna`,
    `  ${ids.bo}  bo`,
  ]);
  const both = await run('users', 'explain', 'ann@acme.example');
  expect([both.code, both.err]).toEqual([1, expect.stringContaining(`  ${ids.ann}  ann\n`)]);
});

it('says that nobody is called so, and how to look', async () => {
  const { code, err } = await run('users', 'explain', 'an');
  expect([code, err]).toEqual([1, expect.stringMatching(/^Nobody has .* "an": `users list --search …`/)]);
});

it('readmits by the userName of who was removed', async () => {
  expect(await run('removed-user', 'readmit', 'gone')).toMatchObject({ code: 0, err: '' });
  const { code, err } = await run('removed-user', 'readmit', 'gone');
  expect([code, err]).toEqual([1, expect.stringContaining('`removed-user list`')]);
});
