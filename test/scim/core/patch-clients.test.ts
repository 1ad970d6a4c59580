import { describe, expect, test } from 'vitest';
import type { Attributes } from '../../../src/scim/core/attribute.ts';
import { applyPatch } from '../../../src/scim/core/patch.ts';
import { readPatch } from '../../../src/scim/core/patch-request.ts';
import { groupType, userType } from '../../../src/scim/core/schemas.ts';
import { coreGroup, enterprise, patchBody, patched } from './support.ts';

const minimal: Attributes = { userName: 'u@x' };
const work = { type: 'work', value: 'w@x', primary: true };
const home = { type: 'home', value: 'h@x' };
const withMails: Attributes = { userName: 'u@x', emails: [work, home] };

describe('Entra', () => {
  test('ENTRA-14 replace in an element keeps the rest of it', () => {
    const after = patched(
      withMails,
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'n@x' },
      { op: 'Replace', path: 'name.familyName', value: 'F' },
    );
    expect(after).toEqual({
      userName: 'u@x',
      emails: [{ ...work, value: 'n@x' }, home],
      name: { familyName: 'F' },
    });
  });

  test.each(['Add', 'Replace'])('ENTRA-15 %s makes a missing element', (op) => {
    expect(
      patched(minimal, { op, path: 'phoneNumbers[type eq "mobile"].value', value: '+1 555 0100' }),
    ).toEqual({
      userName: 'u@x',
      phoneNumbers: [{ type: 'mobile', value: '+1 555 0100' }],
    });
  });

  test('ENTRA-17 verbose adds on a minimal user', () => {
    const after = patched(
      minimal,
      { op: 'add', path: 'active', value: true },
      { op: 'add', path: 'name.givenName', value: 'G' },
      { op: 'add', path: 'name.formatted', value: 'G F' },
      { op: 'add', path: 'addresses[type eq "work"].postalCode', value: '11111' },
      { op: 'add', path: 'addresses[type eq "work"].locality', value: 'L' },
      { op: 'add', path: `${enterprise}:costCenter`, value: 'CC' },
      { op: 'add', path: 'timezone', value: 'random-text' },
    );
    expect(after).toEqual({
      userName: 'u@x',
      active: true,
      name: { givenName: 'G', formatted: 'G F' },
      addresses: [{ type: 'work', postalCode: '11111', locality: 'L' }],
      [enterprise]: { costCenter: 'CC' },
      timezone: 'random-text',
    });
  });

  test.each([
    ['ENTRA-18', { op: 'Replace', path: 'active', value: 'False' }],
    ['ENTRA-18', { op: 'Replace', path: 'active', value: false }],
    ['ENTRA-20', { op: 'replace', path: 'active', value: false }],
    ['ENTRA-20', { op: 'replace', value: { active: false } }],
    ['ENTRA-20 empty path', { op: 'replace', path: '', value: { active: 'false' } }],
    ['OKTA-15', { op: 'replace', value: { active: false } }],
  ])('%s disable %j', (_, operation) => {
    expect(patched({ userName: 'u@x', active: true }, operation)).toEqual({ userName: 'u@x', active: false });
  });

  test('ENTRA-21 dotted and URN keys without a path', () => {
    const value = {
      displayName: 'Bjfe',
      'name.givenName': 'Kkom',
      'name.familyName': 'Unua',
      [`${enterprise}:employeeNumber`]: 'Aklq',
    };
    const current = {
      userName: 'u@x',
      title: 'T',
      name: { middleName: 'M' },
      [enterprise]: { department: 'D' },
    };
    expect(patched(current, { op: 'replace', value })).toEqual({
      userName: 'u@x',
      title: 'T',
      displayName: 'Bjfe',
      name: { middleName: 'M', givenName: 'Kkom', familyName: 'Unua' },
      [enterprise]: { department: 'D', employeeNumber: 'Aklq' },
    });
  });

  test('ENTRA-21 nested objects, an extension as an object, a value path as a key', () => {
    const value = {
      name: { givenName: 'G', middleName: '' },
      [enterprise]: { department: 'D', manager: 'm' },
      'emails[type eq "work"].value': 'n@x',
    };
    expect(patched({ ...withMails, name: { middleName: 'M' } }, { op: 'add', value })).toEqual({
      userName: 'u@x',
      name: { givenName: 'G' },
      emails: [{ ...work, value: 'n@x' }, home],
      [enterprise]: { department: 'D', manager: { value: 'm' } },
    });
  });

  test('ENTRA-23 mixed', () => {
    const after = patched(
      minimal,
      { op: 'Replace', path: 'displayName', value: 'Joy Y' },
      { op: 'Add', path: `${enterprise}:department`, value: 'Retail' },
      { op: 'Replace', path: 'active', value: 'True' },
    );
    expect(after).toEqual({
      userName: 'u@x',
      displayName: 'Joy Y',
      active: true,
      [enterprise]: { department: 'Retail' },
    });
  });

  const managed: Attributes = {
    userName: 'u@x',
    [enterprise]: { manager: { value: 'm1', $ref: '/Users/m1' } },
  };
  test.each([
    ['ENTRA-24 bare id', { op: 'Add', path: `${enterprise}:manager`, value: 'm2' }, { value: 'm2' }],
    ['ENTRA-25 bare id', { op: 'Replace', path: `${enterprise}:manager`, value: 'm2' }, { value: 'm2' }],
    ['object', { op: 'replace', path: `${enterprise}:manager`, value: { value: 'm2' } }, { value: 'm2' }],
    ['sub-attribute', { op: 'replace', path: `${enterprise}:manager.value`, value: 'm2' }, { value: 'm2' }],
    ['same id', { op: 'replace', path: 'manager.value', value: 'm1' }, { value: 'm1', $ref: '/Users/m1' }],
    [
      "list of one, Microsoft's old guide",
      { op: 'Add', path: 'manager', value: [{ $ref: 'r', value: 'm2' }] },
      { value: 'm2', $ref: 'r' },
    ],
  ])('manager: %s', (_, operation, manager) => {
    expect(patched(managed, operation)).toEqual({ userName: 'u@x', [enterprise]: { manager } });
  });

  test.each([
    ['ENTRA-26 ""', { op: 'Replace', path: `${enterprise}:manager`, value: '' }],
    ['null', { op: 'replace', path: `${enterprise}:manager`, value: null }],
    ['remove', { op: 'Remove', path: `${enterprise}:manager` }],
    ['remove with ""', { op: 'Remove', path: `${enterprise}:manager`, value: '' }],
    ['value cleared', { op: 'replace', path: `${enterprise}:manager.value`, value: '' }],
    ['whole extension', { op: 'remove', path: enterprise }],
    ['whole extension by null', { op: 'replace', value: { [enterprise]: null } }],
  ])('manager removed: %s', (_, operation) => {
    expect(patched(managed, operation)).toEqual(minimal);
  });

  test('ENTRA-30 roles by primary', () => {
    const after = patched(
      minimal,
      { op: 'add', path: 'roles[primary eq "True"].display', value: 'D' },
      { op: 'add', path: 'roles[primary eq "True"].value', value: 'V' },
      { op: 'add', path: 'roles[primary eq "True"].type', value: 'T' },
    );
    expect(after.roles).toEqual([{ primary: true, display: 'D', value: 'V', type: 'T' }]);
  });

  test('ENTRA-33 a list is replaced whole', () => {
    const roles = [
      { value: 'Admin', display: 'Admin', type: 'WindowsAzureActiveDirectoryRole', primary: false },
    ];
    const current = { ...minimal, roles: [{ value: 'Old', primary: true }] };
    expect(patched(current, { op: 'replace', path: 'roles', value: roles })).toEqual({ ...minimal, roles });
  });

  test.each([
    ['ENTRA-34', { op: 'replace', path: 'title', value: '' }],
    ['ENTRA-34', { op: 'replace', value: { title: '', [`${enterprise}:department`]: '' } }],
    ['ENTRA-35', { op: 'replace', path: 'title', value: null }],
    ['remove', { op: 'remove', path: 'title' }],
  ])('%s clear %j', (_, operation) => {
    expect(patched({ ...minimal, title: 'T' }, operation)).toEqual(minimal);
  });

  test.each(['', null])('ENTRA-35 clear an element by %j, twice', (value) => {
    const clear = { op: 'replace', path: 'phoneNumbers[type eq "work"].value', value };
    const current = { ...minimal, phoneNumbers: [{ type: 'work', value: '1' }] };
    expect(patched(current, clear, clear)).toEqual(minimal);
  });

  test.each(['emails[type eq "work"]', 'emails[type eq "work"].value'])(
    'ENTRA-37 remove %s, twice',
    (path) => {
      const remove = { op: 'Remove', path };
      expect(patched(withMails, remove, remove)).toEqual({ ...minimal, emails: [home] });
    },
  );

  test('ENTRA-38 several attributes', () => {
    const after = patched(
      { ...minimal, preferredLanguage: 'en' },
      { op: 'remove', path: 'preferredLanguage' },
      { op: 'add', path: 'externalId', value: 'e38' },
      { op: 'replace', path: 'displayName', value: 'D38' },
    );
    expect(after).toEqual({ ...minimal, externalId: 'e38', displayName: 'D38' });
  });

  test('P2 several operations on one attribute', () => {
    const after = patched(
      { ...minimal, externalId: 'a' },
      { op: 'remove', path: 'externalId' },
      { op: 'add', path: 'externalId', value: 'b' },
      { op: 'replace', path: 'externalId', value: 'c' },
    );
    expect(after.externalId).toBe('c');
  });

  test('ENTRA-47 a no-op leaves everything equal', () => {
    expect(patched({ ...withMails, active: true }, { op: 'Add', path: 'active', value: 'True' })).toEqual({
      ...withMails,
      active: true,
    });
  });

  test('ENTRA-55 a missing type beside a primary element', () => {
    const after = patched(withMails, { op: 'Replace', path: 'emails[type eq "other"].value', value: 'o@x' });
    expect(after.emails).toEqual([work, home, { type: 'other', value: 'o@x' }]);
  });

  test('ENTRA-55 never two elements of one type', () => {
    const path = 'emails[type eq "HOME" and primary eq true].value';
    expect(patched(withMails, { op: 'add', path, value: 'n@x' }).emails).toEqual([
      { ...work, primary: false },
      { type: 'HOME', value: 'n@x', primary: true },
    ]);
  });

  test('scimmy#59 no operations', () => {
    expect(patched(withMails)).toEqual(withMails);
  });
});

