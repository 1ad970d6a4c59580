import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import { renderResource } from '../../../src/scim/core/messages.ts';
import { type ProjectionQuery, project, readProjection, wants } from '../../../src/scim/core/project.ts';
import { groupType, userType } from '../../../src/scim/core/schemas.ts';
import { coreUser, enterprise, names, refused } from './support.ts';

const user = renderResource({
  type: userType,
  id: 'u1',
  attributes: {
    userName: 'u@x',
    externalId: 'e',
    name: { givenName: 'G', familyName: 'F' },
    emails: [{ type: 'work', value: 'w@x' }, { value: 'h@x' }],
    [enterprise]: { department: 'D', manager: { value: 'm', $ref: 'r' } },
  },
  meta: { created: 'c', lastModified: 'l', location: '/Users/u1' },
});
const projected = (query: ProjectionQuery) => project(readProjection(userType, query), user);
const always = { schemas: [coreUser, enterprise], id: 'u1' };

describe('attributes', () => {
  const cases: [name: string, attributes: unknown, rest: object][] = [
    ['A1 step 7', 'id', {}],
    ['C3 two, with a space', 'userName, emails', { userName: 'u@x', emails: user.emails }],
    ['a sub-attribute', 'name.givenName', { name: { givenName: 'G' } }],
    ['a sub-attribute of a list', 'emails.value', { emails: [{ value: 'w@x' }, { value: 'h@x' }] }],
    ['any case', 'USERNAME,Name.GIVENNAME', { userName: 'u@x', name: { givenName: 'G' } }],
    ['URN and name', `${coreUser}:userName`, { userName: 'u@x' }],
    ['an extension', enterprise, { [enterprise]: user[enterprise] }],
    ['an attribute of an extension', `${enterprise}:department`, { [enterprise]: { department: 'D' } }],
    ['its sub-attribute', `${enterprise}:manager.value`, { [enterprise]: { manager: { value: 'm' } } }],
    ['common ones', 'meta.location,externalId', { externalId: 'e', meta: { location: '/Users/u1' } }],
    ['several parameters', ['userName', 'externalId'], { userName: 'u@x', externalId: 'e' }],
    ['a name with a filter, whole', 'emails[type eq "work"]', { emails: user.emails }],
    ['unknown ones', 'shoeSize', {}],
  ];
  test.each(cases)('%s', (_, attributes, rest) => {
    expect(projected({ attributes })).toEqual({ ...always, ...rest });
  });
});

describe('excludedAttributes', () => {
  test('a name with a filter hides nothing', () => {
    expect(projected({ excludedAttributes: 'emails[type eq "work"]' })).toEqual(user);
  });

  test('whole, in part, never what is always returned', () => {
    const excludedAttributes = `id,schemas,meta,externalId,name.familyName,emails,${enterprise}:manager`;
    expect(projected({ excludedAttributes })).toEqual({
      ...always,
      userName: 'u@x',
      name: { givenName: 'G' },
      [enterprise]: { department: 'D' },
    });
    expect(projected({ excludedAttributes: enterprise })).not.toHaveProperty([enterprise]);
  });

  test('both: the excluded are taken from the wanted', () => {
    expect(projected({ attributes: 'name,userName', excludedAttributes: 'name.givenName' })).toEqual({
      ...always,
      userName: 'u@x',
      name: { familyName: 'F' },
    });
  });
});

describe('what has nothing left to show', () => {
  test('is left out: no {} and no []', () => {
    const manager = `${enterprise}:manager`;
    expect(projected({ excludedAttributes: `${manager}.value,${manager}.$ref` })[enterprise]).toEqual({
      department: 'D',
    });
    expect(projected({ attributes: 'emails.type' }).emails).toEqual([{ type: 'work' }]);
    expect(projected({ attributes: 'emails.primary,name.middleName' })).toEqual(always);
  });

  test('is not loaded', () => {
    const members = ['value', '$ref', 'type', 'display'].map((sub) => `members.${sub}`);
    const wanted = (excludedAttributes: string[]) =>
      wants(readProjection(groupType, { excludedAttributes }), 'members');
    expect([wanted(members), wanted(members.slice(1))]).toEqual([false, true]);
  });
});

test('nothing asked: everything, and the same values', () => {
  const all = projected({ attributes: '' });
  expect(all).toEqual(user);
  expect(all.emails).toBe(user.emails);
});

test('ENTRA-62, ENTRA-64: whether members need be loaded', () => {
  const wanted = (query: ProjectionQuery) => wants(readProjection(groupType, query), 'members');
  expect(wanted({})).toBe(true);
  expect(wanted({ excludedAttributes: 'members' })).toBe(false);
  expect(wanted({ excludedAttributes: 'Members,displayName' })).toBe(false);
  expect(wanted({ excludedAttributes: 'members.display' })).toBe(true);
  expect(wanted({ attributes: 'displayName' })).toBe(false);
  expect(wanted({ attributes: 'members.value' })).toBe(true);
});

test('whether an extension need be loaded', () => {
  const wanted = (query: ProjectionQuery) => wants(readProjection(userType, query), enterprise);
  expect(wanted({})).toBe(true);
  expect(wanted({ attributes: 'userName' })).toBe(false);
  expect(wanted({ attributes: 'manager' })).toBe(true);
  expect(wanted({ attributes: `${enterprise}:manager.value` })).toBe(true);
  expect(wanted({ excludedAttributes: enterprise })).toBe(false);
  expect(wants(readProjection(userType, {}), 'nonsense')).toBe(false);
});

test('limits and wrong types', () => {
  const many = Array.from({ length: limits.projectionNamesMax + 1 }, () => 'userName');
  for (const attributes of [many, many.join(','), 5, [5], {}]) {
    expect(refused(() => readProjection(userType, { attributes }))).toBe('invalidValue');
  }
});

test('wants agrees with project, whatever the query', () => {
  const name = fc.constantFrom(...names(userType), enterprise, 'manager', 'id', 'meta', 'nonsense');
  const list = fc.option(fc.array(name, { maxLength: 4 }), { nil: undefined });
  fc.assert(
    fc.property(list, list, (attributes, excludedAttributes) => {
      const projection = readProjection(userType, { attributes, excludedAttributes });
      const shown = project(projection, user);
      expect(shown).toMatchObject({ id: 'u1' });
      for (const key of Object.keys(user)) {
        if (key in shown) expect(wants(projection, key), key).toBe(true);
        // Of what is wanted in part, that part may be unassigned.
        else if (wants(projection, key))
          expect(JSON.stringify([attributes, excludedAttributes])).toContain('.');
      }
      expect(JSON.stringify(shown)).not.toMatch(/\{\}|\[\]/);
    }),
  );
});
