/**
 * A repeated POST is 409, unless the first one's connection closed before its answer was written: then it is answered
 * with what the first one made, for ten minutes.
 */

import { type ClientRequest, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { groupUrn, newClient, type ScimClient, userUrn } from './scim-support.ts';

let gateway: TestGateway;
let client: ScimClient;
let owner: pg.Client;

beforeAll(async () => {
  gateway = await startGateway();
  owner = new pg.Client({ connectionString: gateway.databaseUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await gateway.close();
});
beforeEach(async () => {
  client = await newClient(gateway);
});

/** Sends a POST and hangs up as soon as the request is out and the server works on it. */
async function hangUp(path: string, body: object): Promise<void> {
  // Nobody can insert while this lock is held, so that the answer can't be there before the connection is gone.
  const table = path === '/Users' ? 'users' : 'groups';
  const listPath = path === '/Bulk' ? '/Groups' : path;
  await owner.query('begin');
  await owner.query(`lock table ${table} in share mode`);
  const call = post(path, body);
  call.on('error', () => {});
  await waiting(table);
  call.destroy();
  await sleep(100);
  await owner.query('commit');
  for (let tries = 0; tries < 100; tries += 1) {
    const { body: list } = await client.send('GET', listPath);
    if (list.totalResults > 0) return;
    await sleep(20);
  }
  throw new Error('the request that was left did nothing');
}

function post(path: string, body: object): ClientRequest {
  const text = JSON.stringify(body);
  const call = request(`${gateway.url}/scim/v2${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${client.token}`,
      'content-type': 'application/scim+json',
      'content-length': Buffer.byteLength(text),
    },
  });
  call.end(text);
  return call;
}

async function waiting(table: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    await owner.query('select pg_stat_clear_snapshot()');
    const { rows } = await owner.query(
      `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query ~* $1 and datname = current_database()`,
      [`insert into "?${table}`],
    );
    if (rows.length > 0) return;
    await sleep(10);
  }
  throw new Error('nobody waits');
}

const user = { schemas: [userUrn], userName: 'lost@example.com', title: 'Boss', externalId: 'lost-1' };
const group = { schemas: [groupUrn], displayName: 'Lost' };

describe.each([
  ['/Users', user, { ...user, title: 'Other' }],
  ['/Groups', group, { ...group, externalId: 'other' }],
])('a POST to %s', (path, body, other) => {
  it('that is repeated after an answer is 409', async () => {
    expect((await client.send('POST', path, body)).status).toBe(201);
    const { status, body: error } = await client.send('POST', path, body);
    expect([status, error.scimType]).toEqual([409, 'uniqueness']);
    await sleep(400);
    expect((await client.send('POST', path, body)).status).toBe(409);
  });

  it('that is repeated after a lost answer is answered with what the first one made', async () => {
    await hangUp(path, body);
    const [made] = (await client.send('GET', path)).body.Resources;
    const again = await client.send('POST', path, body);
    expect([again.status, again.body.id]).toEqual([201, made.id]);
    expect(again.headers.get('location')).toBe(made.meta.location);
    expect((await client.send('GET', path)).body.totalResults).toBe(1);
    // Now it was answered.
    expect((await client.send('POST', path, body)).status).toBe(409);
  });

  it('of something else is 409 all the same', async () => {
    await hangUp(path, body);
    expect((await client.send('POST', path, other)).status).toBe(409);
    expect((await client.send('POST', path, body)).status).toBe(201);
  });

  it('of another directory is its own', async () => {
    await hangUp(path, body);
    const stranger = await newClient(gateway, 'okta', client.tenant);
    // Groups may have one name in two directories.
    if (path === '/Users') expect((await stranger.send('POST', path, body)).status).toBe(409);
    expect((await client.send('POST', path, body)).status).toBe(201);
  });

  it('is remembered for ten minutes', async () => {
    await hangUp(path, body);
    await asTenant(`update unanswered_creations set created_at = created_at - interval '11 minutes'`);
    expect((await client.send('POST', path, body)).status).toBe(409);
  });

  it('whose process died is answered by the next one', { timeout: 20_000 }, async () => {
    await hangUp(path, body);
    const [made] = (await client.send('GET', path)).body.Resources;
    // It knows nothing of what became of the answer, as after a start.
    const next = await startGateway({ databaseUrl: gateway.databaseUrl });
    const again = await next.scim(client.token, 'POST', path, body);
    expect([again.status, again.body.id]).toEqual([201, made.id]);
    await next.close();
  });
});

/** As the request role in the client's tenant: nobody else sees its rows. */
async function asTenant(statement: string): Promise<pg.QueryResult> {
  await owner.query('begin');
  await owner.query(
    `select set_config('role', 'blue_gateway_request', true), set_config('app.tenant_id', $1, true)`,
    [client.tenant.tenantId],
  );
  const result = await owner.query(statement);
  await owner.query('commit');
  return result;
}

it('of a Bulk request is remembered for each of its operations', async () => {
  const operations = [{ method: 'POST', path: '/Users', bulkId: 'a', data: user }];
  expect((await client.bulk(operations)).body.Operations[0].status).toBe('201');
  expect((await client.bulk(operations)).body.Operations[0].status).toBe('409');
});

it('of a Bulk request is what the others of the repeated request refer to', async () => {
  await hangUp('/Users', user);
  const [made] = (await client.send('GET', '/Users')).body.Resources;
  const members = [{ value: 'bulkId:a' }];
  const { body } = await client.bulk([
    { method: 'POST', path: '/Groups', bulkId: 'g', data: { ...group, members } },
    { method: 'POST', path: '/Users', bulkId: 'a', data: user },
    { method: 'DELETE', path: '/Users/bulkId:a' },
  ]);
  const [ofGroup, ofUser, gone] = body.Operations;
  expect([ofGroup.status, ofUser.status, gone.status]).toEqual(['201', '201', '204']);
  expect([ofUser.location, gone.location]).toEqual([made.meta.location, made.meta.location]);
});

it('of a Bulk request is given to those who refer to each other in it', async () => {
  const operations = [
    { method: 'POST', path: '/Users', bulkId: 'a', data: user },
    {
      method: 'POST',
      path: '/Groups',
      bulkId: 'g',
      data: { ...group, members: [{ value: 'bulkId:a' }] },
    },
  ];
  await hangUp('/Bulk', {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations: operations,
  });
  const { Operations: again } = (await client.bulk(operations)).body;
  expect(again.map(({ status }: { status: string }) => status)).toEqual(['201', '201']);
  const [made] = (await client.send('GET', '/Groups')).body.Resources;
  expect(again[1].location).toBe(made.meta.location);
  expect(made.members.map(({ value }: { value: string }) => again[0].location.endsWith(value))).toEqual([
    true,
  ]);
});

it('forgets what was answered, within a second', async () => {
  await client.user({ userName: 'forgotten@example.com' });
  for (let tries = 0; tries < 50; tries += 1) {
    if ((await asTenant('select 1 from unanswered_creations')).rows.length === 0) return;
    await sleep(20);
  }
  throw new Error('still there');
});
