/** The command line as a person runs it: a process of its own, against a real gateway, with its exit codes. */

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DnsServer, startDnsServer } from '../support/dns-server.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let dns: DnsServer;
beforeAll(async () => {
  dns = await startDnsServer();
  gateway = await startGateway({ config: { testClock: true, dnsResolver: dns.address } });
});
afterAll(async () => {
  await gateway.close();
  await dns.close();
});

interface Result {
  code: number | null;
  out: string;
  err: string;
}

function run(args: string[], environment: Record<string, string> = {}): Promise<Result> {
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], {
    cwd: new URL('../..', import.meta.url),
    env: { ...process.env, GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey, ...environment },
  });
  const result: Result = { code: null, out: '', err: '' };
  child.stdout.on('data', (text) => {
    result.out += text;
  });
  child.stderr.on('data', (text) => {
    result.err += text;
  });
  return new Promise((done) => child.on('close', (code) => done({ ...result, code })));
}

const dates = ['--starts-on', '2026-01-01', '--ends-on', '2099-12-31'];

it('makes a tenant, its contract, mappings and tokens, and shows them', async () => {
  expect(await run(['tenant', 'create', '--name', 'Acme', '--slug', 'cli'])).toMatchObject({
    code: 0,
    err: '',
  });
  const contract = ['contract', 'set', '--tenant', 'cli', '--tier', 'T', '--paid-seats', '5', ...dates];
  expect((await run(contract)).out).toContain('paidSeats: 5');
  const mapping = ['--group', 'Eng', '--role', 'team_member', '--priority', '1'];
  const made = await run(['mapping', 'create', '--tenant', 'cli', ...mapping, '--json']);
  const { id } = JSON.parse(made.out);
  expect((await run(['mapping', 'list', '--tenant', 'cli'])).out).toMatch(/priority +group[^\n]*\n1 +Eng/);
  const directory = await run([
    'directory',
    'create',
    '--tenant',
    'cli',
    '--name',
    'd',
    '--kind',
    'okta',
    '--json',
  ]);
  const at = ['--tenant', 'cli', '--directory', JSON.parse(directory.out).id];
  expect((await run(['token', 'issue', ...at, '--name', 't'])).out).toMatch(/token: bgw_scim_/);
  expect((await run(['seats', 'show', '--tenant', 'cli', '--json'])).out).toContain('"capacity":5');
  expect((await run(['users', 'list', '--tenant', 'cli'])).out.trim()).toBe('(none)');
  expect((await run(['seats', 'cliff', '--tenant', 'cli', '--paid-seats', '2'])).out).toContain(
    'capacity: 2',
  );
  expect((await run(['seats', 'forecast', '--tenant', 'cli'])).out).toContain('historyNeeded: 14');
  expect(await run(['seats', 'clear-block-guard', '--tenant', 'cli'])).toMatchObject({ code: 0, out: '' });
  expect((await run(['alerts', 'list', '--tenant', 'cli', '--state', 'all'])).out.trim()).toBe('(none)');
  expect(await run(['mapping', 'delete', '--tenant', 'cli', id])).toMatchObject({ code: 0, out: '' });
});

