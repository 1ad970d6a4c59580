/** Versions of resources (RFC 7644 §3.14): what changes them, and what a request may demand of them. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { newClient, type ScimClient, userUrn } from './scim-support.ts';

let gateway: TestGateway;
let client: ScimClient;

beforeAll(async () => {
  gateway = await startGateway();
  client = await newClient(gateway);
});
afterAll(() => gateway.close());

const title = (value: string) => ({ op: 'replace', path: 'title', value });
const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const patchIf = (path: string, ifMatch: string, ...Operations: object[]) =>
  client.send('PATCH', path, { schemas: [patchSchema], Operations }, { 'if-match': ifMatch });

describe('the version of a resource', () => {
  it('stands in meta and in ETag, and rises with each change alone', async () => {
    const created = await client.send('POST', '/Users', { schemas: [userUrn], userName: 'v1@example.com' });
    expect(created.headers.get('etag')).toBe('W/"1"');
    expect(created.body.meta.version).toBe('W/"1"');
    const path = `/Users/${created.body.id}`;
    expect((await client.patch(path, title('A'))).headers.get('etag')).toBe('W/"2"');
    expect((await client.patch(path, title('A'))).headers.get('etag')).toBe('W/"2"');
    expect((await client.send('GET', path)).headers.get('etag')).toBe('W/"2"');
  });

  it('of a group rises with its members; that of the member does not', async () => {
    const user = await client.user({ userName: 'v2@example.com' });
    const group = await client.group({ displayName: 'V2' });
    const add = { op: 'add', path: 'members', value: [{ value: user.id }] };
    const answer = await client.patch(`/Groups/${group.id}`, add);
    expect([answer.status, answer.headers.get('etag')]).toEqual([204, 'W/"2"']);
    expect((await client.patch(`/Groups/${group.id}`, add)).headers.get('etag')).toBe('W/"2"');
    expect((await client.send('GET', `/Users/${user.id}`)).headers.get('etag')).toBe('W/"1"');
  });
});

it('the version of a group rises when a member is deleted, and none is lost to who adds others meanwhile', async () => {
  const [gone, stays] = [
    await client.user({ userName: 'gone@example.com' }),
    await client.user({ userName: 'stays@example.com' }),
  ];
  const group = await client.group({ displayName: 'Left', members: [{ value: gone.id }] });
  const other = await client.group({ displayName: 'Untouched', members: [{ value: stays.id }] });
  const known = { 'if-none-match': 'W/"1"' };
  expect((await client.send('DELETE', `/Users/${gone.id}`)).status).toBe(204);
  const { status, headers, body } = await client.send('GET', `/Groups/${group.id}`, undefined, known);
  expect([status, headers.get('etag'), body.members]).toEqual([200, 'W/"2"', undefined]);
  expect(Date.parse(body.meta.lastModified)).toBeGreaterThan(Date.parse(group.meta.lastModified));
  expect((await client.send('GET', `/Groups/${other.id}`, undefined, known)).status).toBe(304);

  const people = await Promise.all(
    Array.from({ length: 20 }, (_, n) => client.user({ userName: `leaver-${n}@example.com` })),
  );
  const values = people.map(({ id }) => ({ value: id }));
  await client.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: values });
  const change = (op: string) => client.patch(`/Groups/${group.id}`, { op, path: 'members', value: values });
  const answers = await Promise.all([
    ...people.map(({ id }) => client.send('DELETE', `/Users/${id}`)),
    ...['remove', 'remove', 'remove', 'remove'].map(change),
  ]);
  expect(answers.filter((answer) => answer.status !== 204).map((answer) => answer.body)).toEqual([]);
  expect((await client.send('GET', `/Groups/${group.id}`)).body.members).toBeUndefined();
});

describe('If-None-Match', () => {
  it('answers 304 without a body for the version the caller has', async () => {
    const { id } = await client.user({ userName: 'v3@example.com' });
    const read = (tag: string) => client.send('GET', `/Users/${id}`, undefined, { 'if-none-match': tag });
    for (const tag of ['W/"1"', '"1"', 'W/"7", W/"1"', '*']) {
      const answer = await read(tag);
      expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([304, undefined, 'W/"1"']);
    }
    expect((await read('W/"2"')).status).toBe(200);
    const group = await client.group({ displayName: 'V3' });
    const same = await client.send('GET', `/Groups/${group.id}`, undefined, { 'if-none-match': 'W/"1"' });
    expect(same.status).toBe(304);
  });
});

it('HEAD answers what GET does, without the content (RFC 9110 §9.3.2)', async () => {
  const { id } = await client.user({ userName: 'head@example.com' });
  const group = await client.group({ displayName: 'Head', members: [{ value: id }] });
  for (const path of [`/Users/${id}`, `/Groups/${group.id}`]) {
    const answer = await client.send('HEAD', path);
    expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([200, undefined, 'W/"1"']);
    const same = await client.send('HEAD', path, undefined, { 'if-none-match': 'W/"1"' });
    expect(same.status).toBe(304);
  }
  expect((await client.send('HEAD', `/Users/${group.id}`)).status).toBe(404);
  for (const path of ['/Users', '/Groups', '', '/Schemas']) {
    expect([path, (await client.send('HEAD', path)).status]).toEqual([path, 200]);
  }
});

describe('If-Match', () => {
  it.each(['PUT', 'PATCH', 'DELETE'])(
    'refuses a %s of another version, and changes nothing',
    async (method) => {
      for (const [path, body] of [
        ['/Users', { schemas: [userUrn], userName: `if-${method}@example.com` }],
        [
          '/Groups',
          { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: `If ${method}` },
        ],
      ] as const) {
        const { id } = (await client.send('POST', path, body)).body;
        const change =
          method === 'PATCH'
            ? { schemas: [patchSchema], Operations: [{ op: 'replace', path: 'displayName', value: 'X' }] }
            : method === 'PUT'
              ? { ...body, displayName: 'X' }
              : undefined;
        const refused = await client.send(method, `${path}/${id}`, change, { 'if-match': 'W/"9"' });
        expect([refused.status, refused.body.status]).toEqual([412, '412']);
        expect(refused.body.detail).toContain('W/"1"');
        expect((await client.send('GET', `${path}/${id}`)).body.meta.version).toBe('W/"1"');
        const done = await client.send(method, `${path}/${id}`, change, { 'if-match': 'W/"1"' });
        expect(done.status).toBeLessThan(300);
      }
    },
  );

  it('with * holds for whatever is there', async () => {
    const { id } = await client.user({ userName: 'star@example.com' });
    expect((await patchIf(`/Users/${id}`, '*', title('X'))).status).toBe(200);
  });

  it('lets exactly one of 50 concurrent writers have each version', async () => {
    const { id } = await client.user({ userName: 'fifty@example.com' });
    for (let version = 1; version <= 3; version += 1) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          patchIf(`/Users/${id}`, `W/"${version}"`, title(`version ${version} of ${n}`)),
        ),
      );
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([200, ...Array.from({ length: 49 }, () => 412)]);
      const winner = answers.find(({ status }) => status === 200);
      const now = (await client.send('GET', `/Users/${id}`)).body;
      expect([now.title, now.meta.version]).toEqual([winner?.body.title, `W/"${version + 1}"`]);
    }
  });

  it('left out loses none of 50 concurrent changes', async () => {
    const { id } = await client.user({ userName: 'all@example.com' });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        client.patch(`/Users/${id}`, { op: 'add', path: 'roles', value: [{ value: `role-${n}` }] }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    const { roles, meta } = (await client.send('GET', `/Users/${id}`)).body;
    expect(new Set(roles.map(({ value }: { value: string }) => value)).size).toBe(50);
    expect(meta.version).toBe('W/"51"');
  });
});
