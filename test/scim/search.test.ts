/** Searches: order, pages by index and by cursor, searches by POST and over all types, projections (RFC 7644 §3.4, §3.9, RFC 9865). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
import { provisioningSchema } from '../../src/scim/core/schemas.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { enterpriseUrn, groupUrn, newClient, type ScimClient, userUrn } from './scim-support.ts';

let gateway: TestGateway;
let client: ScimClient;
const people: { id: string; userName: string }[] = [];

beforeAll(async () => {
  gateway = await startGateway();
  client = await newClient(gateway);
  const attributes = [
    { userName: 'Carl@example.com', title: 'b', active: false, name: { familyName: 'Zorn' } },
    { userName: 'ann@example.com', title: 'A', name: { familyName: 'abel' } },
    { userName: 'Bob@example.com', emails: [{ value: 'z@x.org' }, { value: 'b@x.org', primary: true }] },
    { userName: 'dora@example.com', title: 'C', emails: [{ value: 'C@x.org' }] },
    { userName: 'eve@example.com', [enterpriseUrn]: { department: 'Sales' }, emails: [{ value: 'a@x.org' }] },
  ];
  for (const one of attributes) people.push(await client.user(one));
  await client.group({ displayName: 'beta', members: [{ value: people[0]?.id }] });
  await client.group({ displayName: 'Alpha', externalId: 'g-1' });
});
afterAll(() => gateway.close());

type Named = { userName?: string; displayName?: string };
const nameOf = ({ userName, displayName }: Named) => userName?.split('@')[0] ?? displayName;
const names = (body: { Resources: Named[] }) => body.Resources.map(nameOf);
const query = (path: string, parameters: Record<string, string>) =>
  client.send('GET', `${path}?${new URLSearchParams(parameters)}`);

describe('sorting', () => {
  it.each([
    ['userName', 'ascending', 'ann Bob Carl dora eve'],
    ['userName', 'descending', 'eve dora Carl Bob ann'],
    ['USERNAME', 'Ascending', 'ann Bob Carl dora eve'],
    ['title', 'ascending', 'ann Carl dora Bob eve'],
    ['name.familyName', 'ascending', 'ann Carl Bob dora eve'],
    ['emails', 'ascending', 'eve Bob dora Carl ann'],
    ['emails.value', 'ascending', 'eve Bob dora Carl ann'],
    ['active', 'ascending', 'Carl ann Bob dora eve'],
    ['meta.created', 'ascending', 'Carl ann Bob dora eve'],
    ['id', 'descending', 'eve dora Bob ann Carl'],
    [`${enterpriseUrn}:department`, 'ascending', 'eve Carl ann Bob dora'],
  ])('by %s, %s', async (sortBy, sortOrder, expected) => {
    const { status, body } = await query('/Users', { sortBy, sortOrder });
    expect([status, names(body).join(' ')]).toEqual([200, expected]);
  });

  it('puts what has no value last, and first when descending (§3.4.2.3)', async () => {
    expect(
      names((await query('/Users', { sortBy: 'title', sortOrder: 'descending' })).body).slice(0, 2),
    ).toEqual(['Bob', 'eve']);
  });

  it.each(['nonsense', 'groups', 'groups.value', 'meta', 'x509Certificates', 'schemas', '__proto__'])(
    'by %s is refused',
    async (sortBy) => {
      const { status, body } = await query('/Users', { sortBy });
      expect([status, body.scimType]).toEqual([400, 'invalidPath']);
    },
  );

  it('in another order is refused', async () => {
    const { status, body } = await query('/Users', { sortBy: 'userName', sortOrder: 'up' });
    expect([status, body.scimType]).toEqual([400, 'invalidValue']);
  });

  it('of groups keeps their members with them', async () => {
    const { body } = await query('/Groups', { sortBy: 'displayName' });
    expect(names(body)).toEqual(['Alpha', 'beta']);
    expect(body.Resources[0].members).toBeUndefined();
    expect(body.Resources[1].members).toHaveLength(1);
  });
});

describe('groups in another order than that of their ids', () => {
  it('have their own members, few or many, in few statements', { timeout: 60_000 }, async () => {
    const own = await newClient(gateway);
    const { body } = await own.bulk(
      Array.from({ length: 120 }, (_, n) => ({
        method: 'POST',
        path: '/Users',
        bulkId: `u${n}`,
        data: { schemas: [userUrn], userName: `m${n}@example.com` },
      })),
    );
    const ids: string[] = body.Operations.map(({ location }: { location: string }) =>
      location.split('/').at(-1),
    );
    const sizes = Array.from({ length: 70 }, (_, n) => (n * 37) % 120);
    for (const [n, size] of sizes.entries()) {
      await own.group({
        displayName: `Group ${String(1000 - n)}`,
        members: ids.slice(0, size).map((value) => ({ value })),
      });
    }
    const { body: list } = await own.send('GET', '/Groups?sortBy=displayName&count=100');
    const found = list.Resources.map(
      ({ displayName, members = [] }: { displayName: string; members?: object[] }) => [
        displayName,
        members.length,
      ],
    );
    const expected = sizes.map((size, n) => [`Group ${String(1000 - n)}`, size]);
    expect(found).toEqual(expected.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  });
});

describe('pages by index', () => {
  it('past the end are empty and tell the true total', async () => {
    const { body } = await query('/Users', { startIndex: '50', count: '2' });
    expect(body).toMatchObject({ totalResults: 5, startIndex: 50, itemsPerPage: 0, Resources: [] });
  });

  it('are as large as is told', async () => {
    const { pagination, filter } = (await client.send('GET', '/ServiceProviderConfig')).body;
    expect(pagination).toEqual({
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: limits.pageSizeDefault,
      maxPageSize: limits.pageSizeMax,
    });
    expect(filter.maxResults).toBe(limits.pageSizeMax);
  });
});

describe('pages by cursor', () => {
  async function walk(path: string, parameters: Record<string, string>): Promise<string[]> {
    const found: string[] = [];
    for (let cursor: string | undefined = '', pages = 0; cursor !== undefined && pages < 20; pages += 1) {
      const { status, body } = await query(path, { ...parameters, cursor });
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('totalResults');
      expect(body).not.toHaveProperty('startIndex');
      expect(body.itemsPerPage).toBe(body.Resources.length);
      found.push(...names(body).map(String));
      cursor = body.nextCursor;
      if (cursor !== undefined) expect(cursor).toMatch(/^[A-Za-z0-9_~.-]+$/);
    }
    return found;
  }

  it.each(['1', '2', '5', '100'])('of %s show everybody once', async (count) => {
    expect((await walk('/Users', { count })).join(' ')).toBe('Carl ann Bob dora eve');
  });

  it.each([
    ['title', 'ascending', 'ann Carl dora Bob eve'],
    ['title', 'descending', 'Bob eve dora Carl ann'],
    ['userName', 'descending', 'eve dora Carl Bob ann'],
    ['active', 'descending', 'ann Bob dora eve Carl'],
    ['meta.lastModified', 'ascending', 'Carl ann Bob dora eve'],
  ])('keep the order by %s, %s', async (sortBy, sortOrder, expected) => {
    expect((await walk('/Users', { count: '2', sortBy, sortOrder })).join(' ')).toBe(expected);
  });

  it('lead on behind the longest names, whatever they are made of', async () => {
    const of = await newClient(gateway);
    const longest = ['"'.repeat(2047), '\u0001'.repeat(2047), '\u{1f600}'.repeat(511)];
    for (const name of longest) for (const end of ['1', '2']) await of.user({ userName: `${name}${end}` });
    const found: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const parameters = new URLSearchParams({ sortBy: 'userName', count: '1', cursor });
      const { status, body } = await of.send('GET', `/Users?${parameters}`);
      expect([status, body.scimType]).toEqual([200, undefined]);
      found.push(...body.Resources.map(({ userName }: Named) => userName));
      cursor = body.nextCursor;
    }
    expect(new Set(found).size).toBe(6);
  });

  it('keep a filter, and walk groups and both at once', async () => {
    expect(await walk('/Users', { count: '1', filter: 'title pr' })).toEqual(['Carl', 'ann', 'dora']);
    expect(await walk('/Groups', { count: '1' })).toEqual(['beta', 'Alpha']);
    expect(await walk('/', { count: '3', sortBy: 'displayName' })).toHaveLength(7);
  });

  it('of none tell how many there are', async () => {
    const { body } = await query('/Users', { cursor: '', count: '0' });
    expect(body).toMatchObject({ totalResults: 5, itemsPerPage: 0, Resources: [] });
    expect(body).not.toHaveProperty('nextCursor');
  });

  it.each([
    ['a cursor that is none', { cursor: 'nonsense' }, 'invalidCursor'],
    ['a cursor that is JSON', { cursor: Buffer.from('[1,2,3,4]').toString('base64url') }, 'invalidCursor'],
    ['a count that is none', { cursor: '', count: 'x' }, 'invalidCount'],
    ['a negative count', { cursor: '', count: '-1' }, 'invalidCount'],
    ['both ways at once', { cursor: '', startIndex: '2' }, 'invalidValue'],
  ])('by %s are refused', async (_what, parameters, scimType) => {
    const { status, body } = await query('/Users', parameters as Record<string, string>);
    expect([status, body.scimType]).toEqual([400, scimType]);
  });

  it('of another search are refused', async () => {
    const { nextCursor: cursor } = (await query('/Users', { cursor: '', count: '1' })).body;
    for (const [path, more] of [
      ['/Users', { filter: 'title pr' }],
      ['/Users', { sortBy: 'title' }],
      ['/Users', { sortOrder: 'descending' }],
      ['/Groups', {}],
    ] as const) {
      const { status, body } = await query(path, { cursor, ...more } as Record<string, string>);
      expect([status, body.scimType]).toEqual([400, 'invalidCursor']);
    }
  });

  it('are taken however long the key is, and whatever stands in it', async () => {
    const stranger = await newClient(gateway);
    const names = ['a', 'b'].map((name) => `${name}\n ${'\u0001"'.repeat(1000)}`);
    for (const userName of names) await stranger.user({ userName });
    const first = await stranger.send('GET', '/Users?sortBy=userName&cursor=&count=1');
    const second = await stranger.send(
      'GET',
      `/Users?sortBy=userName&count=1&cursor=${first.body.nextCursor}`,
    );
    expect(second.status).toBe(200);
    const found = [first, second].map(({ body }) => body.Resources[0].userName);
    expect(found).toEqual(names);
  });

  it('made up of a key of the wrong type are refused, not a mistake of ours', async () => {
    const { nextCursor } = (await query('/Users', { cursor: '', count: '1', sortBy: 'meta.created' })).body;
    const [mark, type, id] = Buffer.from(nextCursor, 'base64url').toString().split(' ');
    const cursor = Buffer.from(`${mark} ${type} ${id} no time`).toString('base64url');
    const { status, body } = await query('/Users', { cursor, sortBy: 'meta.created' });
    expect([status, body.scimType]).toEqual([400, 'invalidCursor']);
  });
});

describe('a filter by schemas (RFC 7644 §3.4.2.2, Figure 2)', () => {
  it.each([
    ['/Users', `schemas eq "${enterpriseUrn}"`, ['eve']],
    ['/Users', `schemas eq "${enterpriseUrn.toUpperCase()}"`, ['eve']],
    ['/Users', `not (schemas eq "${enterpriseUrn}") and title pr`, ['Carl', 'ann', 'dora']],
    ['/Users', `schemas ne "${enterpriseUrn}" and title pr`, ['Carl', 'ann', 'dora']],
    ['/Users', `schemas eq "${userUrn}" and title eq "a"`, ['ann']],
    ['/Users', 'schemas eq "urn:example:nobody"', []],
    ['/Users', `schemas eq "${provisioningSchema.id}" and title eq "a"`, ['ann']],
    ['/Groups', `schemas eq "${enterpriseUrn}"`, []],
    ['/', `schemas eq "${groupUrn}"`, ['beta', 'Alpha']],
    ['/', `schemas eq "${groupUrn}" or schemas eq "${enterpriseUrn}"`, ['eve', 'beta', 'Alpha']],
  ])('of %s: %s', async (path, filter, expected) => {
    const { status, body } = await query(path, { filter });
    expect([status, body.Resources && names(body)]).toEqual([200, expected]);
  });

  it('takes only eq and ne', async () => {
    const { status, body } = await query('/Users', { filter: 'schemas co "User"' });
    expect([status, body.scimType]).toEqual([400, 'invalidFilter']);
  });
});

describe('POST /.search', () => {
  it('of users does what GET does', async () => {
    const wanted = {
      filter: 'title pr',
      sortBy: 'userName',
      startIndex: 2,
      count: 1,
      attributes: ['userName'],
    };
    const { status, body } = await client.search('/Users', wanted);
    expect(status).toBe(200);
    expect(body).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 3,
      startIndex: 2,
      itemsPerPage: 1,
      Resources: [{ schemas: expect.anything(), id: people[0]?.id, userName: 'Carl@example.com' }],
    });
  });

  it('of groups leaves members out when asked', async () => {
    const { body } = await client.search('/Groups', { excludedAttributes: ['members'] });
    expect(JSON.stringify(body)).not.toContain('"members"');
  });

  it('pages by cursor in the body', async () => {
    const first = (await client.search('/Users', { cursor: '', count: 3 })).body;
    const second = (await client.search('/Users', { cursor: first.nextCursor, count: 3 })).body;
    expect([...names(first), ...names(second)]).toEqual(['Carl', 'ann', 'Bob', 'dora', 'eve']);
  });

  it.each([
    ['without its schema', { filter: 'title pr' }],
    ['that is a list', []],
  ])('of a body %s is refused', async (_what, body) => {
    const answer = await client.send('POST', '/Users/.search', body);
    expect([answer.status, answer.body.scimType]).toEqual([400, 'invalidSyntax']);
  });
});

describe('a filter', () => {
  it.each([
    [`schemas eq "${enterpriseUrn}"`, ['eve']],
    [`schemas eq "${enterpriseUrn.toUpperCase()}"`, ['eve']],
    [`schemas ne "${enterpriseUrn}" and userName sw "d"`, ['dora']],
    [`schemas eq "${userUrn}" and userName sw "d"`, ['dora']],
    ['schemas eq "urn:nobody:has"', []],
    ['meta.version eq "W/\\"1\\"" and userName sw "d"', ['dora']],
    ['meta.resourceType eq "User" and userName sw "d"', ['dora']],
    ['meta.resourceType eq "Group"', []],
    [`${userUrn}:externalId pr`, []],
    [`${userUrn}:meta.resourceType eq "User" and ${userUrn}:userName sw "d"`, ['dora']],
  ])('%s', async (filter, expected) => {
    expect(names((await query('/Users', { filter })).body)).toEqual(expected);
  });
});

it('reads parameters in any case: a filter that is not seen would be answered with everybody', async () => {
  const { body } = await query('/Users', { FILTER: 'title pr', Count: '1' });
  expect(body).toMatchObject({ totalResults: 3, itemsPerPage: 1 });
});

describe('a search over all types', () => {
  it('finds users and groups, each with its own attributes', async () => {
    const { status, body } = await client.search('', {});
    expect([status, body.totalResults, body.itemsPerPage]).toEqual([200, 7, 7]);
    expect(names(body)).toEqual(['Carl', 'ann', 'Bob', 'dora', 'eve', 'beta', 'Alpha']);
    expect(body.Resources[5].members).toHaveLength(1);
  });

  it.each([
    ['meta.resourceType eq "Group"', ['beta', 'Alpha']],
    ['displayName sw "al"', ['Alpha']],
    ['userName sw "ann"', ['ann']],
    ['userName sw "ann" or displayName eq "beta"', ['ann', 'beta']],
    ['not (userName pr)', ['beta', 'Alpha']],
    ['userName ne "ann@example.com" and displayName pr', ['beta', 'Alpha']],
    ['externalId eq "g-1"', ['Alpha']],
    ['emails[value eq "b@x.org"]', ['Bob']],
    ['userName eq null', ['beta', 'Alpha']],
    ['not (userName ne null)', ['beta', 'Alpha']],
    ['externalId ne null and title eq null', ['Alpha']],
  ])('takes an attribute that a type does not have for unassigned: %s', async (filter, expected) => {
    expect(names((await query('/', { filter })).body)).toEqual(expected);
  });

  it('refuses what no type has', async () => {
    const { status, body } = await query('/', { filter: 'nonsense eq "x"' });
    expect([status, body.scimType]).toEqual([400, 'invalidFilter']);
    expect((await query('/', { sortBy: 'nonsense' })).body.scimType).toBe('invalidPath');
  });

  it('sorts both by what one of them has', async () => {
    expect(names((await query('/', { sortBy: 'userName', count: '3' })).body)).toEqual([
      'ann',
      'Bob',
      'Carl',
    ]);
    const { body } = await query('/', { sortBy: 'title', startIndex: '4' });
    expect(body).toMatchObject({ totalResults: 7, startIndex: 4, itemsPerPage: 4 });
  });

  it('pages past the end', async () => {
    expect((await query('/', { startIndex: '100' })).body).toMatchObject({ totalResults: 7, Resources: [] });
  });
});

it('there is no /Me for a token that stands for no user', async () => {
  for (const method of ['GET', 'PUT', 'PATCH', 'POST', 'DELETE']) {
    const { status, body } = await client.send(method, '/Me', method === 'GET' ? undefined : {});
    expect([status, body.status]).toEqual([501, '501']);
  }
});
