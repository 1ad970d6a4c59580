/** The test clock: where operators may move it, what happens before the answer, and who follows it. */

import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoSeed, demoToken } from '../../demo/blue-double/seed.ts';
import { startBlueDouble } from '../../demo/blue-double/server.ts';
import { made, startGateway, type TestGateway, type TestTenant } from '../support/gateway.ts';

const testClock = { config: { testClock: true } };
const [firstDay, later] = ['2090-01-01T00:00:00.000Z', '2095-06-15T12:00:00.000Z'];
const secondMs = 1000;
/** What a busy machine needs from one answer to the next. */
const slackMs = 20 * secondMs;

let gateway: TestGateway;
let tenant: TestTenant;

beforeAll(async () => {
  gateway = await startGateway(testClock);
});
afterAll(() => gateway.close());
beforeEach(async () => {
  await move(null);
  tenant = await gateway.createTenant();
});

const put = (body: unknown, of = gateway) => of.api('PUT', '/clock', body);
const move = async (now: string | null, of = gateway): Promise<string> => (await made(put({ now }, of))).now;
const read = async (of = gateway) => Date.parse((await made(of.api('GET', '/clock'))).now);
/** Milliseconds from that instant to the gateway's time. */
const since = async (instant: string, of = gateway) => (await read(of)) - Date.parse(instant);
const api = (method: string, path: string, body?: unknown) =>
  made(gateway.api(method, `/tenants/${tenant.slug}${path}`, body));