it('previews edits, and goes from one version of the mappings to another', async () => {
  await run(['tenant', 'create', '--name', 'Drafts', '--slug', 'drafts']);
  const own = ['--tenant', 'drafts'];
  const json = async (...args: string[]) => {
    const { code, out, err } = await run([...args, ...own, '--json']);
    expect([code, err]).toEqual([0, '']);
    return JSON.parse(out);
  };
  const mapping = ['--group', 'Eng', '--role', 'team_member', '--priority', '1'];
  expect(await json('mapping', 'preview', '--op', 'create', ...mapping)).toMatchObject({
    gained: 0,
    users: [],
  });
  const edit = JSON.stringify({ op: 'settings', settings: { defaultRole: 'client' } });
  expect(await json('seats', 'preview', '--edit', edit)).toMatchObject({ seats: { before: 0, after: 0 } });
  expect(await run(['seats', 'preview', ...own, '--edit', '{'])).toMatchObject({ code: 2 });
  const { id: made } = await json('mapping', 'create', ...mapping);
  const { items } = await json('mapping', 'list');
  const set = JSON.stringify([{ ...items[0], role: 'client' }]);
  const { id } = await json('mapping-draft', 'create', '--name', 'Free', '--mappings', set);
  expect(await json('mapping-draft', 'preview', id)).toMatchObject({ need: { seats: 0 } });
  expect(await json('mapping-draft', 'activate', id, '--rebase')).toMatchObject({ state: 'activated' });
  expect((await run(['mapping', 'versions', ...own])).out).toMatch(/number +at +by[^\n]*\n2 .*activated/);
  expect(await json('mapping', 'rollback', '1')).toMatchObject({
    number: 3,
    mappings: [{ id: made, role: 'team_member' }],
  });
});

it('makes clients of the token endpoint and their secrets, and rotates a token', async () => {
  await run(['tenant', 'create', '--name', 'Machines', '--slug', 'machines']);
  const own = ['--tenant', 'machines'];
  const json = async (...args: string[]) => JSON.parse((await run([...args, ...own, '--json'])).out);
  const at = ['--directory', (await json('directory', 'create', '--name', 'd', '--kind', 'entra')).id];
  const client = await json('client', 'create', ...at, '--name', 'Sync', '--scopes', 'scim,scim.read');
  expect(client).toMatchObject({ scopes: ['scim', 'scim.read'], clientSecret: expect.any(String) });
  const trust = ['--issuer', 'https://login.example.com/t', '--audience', 'api://a', '--subject', 's'];
  expect(await json('client', 'create', ...at, '--name', 'Entra', ...trust)).toMatchObject({ subject: 's' });
  const list = await run(['client', 'list', ...own, ...at]);
  expect(list.out).toMatch(/name +id +scopes +issuer[^\n]*\nSync/);
  const secret = await json('client-secret', 'create', ...at, '--client', client.id);
  const revoke = ['client-secret', 'revoke', ...own, ...at, '--client', client.id, secret.id];
  expect(await run(revoke)).toMatchObject({ code: 0, out: '' });
  expect((await json('client', 'show', ...at, client.id)).secrets).toHaveLength(1);
  expect(await run(['client', 'delete', ...own, ...at, client.id])).toMatchObject({ code: 0, out: '' });
  const token = await json('token', 'issue', ...at, '--name', 't');
  const rotate = await run(['token', 'rotate', ...own, ...at, token.id, '--overlap-minutes', '5']);
  expect(rotate.out).toMatch(/token: bgw_scim_/);
});

it('shows the role catalogue, foresees another, and writes it', async () => {
  await run(['tenant', 'create', '--name', 'Roles', '--slug', 'roles']);
  const { roles } = JSON.parse((await run(['catalogue', 'show', '--json'])).out);
  const labelled = JSON.stringify(roles.map((role: object) => ({ ...role, label: 'x' })));
  const preview = await run(['catalogue', 'preview', '--roles', labelled, '--tenant', 'roles']);
  expect(preview.out).toMatch(/^tenant\.slug: roles\nseats\.before: 0\n/m);
  const set = await run(['catalogue', 'set', '--roles', labelled, '--reason', 'renamed']);
  expect(set.out).toContain('version: 2');
  expect((await run(['catalogue', 'versions'])).out).toMatch(/version[^\n]*\n2 [^\n]* renamed\n1 /);
  expect((await run(['catalogue', 'version', '2'])).out).toContain('reason: renamed');

  const tenant = await gateway.createTenant();
  const token = await tenant.directoryToken('okta');
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
  await made(gateway.scim(token, 'POST', '/Users', { schemas, userName: 'ann@acme.example' }));
  const settings = { defaultRole: 'comment_only', breaker: { percent: 1, people: 1 } };
  await made(gateway.api('PUT', `/tenants/${tenant.slug}/settings`, settings));
  const paid = JSON.stringify(
    roles.map((role: { key: string }) => (role.key === 'comment_only' ? { ...role, billing: 'paid' } : role)),
  );
  const names = await run(['catalogue', 'preview', '--roles', paid, '--tenant', tenant.slug]);
  expect(names.out).toMatch(/^users:\n.*userName[^\n]*\n.* ann@acme\.example .*comment_only/m);
  expect((await run(['catalogue', 'preview', '--roles', paid])).out).toMatch(/tenant.slug +seats.before/);
  const charged = ['catalogue', 'set', '--roles', paid, '--reason', 'charged'];
  expect(await run(charged)).toMatchObject({ code: 1, err: expect.stringContaining(`1 of ${tenant.slug}`) });
  expect((await run([...charged, '--confirm'])).out).toContain('version: 3');
});

