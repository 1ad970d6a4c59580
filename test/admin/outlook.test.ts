/** Cliff, forecast and alerts over HTTP and from the command line's point of view: their shape, their order, what they refuse. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let base: string;
let ids: string[];

/** Ten seats in force; eight people hold one, of two mappings: the first two have the better priority. */
beforeAll(async () => {
  gateway = await startGateway();
  const tenant = await gateway.createTenant();
  base = `/tenants/${tenant.slug}`;
  await made(
    gateway.api('PUT', `${base}/contract`, {
      ...{ kind: 'annual', tier: 'Team', paidSeats: 10, startsOn: '2020-01-01', endsOn: '2099-12-31' },
      ...{ paymentSchedule: 'annual', overage: { policy: 'queue' }, fallbackRole: 'view_only' },
    }),
  );
  const token = await tenant.directoryToken('okta');
  ids = [];
  for (let n = 0; n < 8; n += 1) {
    const draft = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], active: true };
    const person = { ...draft, userName: `p${n}@example.com`, displayName: `Person ${n}` };
    ids.push((await made(gateway.scim(token, 'POST', '/Users', person))).id);
  }
  for (const [displayName, members, priority] of [
    ['Leads', ids.slice(0, 2), 1],
    ['Staff', ids.slice(2), 2],
  ] as const) {
    await made(
      gateway.api('POST', `${base}/mappings`, {
        ...{ group: { displayName }, role: 'team_member', workspaces: ['w1'], priority },
      }),
    );
    for (const value of members.slice(0, 1)) {
      const group = {
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
        displayName,
        members: [{ value }],
      };
      const { id } = await made(gateway.scim(token, 'POST', '/Groups', group));
      for (const more of members.slice(1)) {
        const operation = { op: 'add', path: 'members', value: [{ value: more }] };
        const patch = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [operation] };
        await made(gateway.scim(token, 'PATCH', `/Groups/${id}`, patch));
      }
    }
  }
});
afterAll(() => gateway.close());

const cliff = async (query = '') => (await gateway.api('GET', `${base}/seats/cliff${query}`)).body;
const names = (answer: { users: { userName: string }[] }) => answer.users.map(({ userName }) => userName);

it('shows no cliff where no reduction is known', async () => {
  const none = { at: null, capacity: null, limit: null, seatsGoAt: null };
  expect(await cliff()).toEqual({ ...none, used: 8, total: 0, users: [] });
});

it('shows who would fall after a renewal, lowest priority and latest claim first', async () => {
  const answer = await cliff('?paidSeats=3');
  expect(answer).toMatchObject({
    ...{ at: '2100-01-01T00:00:00.000Z', capacity: 3, limit: 3, seatsGoAt: '2100-01-31T00:00:00.000Z' },
    ...{ used: 8, total: 5 },
  });
  expect(names(answer)).toEqual([7, 6, 5, 4, 3].map((n) => `p${n}@example.com`));
  expect(answer.users[0]).toEqual({
    ...{ id: ids[7], userName: 'p7@example.com', displayName: 'Person 7' },
    ...{ seat: 'held', priority: 2, claimedAt: expect.any(String) },
  });
  expect(names(await cliff('?paidSeats=0'))).toHaveLength(8);
  expect((await cliff('?paidSeats=8')).total).toBe(0);
});

it('shows the next known reduction, and any instant that is asked for', async () => {
  const amendment = { effectiveOn: '2090-06-01', paidSeats: 6, reason: 'agreed' };
  const { id } = await made(gateway.api('POST', `${base}/contract/amendments`, amendment));
  expect(await cliff()).toMatchObject({ at: '2090-06-01T00:00:00.000Z', capacity: 6, total: 2 });
  expect(await cliff('?at=2090-05-31T00:00:00Z')).toMatchObject({ capacity: 10, total: 0, users: [] });
  expect(await cliff('?at=2090-05-31T00:00:00Z&paidSeats=7')).toMatchObject({ capacity: 7, total: 1 });
  const past = await gateway.api('GET', `${base}/seats/cliff?at=2020-01-01T00:00:00Z`);
  expect([past.status, past.body.field]).toEqual([400, 'at']);
  const negative = await gateway.api('GET', `${base}/seats/cliff?paidSeats=-1`);
  expect([negative.status, negative.body.field]).toEqual([400, 'paidSeats']);
  expect((await gateway.api('DELETE', `${base}/contract/lines/${id}`)).status).toBe(204);
});

it('shows a reduction whose days of grace run, as the seats tell of it', async () => {
  const amendment = { effectiveOn: '2021-01-01', paidSeats: 6, reason: 'agreed' };
  const { id } = await made(gateway.api('POST', `${base}/contract/amendments`, amendment));
  const { excess } = (await gateway.api('GET', `${base}/seats`)).body;
  const answer = await cliff();
  expect(answer).toMatchObject({
    capacity: 6,
    limit: 6,
    seatsGoAt: excess.until,
    used: 8,
    total: excess.seats,
  });
  expect(names(answer)).toEqual(['p7@example.com', 'p6@example.com']);
  expect(Date.parse(answer.at)).toBeLessThanOrEqual(Date.now());
  expect((await gateway.api('DELETE', `${base}/contract/lines/${id}`)).status).toBe(204);
  expect(await cliff()).toMatchObject({ at: null, total: 0 });
});

it('says how much history a forecast needs', async () => {
  const { body } = await gateway.api('GET', `${base}/seats/forecast`);
  expect(body).toEqual({ history: 0, historyNeeded: 14, p50: null, p90: null, fullBeforeTermEnd: null });
});

it('lists alerts by pages, and notes who has taken notice', async () => {
  const list = async (query = '') => (await gateway.api('GET', `${base}/alerts${query}`)).body;
  for (let n = 0; (await list()).items.length === 0 && n < 100; n += 1) {
    await new Promise((done) => setTimeout(done, 100));
  }
  const { items, nextCursor } = await list();
  expect(nextCursor).toBeNull();
  expect(items[0]).toMatchObject({ state: 'open', acknowledgedAt: null, acknowledgedBy: null });
  expect(items[0].message).toContain('seats');
  expect(items[0].items[0]).toMatchObject({ kind: expect.any(String), message: expect.any(String) });
  const done = await gateway.api('POST', `${base}/alerts/${items[0].id}/acknowledge`);
  expect([done.status, done.body]).toMatchObject([
    200,
    { state: 'acknowledged', acknowledgedAt: expect.any(String), acknowledgedBy: { kind: 'operator' } },
  ]);
  expect((await list()).items).toEqual([]);
  expect((await list('?state=all&limit=1')).items).toEqual([done.body]);
  for (const id of ['x', '00000000-0000-7000-8000-00000000000a']) {
    expect((await gateway.api('POST', `${base}/alerts/${id}/acknowledge`)).status).toBe(404);
  }
  expect((await gateway.api('GET', `${base}/alerts?state=closed`)).body.field).toBe('state');
});
