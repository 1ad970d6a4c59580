/** Domains over the admin API, with a name server that answers: pending, verified for one tenant alone, lapsed. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { textRecordsOf } from '../../src/domains/dns-client.ts';
import { checkDueDomains } from '../../src/domains/domain-flow.ts';
import { type DnsServer, startDnsServer } from '../support/dns-server.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

let gateway: TestGateway;
let dns: DnsServer;
let tenant: TestTenant;
let other: TestTenant;
let count = 0;

beforeAll(async () => {
  dns = await startDnsServer();
  gateway = await startGateway({ config: { dnsResolver: dns.address, testClock: true } });
});
afterAll(async () => {
  await gateway.close();
  await dns.close();
});
beforeEach(async () => {
  dns.isSilent = false;
  [tenant, other] = [await gateway.createTenant(), await gateway.createTenant()];
  count += 1;
});

const domain = () => `d${count}.example.com`;
const at = (of: TestTenant, rest = '') => `/tenants/${of.slug}/domains${rest}`;
const add = (of: TestTenant, text = domain()) => gateway.api('POST', at(of), { domain: text });
const verify = (of: TestTenant, name = domain()) => gateway.api('POST', at(of, `/${name}/verify`));

async function addWithRecord(of: TestTenant, ...more: string[][]) {
  const { record } = await made(add(of));
  dns.put(record.name, ['v=spf1 -all'], [record.value], ...more);
  return record;
}

async function setClock(now: string | null) {
  await made(gateway.api('PUT', '/clock', { now }));
}

describe('a domain', () => {
  it('is pending, with the record that shows whose it is', async () => {
    const added = await add(tenant, 'D-Bücher.Example.');
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({
      domain: 'xn--d-bcher-p2a.example',
      status: 'pending',
      record: {
        name: '_blue-gateway.xn--d-bcher-p2a.example',
        value: expect.stringMatching(/^blue-gateway-verification=[\w-]{32}$/),
      },
      verifiedAt: null,
    });
    expect((await gateway.api('GET', at(tenant, '/D-BÜCHER.example'))).body).toEqual(added.body);
    expect((await gateway.api('GET', at(tenant))).body.items).toEqual([added.body]);
    expect((await made(add(other, 'd-bücher.example'))).record.value).not.toBe(added.body.record.value);
  });

  it.each(['com', 'co.uk', 'ada@example.com', 'https://example.com', 'example.com%2eevil.net'])(
    'is not %s',
    async (text) => {
      expect(await add(tenant, text)).toMatchObject({ status: 400, body: { field: 'domain' } });
    },
  );

  it('is there once, and 404 for others, also under what is no domain', async () => {
    await made(add(tenant));
    expect((await add(tenant)).status).toBe(409);
    for (const path of [`/${domain()}`, '/x', '/a%2fb.example']) {
      expect((await gateway.api('GET', at(other, path))).status).toBe(404);
      expect((await gateway.api('DELETE', at(other, path))).status).toBe(404);
    }
    expect((await verify(other)).status).toBe(404);
  });
});

describe('a verified domain', () => {
  it('is looked at again once a day, and told of when its record is gone, until that is back', async () => {
    const record = await addWithRecord(tenant);
    await made(add(other));
    await made(verify(tenant));
    dns.put(record.name);
    const day = 24 * 60 * 60 * 1000;
    const database = openDatabase({ url: gateway.databaseUrl, poolSize: 2 });
    const lookAgain = async (now: Date) => {
      dns.asked.length = 0;
      await checkDueDomains(database, textRecordsOf(dns.address), now, 100);
      return dns.asked.filter((name) => name === record.name).length;
    };
    const alerts = async () => {
      const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/alerts?state=all`));
      return items.map((one: { state: string; message: string }) => `${one.state}: ${one.message}`);
    };
    try {
      expect(await lookAgain(new Date(Date.now() + day / 2))).toBe(0);
      expect(await lookAgain(new Date(Date.now() + day + 1000))).toBe(1);
      const missing = await made(gateway.api('GET', at(tenant, `/${domain()}`)));
      expect(missing).toMatchObject({ status: 'verified', missingSince: expect.any(String) });
      const gone = `open: The TXT record of the domain ${domain()} is gone`;
      await expect.poll(alerts, { timeout: 10_000 }).toEqual([expect.stringContaining(gone)]);
      dns.put(record.name, [record.value]);
      await made(verify(tenant));
      await expect.poll(alerts, { timeout: 10_000 }).toEqual([expect.stringMatching(/^over: /)]);
    } finally {
      await database.close();
    }
  }, 30_000);
});

describe('verification', () => {
  it('says what is missing, and stays pending', async () => {
    const { record } = await made(add(tenant));
    const missing = await verify(tenant);
    expect(missing).toMatchObject({ status: 200, body: { status: 'pending' } });
    expect(missing.body.problem).toBe(
      `There is no TXT record ${record.name}: add it with the value ${record.value}. It can take a while until it is seen.`,
    );
    dns.put(record.name, [`${record.value}x`], ['blue-gateway-verification=']);
    const wrong = await made(verify(tenant));
    expect(wrong).toMatchObject({ status: 'pending', problem: expect.stringContaining('Of 2 TXT records') });
    expect(dns.asked).toContain(record.name);
  });

  it('takes the value among others, in one string or several', async () => {
    await addWithRecord(tenant);
    const verified = await made(verify(tenant));
    expect(verified).toMatchObject({ status: 'verified', problem: null, verifiedAt: expect.any(String) });
    const { record } = await made(add(other, `x.${domain()}`));
    dns.put(record.name, [record.value.slice(0, 20), record.value.slice(20)]);
    expect(await made(verify(other, `x.${domain()}`))).toMatchObject({ status: 'verified' });
    const { items } = await made(gateway.api('GET', `/tenants/${tenant.slug}/audit?subject=${domain()}`));
    expect(items.map(({ action }: { action: string }) => action).sort()).toEqual([
      'domain.created',
      'domain.verified',
    ]);
  });

  it('is one tenant’s alone, also at the same moment, and free again once that one removes it', async () => {
    const [mine, theirs] = [await made(add(tenant)), await made(add(other))];
    dns.put(mine.record.name, [mine.record.value], [theirs.record.value]);
    const answers = await Promise.all([verify(tenant), verify(other)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const [winner, loser] = answers[0]?.status === 200 ? [tenant, other] : [other, tenant];
    expect((await verify(loser)).body.detail).toContain('Another organisation has verified');
    expect((await gateway.api('GET', at(loser, `/${domain()}`))).body.status).toBe('pending');
    expect((await gateway.api('DELETE', at(winner, `/${domain()}`))).status).toBe(204);
    expect(await made(verify(loser))).toMatchObject({ status: 'verified' });
  });

  it('is not decided by a name server that does not answer, whom nobody waits for long', async () => {
    await addWithRecord(tenant);
    dns.isSilent = true;
    const startedAt = Date.now();
    const silent = await made(verify(tenant));
    expect(silent).toMatchObject({ status: 'pending', problem: expect.stringContaining('do not answer') });
    expect(Date.now() - startedAt).toBeLessThan(15_000);
    dns.isSilent = false;
    expect(await made(verify(tenant))).toMatchObject({ status: 'verified' });
  }, 30_000);

  it('is refused to who asks too often', async () => {
    await made(add(tenant));
    const answers = await Promise.all(Array.from({ length: 25 }, () => verify(tenant)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  it('lapses when the record has been away for a week, and not before', async () => {
    const record = await addWithRecord(tenant);
    await made(verify(tenant));
    dns.put(record.name);
    try {
      await setClock('2030-01-01T00:00:00Z');
      const missing = await made(verify(tenant));
      expect(missing).toMatchObject({
        status: 'verified',
        missingSince: expect.stringMatching(/^2030-01-01/),
      });
      await setClock('2030-01-07T23:00:00Z');
      dns.isSilent = true;
      expect(await made(verify(tenant))).toMatchObject({ status: 'verified' });
      dns.isSilent = false;
      expect(await made(verify(tenant))).toMatchObject({ status: 'verified' });
      await setClock('2030-01-08T01:00:00Z');
      expect(await made(verify(tenant))).toMatchObject({ status: 'pending' });
      const told = async () =>
        (await made(gateway.api('GET', `/tenants/${tenant.slug}/alerts`))).items.flatMap(
          ({ items }: { items: { kind: string }[] }) => items.map(({ kind }) => kind),
        );
      await expect.poll(told, { timeout: 10_000 }).toContain('domain_lapsed');
    } finally {
      await setClock(null);
    }
    const theirs = await made(add(other));
    dns.put(record.name, [theirs.record.value]);
    expect(await made(verify(other))).toMatchObject({ status: 'verified' });
  }, 30_000);
});
