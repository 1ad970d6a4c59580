/** Drafts of extension schemas that are refused, each with the field that is wrong. */

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

const attributes = [{ name: 'number', type: 'string' }];
const draft = { urn, name: 'Badge', description: 'Who may enter.', resourceType: 'User', attributes };
const schemas = () => `/tenants/${client.tenant.slug}/schemas`;
const register = (change: object = {}) => gateway.api('POST', schemas(), { ...draft, ...change });

describe('a draft', () => {
  it.each([
    ['no URN', { urn: 'badge' }, 'urn'],
    ['a URN of SCIM', { urn: userUrn }, 'urn'],
    ['a URN that another begins with', { urn: 'urn:ietf:params:scim' }, 'urn'],
    ['a URN that no filter can name', { urn: 'urn:example:a~b:1.0:User' }, 'urn'],
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
