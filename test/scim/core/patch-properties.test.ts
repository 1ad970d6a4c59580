/** What must hold of every PATCH, on random users and operations: the engine against a model, and laws of its own. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attributes } from '../../../src/scim/core/attribute.ts';
import { renderResource } from '../../../src/scim/core/messages.ts';
import { readPatch } from '../../../src/scim/core/patch-request.ts';
import { userType } from '../../../src/scim/core/schemas.ts';
import { readResource } from '../../../src/scim/core/validate.ts';
import { badOperation, nest, type Operation, operation, resource } from './patch-arbitraries.ts';
import { modelPatch, Refused, type Resource } from './patch-model.ts';
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

  /** The order of elements says nothing (RFC 7643 §2.4): one that is emptied and filled again keeps its place in one request alone. */
  const inAnyOrder = (user: Attributes) =>
    Object.fromEntries(
      Object.entries(user).map(([name, held]) => [
        name,
        Array.isArray(held) ? held.map((one) => JSON.stringify(one)).sort() : held,
      ]),
    );

  test('operations in one request are requests in a row', () => {
    fc.assert(
      fc.property(operations, (list) => {
        fc.pre(refusedPatch(withMails, ...list) === undefined);
        expect(inAnyOrder(patched(withMails, ...list))).toEqual(
          inAnyOrder(list.reduce<Attributes>((user, one) => patched(user, one), withMails)),
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

describe('PATCH of any user by any operations', () => {
  const runs = Math.max(1000, Number(process.env.FUZZ_RUNS ?? 0));
  const operations = fc.array(operation, { minLength: 1, maxLength: 5 });
  const attributesOf = (user: Resource) => nest(user) as Attributes;
  const wires = (list: readonly Operation[]) => list.map(({ wire }) => wire);
  const after = (user: Attributes, list: readonly Operation[]): Attributes | 'refused' =>
    refusedPatch(user, ...wires(list)) === undefined ? patched(user, ...wires(list)) : 'refused';
  const modelled = (user: Resource, list: readonly Operation[]): Attributes | 'refused' => {
    try {
      return attributesOf(
        modelPatch(
          user,
          list.flatMap(({ steps }) => steps),
        ),
      );
    } catch (error) {
      if (error instanceof Refused) return 'refused';
      throw error;
    }
  };
  /** One value as two elements that disagree: which of them is meant, no text says. Case tells most values not apart. */
  const saysTwice = ({ value }: Operation['steps'][number]) => {
    const values = [value].flat().map((one) => String(Object(one).value).toLowerCase());
    return new Set(values).size < values.length;
  };
  const check = <T>(arbitrary: fc.Arbitrary<T>, law: (value: T) => void, numRuns = runs) =>
    fc.assert(fc.property(arbitrary, law), { numRuns });

  test('gives what the model gives', () => {
    let accepted = 0;
    check(
      fc.tuple(resource, operations),
      ([user, list]) => {
        if (list.some(({ steps }) => steps.some(saysTwice))) return;
        const result = after(attributesOf(user), list);
        expect(result).toEqual(modelled(user, list));
        if (result !== 'refused') accepted += 1;
      },
      runs * 3,
    );
    // Otherwise it was a test of refusals.
    expect(accepted).toBeGreaterThan(runs / 2);
  });

  test('leaves what it was given alone, and gives nothing when one operation fails', () => {
    check(fc.tuple(resource, operations, badOperation, fc.nat(5)), ([user, list, bad, at]) => {
      const attributes = attributesOf(user);
      const frozen = deepFreeze(structuredClone(attributes));
      after(frozen, list);
      expect(frozen).toEqual(attributes);
      expect(refusedPatch(frozen, ...wires(list).toSpliced(at, 0, bad))).toBeDefined();
      expect(frozen).toEqual(attributes);
    });
  });

  test('twice is once', () => {
    check(fc.tuple(resource, operation), ([user, one]) => {
      const once = after(attributesOf(user), [one]);
      const [step] = one.steps;
      if (once === 'refused' || step === undefined || one.steps.length > 1) return;
      const { choice, sub } = step.target;
      const terms = choice?.terms.map((term) => term.sub) ?? [];
      // Where the path chooses by what the operation changes, the second one speaks of other elements.
      if (terms.some((name) => name === sub || name in Object([step.value].flat()[0]))) return;
      // A bare value that nobody has yet joins an element of that value, and is then chosen and replaced whole.
      if (choice !== undefined && sub === undefined && typeof step.value === 'string') return;
      // An element without a value is known by all that it says: another of the same operation may change one it was found in.
      const elements = [step.value].flat();
      if (elements.length > 1 && elements.some((element) => !Object(element).value)) return;
      const twice = after(once, [one]);
      if (twice !== 'refused' || choice === undefined) expect(twice).toEqual(once);
    });
  });

  test('in either order, where two operations have no attribute in common', () => {
    const rootsOf = ({ steps }: Operation) => steps.map(({ target }) => target.name);
    check(fc.tuple(resource, operation, operation), ([user, one, other]) => {
      fc.pre(!rootsOf(one).some((name) => rootsOf(other).includes(name)));
      expect(after(attributesOf(user), [one, other])).toEqual(after(attributesOf(user), [other, one]));
    });
  });

  test('gives what a reader reads as the same: one primary, nothing unassigned', () => {
    check(fc.tuple(resource, operations), ([user, list]) => {
      const result = after(attributesOf(user), list);
      if (result === 'refused') return;
      const meta = { created: '', lastModified: '', location: '' };
      const rendered = renderResource({ type: userType, id: 'x', attributes: result, meta });
      expect(readResource(userType, rendered).attributes).toEqual(result);
      expect(JSON.stringify(result)).not.toMatch(/null|""|\[\]|\{\}/);
      for (const held of Object.values(result)) {
        const primaries = (Array.isArray(held) ? held : []).filter((one) => Object(one).primary === true);
        expect(primaries.length).toBeLessThanOrEqual(1);
      }
    });
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