const contract = {
  ...{ kind: 'annual', tier: 'T', paidSeats: 2, startsOn: '2090-01-01', endsOn: '2099-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
};

/** Three people in a group that asks for a paid role. */
async function threePeople(): Promise<string> {
  await api('POST', '/mappings', {
    group: { displayName: 'Eng' },
    role: 'team_member',
    priority: 1,
    workspaces: ['w'],
  });
  const token = await tenant.directoryToken('okta');
  const members = [];
  for (const name of ['a', 'b', 'c']) {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const user = { schemas, userName: `${name}@acme.example`, active: true };
    members.push({ value: (await made(gateway.scim(token, 'POST', '/Users', user))).id });
  }
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
  await made(gateway.scim(token, 'POST', '/Groups', { schemas, displayName: 'Eng', members }));
  return token;
}

const held = async () => (await api('GET', '/seats')).held;
/** Roles that need a seat and that people have, one a person here. */
const paid = async () => {
  const roles = (await api('GET', '/users')).items.flatMap(
    (user: { effectiveRoles: object[] }) => user.effectiveRoles,
  );
  return roles.filter(({ role }: { role: string }) => role === 'team_member').length;
};

describe('without TEST_CLOCK', () => {
  it('there is no clock to move, and one that was moved before does not count', async () => {
    await move(later);
    const real = await startGateway({ databaseUrl: gateway.databaseUrl });
    try {
      for (const answer of [await put({ now: null }, real), await real.api('GET', '/clock')]) {
        expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
        expect(answer.body.detail).toContain('TEST_CLOCK=true');
      }
      const { createdAt } = await made(real.api('POST', '/tenants', { name: 'Real', slug: 'real' }));
      expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(slackMs);
      expect(await since(later)).toBeLessThan(slackMs);
    } finally {
      await real.close();
    }
  });
});

describe('a move', () => {
  it('answers where the clock was put, from where it goes on', async () => {
    expect((await put({ now: '2090-01-01T02:00:00+02:00' })).body).toEqual({ now: firstDay });
    const [first, second] = [await since(firstDay), await since(firstDay)];
    expect(first).toBeGreaterThanOrEqual(0);
    expect(second).toBeGreaterThan(first);
    expect(second).toBeLessThan(slackMs);
    const { createdAt } = await made(gateway.api('POST', '/tenants', { name: 'Late', slug: 'late' }));
    expect(createdAt.slice(0, 10)).toBe('2090-01-01');
  });

  it('with null is back to real time', async () => {
    await move(later);
    expect(Math.abs(Date.parse(await move(null)) - Date.now())).toBeLessThan(slackMs);
    expect(Math.abs((await read()) - Date.now())).toBeLessThan(slackMs);
  });

  it.each([
    ['no time', { now: 'tomorrow' }, 'now'],
    ['a day alone', { now: '2090-01-01' }, 'now'],
    ['no such day', { now: '2090-02-30T00:00:00Z' }, 'now'],
    ['a second that most clocks never show', { now: '2090-12-31T23:59:60Z' }, 'now'],
    ['a number', { now: 3786912000000 }, 'now'],
    ['a time that was too long ago', { now: '1999-12-31T23:59:59Z' }, 'now'],
    ['a time that is too far away', { now: '3000-01-01T00:00:00Z' }, 'now'],
    ['nothing', {}, 'now'],
    ['a word that is none', { now: firstDay, frozen: true }, 'frozen'],
  ])('to %s is refused, and moves nothing', async (_what, body, field) => {
    const { status, body: problem } = await put(body);
    expect([status, problem.code, problem.field], problem.detail).toEqual([400, 'invalid', field]);
    expect(Math.abs((await read()) - Date.now())).toBeLessThan(slackMs);
  });

  it('is for operators', async () => {
    for (const role of ['owner', 'admin', 'auditor']) {
      const { key } = await api('POST', '/keys', { name: role, role });
      for (const method of ['GET', 'PUT']) {
        const body = method === 'PUT' ? { now: later } : undefined;
        const { status, body: problem } = await gateway.api(method, '/clock', body, key);
        expect([role, method, status, problem.code]).toEqual([role, method, 403, 'forbidden']);
      }
    }
    expect(Math.abs((await read()) - Date.now())).toBeLessThan(slackMs);
  });
});

describe('before the answer', () => {
  it('a contract that begins has given its seats', async () => {
    await api('PUT', '/contract', contract);
    await threePeople();
    expect([await held(), await paid()]).toEqual([0, 0]);
    await move('2089-12-31T23:50:00Z');
    expect(await held()).toBe(0);
    await move(firstDay);
    expect([await held(), await paid()]).toEqual([2, 2]);
    const { items } = await api('GET', '/audit?action=decision.changed');
    expect(items[0]).toMatchObject({ actor: { kind: 'system', rule: 'time' } });
    expect(items[0].at.slice(0, 10)).toBe('2090-01-01');
  });

  it('all dates that are passed over count', async () => {
    await api('PUT', '/contract', contract);
    await threePeople();
    await api('POST', '/contract/amendments', { effectiveOn: '2091-01-01', paidSeats: 3, reason: 'agreed' });
    await move(later);
    expect(await held()).toBe(3);
  });

  it('what no longer holds where the time went back is undone, and comes again', async () => {
    const evaluation = { ...contract, kind: 'evaluation', startsOn: '2020-01-01', endsOn: '2090-01-31' };
    await api('PUT', '/contract', evaluation);
    await threePeople();
    expect(await paid()).toBe(2);
    for (const _round of [1, 2]) {
      await move(later);
      expect([await held(), await paid()]).toEqual([2, 0]);
      await move(null);
      expect([await held(), await paid()]).toEqual([2, 2]);
    }
    await move(firstDay);
    await move('2025-01-01T00:00:00Z');
    expect([await held(), await paid()]).toEqual([2, 2]);
  });
});

describe('who follows', () => {
  it('is every gateway on the database, and one that starts later', async () => {
    const second = await startGateway({ ...testClock, databaseUrl: gateway.databaseUrl });
    try {
      await move(firstDay);
      expect(await since(firstDay, second)).toBeGreaterThanOrEqual(0);
      await move(later, second);
      for (const of of [gateway, second]) expect(await since(later, of)).toBeLessThan(slackMs);
      const apart = (await read()) - (await read(second));
      expect(Math.abs(apart)).toBeLessThan(secondMs);
    } finally {
      await second.close();
    }
    const third = await startGateway({ ...testClock, databaseUrl: gateway.databaseUrl });
    try {
      expect(await since(later, third)).toBeGreaterThan(0);
      await move(null, third);
      expect(Math.abs((await read()) - Date.now())).toBeLessThan(slackMs);
    } finally {
      await third.close();
    }
  });

  it('finds the clock by itself', async () => {
    await sqlAsOwner(`update test_clock set offset_ms = 86400000, revision = revision + 1`);
    await expect.poll(() => read(), { interval: 25, timeout: 2000 }).toBeGreaterThan(Date.now() + 86_000_000);
  });

  it('agrees with the last of several operators', async () => {
    const second = await startGateway({ ...testClock, databaseUrl: gateway.databaseUrl });
    try {
      const years = Array.from({ length: 8 }, (_, n) => `${2040 + n}-01-01T00:00:00Z`);
      await Promise.all(years.map((now, n) => move(now, n % 2 === 0 ? gateway : second)));
      const [one, other] = [await read(), await read(second)];
      expect(Math.abs(one - other)).toBeLessThan(secondMs);
      expect(years.map((year) => Date.parse(year)).some((at) => one - at < slackMs && one >= at)).toBe(true);
    } finally {
      await second.close();
    }
  });

  it('is what expires: keys and tokens', async () => {
    const { key } = await api('POST', '/keys', { name: 'k', role: 'owner', expiresAt: firstDay });
    const status = async () => (await gateway.api('GET', `/tenants/${tenant.slug}`, undefined, key)).status;
    expect(await status()).toBe(200);
    await move(firstDay);
    expect(await status()).toBe(401);
    await move(null);
    expect(await status()).toBe(200);
  });

  it('is not the rate of requests', async () => {
    const slow = await startGateway({ config: { testClock: true, scimRateLimit: 25 } });
    try {
      const token = await (await slow.createTenant()).directoryToken('okta');
      const status = async () => (await slow.scim(token, 'GET', '/ServiceProviderConfig')).status;
      await move(later, slow);
      expect(await status()).toBe(200);
      await move(null, slow);
      expect([await status(), await status()]).toEqual([200, 200]);
    } finally {
      await slow.close();
    }
  });

  it('is not what is agreed with Blue', async () => {
    const blue = await startBlueDouble({ seed: demoSeed });
    try {
      await api('PUT', '/contract', contract);
      await api('PUT', '/blue', {
        ...{ organizationId: demoSeed.organization.id, apiUrl: blue.url, mode: 'apply' },
        ...{ tokenId: demoToken.uid, tokenSecret: demoToken.secret },
      });
      await move(firstDay);
      const contactAt = async () => {
        const { state, lastContactAt } = await api('POST', '/blue/sync', { drift: true });
        expect(state).toBe('ok');
        return Date.parse(lastContactAt);
      };
      const first = await contactAt();
      expect(Math.abs(first - Date.now())).toBeLessThan(slackMs);
      const [entry] = (await api('GET', '/audit?action=blue.sync_asked')).items;
      expect(entry.at.slice(0, 10)).toBe('2090-01-01');
      await move(null);
      expect(await contactAt()).toBeGreaterThan(first);
    } finally {
      await blue.close();
    }
  });
});

async function sqlAsOwner(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: gateway.databaseUrl });
  await client.connect();
  await client.query(text).finally(() => client.end());
}
