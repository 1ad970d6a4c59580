/** What the command line shows to people: lists of objects as tables, groups by their names; and edits that keep what they don't name. */

import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { render } from '../../src/cli/output.ts';
import { fromPem, selfSigned } from '../../src/kernel/self-signed-certificate.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
  await made(gateway.api('POST', '/tenants', { name: 'Acme', slug: 'acme' }));
});
afterAll(() => gateway.close());

async function run(...args: string[]) {
  return await new Promise<{ code: number; out: string; err: string }>((done) => {
    const env = { ...process.env, GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey };
    const cwd = new URL('../..', import.meta.url);
    execFile(process.execPath, ['src/cli/main.ts', ...args], { env, cwd }, (error, out, err) =>
      done({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

it('a certificate is shown so that it can be copied, and nothing else breaks a line', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n';
  expect(render({ use: 'signing', certificate: pem }, undefined)).toBe(
    'use: signing\ncertificate:\n-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----',
  );
  expect(render({ name: `${pem}x` }, undefined)).not.toContain('\n');
});

it('certificates of a list are shown by what one compares them by, each in lines of its own', async () => {
  const one = await selfSigned('idp.example.com', new Date('2026-01-02T03:04:05Z'));
  const certificates = [{ sha256: 'x', notAfter: null, certificate: fromPem(one.certificate) }];
  const keys = [{ id: 'k', use: 'signing', certificate: one.certificate }];
  const { fingerprint256 } = new X509Certificate(one.certificate);
  const shown = render({ name: 'Acme', identityProvider: { certificates }, keys }, undefined).split('\n');
  const lines = (prefix: string) => [
    `${prefix}.sha256: ${fingerprint256}`,
    `${prefix}.subject: CN=idp.example.com`,
    expect.stringMatching(new RegExp(`^${prefix}.notBefore: 2026-01-0\\dT`)),
    expect.stringMatching(new RegExp(`^${prefix}.notAfter: 20\\d\\d-\\d\\d-\\d\\dT`)),
  ];
  expect(shown).toEqual([
    'name: Acme',
    ...lines('identityProvider.certificates.1'),
    ...['keys.1.id: k', 'keys.1.use: signing'],
    ...lines('keys.1'),
  ]);
  const broken = render({ keys: [{ id: 'k', certificate: 'broken' }] }, undefined);
  expect(broken).toBe('keys:\n  id  certificate\n  k   broken');
});

it('settings set changes what it names, and nothing else', async () => {
  const own = ['settings', 'set', '--tenant', 'acme'];
  const first = await run(
    ...own,
    '--hold-minutes',
    '7',
    '--approvals',
    'team_member=manual,custom:A=when_full',
  );
  expect(first).toMatchObject({ code: 0, err: '' });
  const second = await run(...own, '--parking', 'true', '--reclaim-days', '30', '--json');
  expect(JSON.parse(second.out)).toMatchObject({
    ...{ holdMinutes: 7, parking: true, reclaimDays: 30 },
    approvals: { team_member: 'manual', 'custom:A': 'when_full' },
  });
  const third = await run(...own, '--approvals', '', '--reclaim-days', 'off', '--json');
  expect(JSON.parse(third.out)).toMatchObject({
    holdMinutes: 7,
    parking: true,
    reclaimDays: null,
    approvals: {},
  });
  expect(await run(...own)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^name what is to be changed\nSee: .* settings set --help\n$/),
  });
  expect(await run(...own, '--approvals', 'x')).toMatchObject({ code: 2 });
});

it('shows mappings by the names of their groups, as they are called now', async () => {
  const directory = await made(gateway.api('POST', '/tenants/acme/directories', { name: 'd', kind: 'okta' }));
  const path = `/tenants/acme/directories/${directory.id}/tokens`;
  const { token } = await made(gateway.api('POST', path, { name: 't' }));
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
  await made(gateway.scim(token, 'POST', '/Groups', { schemas, displayName: 'Engineering' }));
  const mapping = ['--role', 'team_member', '--workspaces', 'w1', '--priority'];
  await run('mapping', 'create', '--tenant', 'acme', '--group', 'Engineering', ...mapping, '1');
  await run('mapping', 'create', '--tenant', 'acme', '--group', 'Later', ...mapping, '2');
  const { out } = await run('mapping', 'list', '--tenant', 'acme');
  expect(out).toMatch(/^1 +Engineering +team_member/m);
  expect(out).toMatch(/^2 +Later +team_member/m);
  const { id } = JSON.parse((await run('mapping', 'list', '--tenant', 'acme', '--json')).out).items[0].group;
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
});

it('shows a tenant that is named without a flag, and says what is missing', async () => {
  expect((await run('tenant', 'show', 'acme')).out).toContain('slug: acme');
  expect((await run('tenant', 'show', '--tenant', 'acme')).out).toContain('slug: acme');
  expect(await run('tenant', 'show')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^tenant is missing\nSee: .* tenant show --help\n$/),
  });
});

it('says that nobody would lose a seat, and lists roles as a table', async () => {
  expect((await run('seats', 'cliff', '--tenant', 'acme')).out).toMatch(/^No line of the contract/);
  expect((await run('catalogue', 'show')).out).toMatch(/^ +team_member +paid +MEMBER/m);
});

it.each([
  ['contract', 'set'],
  ['contract', 'amend'],
  ['contract', 'add'],
  ['contract', 'withdraw'],
  ['users', 'pin'],
  ['settings', 'set'],
  ['mapping', 'rollback'],
  ['mapping-draft', 'activate'],
])('%s %s can be confirmed', async (noun, verb) => {
  const { out } = await run(noun, verb, '--help');
  expect(out).toContain('--confirm');
  if (verb === 'set' && noun === 'contract') expect(out).toContain('queue|fallback|grace|allow|block');
});

it('shows who is concerned by an edit as a table', () => {
  const roles = [{ role: 'team_member', billing: 'paid', workspace: 'w1', via: 'MAPPING:x' }];
  const users = [{ userName: 'ada', before: { roles, seat: 'held' }, after: { roles: [], seat: 'none' } }];
  expect(render({ lost: 1, seats: { before: 1, after: 0 }, users, nextCursor: null }, undefined)).toBe(
    [
      'lost: 1',
      'seats.before: 1',
      'seats.after: 0',
      'users:',
      '  userName  before.roles       before.seat  after.roles  after.seat',
      '  ada       team_member in w1  held         –            none',
      'nextCursor: –',
    ].join('\n'),
  );
});
