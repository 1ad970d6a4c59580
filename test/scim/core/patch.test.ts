import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import type { Attributes } from '../../../src/scim/core/attribute.ts';
import { readPatch } from '../../../src/scim/core/patch-request.ts';
import { userType } from '../../../src/scim/core/schemas.ts';
import { coreGroup, enterprise, patchBody, patched, patchOp, refusal, refused } from './support.ts';

const minimal: Attributes = { userName: 'u@x' };
const work = { type: 'work', value: 'w@x', primary: true };
const home = { type: 'home', value: 'h@x' };
const withMails: Attributes = { userName: 'u@x', emails: [work, home] };
const refusedPatch = (current: Attributes, ...operations: unknown[]) =>
  refused(() => patched(current, ...operations));

describe('RFC 7644 §3.5.2', () => {
  test('Operations in any case, PatchOp in any case', () => {
    const body = { Schemas: [patchOp.toUpperCase()], operations: [{ OP: 'ADD', Path: 'title', Value: 'T' }] };
    expect(readPatch(userType, body).operations).toHaveLength(1);
  });

  test('an equal element is not added twice, what is new about it is taken', () => {
    const emails = [
      { type: 'work', value: 'W@x' },
      { type: 'home', value: 'h@x', display: 'Home' },
      { value: 'n@x' },
    ];
    expect(patched(withMails, { op: 'add', path: 'emails', value: emails }).emails).toEqual([
      { ...work, value: 'W@x' },
      { ...home, display: 'Home' },
      { value: 'n@x' },
    ]);
    const addresses = [{ locality: 'L', type: 'home' }];
    const add = { op: 'add', path: 'addresses', value: addresses };
    expect(patched(minimal, add, add).addresses).toEqual(addresses);
  });

  test('case-exact values differ by case', () => {
    const add = (value: string) => ({ op: 'add', path: 'x509Certificates', value: [{ value }] });
    expect(patched(minimal, add('AbC='), add('abc='), add('AbC=')).x509Certificates).toHaveLength(2);
  });

  test('a single value with a path is a list of one; without a path it is wrong', () => {
    expect(patched(minimal, { op: 'add', path: 'emails', value: { value: 'a' } }).emails).toEqual([
      { value: 'a' },
    ]);
    expect(patched(minimal, { op: 'add', path: 'emails', value: 'a' }).emails).toEqual([{ value: 'a' }]);
    expect(refusedPatch(minimal, { op: 'add', value: { emails: { value: 'a' } } })).toBe('invalidValue');
  });

  test('a new primary clears the older one', () => {
    const after = { ...work, primary: false };
    expect(
      patched(withMails, { op: 'add', path: 'emails', value: [{ value: 'n@x', primary: true }] }).emails,
    ).toEqual([after, home, { value: 'n@x', primary: true }]);
    expect(
      patched(withMails, { op: 'replace', path: 'emails[type eq "home"].primary', value: 'True' }).emails,
    ).toEqual([after, { ...home, primary: true }]);
    const reversed = { userName: 'u@x', emails: [home, work] };
    expect(
      patched(reversed, { op: 'replace', path: 'emails[type eq "home"].primary', value: true }).emails,
    ).toEqual([{ ...home, primary: true }, after]);
  });

  test('the one that is said to be primary is, also where the older one is named after it', () => {
    const value = [
      { value: 'h@x', primary: true },
      { value: 'w@x', display: 'D' },
    ];
    for (const emails of [
      [home, work],
      [work, home],
    ]) {
      const after = patched({ userName: 'u@x', emails }, { op: 'add', path: 'emails', value });
      expect(after.emails).toEqual(
        expect.arrayContaining([
          { ...home, primary: true },
          { ...work, primary: false, display: 'D' },
        ]),
      );
    }
  });

  test('an element that has only labels in the end is none, as in a POST', () => {
    const label = { op: 'add', path: 'emails[value eq ""].type', value: 'work' };
    for (const operation of [
      { op: 'add', path: 'emails.type', value: 'work' },
      { op: 'replace', path: 'roles[primary eq true].type', value: 'T' },
      label,
    ]) {
      expect(patched(minimal, operation)).toEqual(minimal);
    }
    const path = (sub: string) => `roles[primary eq true].${sub}`;
    expect(
      patched(
        minimal,
        { op: 'add', path: path('type'), value: 'T' },
        { op: 'add', path: path('value'), value: 'V' },
      ).roles,
    ).toEqual([{ primary: true, type: 'T', value: 'V' }]);
    const display = { ...label, path: 'emails[value eq ""].display' };
    expect(patched(minimal, display).emails).toEqual([{ display: 'work' }]);
  });

  test('an element is replaced whole but stays what the filter says; add merges into it', () => {
    const path = 'emails[type eq "work"]';
    expect(patched(withMails, { op: 'replace', path, value: { value: 'n@x' } }).emails).toEqual([
      { type: 'work', value: 'n@x' },
      home,
    ]);
    expect(patched(withMails, { op: 'add', path, value: { display: 'D' } }).emails).toEqual([
      { ...work, display: 'D' },
      home,
    ]);
    expect(patched(withMails, { op: 'replace', path, value: 'n@x' }).emails).toEqual([
      { type: 'work', value: 'n@x' },
      home,
    ]);
    expect(patched(withMails, { op: 'replace', path, value: '' }).emails).toEqual([home]);
    expect(
      patched(withMails, { op: 'replace', path, value: { type: 'other', value: 'o@x' } }).emails,
    ).toEqual([{ type: 'other', value: 'o@x' }, home]);
  });

  test('a sub-attribute of a list is that of every element', () => {
    expect(patched(withMails, { op: 'replace', path: 'emails.display', value: 'D' }).emails).toEqual([
      { ...work, display: 'D' },
      { ...home, display: 'D' },
    ]);
    expect(patched(withMails, { op: 'remove', path: 'emails.value' })).toEqual(minimal);
    expect(patched(minimal, { op: 'add', path: 'emails.value', value: 'a' }).emails).toEqual([
      { value: 'a' },
    ]);
  });

  test('remove of a list: all, those given, none', () => {
    expect(patched(withMails, { op: 'remove', path: 'emails' })).toEqual(minimal);
    expect(patched(withMails, { op: 'remove', path: 'emails', value: null })).toEqual(minimal);
    expect(patched(withMails, { op: 'remove', path: 'emails', value: [{ value: 'W@X' }] }).emails).toEqual([
      home,
    ]);
    expect(patched(withMails, { op: 'remove', path: 'emails', value: { type: 'home' } }).emails).toEqual([
      work,
      home,
    ]);
    expect(patched(withMails, { op: 'remove', path: 'emails', value: [] })).toEqual(withMails);
    expect(patched(withMails, { op: 'remove', path: 'emails', value: '' })).toEqual(withMails);
    const addresses = [{ locality: 'L', region: 'R' }, { locality: 'M' }];
    expect(
      patched({ ...minimal, addresses }, { op: 'remove', path: 'addresses', value: [{ locality: 'l' }] })
        .addresses,
    ).toEqual([{ locality: 'M' }]);
  });

  test('replace of a complex attribute leaves what it does not name', () => {
    const current = { ...minimal, name: { givenName: 'G', familyName: 'F' } };
    expect(patched(current, { op: 'replace', path: 'name', value: { givenName: 'H' } }).name).toEqual({
      givenName: 'H',
      familyName: 'F',
    });
    expect(patched(current, { op: 'remove', path: 'name.givenName' }).name).toEqual({ familyName: 'F' });
    expect(patched(current, { op: 'remove', path: 'name' })).toEqual(minimal);
    expect(
      patched(current, { op: 'replace', path: 'name', value: { givenName: '', familyName: null } }),
    ).toEqual(minimal);
  });

  test('adding nothing to a list changes nothing, replacing with nothing clears it', () => {
    for (const value of [[], null, '', [''], [null]]) {
      expect(patched(withMails, { op: 'add', path: 'emails', value })).toEqual(withMails);
      expect(patched(withMails, { op: 'replace', path: 'emails', value })).toEqual(minimal);
    }
  });
});

