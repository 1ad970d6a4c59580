/** Files of people from the command line: dry runs, progress, refused rows, and the file that comes back. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { runCli } from './support.ts';

let gateway: TestGateway;
let slug: string;
const folder = mkdtempSync(join(tmpdir(), 'imports-'));

beforeAll(async () => {
  gateway = await startGateway();
  slug = (await gateway.createTenant()).slug;
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]) =>
  runCli(['import', ...args, '--tenant', slug], {
    GATEWAY_URL: gateway.url,
    OPERATOR_KEY: gateway.operatorKey,
  });

function write(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

it('says what a file would do, does it with progress, and gives it back with what became of each row', async () => {
  const rows = Array.from({ length: 2500 }, (_, n) => `p${n}@x.example,team_member`);
  const file = write('people.csv', ['email,role', ...rows, 'bad,team_member'].join('\n'));
  const planned = await run('run', file, '--dry-run');
  expect([planned.code, planned.err]).toEqual([0, '']);
  expect(planned.out).toContain('state: planned');
  expect(planned.out).toContain('rows.created: 2500');

  const done = await run('run', file);
  expect(done.code).toBe(0);
  expect(done.err).toMatch(/^\d+ of 2501 rows\n(.*\n)*2501 of 2501 rows\n$/);
  expect(done.out).toMatch(/state: done(.*\n)*refused:\n +line +detail\n +2502 +"email" "bad" is no address/);
  const { id } = JSON.parse((await run('list', '--json')).out).items[0];
  expect((await run('show', id)).out).toContain('rows.refused: 1');
  expect((await run('rows', id, '--outcome', 'refused')).out).toContain('"email" "bad" is no address');
  const copy = join(folder, 'result.csv');
  expect((await run('result', id, '--out', copy)).out).toContain('Written to');
  const lines = readFileSync(copy, 'utf8').split('\r\n');
  expect(lines[0]).toBe('email,role,outcome,detail,seat,position,reason');
  expect(lines).toHaveLength(2503);
  expect((await run('result', id)).out.split('\n')[1]?.trimEnd()).toBe(lines[1]);
});

it('says how many refused rows it does not show, and where they are', async () => {
  const file = write(
    'many.csv',
    ['email,active', ...Array.from({ length: 25 }, (_, n) => `m${n}@x.example,y`)].join('\n'),
  );
  const { out } = await run('run', file, '--dry-run');
  expect(out).toMatch(
    /\n +21 +"active" is .*\nleft: 5 more: `import rows \S+ --outcome refused` has all of them\n$/,
  );
});

it('shows the file that waits for a second person line by line, to whoever is to approve it', async () => {
  const tenant = (await gateway.createTenant()).slug;
  const { key } = await made(gateway.api('POST', '/operators', { name: 'second' }));
  await made(gateway.api('PUT', `/tenants/${tenant}/settings`, { twoPersonRule: true }));
  const as = (operatorKey: string, ...args: string[]) =>
    runCli([...args, '--tenant', tenant], { GATEWAY_URL: gateway.url, OPERATOR_KEY: operatorKey });
  const file = write('two.csv', 'email,role\nann@x.example,team_member\n');
  const asked = await as(gateway.operatorKey, 'import', 'run', file);
  expect(asked.out).toContain('body: a file of 2 lines: `edit-request show` has them\n');
  const [, id = ''] = /^id: (\S+)$/m.exec(asked.out) ?? [];
  const shown = await as(key, 'edit-request', 'show', id);
  expect(shown.out).toContain('body:\n  line  text\n  1     email,role\n  2     ann@x.example,team_member\n');
  expect((await as(key, 'edit-request', 'approve', id)).out).not.toContain('ann@x.example');
});

it.each([
  ['no such file', () => join(folder, 'none.csv'), 2, "can't be read (ENOENT)"],
  ['another encoding', () => write('latin.csv', new Uint8Array([0x61, 0xe9])), 2, 'CSV UTF-8'],
  ['no such column', () => write('boss.csv', 'boss\na'), 1, 'The column "boss" means nothing here'],
])('refuses %s', async (_what, file, code, why) => {
  const result = await run('run', file());
  expect([result.code, result.err]).toEqual([code, expect.stringContaining(why)]);
});
