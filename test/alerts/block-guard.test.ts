/**
 * Policy block near Entra's quarantine line, over HTTP: the gateway stops refusing before the provider stops provisioning, says
 * so, and refuses again once it may. The line is drawn low here, by what the guard is called with.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { guardBlocks } from '../../src/provisioning/block-guard-flow.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let database: Database;
let base: string;
let token: string;
let count: number;

beforeAll(async () => {
  gateway = await startGateway();
  database = openDatabase({ url: gateway.databaseUrl, poolSize: 4 });
});
afterAll(async () => {
  await database.close();
  await gateway.close();
});

const contract = (policy: string) => ({
  ...{ kind: 'annual', tier: 'Team', paidSeats: 1, startsOn: '2020-01-01', endsOn: '2099-12-31' },
  ...{ paymentSchedule: 'annual', overage: { policy }, fallbackRole: 'view_only' },
});

/** One seat, and everybody who comes asks for it. */
beforeEach(async () => {
  const tenant = await gateway.createTenant();
  base = `/tenants/${tenant.slug}`;
  token = await tenant.directoryToken('entra');
  count = 0;
  await made(gateway.api('PUT', `${base}/contract`, contract('block')));
  await made(gateway.api('PUT', `${base}/settings`, { defaultRole: 'team_member' }));
});

const user = 'urn:ietf:params:scim:schemas:core:2.0:User';
const extension = 'urn:blue:params:scim:schemas:extension:provisioning:2.0:User';
async function create() {
  count += 1;
  return await gateway.scim(token, 'POST', '/Users', {
    ...{ schemas: [user], active: true, userName: `p${count}@example.com` },
  });
}
const statuses = async (calls: number) => {
  const seen: number[] = [];
  for (let n = 0; n < calls; n += 1) seen.push((await create()).status);
  return seen;
};
const low = { refusals: 3, percent: 30, refusalsAlone: 1000 };
const guard = (line = low) => guardBlocks(database, new Date(), line);
const liftedAt = async () => (await made(gateway.api('GET', `${base}/seats`))).blockLiftedAt;

async function eventually<T>(read: () => Promise<T>, isThere: (value: T) => boolean): Promise<T> {
  for (let n = 0; n < 100; n += 1) {
    const value = await read();
    if (isThere(value)) return value;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('it did not come');
}

describe("policy block near Entra's quarantine line", () => {
  it('becomes queue before it is met, for leavers’ sake, and an alert says so', async () => {
    expect(await statuses(3)).toEqual([201, 403, 403]);
    await guard();
    expect(await liftedAt()).toBeNull();
    expect(await statuses(1)).toEqual([403]);
    await Promise.all([guard(), guard()]);
    expect(await liftedAt()).toEqual(expect.any(String));
    const queued = await create();
    expect([queued.status, queued.body[extension].seat]).toMatchObject([
      201,
      { state: 'queued', position: 1 },
    ]);
    const { items } = await eventually(
      async () => (await gateway.api('GET', `${base}/alerts`)).body,
      (page) =>
        page.items.some(({ message }: { message: string }) =>
          message.includes('Policy block stands as queue'),
        ),
    );
    expect(
      items.flatMap((alert: { items: { kind: string }[] }) => alert.items.map(({ kind }) => kind)),
    ).toContain('block_lifted');
    const trail = (await gateway.api('GET', `${base}/audit?action=seats.block_lifted`)).body.items;
    expect(trail).toHaveLength(1);
  });

  it('stands again when it is cleared, and counts anew', async () => {
    await statuses(4);
    await guard();
    expect((await gateway.api('DELETE', `${base}/seats/block-guard`)).status).toBe(204);
    expect(await liftedAt()).toBeNull();
    expect(await statuses(2)).toEqual([403, 403]);
    await guard();
    expect(await liftedAt()).toBeNull();
    expect((await gateway.api('DELETE', `${base}/seats/block-guard`)).status).toBe(204);
    const trail = (await gateway.api('GET', `${base}/audit?action=seats.block_restored`)).body.items;
    expect(trail).toHaveLength(1);
  });

  it('stands again when the contract is written, and stays lifted when it is amended', async () => {
    await statuses(4);
    await guard();
    const amendment = { effectiveOn: '2021-01-01', tier: 'Large', reason: 'agreed' };
    await made(gateway.api('POST', `${base}/contract/amendments`, amendment));
    expect(await statuses(1)).toEqual([201]);
    await made(gateway.api('PUT', `${base}/contract`, contract('block')));
    expect([await liftedAt(), ...(await statuses(1))]).toEqual([null, 403]);
  });

  it('stays where refusals are few among the writes', async () => {
    await made(gateway.api('PUT', `${base}/contract`, { ...contract('block'), paidSeats: 6 }));
    expect(await statuses(9)).toEqual([...Array(6).fill(201), 403, 403, 403]);
    await eventually(
      async () => (await gateway.api('GET', `${base}/requests`)).body.items.length,
      (recorded) => recorded === 9,
    );
    await guard({ ...low, percent: 34 });
    await guard({ ...low, refusals: 4, percent: 10 });
    expect(await liftedAt()).toBeNull();
    await guard({ ...low, percent: 33 });
    expect(await liftedAt()).toEqual(expect.any(String));
    await made(gateway.api('DELETE', `${base}/seats/block-guard`));
    await statuses(3);
    await guard({ ...low, percent: 100, refusalsAlone: 3 });
    expect(await liftedAt()).toEqual(expect.any(String));
  });

  it('forgets refusals of hours ago', async () => {
    await statuses(4);
    const later = (minutes: number) => guardBlocks(database, new Date(Date.now() + minutes * 60_000), low);
    await later(242);
    expect(await liftedAt()).toBeNull();
    await later(230);
    expect(await liftedAt()).toEqual(expect.any(String));
  });
});
