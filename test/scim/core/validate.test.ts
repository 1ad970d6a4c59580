import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import { groupType, userType } from '../../../src/scim/core/schemas.ts';
import { readResource } from '../../../src/scim/core/validate.ts';
import { coreGroup, coreUser, enterprise, names, refusal, refused } from './support.ts';

const user = (members: object) => ({ schemas: [coreUser], userName: 'u@x', ...members });
const read = (members: object) => readResource(userType, user(members)).attributes;
const refusedUser = (members: object) => refused(() => readResource(userType, user(members)));

describe('what IdPs create', () => {
  test('ENTRA-08 standard user: meta ignored, empty roles unassigned, enterprise URN without data', () => {
    const body = {
      schemas: [coreUser, enterprise],
      externalId: '0a21f0f2',
      userName: 'Test_User_ab6490ee',
      active: true,
      emails: [{ primary: true, type: 'work', value: 'Test_User_fd0ea19b@testuser.com' }],
      meta: { resourceType: 'User' },
      name: { formatted: 'givenName familyName', familyName: 'familyName', givenName: 'givenName' },
      roles: [],
    };
    const { schemas: _, meta: __, roles: ___, ...kept } = body;
    expect(readResource(userType, body)).toEqual({ attributes: kept, ignored: [] });
  });

  test('OKTA-05 password is dropped without a word, groups are read-only', () => {
    const body = user({ password: '1mz050nq', groups: [{ value: 'g' }], locale: 'en-US' });
    expect(readResource(userType, body)).toEqual({
      attributes: { userName: 'u@x', locale: 'en-US' },
      ignored: [],
    });
  });

  test('OKTA-13 PUT brings server fields back', () => {
    const body = user({
      id: '23a35c27',
      name: { givenName: 'A', middleName: '', familyName: 'U' },
      groups: [],
      meta: { resourceType: 'User' },
    });
    expect(readResource(userType, body).attributes).toEqual({
      userName: 'u@x',
      name: { givenName: 'A', familyName: 'U' },
    });
  });

  test('ENTRA-52 read-only members are not taken', () => {
    expect(read({ id: 'client-chosen', meta: { version: 'W/"x"' }, groups: [{ value: 'g1' }] })).toEqual({
      userName: 'u@x',
    });
  });

  test('ENTRA-31 primary as text', () => {
    expect(read({ roles: [{ primary: 'True', type: 'T', value: 'Admin', display: 'Admin' }] }).roles).toEqual(
      [{ primary: true, type: 'T', value: 'Admin', display: 'Admin' }],
    );
  });

  test('ENTRA-53 values as sent', () => {
    const phoneNumbers = [{ type: 'work', value: '(555) 123-4567' }];
    expect(read({ userName: 'Mixed.Case@Contoso.com', phoneNumbers })).toEqual({
      userName: 'Mixed.Case@Contoso.com',
      phoneNumbers,
    });
  });

  test('ENTRA-60 the ADSCIM schema is ignored and reported', () => {
    const adscim = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group';
    const body = { schemas: [coreGroup, adscim], externalId: '8aa1', displayName: 'd', meta: {} };
    expect(readResource(groupType, body)).toEqual({
      attributes: { externalId: '8aa1', displayName: 'd' },
      ignored: [adscim],
    });
  });

  test('OKTA-23 members are stored apart', () => {
    const body = { schemas: [coreGroup], displayName: 'Test SCIMv2', members: [{ value: 'u1' }] };
    expect(readResource(groupType, body).attributes).toEqual({ displayName: 'Test SCIMv2' });
  });

  test('A3 OneLogin: SCIM 1.1 URN, null id, active as text, managerId', () => {
    const body = {
      schemas: ['urn:scim:schemas:core:2.0', enterprise],
      id: null,
      userName: 'u@x',
      active: 'true',
      [enterprise]: { manager: { managerId: 'm1', displayName: 'M' } },
    };
    expect(readResource(userType, body).attributes).toEqual({
      userName: 'u@x',
      active: true,
      [enterprise]: { manager: { value: 'm1' } },
    });
  });

  test('ENTRA-24 manager as a bare id', () => {
    expect(read({ [enterprise]: { manager: 'm1' } })).toMatchObject({
      [enterprise]: { manager: { value: 'm1' } },
    });
    expect(read({ [enterprise]: { manager: '' } })).toEqual({ userName: 'u@x' });
  });

  test('C3 names in any case, misspelled ones ignored and reported', () => {
    const body = {
      Schemas: [coreUser],
      UserName: 'u@x',
      EMAILS: [{ Primary: true, Value: 'a' }],
      dispName: 'D',
    };
    expect(readResource(userType, body)).toEqual({
      attributes: { userName: 'u@x', emails: [{ primary: true, value: 'a' }] },
      ignored: ['dispName'],
    });
  });

  test('unknown sub-attributes and extensions are reported by path', () => {
    const body = user({ name: { nick: 'N' }, [enterprise]: { shoe: 4 }, 'urn:okta:x': { y: 1 } });
    expect(readResource(userType, body)).toEqual({
      attributes: { userName: 'u@x' },
      ignored: ['name.nick', `${enterprise}:shoe`, 'urn:okta:x'],
    });
  });

  test('ENTRA-17 locale and timezone may be any text', () => {
    expect(read({ timezone: 'random-text', locale: '??' })).toMatchObject({
      timezone: 'random-text',
      locale: '??',
    });
  });

  test('of two primaries the last stays', () => {
    const emails = [
      { value: 'a', primary: true },
      { value: 'b', primary: 'true' },
    ];
    expect(read({ emails }).emails).toEqual([
      { value: 'a', primary: false },
      { value: 'b', primary: true },
    ]);
  });

  test('unassigned values in every form', () => {
    expect(
      read({ title: null, nickName: '', emails: [], name: {}, addresses: [null, {}], active: '' }),
    ).toEqual({
      userName: 'u@x',
    });
    expect(read({ emails: [{ type: 'work', primary: true, value: '' }] })).toEqual({ userName: 'u@x' });
  });
});

