/** A recorded call tried again as a dry run: what it would answer and change now, and that nothing was changed. */

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { groupUrn, newClient, type ScimClient, userUrn } from '../scim/scim-support.ts';
import { type Answer, startGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let client: ScimClient;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  client = await newClient(gateway);
});

const requests = () => `/tenants/${client.tenant.slug}/requests`;

/** The id under which a call was recorded. */
async function recorded({ headers }: Answer): Promise<string> {
  for (let tries = 0; tries < 50; tries += 1) {
    const query = `requestId=${headers.get('x-request-id')}`;
    const { items } = (await gateway.api('GET', `${requests()}?${query}`)).body;
    if (items.length > 0) return items[0].id;
    await sleep(50);
  }
  throw new Error('not recorded');
}
const replay = async (answer: Answer) =>
  (await gateway.api('POST', `${requests()}/${await recorded(answer)}/replay`)).body;
const everything = async () =>
  JSON.stringify([
    (await client.send('GET', '/Users')).body,
    (await client.send('GET', '/Groups')).body,
    (await gateway.api('GET', `/tenants/${client.tenant.slug}/audit?limit=200`)).body.items,
  ]);
const newUser = (userName: string) => ({ schemas: [userUrn], userName });

it('of a creation that was refused says that it would be done now', async () => {
  const { id } = await client.user({ userName: 'ann@example.com' });
  const refused = await client.send('POST', '/Users', newUser('ann@example.com'));
  expect(refused.status).toBe(409);
  expect(await replay(refused)).toMatchObject({ recordedStatus: 409, status: 409, changes: [] });
  await client.send('DELETE', `/Users/${id}`);
  const before = await everything();
  const answer = await replay(refused);
  expect(answer).toMatchObject({
    recordedStatus: 409,
    status: 201,
    body: { userName: 'ann@example.com' },
    changes: [{ action: 'user.created', after: { attributes: { userName: 'ann@example.com' } } }],
  });
  expect(await everything()).toBe(before);
  expect((await client.send('GET', `/Users/${answer.body.id}`)).status).toBe(404);
});

it('of a change of members shows the decisions that would follow', async () => {
  const { slug } = client.tenant;
  await gateway.api('PUT', `/tenants/${slug}/contract`, {
    kind: 'annual',
    tier: 'x',
    paidSeats: 5,
    startsOn: '2020-01-01',
    endsOn: '2099-12-31',
    paymentSchedule: 'annual',
    overage: { policy: 'queue' },
    fallbackRole: 'view_only',
  });
  const group = await client.group({ displayName: 'Team' });
  const { id } = await client.user({ userName: 'ann@example.com' });
  const add = await client.patch(`/Groups/${group.id}`, {
    op: 'add',
    path: 'members',
    value: [{ value: id }],
  });
  await client.patch(`/Groups/${group.id}`, { op: 'remove', path: 'members' });
  const mapping = { group: { id: group.id }, role: 'team_member', workspaces: ['w1'], priority: 1 };
  expect((await gateway.api('POST', `/tenants/${slug}/mappings`, mapping)).status).toBe(201);
  const before = await everything();
  const { status, body, changes } = await replay(add);
  expect([status, body]).toEqual([204, null]);
  expect(changes.map(({ action }: { action: string }) => action)).toEqual([
    'group.members_changed',
    'decision.changed',
  ]);
  expect(changes[1].after.effective).toMatchObject([{ role: 'team_member', billing: 'paid' }]);
  expect(await everything()).toBe(before);
});

it('finds nothing where a request found nothing, and all where it found all', async () => {
  const { id } = await client.user({ userName: 'ann@example.com' });
  const calls = [
    ['POST', `/Users/${id}`, newUser('bob@example.com')],
    ['PUT', '/Users', newUser('bob@example.com')],
    ['DELETE', '/Groups', undefined],
    ['GET', '', undefined],
    ['HEAD', `/Users/${id}`, undefined],
  ] as const;
  for (const [method, path, body] of calls) {
    const answer = await client.send(method, path, body);
    expect(await replay(answer), `${method} ${path}`).toMatchObject({ status: answer.status, changes: [] });
  }
});