it('lists seats that lie idle, and keeps them', async () => {
  await run(['tenant', 'create', '--name', 'Idle', '--slug', 'idle']);
  const own = ['--tenant', 'idle'];
  expect((await run(['settings', 'set', ...own, '--reclaim-days', '30'])).out).toContain('reclaimDays: 30');
  expect((await run(['reclaim', 'list', ...own, '--state', 'noticed'])).out.trim()).toBe('(none)');
  for (const [verb, problem] of [
    ['keep', 'There is no user'],
    ['undo', 'There is no user'],
    ['show', 'Nobody was asked'],
  ] as const) {
    const { code, err } = await run(['reclaim', verb, ...own, '00000000-0000-7000-8000-00000000000a']);
    expect([verb, code, err]).toEqual([verb, 1, expect.stringContaining(`404: ${problem}`)]);
  }
});

it('shows what identity providers sent, and writes settings', async () => {
  await run(['tenant', 'create', '--name', 'Seen', '--slug', 'seen']);
  const base = '/tenants/seen/directories';
  const { id } = await made(gateway.api('POST', base, { name: 'd', kind: 'okta' }));
  const { token } = await made(gateway.api('POST', `${base}/${id}/tokens`, { name: 't' }));
  const { headers } = await gateway.scim(token, 'POST', '/Users', { password: 'hunter2' });
  const filters = [
    '--request-id',
    String(headers.get('x-request-id')),
    '--status',
    '4xx',
    '--search',
    'users',
  ];
  let listed = await run(['request', 'list', '--tenant', 'seen', ...filters]);
  for (let tries = 0; /none/.test(listed.out) && tries < 20; tries += 1) {
    listed = await run(['request', 'list', '--tenant', 'seen', ...filters]);
  }
  const [, call = ''] = /POST +\/scim\/v2\/Users .* 400 .* ([0-9a-f-]{36})$/m.exec(listed.out) ?? [];
  const shown = await run(['request', 'show', '--tenant', 'seen', call]);
  expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('requestBody.password: [removed]')]);
  const settings = ['settings', 'set', '--tenant', 'seen', '--parking', 'true'];
  expect((await run(settings)).out).toMatch(/^parking: true\n(.*\n)*requestRetentionDays: 30\n/m);
  expect((await run([...settings, '--request-retention-days', '7'])).code).toBe(0);
  expect((await run(['settings', 'show', '--tenant', 'seen'])).out).toContain('requestRetentionDays: 7');
});