describe('what is refused', () => {
  const cases: [name: string, scimType: string, body: unknown][] = [
    ['ENTRA-91 no userName', 'invalidValue', { schemas: [coreUser], active: true }],
    ['empty userName', 'invalidValue', { schemas: [coreUser], userName: '' }],
    ['no object', 'invalidSyntax', []],
    ['null', 'invalidSyntax', null],
    ['text', 'invalidSyntax', 'junk'],
    ['no schemas', 'invalidSyntax', { userName: 'u' }],
    ['schemas no list', 'invalidSyntax', { schemas: coreUser, userName: 'u' }],
    ["another type's schema", 'invalidSyntax', { schemas: [coreGroup], userName: 'u' }],
    ['only an extension', 'invalidSyntax', { schemas: [enterprise], userName: 'u' }],
  ];
  test.each(cases)('%s', (_, scimType, body) => {
    expect(refused(() => readResource(userType, body))).toBe(scimType);
  });

  test.each([
    [{ userName: 42 }],
    [{ userName: ['u'] }],
    [{ displayName: true }],
    [{ active: 'maybe' }],
    [{ active: 1 }],
    [{ emails: 'a@b' }],
    [{ emails: { value: 'a@b' } }],
    [{ emails: [{ value: 5 }] }],
    [{ emails: [7] }],
    [{ name: 'Bob' }],
    [{ name: ['Bob'] }],
    [{ [enterprise]: 'x' }],
    [{ title: 'a\0b' }],
    [{ title: '\ud800' }],
    [{ title: 'x'.repeat(limits.valueLengthMax + 1) }],
    [{ emails: Array.from({ length: limits.valuesPerAttributeMax + 1 }, (_, i) => ({ value: `${i}` })) }],
  ])('a wrong value %#', (members) => {
    expect(refusedUser(members)).toBe('invalidValue');
  });

  test('a group without a name', () => {
    expect(refusal(() => readResource(groupType, { schemas: [coreGroup] }))?.message).toBe(
      '"displayName" is required.',
    );
  });

  test('everything at once, the gravest first, without the values', () => {
    const body = { schemas: ['urn:x'], userName: 'u', active: 'secret', name: { givenName: 5 } };
    expect(refusal(() => readResource(userType, body))).toEqual({
      scimType: 'invalidSyntax',
      message:
        `"schemas" names an unknown schema: it must hold ${coreUser}; ` +
        '"active" must be true or false; "name.givenName" must be a string of storable characters.',
    });
  });

  test('nesting', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    expect(refusedUser({ x: nested(limits.jsonDepthMax - 1) })).toBeUndefined();
    expect(refusedUser({ x: nested(limits.jsonDepthMax) })).toBe('invalidSyntax');
  });

  test('names from the client are not trusted', () => {
    const body = JSON.parse(
      `{"schemas":["${coreUser}"],"userName":"u","__proto__":{"active":false},"constructor":1}`,
    );
    expect(readResource(userType, body)).toEqual({
      attributes: { userName: 'u' },
      ignored: ['__proto__', 'constructor'],
    });
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x${i}`.padEnd(500), 1]));
    const { ignored } = readResource(userType, user(many));
    expect(ignored.length).toBe(50);
    expect(ignored.every((name) => name.length <= 200)).toBe(true);
  });
});

describe('properties', () => {
  const key = fc.constantFrom(
    'schemas',
    'userName',
    enterprise,
    ...names(userType).map((name) => name.split('.').at(-1) ?? ''),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(coreUser, '', null, true, 'True', 1, 'x'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  }));
  const body = fc.dictionary(key, value, { maxKeys: 6 }).map((members) => user(members));

  test('a body is read or refused, never changed; what was read reads as itself', () => {
    fc.assert(
      fc.property(body, (sent) => {
        const before = structuredClone(sent);
        const scimType = refused(() => readResource(userType, sent));
        expect(sent).toEqual(before);
        expect([undefined, 'invalidSyntax', 'invalidValue']).toContain(scimType);
        if (scimType !== undefined) return;
        const { attributes } = readResource(userType, sent);
        expect(readResource(userType, { schemas: [coreUser], ...attributes })).toEqual({
          attributes,
          ignored: [],
        });
      }),
      { numRuns: 400 },
    );
  });
});
