/** Bulk (RFC 7644 §3.7): many operations in one request, with references between what they make. */

import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { enterpriseUrn, groupUrn, newClient, type ScimClient, userUrn } from './scim-support.ts';

let gateway: TestGateway;
let client: ScimClient;

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  client = await newClient(gateway);
});

const newUser = (bulkId: string, attributes: object = {}) => ({
  method: 'POST',
  path: '/Users',
  bulkId,
  data: { schemas: [userUrn, enterpriseUrn], userName: `${bulkId}@example.com`, ...attributes },
});
const newGroup = (bulkId: string, ...members: string[]) => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { schemas: [groupUrn], displayName: bulkId, members: members.map((value) => ({ value })) },
});
const managedBy = (value: string) => ({ [enterpriseUrn]: { manager: { value } } });
const statuses = (body: { Operations: { status: string }[] }) => body.Operations.map(({ status }) => status);
const idOf = (operation: { location: string }) => operation.location.split('/').at(-1);
const total = async (path: string) => (await client.send('GET', path)).body.totalResults;

describe('a Bulk request', () => {
  it('performs each operation and answers each', async () => {
    const old = await client.user({ userName: 'old@example.com' });
    const gone = await client.user({ userName: 'gone@example.com' });
    const { status, body, headers } = await client.bulk([
      newUser('ann'),
      { method: 'PUT', path: `/Users/${old.id}`, data: { schemas: [userUrn], userName: 'new@example.com' } },
      {
        method: 'PATCH',
        path: `/Users/${old.id}`,
        version: 'W/"2"',
        data: {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'add', path: 'title', value: 'Boss' }],
        },
      },
      { method: 'DELETE', path: `/Users/${gone.id}` },
    ]);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('application/scim+json');
    expect(body.schemas).toEqual(['urn:ietf:params:scim:api:messages:2.0:BulkResponse']);
    const base = `${gateway.url}/scim/v2/Users`;
    expect(body.Operations).toEqual([
      {
        method: 'POST',
        bulkId: 'ann',
        version: 'W/"1"',
        location: expect.stringContaining(base),
        status: '201',
      },
      { method: 'PUT', version: 'W/"2"', location: `${base}/${old.id}`, status: '200' },
      { method: 'PATCH', version: 'W/"3"', location: `${base}/${old.id}`, status: '200' },
      { method: 'DELETE', location: `${base}/${gone.id}`, status: '204' },
    ]);
    expect((await client.send('GET', `/Users/${old.id}`)).body).toMatchObject({
      userName: 'new@example.com',
      title: 'Boss',
    });
    expect((await client.send('GET', `/Users/${gone.id}`)).status).toBe(404);
  });

  it('keeps the version of an operation as If-Match does', async () => {
    const { id } = await client.user({ userName: 'x@example.com' });
    const { body } = await client.bulk([{ method: 'DELETE', path: `/Users/${id}`, version: 'W/"5"' }]);
    expect(body.Operations[0]).toMatchObject({ status: '412', response: { status: '412' } });
    expect((await client.send('GET', `/Users/${id}`)).status).toBe(200);
  });
});

describe('references', () => {
  it('lead forwards: a group before its members', async () => {
    const { body } = await client.bulk([
      newGroup('team', 'bulkId:ann', 'bulkId:bob'),
      newUser('ann'),
      newUser('bob'),
    ]);
    expect(statuses(body)).toEqual(['201', '201', '201']);
    const [team, ann, bob] = body.Operations.map(idOf);
    const { members } = (await client.send('GET', `/Groups/${team}`)).body;
    expect(members.map(({ value }: { value: string }) => value).sort()).toEqual([ann, bob].sort());
  });

  it('lead in circles: two who manage each other', async () => {
    const { body } = await client.bulk([
      newUser('ann', managedBy('bulkId:bob')),
      newUser('bob', managedBy('bulkId:ann')),
    ]);
    expect(statuses(body)).toEqual(['201', '201']);
    const [ann, bob] = body.Operations.map(idOf);
    const managerOf = async (id: string) =>
      (await client.send('GET', `/Users/${id}`)).body[enterpriseUrn].manager.value;
    expect([await managerOf(ann), await managerOf(bob)]).toEqual([bob, ann]);
  });

  it('stand in paths, and in the paths of a PATCH', async () => {
    const { body } = await client.bulk([
      newUser('ann'),
      newGroup('team', 'bulkId:ann'),
      {
        method: 'PATCH',
        path: '/Groups/bulkId:team',
        data: {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'remove', path: 'members[value eq "bulkId:ann"]' }],
        },
      },
    ]);
    expect(statuses(body)).toEqual(['201', '201', '204']);
    expect((await client.send('GET', `/Groups/${idOf(body.Operations[1])}`)).body.members).toBeUndefined();
  });

  it('from a user to a group change nothing: groups are read-only there', async () => {
    const { body } = await client.bulk([
      newUser('ann', { groups: [{ value: 'bulkId:team' }] }),
      newGroup('team', 'bulkId:ann'),
    ]);
    expect(statuses(body)).toEqual(['201', '201']);
  });

  it('to what no operation makes, or what failed, are refused, and only they', async () => {
    await client.user({ userName: 'taken@example.com' });
    const { body } = await client.bulk([
      newUser('taken'),
      newGroup('first', 'bulkId:taken'),
      newGroup('second', 'bulkId:nobody'),
      newUser('fine'),
    ]);
    expect(statuses(body)).toEqual(['409', '409', '400', '201']);
    expect(body.Operations[1].response.detail).toContain('bulkId:taken');
    expect(body.Operations[2].response).toMatchObject({ scimType: 'invalidValue' });
    expect(await total('/Groups')).toBe(0);
  });

  it('in a circle with one who fails leave nobody behind', async () => {
    await client.user({ userName: 'bob@example.com' });
    const { body } = await client.bulk([
      newUser('ann', managedBy('bulkId:bob')),
      newUser('bob', managedBy('bulkId:carl')),
      newUser('carl', managedBy('bulkId:ann')),
    ]);
    expect(statuses(body)).toEqual(['409', '409', '409']);
    expect(await total('/Users')).toBe(1);
  });
});

