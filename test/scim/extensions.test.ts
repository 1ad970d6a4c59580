/** Extension schemas that a tenant registers: read, shown, searched and told to those directories that have them. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../src/kernel/limits.ts';
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
  { name: 'pin', type: 'string', mutability: 'writeOnly' },
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

  it('shows what it returns on request only then, and what is only written never', async () => {
    await register();
    const { id } = await client.user({ userName: 'ann', ...badge({ number: '7', pin: '1234', note: 'hm' }) });
    expect((await client.send('GET', `/Users/${id}`)).body[urn]).toEqual({ number: '7' });
    const asked = await client.send('GET', `/Users/${id}?attributes=${urn}:note,${urn}:pin`);
    expect(asked.body[urn]).toEqual({ note: 'hm' });
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

describe('a draft', () => {
  it.each([
    ['no URN', { urn: 'badge' }, 'urn'],
    ['a URN of SCIM', { urn: userUrn }, 'urn'],
    ['a URN that another begins with', { urn: 'urn:ietf:params:scim' }, 'urn'],
    ['a URN of the gateway', { urn: 'urn:blue:x:y' }, 'urn'],
    ['no attributes', { attributes: [] }, 'attributes'],
    [
      'an attribute twice',
      {
        attributes: [
          { name: 'a', type: 'string' },
          { name: 'A', type: 'string' },
        ],
      },
      'attributes[1].name',
    ],
    ['a name with a dot', { attributes: [{ name: 'a.b', type: 'string' }] }, 'attributes[0].name'],
    ['a name of SCIM', { attributes: [{ name: 'schemas', type: 'string' }] }, 'attributes[0].name'],
    ['a name of the language', { attributes: [{ name: '__proto__', type: 'string' }] }, 'attributes[0].name'],
    [
      'a name that objects have',
      { attributes: [{ name: 'constructor', type: 'string' }] },
      'attributes[0].name',
    ],
    [
      'a complex one without parts',
      { attributes: [{ name: 'a', type: 'complex' }] },
      'attributes[0].subAttributes',
    ],
    ['an unknown directory', { directories: ['00000000-0000-7000-8000-00000000000a'] }, 'directories'],
    ['no directory', { directories: ['x'] }, 'directories'],
    [
      'too many attributes',
      {
        attributes: Array.from({ length: limits.attributesPerSchemaMax + 1 }, (_, n) => ({
          name: `a${n}`,
          type: 'string',
        })),
      },
      'attributes',
    ],
  ])('with %s is refused', async (_what, change, field) => {
    const { status, body } = await register(change);
    expect([status, body.field], JSON.stringify(body)).toEqual([400, field]);
  });

  it('with a URN that is taken, or begins another, is refused', async () => {
    await register();
    expect((await register({ urn: urn.toUpperCase() })).status).toBe(409);
    expect((await register({ urn: `${urn}:more` })).status).toBe(400);
  });

  it('past the limit is refused', async () => {
    for (let n = 0; n < limits.extensionSchemasMax; n += 1)
      await made(register({ urn: `urn:example:x${n}` }));
    const { status, body } = await register();
    expect([status, body.detail]).toEqual([413, expect.stringContaining(String(limits.extensionSchemasMax))]);
  });

  it('that makes all of them together too long is refused, registered or changed', async () => {
    /** About 170,000 characters. */
    const long = Array.from({ length: 4 }, (_, n) => ({
      name: `a${n}`,
      type: 'string',
      canonicalValues: Array.from({ length: 200 }, () => 'x'.repeat(200)),
    }));
    const most = Math.floor(limits.schemasLengthMax / JSON.stringify(long).length);
    for (let n = 0; n < most; n += 1) await made(register({ urn: `urn:example:x${n}`, attributes: long }));
    expect((await register({ attributes: long })).status).toBe(413);
    const { id } = await made(register());
    const answer = await gateway.api('PUT', `${schemas()}/${id}`, {
      ...draft,
      attributes: [...attributes, ...long],
    });
    expect([answer.status, answer.body.detail]).toEqual([
      413,
      expect.stringContaining(String(limits.schemasLengthMax)),
    ]);
    expect((await gateway.api('GET', `${schemas()}/${id}`)).body.attributes).toHaveLength(attributes.length);
  });
});
