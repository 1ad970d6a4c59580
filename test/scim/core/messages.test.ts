import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import {
  resourceTypeResource,
  schemaResource,
  serviceProviderConfig,
} from '../../../src/scim/core/discovery.ts';
import { listResponse, renderResource, scimError } from '../../../src/scim/core/messages.ts';
import { readPaging } from '../../../src/scim/core/paging.ts';
import { groupType, schemasOf, userType } from '../../../src/scim/core/schemas.ts';
import { coreGroup, coreUser, enterprise, refused } from './support.ts';

const base = 'https://gw.example/scim/v2';
const provisioning = 'urn:blue:params:scim:schemas:extension:provisioning:2.0:User';

describe('messages', () => {
  const meta = { created: 'c', lastModified: 'l', location: `${base}/Users/u1` };

  test('ENTRA-23, ENTRA-60: schemas holds what has data', () => {
    const attributes = { userName: 'u', externalId: 'e', [enterprise]: { department: 'D' } };
    const extensions = { groups: [{ value: 'g' }], [provisioning]: {} };
    const rendered = renderResource({ type: userType, id: 'u1', attributes, meta, extensions });
    expect(rendered).toEqual({
      schemas: [coreUser, enterprise],
      id: 'u1',
      externalId: 'e',
      userName: 'u',
      groups: [{ value: 'g' }],
      [enterprise]: { department: 'D' },
      meta: { resourceType: 'User', ...meta },
    });
    expect(Object.keys(rendered).slice(0, 3)).toEqual(['schemas', 'id', 'externalId']);
    expect(attributes).toHaveProperty('externalId');
  });

  test('a group, with a version', () => {
    const rendered = renderResource({
      type: groupType,
      id: 'g',
      attributes: { displayName: 'G' },
      meta: { ...meta, version: 'W/"1"' },
    });
    expect(rendered).toEqual({
      schemas: [coreGroup],
      id: 'g',
      displayName: 'G',
      meta: { resourceType: 'Group', ...meta, version: 'W/"1"' },
    });
  });

  test('ENTRA-01, A0-01: an empty list', () => {
    expect(listResponse({ totalResults: 0, startIndex: 1 }, [])).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 0,
      startIndex: 1,
      itemsPerPage: 0,
      Resources: [],
    });
  });

  test('OKTA-10: status is a string', () => {
    expect(scimError({ status: 404, detail: 'No such user.' })).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '404',
      detail: 'No such user.',
    });
    expect(scimError({ status: 409, scimType: 'uniqueness', detail: 'x' })).toHaveProperty(
      'scimType',
      'uniqueness',
    );
  });
});

describe('paging', () => {
  test.each([
    [{}, 1, limits.pageSizeDefault],
    [{ startIndex: '0', count: '0' }, 1, 0],
    [{ startIndex: '-5', count: '-1' }, 1, 0],
    [{ startIndex: '6', count: '5' }, 6, 5],
    [{ startIndex: 6, count: 5 }, 6, 5],
    [{ count: '99999' }, 1, limits.pageSizeMax],
  ])('GEN-03 %j', (query, startIndex, count) => {
    expect(readPaging(query, '')).toEqual({ kind: 'index', startIndex, count });
  });

  test.each([
    { count: 'x' },
    { startIndex: '1.5' },
    { count: ['1', '2'] },
    { startIndex: '' },
    { count: '1e3' },
  ])('%j', (query) => {
    expect(refused(() => readPaging(query, ''))).toBe('invalidValue');
  });
});

describe('discovery', () => {
  const origin = 'https://gateway.example.com';
  const resourceTypes = [userType, groupType];
  const schemas = schemasOf(resourceTypes);
  const everything = [
    serviceProviderConfig(base, origin),
    ...resourceTypes.map((type) => resourceTypeResource(type, base)),
    ...schemas.map((schema) => schemaResource(schema, base)),
  ];

  test('AK-01: every member of ServiceProviderConfig', () => {
    expect(serviceProviderConfig(base, origin)).toMatchObject({
      patch: { supported: true },
      bulk: {
        supported: true,
        maxOperations: limits.bulkOperationsMax,
        maxPayloadSize: limits.bodyBytesMax,
      },
      filter: { supported: true, maxResults: limits.pageSizeMax },
      changePassword: { supported: false },
      sort: { supported: true },
      etag: { supported: true },
      pagination: { cursor: true, index: true, defaultPaginationMethod: 'index' },
      authenticationSchemes: [{ type: 'oauthbearertoken' }, { type: 'oauth2' }],
      meta: { location: `${base}/ServiceProviderConfig` },
    });
  });

  test('ENTRA-85: no nulls, camelCase, nothing of our own', () => {
    const text = JSON.stringify(everything);
    expect(text).not.toMatch(/null|storedApart|aliases|password/);
    expect(text).toContain('"readWrite"');
  });

  test('ENTRA-85: the types that value paths are made of', () => {
    const [user] = schemas;
    const typesOf = (name: string) =>
      user?.attributes
        .find((attribute) => attribute.name === name)
        ?.subAttributes?.find((sub) => sub.name === 'type')?.canonicalValues;
    expect(typesOf('emails')).toEqual(['work', 'home', 'other']);
    expect(typesOf('phoneNumbers')).toContain('mobile');
    expect(typesOf('addresses')).toContain('work');
  });

  test('every attribute has every characteristic of RFC 7643 §7', () => {
    const characteristics = [
      'name',
      'type',
      'multiValued',
      'description',
      'required',
      'caseExact',
      'mutability',
      'returned',
      'uniqueness',
    ];
    const check = (attributes: unknown): void => {
      expect(Array.isArray(attributes)).toBe(true);
      for (const attribute of Array.isArray(attributes) ? attributes : []) {
        expect(Object.keys(attribute)).toEqual(expect.arrayContaining(characteristics));
        if (attribute.type === 'complex') check(attribute.subAttributes);
        else expect(attribute).not.toHaveProperty('subAttributes');
        if (attribute.type === 'reference') expect(attribute.referenceTypes).not.toEqual([]);
      }
    };
    for (const schema of schemas) check(schemaResource(schema, base).attributes);
  });

  test('SP-01: ids and locations', () => {
    expect(resourceTypeResource(userType, base)).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
      id: 'User',
      name: 'User',
      endpoint: '/Users',
      description: 'A person.',
      schema: coreUser,
      schemaExtensions: [
        { schema: enterprise, required: false },
        { schema: provisioning, required: false },
      ],
      meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/User` },
    });
    expect(schemas.map((schema) => schema.id)).toEqual([coreUser, enterprise, provisioning, coreGroup]);
    expect(schemaResource(groupType.schema, base).meta).toEqual({
      resourceType: 'Schema',
      location: `${base}/Schemas/${coreGroup}`,
    });
  });

  test('the provisioning extension is read-only throughout', () => {
    const extension = schemas.find((schema) => schema.id === provisioning);
    const all = extension?.attributes.flatMap((attribute) => [attribute, ...(attribute.subAttributes ?? [])]);
    expect(all?.every((attribute) => attribute.mutability === 'readOnly')).toBe(true);
  });
});