/** While the database refuses to insert or delete people with that error. */
async function failing<T>(verb: 'insert' | 'delete', code: string, work: () => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: gateway.databaseUrl });
  await owner.connect();
  await owner.query(`create or replace function refuse() returns trigger language plpgsql as
    $$ begin raise 'no' using errcode = '${code}'; end $$`);
  await owner.query(`create trigger refuse before ${verb} on users for each row execute function refuse()`);
  try {
    return await work();
  } finally {
    await owner.query('drop trigger refuse on users');
    await owner.end();
  }
}

it.each(['40P01', '40001'])('what the database gives up for others (%s) is worth repeating', async (code) => {
  const { body } = await failing('insert', code, () => client.bulk([newUser('ann')]));
  expect(statuses(body)).toEqual(['503']);
  const data = newUser('ann').data;
  const alone = await failing('insert', code, () => client.send('POST', '/Users', data));
  expect([alone.status, alone.headers.get('retry-after')]).toEqual([503, '5']);
  expect((await client.send('POST', '/Users', data)).status).toBe(201);
});

it('says of each operation what became of it, also when what dangles can not be taken back', async () => {
  await client.user({ userName: 'bob@example.com' });
  const { status, body } = await failing('delete', 'P0001', () =>
    client.bulk([
      newUser('ann', managedBy('bulkId:bob')),
      newUser('bob', managedBy('bulkId:carl')),
      newUser('carl', managedBy('bulkId:ann')),
      newUser('dora'),
    ]),
  );
  expect([status, statuses(body)]).toEqual([200, ['409', '409', '500', '201']]);
});

describe('errors', () => {
  it('end the rest after failOnErrors', async () => {
    const bad = { method: 'POST', path: '/Users', bulkId: 'bad', data: { schemas: [userUrn] } };
    const operations = [newUser('a'), bad, newUser('b'), { ...bad, bulkId: 'worse' }, newUser('c')];
    expect(statuses((await client.bulk(operations, { failOnErrors: 2 })).body)).toEqual([
      '201',
      '400',
      '201',
      '400',
    ]);
    expect(await total('/Users')).toBe(2);
    const other = await newClient(gateway);
    expect(statuses((await other.bulk(operations)).body)).toEqual(['201', '400', '201', '400', '201']);
  });

  it.each([
    ['no method', { path: '/Users', bulkId: 'x' }],
    ['a method that reads', { method: 'GET', path: '/Users/1' }],
    ['no path', { method: 'POST', bulkId: 'x' }],
    ['another path', { method: 'POST', path: '/Bulk', bulkId: 'x' }],
    ['a POST without bulkId', { method: 'POST', path: '/Users', data: {} }],
    ['a POST with an id', { method: 'POST', path: '/Users/1', bulkId: 'x' }],
    ['a DELETE without an id', { method: 'DELETE', path: '/Users' }],
    ['nothing', null],
  ])('of an operation with %s are its own', async (_what, operation) => {
    const { status, body } = await client.bulk([operation as object, newUser('fine')]);
    expect([status, ...statuses(body)]).toEqual([200, '400', '201']);
    expect(body.Operations[0].response.detail).toMatch(/Operations\[0\]/);
  });

  it.each([
    ['without its schema', { Operations: [] }, 400],
    ['without operations', { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'] }, 400],
  ])('of a request %s', async (_what, body, status) => {
    expect((await client.send('POST', '/Bulk', body)).status).toBe(status);
  });

  it('of a bulkId that stands twice, of failOnErrors, of too many operations', async () => {
    expect((await client.bulk([newUser('a'), newUser('a')])).body.scimType).toBe('invalidValue');
    expect((await client.bulk([], { failOnErrors: 0 })).status).toBe(400);
    const many = Array.from({ length: limits.bulkOperationsMax + 1 }, (_, n) => newUser(`u${n}`));
    const refused = await client.bulk(many);
    expect(refused.status).toBe(413);
    expect(refused.body.detail).toContain(String(limits.bulkOperationsMax));
    expect(await total('/Users')).toBe(0);
  });
});

it('says in ServiceProviderConfig what it takes', async () => {
  const { bulk } = (await client.send('GET', '/ServiceProviderConfig')).body;
  expect(bulk).toEqual({
    supported: true,
    maxOperations: limits.bulkOperationsMax,
    maxPayloadSize: limits.bodyBytesMax,
  });
});

it('makes 1,000 people and a group of them in one request', { timeout: 60_000 }, async () => {
  const names = Array.from({ length: limits.bulkOperationsMax - 1 }, (_, n) => `p${n}`);
  const { body } = await client.bulk([
    newGroup('all', ...names.map((name) => `bulkId:${name}`)),
    ...names.map((name) => newUser(name)),
  ]);
  expect(new Set(statuses(body))).toEqual(new Set(['201']));
  expect((await client.send('GET', `/Groups/${idOf(body.Operations[0])}`)).body.members).toHaveLength(
    names.length,
  );
});
