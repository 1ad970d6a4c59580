/** Extension schemas that a tenant registers: read, shown, searched and told to those directories that have them. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { newClient, type ScimClient, userUrn } from './scim-support.ts';

let gateway: TestGateway;
let client: ScimClient;
const urn = 'urn:example:params:scim:schemas:badge:1.0:User';

beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  client = await newClient(gateway);
});

const attributes = [
  { name: 'number', type: 'string', required: true },
  { name: 'level', type: 'integer' },
  { name: 'weight', type: 'decimal' },
  { name: 'issued', type: 'dateTime' },
  { name: 'guest', type: 'boolean' },
  { name: 'Code', type: 'string', caseExact: true },
  { name: 'colours', type: 'string', multiValued: true },
  { name: 'serial', type: 'string', mutability: 'immutable' },
  { name: 'note', type: 'string', returned: 'request' },
  {
    name: 'doors',
    type: 'complex',
    multiValued: true,
    subAttributes: [
      { name: 'value', type: 'string' },
      { name: 'floor', type: 'integer' },
    ],
  },
];
const draft = { urn, name: 'Badge', description: 'Who may enter.', resourceType: 'User', attributes };
const schemas = (of = client) => `/tenants/${of.tenant.slug}/schemas`;
const register = (change: object = {}, of = client) =>
  gateway.api('POST', schemas(of), { ...draft, ...change });
const badge = (data: object) => ({ schemas: [userUrn, urn], [urn]: data });
const find = async (filter: string, of = client) => {
  const { status, body } = await of.send('GET', `/Users?filter=${encodeURIComponent(filter)}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.Resources.map(({ userName }: { userName: string }) => userName);
};

describe('a registered extension', () => {
  it('is read, shown and told', async () => {
    expect((await register()).status).toBe(201);
    const data = {
      number: '7',
      level: 3,
      guest: true,
      colours: ['red', 'blue'],
      doors: [{ value: 'A', floor: 1 }],
    };
    const { id } = await client.user({ userName: 'ann', ...badge(data) });
    const { body } = await client.send('GET', `/Users/${id}`);
    expect(body.schemas).toContain(urn);
    expect(body[urn]).toEqual(data);
    expect((await client.send('GET', `/Schemas/${urn}`)).body.attributes).toHaveLength(attributes.length);
    expect((await client.send('GET', '/ResourceTypes/User')).body.schemaExtensions).toContainEqual({
      schema: urn,
      required: false,
    });
  });

  it('is patched by its URN', async () => {
    await register();
    const { id } = await client.user({
      userName: 'ann',
      ...badge({ number: '7', doors: [{ value: 'A', floor: 1 }] }),
    });
    const answer = await client.patch(
      `/Users/${id}`,
      { op: 'replace', path: `${urn}:level`, value: 4 },
      { op: 'replace', path: `${urn}:doors[value eq "A"].floor`, value: 9 },
      { op: 'add', path: `${urn}:colours`, value: ['green'] },
    );
    expect(answer.body[urn]).toEqual({
      number: '7',
      level: 4,
      doors: [{ value: 'A', floor: 9 }],
      colours: ['green'],
    });
    const gone = await client.patch(`/Users/${id}`, { op: 'remove', path: urn });
    expect(gone.body[urn]).toBeUndefined();
  });

  it.each([
    ['a wrong type', { number: '7', level: 'high' }, 'invalidValue'],
    ['half a number', { number: '7', level: 1.5 }, 'invalidValue'],
    ['a time without a zone', { number: '7', issued: '2026-01-01T00:00:00' }, 'invalidValue'],
    ['a day that is none', { number: '7', issued: '2026-02-30T00:00:00Z' }, 'invalidValue'],
    ['what is required missing', { level: 1 }, 'invalidValue'],
  ])('is refused with %s', async (_what, data, scimType) => {
    await register();
    const { status, body } = await client.send('POST', '/Users', { ...badge(data), userName: 'ann' });
    expect([status, body.scimType], JSON.stringify(body)).toEqual([400, scimType]);
    expect((await client.send('GET', '/Users')).body.totalResults).toBe(0);
  });

  it('keeps what is required and what is immutable in PATCH and PUT', async () => {
    await register();
    const { id } = await client.user({ userName: 'ann', ...badge({ number: '7', serial: 's-1' }) });
    for (const operation of [
      { op: 'remove', path: `${urn}:number` },
      { op: 'replace', path: `${urn}:serial`, value: 's-2' },
      { op: 'remove', path: `${urn}:serial` },
    ]) {
      const { status, body } = await client.patch(`/Users/${id}`, operation);
      expect([status, body.scimType], JSON.stringify(operation)).toEqual([400, 'mutability']);
    }
    const other = await client.send('PUT', `/Users/${id}`, {
      ...badge({ number: '7', serial: 'x' }),
      userName: 'ann',
    });
    expect([other.status, other.body.scimType]).toEqual([400, 'mutability']);
    const kept = await client.send('PUT', `/Users/${id}`, { ...badge({ number: '8' }), userName: 'ann' });
    expect(kept.body[urn]).toEqual({ number: '8', serial: 's-1' });
  });

  it('keeps what is required inside of each value', async () => {
    const subAttributes = [
      { name: 'value', type: 'string', required: true },
      { name: 'floor', type: 'integer' },
    ];
    await register({
      attributes: [
        { name: 'gates', type: 'complex', multiValued: true, subAttributes },
        { name: 'desk', type: 'complex', subAttributes },
      ],
    });
    const post = (data: object) => client.send('POST', '/Users', { ...badge(data), userName: 'ann' });
    for (const data of [{ gates: [{ value: 'A' }, { floor: 1 }] }, { desk: { floor: 1 } }]) {
      const { status, body } = await post(data);
      expect([status, body.scimType]).toEqual([400, 'invalidValue']);
    }
    const { id } = (await post({ gates: [{ value: 'A', floor: 1 }], desk: { value: 'D' } })).body;
    const patch = async (operation: object) => {
      const { status, body } = await client.patch(`/Users/${id}`, operation);
      return [status, body.scimType];
    };
    expect(await patch({ op: 'remove', path: `${urn}:desk.value` })).toEqual([200, undefined]);
    expect(await patch({ op: 'add', path: `${urn}:desk`, value: { floor: 2 } })).toEqual([
      400,
      'invalidValue',
    ]);
    expect(await patch({ op: 'remove', path: `${urn}:gates[floor eq 1].value` })).toEqual([
      400,
      'mutability',
    ]);
    expect(await patch({ op: 'replace', path: `${urn}:gates[value eq "A"].floor`, value: 2 })).toEqual([
      200,
      undefined,
    ]);
  });

  it('keeps what is immutable inside of what a PUT leaves out (RFC 7644 §3.5.1)', async () => {
    const subAttributes = [
      { name: 'number', type: 'string', mutability: 'immutable' },
      { name: 'label', type: 'string' },
    ];
    await register({ attributes: [...attributes, { name: 'card', type: 'complex', subAttributes }] });
    const card = { number: 'c-1', label: 'Old' };
    const { id } = await client.user({ userName: 'ann', ...badge({ number: '7', card }) });
    const put = async (data: object) =>
      (await client.send('PUT', `/Users/${id}`, { ...badge(data), userName: 'ann' })).body;
    expect((await put({ number: '8' }))[urn]).toEqual({ number: '8', card: { number: 'c-1' } });
    expect((await put({ number: '8', card: { label: 'New' } }))[urn].card).toEqual({
      number: 'c-1',
      label: 'New',
    });
    expect((await put({ number: '8', card: { number: 'c-2' } })).scimType).toBe('mutability');
  });

  it('shows what it returns on request only then', async () => {
    await register();
    const { id } = await client.user({ userName: 'ann', ...badge({ number: '7', note: 'hm' }) });
    expect((await client.send('GET', `/Users/${id}`)).body[urn]).toEqual({ number: '7' });
    const asked = await client.send('GET', `/Users/${id}?attributes=${urn}:note`);
    expect(asked.body[urn]).toEqual({ note: 'hm' });
  });

  it('shows what it returns on request in the answer to who wrote it (RFC 7643 §7)', async () => {
    await register();
    const made = await client.user({ userName: 'ann', ...badge({ number: '7', note: 'a' }) });
    expect(made[urn]).toEqual({ number: '7', note: 'a' });
    const patch = (...operations: object[]) => client.patch(`/Users/${made.id}`, ...operations);
    const note = { op: 'replace', path: `${urn}:note`, value: 'b' };
    expect((await patch(note)).body[urn]).toEqual({ number: '7', note: 'b' });
    expect((await patch({ op: 'add', value: { [urn]: { note: 'c' } } })).body[urn]).toEqual({
      number: '7',
      note: 'c',
    });
    expect((await patch({ op: 'add', path: 'title', value: 'Boss' })).body[urn]).toEqual({ number: '7' });
    const put = await client.send('PUT', `/Users/${made.id}`, {
      ...badge({ number: '8', note: 'd' }),
      userName: 'ann',
    });
    expect(put.body[urn]).toEqual({ number: '8', note: 'd' });
    const named = await client.send('PUT', `/Users/${made.id}?attributes=userName`, {
      ...badge({ number: '8', note: 'd' }),
      userName: 'ann',
    });
    expect(named.body).not.toHaveProperty(urn);
    expect((await client.send('GET', `/Users/${made.id}`)).body[urn]).toEqual({ number: '8' });
  });

  it('is searched and sorted by its types', async () => {
    await register();
    await client.user({
      userName: 'ann',
      ...badge({ number: '10', level: 10, weight: 1.5, issued: '2026-01-01T00:00:00+02:00', Code: 'Ab' }),
    });
    await client.user({
      userName: 'bob',
      ...badge({ number: '9', level: 9, guest: true, colours: ['red'], doors: [{ value: 'A', floor: 2 }] }),
    });
    await client.user({ userName: 'eve' });
    expect(await find(`${urn}:level gt 9`)).toEqual(['ann']);
    expect(await find(`${urn}:weight le 1.50`)).toEqual(['ann']);
    expect(await find(`${urn}:weight ge 15e-1 and ${urn}:weight lt 1.6E+0`)).toEqual(['ann']);
    expect(await find(`${urn}:issued lt "2026-01-01T00:00:00Z"`)).toEqual(['ann']);
    expect(await find(`${urn}:issued eq "2025-12-31T22:00:00Z"`)).toEqual(['ann']);
    expect(await find(`${urn}:guest eq true`)).toEqual(['bob']);
    expect(await find(`${urn}:Code eq "ab"`)).toEqual([]);
    expect(await find(`${urn}:code eq "Ab"`)).toEqual(['ann']);
    expect(await find(`${urn}:colours eq "RED"`)).toEqual(['bob']);
    expect(await find(`${urn}:colours pr`)).toEqual(['bob']);
    expect(await find(`${urn}:doors[value eq "a" and floor gt 1]`)).toEqual(['bob']);
    expect(await find(`not (${urn}:level pr)`)).toEqual(['eve']);
    const sorted = async (order: string) =>
      (await client.send('GET', `/Users?sortBy=${urn}:level&sortOrder=${order}`)).body.Resources.map(
        ({ userName }: { userName: string }) => userName,
      );
    expect(await sorted('ascending')).toEqual(['bob', 'ann', 'eve']);
    expect(await sorted('descending')).toEqual(['eve', 'ann', 'bob']);
  });
});

it('a time that no database reads is refused, and so keeps nobody else from being found', async () => {
  await register();
  await client.user({ userName: 'ann', ...badge({ number: '1', issued: '2026-01-01T00:00:00Z' }) });
  const issued = `2026-01-01T00:00:00.${'0'.repeat(300)}Z`;
  const sent = { ...badge({ number: '2', issued }), userName: 'bob' };
  const { status, body } = await client.send('POST', '/Users', sent);
  expect([status, body.scimType]).toEqual([400, 'invalidValue']);
  expect(await find(`${urn}:issued gt "2025-01-01T00:00:00Z"`)).toEqual(['ann']);
});

describe('an extension of one directory', () => {
  it('is unseen by another, whose PUT leaves it alone', async () => {
    const other = await newClient(gateway, 'okta', client.tenant);
    expect((await register({ directories: [client.directoryId] })).status).toBe(201);
    const { id } = await client.user({ userName: 'ann', ...badge({ number: '7' }) });
    const seen = (await other.send('GET', `/Users/${id}`)).body;
    expect(seen[urn]).toBeUndefined();
    expect(seen.schemas).not.toContain(urn);
    expect((await other.send('GET', `/Schemas/${urn}`)).status).toBe(404);
    expect((await other.send('GET', `/Users?filter=${urn}:number pr`)).status).toBe(400);
    await made(other.send('PUT', `/Users/${id}`, { schemas: [userUrn], userName: 'ann', title: 'New' }));
    expect((await client.send('GET', `/Users/${id}`)).body).toMatchObject({
      title: 'New',
      [urn]: { number: '7' },
    });
  });

  it('belongs to its tenant alone', async () => {
    await register();
    const stranger = await newClient(gateway);
    expect((await stranger.send('GET', `/Schemas/${urn}`)).status).toBe(404);
    expect((await register({}, stranger)).status).toBe(201);
    expect((await register({ directories: [client.directoryId] }, stranger)).status).not.toBe(201);
  });
});

describe('a change of an extension', () => {
  it('holds from the next request on', async () => {
    const { id } = (await register()).body;
    await client.user({ userName: 'ann', ...badge({ number: '7' }) });
    const more = { ...draft, attributes: [...attributes, { name: 'shelf', type: 'string' }] };
    expect((await gateway.api('PUT', `${schemas()}/${id}`, more)).status).toBe(200);
    expect((await client.user({ userName: 'bob', ...badge({ number: '8', shelf: 'top' }) }))[urn].shelf).toBe(
      'top',
    );
    expect((await gateway.api('DELETE', `${schemas()}/${id}`)).status).toBe(409);
    for (const { id: user } of (await client.send('GET', '/Users?attributes=id')).body.Resources) {
      await client.send('DELETE', `/Users/${user}`);
    }
    expect((await gateway.api('DELETE', `${schemas()}/${id}`)).status).toBe(204);
    expect((await client.send('GET', `/Schemas/${urn}`)).status).toBe(404);
    expect((await client.user({ userName: 'eve', ...badge({ number: '9' }) }))[urn]).toBeUndefined();
  });

  it.each([
    ['takes no attribute away', { attributes: attributes.slice(1) }],
    ['changes no type', { attributes: [{ name: 'number', type: 'integer' }, ...attributes.slice(1)] }],
    [
      'makes no list of a value',
      { attributes: [{ ...attributes[0], multiValued: true }, ...attributes.slice(1)] },
    ],
    ['keeps the URN', { urn: `${urn}2` }],
    ['keeps the resource type', { resourceType: 'Group' }],
  ])('%s', async (_what, change) => {
    const { id } = (await register()).body;
    const { status, body } = await gateway.api('PUT', `${schemas()}/${id}`, { ...draft, ...change });
    expect([status, body.code]).toEqual([400, 'invalid']);
    expect((await gateway.api('GET', `${schemas()}/${id}`)).body.attributes).toHaveLength(attributes.length);
  });
});

it('an attribute that is required from now on keeps nobody from being changed who lacks it', async () => {
  const { id: schemaId } = await made(register());
  const { id } = await client.user({ userName: 'ann', ...badge({ number: '7', level: 1 }) });
  const more = [...attributes, { name: 'site', type: 'string', required: true }];
  await made(gateway.api('PUT', `${schemas()}/${schemaId}`, { ...draft, attributes: more }));
  const off = await client.patch(`/Users/${id}`, { op: 'replace', path: 'active', value: false });
  expect([off.status, off.body.active]).toEqual([200, false]);
  expect((await client.patch(`/Users/${id}`, { op: 'remove', path: `${urn}:number` })).status).toBe(400);
  const site = await client.patch(`/Users/${id}`, { op: 'add', path: `${urn}:site`, value: 'Bern' });
  expect(site.body[urn]).toEqual({ number: '7', level: 1, site: 'Bern' });
  expect((await client.patch(`/Users/${id}`, { op: 'remove', path: `${urn}:site` })).status).toBe(400);
});