describe('what is refused', () => {
  const cases: [scimType: string, operation: unknown][] = [
    ['invalidSyntax', 'x'],
    ['invalidSyntax', {}],
    ['invalidSyntax', { op: 'move', path: 'title', value: 'x' }],
    ['invalidSyntax', { op: 'constructor', path: 'title', value: 'x' }],
    ['noTarget', { op: 'remove' }],
    ['invalidPath', { op: 'replace', path: 5, value: 'x' }],
    ['invalidPath', { op: 'replace', path: 'emails[type eq "work"', value: 'x' }],
    ['invalidPath', { op: 'replace', path: 'name[familyName eq "x"].givenName', value: 'x' }],
    ['invalidFilter', { op: 'replace', path: 'emails[flavour eq "x"].value', value: 'x' }],
    ['invalidValue', { op: 'replace', path: 'title' }],
    ['invalidValue', { op: 'replace', value: 'x' }],
    ['invalidValue', { op: 'replace', value: [] }],
    ['invalidValue', { op: 'replace', path: 'active', value: 'maybe' }],
    ['invalidValue', { op: 'replace', path: 'title', value: 5 }],
    ['invalidValue', { op: 'replace', path: 'name', value: 'Bob' }],
    ['invalidValue', { op: 'replace', path: enterprise, value: 'x' }],
    ['invalidValue', { op: 'replace', path: 'userName', value: '' }],
    ['invalidValue', { op: 'replace', value: { userName: null } }],
    ['mutability', { op: 'remove', path: 'userName' }],
    ['mutability', { op: 'replace', path: 'id', value: 'x' }],
    ['mutability', { op: 'replace', path: 'meta.created', value: 'x' }],
    ['mutability', { op: 'add', path: 'groups', value: [{ value: 'g' }] }],
    ['mutability', { op: 'remove', path: 'groups' }],
    ['mutability', { op: 'replace', path: 'seat.state', value: 'held' }],
    ['noTarget', { op: 'replace', path: 'emails[type ne "work" and value eq "q"].value', value: 'x' }],
    ['noTarget', { op: 'add', path: 'emails[type eq "a" or type eq "b"].value', value: 'x' }],
  ];
  test.each(cases)('%s: %j', (scimType, operation) => {
    expect(refusedPatch(withMails, operation)).toBe(scimType);
  });

  test.each([
    [{ Operations: [] }],
    [{ schemas: [coreGroup], Operations: [] }],
    [{ schemas: [patchOp] }],
    [{ schemas: [patchOp], Operations: {} }],
    [[]],
    [undefined],
  ])('a body that is no PatchOp %#', (body) => {
    expect(refused(() => readPatch(userType, body))).toBe('invalidSyntax');
  });

  test('all that is wrong, told at once and without the values', () => {
    const body = patchBody([
      { op: 'replace', path: 'active', value: 'secret' },
      { op: 'replace', path: 'id', value: 'x' },
      { op: 'shout' },
    ]);
    expect(refusal(() => readPatch(userType, body))).toEqual({
      scimType: 'invalidSyntax',
      message:
        '"Operations[2].op" must be add, replace or remove; "active" must be true or false; "id" is read-only.',
    });
  });

  test('limits', () => {
    const many = Array.from({ length: limits.patchOperationsMax + 1 }, () => ({
      op: 'remove',
      path: 'title',
    }));
    expect(refusedPatch(minimal, ...many)).toBe('too_large');
    expect(refusedPatch(minimal, ...many.slice(0, 2001))).toBe('too_large');
    expect(refusedPatch(minimal, ...many.slice(0, 2000))).toBeUndefined();
    const emails = Array.from({ length: limits.valuesPerAttributeMax }, (_, i) => ({ value: `${i}` }));
    expect(refusedPatch({ ...minimal, emails }, { op: 'add', path: 'emails', value: ['x'] })).toBe(
      'invalidValue',
    );
  });
});