it.each([
  ['no truth', ['settings', 'set', '--tenant', 't', '--parking', 'yes'], 2, '--parking takes true or false'],
  ['a refusal', ['tenant', 'show', '--tenant', 'nobody'], 1, '404: There is no tenant "nobody".'],
  ['a refused body', ['tenant', 'create', '--name', 'x', '--slug', 'A B'], 1, '"slug"'],
  ['a missing flag', ['tenant', 'create', '--name', 'x'], 2, '--slug'],
  ['an unknown flag', ['tenant', 'list', '--page', '2'], 2, '--page'],
  ['an unknown command', ['tenant', 'destroy'], 2, 'destroy'],
  ['no JSON', ['catalogue', 'set', '--roles', '{', '--reason', 'x'], 2, '--roles takes JSON'],
  ['an empty flag', ['tenant', 'show', '--tenant', ''], 2, 'tenant must not be empty'],
  ['an empty argument', ['users', 'show', '--tenant', 't', ''], 2, 'user must not be empty'],
  [
    'a blank tier',
    ['contract', 'set', '--tenant', 'cli', '--tier', ' ', '--paid-seats', '5', ...dates],
    1,
    '"tier" must not be blank',
  ],
  [
    'no number',
    [
      'contract',
      'set',
      '--tenant',
      't',
      '--tier',
      'T',
      '--paid-seats',
      'many',
      '--starts-on',
      'x',
      '--ends-on',
      'y',
    ],
    2,
    '--paid-seats',
  ],
  [
    'two groups',
    [
      'mapping',
      'create',
      '--tenant',
      't',
      '--group',
      'a',
      '--group-id',
      'b',
      '--role',
      'client',
      '--priority',
      '1',
    ],
    2,
    '--group',
  ],
])('tells %s', async (_what, args, code, text) => {
  const result = await run(args);
  expect([result.code, result.out]).toEqual([code, '']);
  expect(result.err).toContain(text);
});

it('tells that nobody answers, and that there is no key', async () => {
  const silent = await run(['tenant', 'list'], { GATEWAY_URL: 'http://127.0.0.1:9' });
  expect([silent.code, silent.err]).toEqual([1, expect.stringContaining('GATEWAY_URL')]);
  const keyless = await run(['tenant', 'list'], { OPERATOR_KEY: '', DATA_DIR: '/nonexistent' });
  expect([keyless.code, keyless.err]).toEqual([78, expect.stringContaining('OPERATOR_KEY')]);
});