it('of a Bulk request lets each operation see those before it', async () => {
  const bulk = await client.bulk([
    { method: 'POST', path: '/Users', bulkId: 'a', data: newUser('bulk@example.com') },
    {
      method: 'POST',
      path: '/Groups',
      bulkId: 'g',
      data: { schemas: [groupUrn], displayName: 'Bulk', members: [{ value: 'bulkId:a' }] },
    },
  ]);
  for (const { location } of bulk.body.Operations) {
    await client.send('DELETE', location.slice(`${gateway.url}/scim/v2`.length));
  }
  const before = await everything();
  const { status, body } = await replay(bulk);
  expect(status).toBe(200);
  expect(body.Operations.map((one: { status: string }) => one.status)).toEqual(['201', '201']);
  expect(await everything()).toBe(before);
});

it('of searches and reads answers what is there now', async () => {
  const search = await client.search('/Users', { filter: 'userName sw "a"' });
  const list = await client.send('GET', '/Users?filter=userName eq "ann@example.com"&attributes=userName');
  const { id } = await client.user({ userName: 'ann@example.com' });
  const read = await client.send('GET', `/Users/${id}`);
  expect((await replay(search)).body.totalResults).toBe(1);
  expect((await replay(list)).body.Resources[0].userName).toBe('ann@example.com');
  await client.send('DELETE', `/Users/${id}`);
  expect(await replay(read)).toMatchObject({ recordedStatus: 200, status: 404 });
});

it('is not possible for what is not kept whole, and of nobody else', async () => {
  const long = await client.send('POST', '/Users', {
    ...newUser('long@example.com'),
    title: 'x'.repeat(40_000),
  });
  const cut = await gateway.api('POST', `${requests()}/${await recorded(long)}/replay`);
  expect([cut.status, cut.body.code]).toEqual([409, 'conflict']);
  const junk = await client.send('POST', '/Users', '{"userName":');
  expect((await gateway.api('POST', `${requests()}/${await recorded(junk)}/replay`)).status).toBe(409);
  const stranger = await newClient(gateway);
  const theirs = `/tenants/${stranger.tenant.slug}/requests/${await recorded(long)}/replay`;
  expect((await gateway.api('POST', theirs)).status).toBe(404);
});

it('keeps nobody from being provisioned meanwhile', { timeout: 60_000 }, async () => {
  const [ann, bob] = [await client.user({ userName: 'ann' }), await client.user({ userName: 'bob' })];
  const patch = ({ id }: { id: string }, path: string, value: unknown) => ({
    method: 'PATCH',
    path: `/Users/${id}`,
    data: {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path, value }],
    },
  });
  // The first locks a person alone, the second the seats besides.
  const pairs = Array.from({ length: 20 }, (_, n) => [
    patch(ann, 'title', `t-${n}`),
    patch(bob, 'active', n % 2 === 0),
  ]);
  const bulk = await client.bulk(pairs.flat());
  await recorded(bulk);
  let isOver = false;
  const statuses = new Set<number>();
  const provision = async (name: string) => {
    for (let n = 0; !isOver; n += 1) {
      const value = [{ value: `${name}-${n}@example.com` }];
      statuses.add((await client.patch(`/Users/${ann.id}`, { op: 'replace', path: 'emails', value })).status);
    }
  };
  const provisioning = [provision('a'), provision('b'), provision('c')];
  for (let n = 0; n < 3; n += 1) {
    const { status, body } = await replay(bulk);
    expect(status).toBe(200);
    expect(new Set(body.Operations.map((one: { status: string }) => one.status))).toEqual(new Set(['200']));
  }
  isOver = true;
  await Promise.all(provisioning);
  expect([...statuses]).toEqual([200]);
});

it('is one at a time for a tenant, and gives its locks back after a while', { timeout: 20_000 }, async () => {
  await client.user({ userName: 'ann@example.com' });
  const call = await client.send('POST', '/Users', newUser('bob@example.com'));
  const id = await recorded(call);
  const owner = new pg.Client(gateway.databaseUrl);
  await owner.connect();
  await owner.query('begin');
  await owner.query('lock table users in share mode');
  const first = gateway.api('POST', `${requests()}/${id}/replay`);
  await sleep(300);
  const second = await gateway.api('POST', `${requests()}/${id}/replay`);
  expect([second.status, second.headers.get('retry-after')]).toEqual([429, '1']);
  const { status, body } = await first;
  expect([status, body.detail]).toEqual([409, expect.stringContaining('longer than 5 seconds')]);
  await owner.query('rollback');
  await owner.end();
  expect((await gateway.api('POST', `${requests()}/${id}/replay`)).status).toBe(201);
});