describe('Okta, JumpCloud, authentik, OneLogin', () => {
  test('OKTA-19 password', () => {
    for (const operation of [
      { op: 'replace', value: { password: 'x' } },
      { op: 'replace', path: 'password', value: 'x' },
    ]) {
      expect(readPatch(userType, patchBody([operation]))).toEqual({ operations: [], ignored: [] });
    }
  });

  test('OKTA-25 and authentik: id and schemas in the object', () => {
    const value = {
      schemas: [coreGroup],
      id: 'abf4dd94',
      displayName: 'Test SCIMv2',
      externalId: 'e',
      meta: {},
    };
    const { operations, ignored } = readPatch(groupType, patchBody([{ op: 'replace', value }]));
    expect(applyPatch(groupType, { displayName: 'Old' }, operations)).toEqual({
      displayName: 'Test SCIMv2',
      externalId: 'e',
    });
    expect(ignored).toEqual([]);
  });

  test('JC-02 one replace an attribute', () => {
    const after = patched(
      withMails,
      { op: 'replace', path: 'name.givenName', value: 'J' },
      { op: 'replace', path: 'emails[type eq "work"].value', value: 'j@x.com' },
      { op: 'replace', path: 'active', value: false },
    );
    expect(after).toMatchObject({
      name: { givenName: 'J' },
      active: false,
      emails: [{ value: 'j@x.com' }, home],
    });
  });

  test('GEN-05 externalId', () => {
    expect(patched(minimal, { op: 'add', path: 'externalId', value: 'e1' })).toEqual({
      ...minimal,
      externalId: 'e1',
    });
  });

  test('unknown paths, keys and URNs are ignored and reported', () => {
    const patch = readPatch(
      userType,
      patchBody([
        { op: 'add', path: 'favouriteColour', value: 'red' },
        { op: 'replace', value: { 'urn:x:y': { z: 1 }, 'a b': 1, title: 'T' } },
        { op: 'remove', path: 'emails[type eq "work"].flavour' },
        { op: 'add', path: 'emails', value: [{ value: 'a', color: 'red' }] },
      ]),
    );
    expect(patch.ignored).toEqual([
      'favouriteColour',
      'urn:x:y',
      'a b',
      'emails[type eq "work"].flavour',
      'emails.color',
    ]);
    expect(applyPatch(userType, minimal, patch.operations)).toEqual({
      ...minimal,
      title: 'T',
      emails: [{ value: 'a' }],
    });
  });
});