it('tells of a key that can not be one, without naming it', async () => {
  for (const key of ['two\nlines', 'secret one', 'schlüssel']) {
    const { code, out, err } = await run(['tenant', 'list'], { OPERATOR_KEY: key });
    expect([code, out, err]).toEqual([78, '', expect.stringContaining('OPERATOR_KEY')]);
    expect(err).not.toContain(key);
  }
  const folder = await mkdtemp(join(tmpdir(), 'cli-'));
  try {
    await writeFile(join(folder, 'operator-key'), '\n');
    const empty = await run(['tenant', 'list'], { OPERATOR_KEY: '', DATA_DIR: folder });
    expect([empty.code, empty.err]).toEqual([78, expect.stringContaining('is empty')]);
    await writeFile(join(folder, 'operator-key'), `${gateway.operatorKey}\n`);
    expect(await run(['tenant', 'list'], { OPERATOR_KEY: '', DATA_DIR: folder })).toMatchObject({ code: 0 });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('tells what is no gateway from what refuses', async () => {
  const stranger = createServer((request, response) => {
    const isList = request.url === '/api/v1/tenants';
    response.writeHead(isList ? 200 : 502, { 'content-type': isList ? 'text/html' : 'application/json' });
    response.end(isList ? '<html>' : '{"error":"\\u001b[31mbad"}');
  });
  await new Promise<void>((done) => stranger.listen(0, '127.0.0.1', done));
  const { port } = stranger.address() as AddressInfo;
  const at = { GATEWAY_URL: `http://127.0.0.1:${port}` };
  try {
    const page = await run(['tenant', 'list'], at);
    expect([page.code, page.err]).toEqual([
      1,
      expect.stringContaining('is no Blue Gateway. Set GATEWAY_URL'),
    ]);
    const proxy = await run(['tenant', 'show', '--tenant', 't'], at);
    expect([proxy.code, proxy.err]).toEqual([1, expect.stringMatching(/^502: \{"error"/)]);
  } finally {
    stranger.close();
  }
});

it('writes every field of the contract', async () => {
  await run(['tenant', 'create', '--name', 'Whole', '--slug', 'whole']);
  const fields = {
    kind: 'multi_year',
    tier: 'T',
    'paid-seats': 'unlimited',
    'starts-on': '2026-01-01',
    'ends-on': '2028-12-31',
    'payment-schedule': 'quarterly',
    policy: 'block',
    'fallback-role': 'client',
    terms: 'as agreed',
    'document-reference': 'D-1',
    'account-manager': 'Ada',
    'billing-portal-url': 'https://billing.example.com',
  };
  const flags = Object.entries(fields).flatMap(([name, value]) => [`--${name}`, value]);
  expect(await run(['contract', 'set', '--tenant', 'whole', ...flags])).toMatchObject({ code: 0, err: '' });
  const { out } = await run(['contract', 'show', '--tenant', 'whole', '--json']);
  expect(JSON.parse(out)).toMatchObject({
    kind: 'multi_year',
    tier: 'T',
    paidSeats: null,
    startsOn: '2026-01-01',
    endsOn: '2028-12-31',
    paymentSchedule: 'quarterly',
    overage: { policy: 'block' },
    fallbackRole: 'client',
    terms: 'as agreed',
    documentReference: 'D-1',
    accountManager: 'Ada',
    billingPortalUrl: 'https://billing.example.com',
  });
});

it('moves the clock, shows it, and goes back', async () => {
  const moved = await run(['clock', 'set', '--now', '2090-01-01T00:00:00Z']);
  expect(moved).toMatchObject({ code: 0, out: 'now: 2090-01-01T00:00:00.000Z\n' });
  expect((await run(['clock', 'show'])).out).toMatch(/^now: 2090-01-01T00:0/);
  expect((await run(['clock', 'set', '--now', '2090-02-01'])).out).toBe('now: 2090-02-01T00:00:00.000Z\n');
  expect((await run(['clock', 'reset'])).code).toBe(0);
  expect((await run(['clock', 'show'])).out).not.toContain('2090');
  expect(await run(['clock', 'set', '--now', 'soon'])).toMatchObject({ code: 1, out: '' });
});

it('names a domain, has it verified, and removes it', async () => {
  const { slug } = await gateway.createTenant();
  const domain = (verb: string, ...rest: string[]) => run(['domain', verb, ...rest, '--tenant', slug]);
  const { out } = await domain('add', 'CLI.example');
  const [, name = '', value = ''] = /record\.name: (\S+)\nrecord\.value: (\S+)/.exec(out) ?? [];
  expect(name).toBe('_blue-gateway.cli.example');
  expect((await domain('verify', 'cli.example')).out).toContain(`There is no TXT record ${name}`);
  dns.put(name, [value]);
  expect((await domain('verify', 'cli.example')).out).toContain('status: verified');
  expect((await domain('list')).out).toMatch(/^cli\.example +verified +_blue-gateway\.cli\.example/m);
  expect(await domain('remove', 'cli.example')).toMatchObject({ code: 0 });
  expect((await domain('list')).out.trim()).toBe('(none)');
  expect(await run(['removed-user', 'list', '--tenant', slug])).toMatchObject({ code: 0, out: '(none)\n' });
});

it('shows names that would steer a terminal by their codes, and as they are to programs', async () => {
  const name = 'a\u001b[31m\nb';
  await made(gateway.api('POST', '/tenants', { name, slug: 'steering' }));
  const shown = await run(['tenant', 'show', '--tenant', 'steering']);
  expect(shown.out).toContain('name: a\\u001b[31m\\u000ab\n');
  const { out } = await run(['tenant', 'show', '--tenant', 'steering', '--json']);
  expect(JSON.parse(out).name).toBe(name);
});

it('helps', async () => {
  const { code, out } = await run(['--help']);
  expect(code).toBe(0);
  for (const noun of [
    'tenant',
    'contract',
    'mapping',
    'users',
    'blue',
    'token',
    'client',
    'client-secret',
    'clock',
  ])
    expect(out).toContain(noun);
});
