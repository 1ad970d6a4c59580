/** The trail is sealed by the gateway itself, and verified over HTTP and by the command line. */

import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { auditCommands } from '../../src/cli/audit-commands.ts';
import { openOwner } from '../audit/support.ts';
import { runCli } from '../cli/support.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let tenant: TestTenant;
let owner: pg.Client;

beforeAll(async () => {
  gateway = await startGateway();
  owner = await openOwner(gateway.databaseUrl);
  tenant = await gateway.createTenant();
});
afterAll(async () => {
  await owner.end();
  await gateway.close();
});

const path = (query = '') => `/tenants/${tenant.slug}/audit/verify${query}`;
const verify = (query = '') => made(gateway.api('GET', path(query)));
const cli = (...flags: string[]) =>
  runCli(['audit', 'verify', '--tenant', tenant.slug, ...flags], {
    ...{ GATEWAY_URL: gateway.url, OPERATOR_KEY: gateway.operatorKey },
  });
const write = (idleDays: number) =>
  made(gateway.api('PUT', `/tenants/${tenant.slug}/settings`, { reclaimDays: idleDays }));

/** The task looks once a second; what other tests have under way on the server is waited for. */
async function sealed(since = 0) {
  for (let tries = 0; tries < 200; tries += 1) {
    const answer = await verify();
    if (answer.unsealed === 0 && (answer.seal?.number ?? 0) > since) return answer;
    await sleep(50);
  }
  throw new Error('nothing was sealed');
}

it('seals what was written within a moment, and says how far', async () => {
  await write(30);
  const answer = await sealed();
  const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/audit`));
  expect(answer).toEqual({
    ...{ ok: true, entries: items.length, unsealed: 0, nextCursor: null },
    sealedTo: items[0].at,
    seal: { number: expect.any(Number), hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  const { code, out } = await cli();
  expect([code, out]).toEqual([
    0,
    `ok: true\nentries: ${items.length}\nunsealed: 0\nsealedTo: ${items[0].at}\nseal.number: ${answer.seal.number}\nseal.hash: ${answer.seal.hash}\n`,
  ]);
});

it('goes on from a cursor, and refuses what is none', async () => {
  const before = await sealed();
  await write(40);
  const { seal, entries } = await sealed(before.seal.number);
  const cursor = Buffer.from(`1 0`).toString('base64url');
  const rest = await verify(`?cursor=${cursor}`);
  expect(rest).toMatchObject({ ok: true, seal });
  expect(rest.entries).toBeLessThan(entries);
  for (const query of [
    '?cursor=x',
    `?cursor=${Buffer.from('1').toString('base64url')}`,
    '?seal=1',
    `?hash=${seal.hash}`,
  ]) {
    expect((await gateway.api('GET', path(query))).status, query).toBe(400);
  }
});

it('follows the cursor to the end by the command line', async () => {
  const command = auditCommands.find(({ verb }) => verb === 'verify');
  const answers = [{ nextCursor: 'b' }, { nextCursor: null, entries: 3 }];
  const asked: string[] = [];
  const get = async (url: string) => {
    asked.push(url);
    return answers.shift();
  };
  const input = { tenant: 'acme', seal: '1', hash: 'ab' };
  expect(await command?.whole?.({ nextCursor: 'a' }, input, get)).toEqual({ nextCursor: null, entries: 3 });
  expect(asked).toEqual(
    ['a', 'b'].map((cursor) => `/tenants/acme/audit/verify?cursor=${cursor}&seal=1&hash=ab`),
  );
});

it('is read by whoever may read the tenant, of their own tenant', async () => {
  const { key } = await made(
    gateway.api('POST', `/tenants/${tenant.slug}/keys`, { name: 'a', role: 'auditor' }),
  );
  expect((await gateway.api('GET', path(), undefined, key)).status).toBe(200);
  const other = await gateway.createTenant();
  expect((await gateway.api('GET', `/tenants/${other.slug}/audit/verify`, undefined, key)).status).toBe(404);
});

it('names what was changed, and what to do', async () => {
  const kept = (await sealed()).seal;
  const known = ['--seal', String(kept.number), '--hash', kept.hash];
  expect((await cli(...known)).code).toBe(0);

  const other = '0'.repeat(64);
  const remade = await cli('--seal', String(kept.number), '--hash', other);
  expect(remade.code).toBe(1);
  expect(remade.err).toMatch(
    /^Seal \d+ is not the one that was kept: history was written anew, or cut off\./,
  );
  const cut = await verify(`?seal=999&hash=${other}`);
  expect(cut).toMatchObject({ ok: false, firstBroken: { why: 'kept', seal: 999, to: null } });

  await owner.query(
    `update audit_events set actor = '{}' where tenant_id = '${tenant.tenantId}' and action = 'settings.written'`,
  );
  const changed = await verify();
  expect(changed).toMatchObject({ ok: false, nextCursor: null, firstBroken: { why: 'content' } });
  const told = await cli(...known);
  expect([told.code, told.out]).toEqual([1, expect.stringMatching(/^ok: false\n/)]);
  expect(told.err).toMatch(
    /^The trail was changed: seal \d+ covers the entries .* are there, but not as they were written\.\nKeep the/,
  );
  const json = await cli('--json');
  expect([json.code, JSON.parse(json.out)]).toEqual([1, changed]);
  expect((await cli('--seal', '1')).code).toBe(2);
  const short = await cli('--seal', '1', '--hash', '5f0c…e2');
  expect([short.code, short.err]).toEqual([2, expect.stringContaining('all 64 digits')]);
});
