import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attributes } from '../../../src/scim/core/attribute.ts';
import { readPatch } from '../../../src/scim/core/patch-request.ts';
import { userType } from '../../../src/scim/core/schemas.ts';
import { enterprise, patchBody, patched, refused } from './support.ts';

const work = { type: 'work', value: 'w@x', primary: true };
const home = { type: 'home', value: 'h@x' };
const withMails: Attributes = { userName: 'u@x', emails: [work, home] };
const refusedPatch = (current: Attributes, ...operations: unknown[]) =>
  refused(() => patched(current, ...operations));

describe('PATCH', () => {
  const path = fc.constantFrom(
    'title',
    'active',
    'name',
    'name.givenName',
    'emails',
    'emails.primary',
    'emails[type eq "work"]',
    'emails[type eq "work"].value',
    'emails[type eq "home" and primary eq true].value',
    'emails[value co "x"].primary',
    'roles[primary eq "True"].value',
    'addresses[type eq "work"].locality',
    'manager',
    `${enterprise}:department`,
    enterprise,
    'nonsense',
  );
  const element = fc.record(
    { type: fc.constantFrom('work', 'home'), value: fc.constantFrom('', 'ax', 'b'), primary: fc.boolean() },
    { requiredKeys: [] },
  );
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      '',
      null,
      'x',
      true,
      'False',
      [],
      {},
      { givenName: 'G', middleName: '' },
      { department: 'D' },
    ),
    fc.array(element, { maxLength: 3 }),
    element,
  );
  const operation = fc.record({ op: fc.constantFrom('add', 'Replace', 'remove'), path, value });
  const operations = fc.array(operation, { maxLength: 6 });
  const codes = [undefined, 'invalidValue', 'noTarget', 'mutability'];

  test('all or nothing: never changes its input, keeps one primary, leaves nothing unassigned', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const current = structuredClone(withMails);
        const scimType = refusedPatch(current, ...list);
        expect(current).toEqual(withMails);
        expect(codes).toContain(scimType);
        if (scimType !== undefined) return;
        const after = patched(current, ...list);
        expect(JSON.stringify(after)).not.toMatch(/null|""|\[\]|\{\}/);
        for (const list of [after.emails, after.roles]) {
          const primaries = (Array.isArray(list) ? list : []).filter((one) =>
            JSON.stringify(one).includes('"primary":true'),
          );
          expect(primaries.length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 600 },
    );
  });

  test('one operation twice is the operation once', () => {
    fc.assert(
      fc.property(operation, (one) => {
        fc.pre(refusedPatch(withMails, one) === undefined);
        expect(patched(withMails, one, one)).toEqual(patched(withMails, one));
      }),
      { numRuns: 400 },
    );
  });

  test('operations in one request are requests in a row', () => {
    fc.assert(
      fc.property(operations, (list) => {
        fc.pre(refusedPatch(withMails, ...list) === undefined);
        expect(patched(withMails, ...list)).toEqual(
          list.reduce<Attributes>((user, one) => patched(user, one), withMails),
        );
      }),
    );
  });

  test('any JSON is read or refused', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (path, value) => {
        const scimType = refused(() => readPatch(userType, patchBody([{ op: 'add', path, value }])));
        expect([
          undefined,
          'invalidPath',
          'invalidFilter',
          'invalidValue',
          'mutability',
          'invalidSyntax',
        ]).toContain(scimType);
      }),
      { numRuns: 300 },
    );
  });
});
