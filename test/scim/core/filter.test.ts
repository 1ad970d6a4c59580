import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/kernel/limits.ts';
import { type Filter, parseFilter } from '../../../src/scim/core/filter.ts';
import { matches } from '../../../src/scim/core/match-filter.ts';
import { groupType, userType } from '../../../src/scim/core/schemas.ts';
import { enterprise, print, refusal, refused, text, userFilter } from './support.ts';

const parsed = (filter: string, type = userType) => print(parseFilter(type, filter));

describe('what clients send', () => {
  const cases: [name: string, sent: string, read: string][] = [
    ['ENTRA-01 lookup by userName', 'userName eq "7d420df3"', 'userName eq "7d420df3"'],
    ['ENTRA-04 attribute names have no case', 'UserName eq "x"', 'userName eq "x"'],
    [
      'ENTRA-06 one element is both',
      'emails[type eq "work"].value eq "a@b"',
      'emails[(type eq "work" and value eq "a@b")]',
    ],
    ['ENTRA-06 presence', 'emails[type eq "work"].value pr', 'emails[(type eq "work" and value pr)]'],
    [
      'ENTRA-06 an inner or stays inside',
      'emails[type eq "a" or type eq "b"].value eq "c"',
      'emails[((type eq "a" or type eq "b") and value eq "c")]',
    ],
    [
      'ENTRA-06 and what follows stays outside',
      'emails[type eq "a"].value eq "c" and title pr',
      '(emails[(type eq "a" and value eq "c")] and title pr)',
    ],
    ['ENTRA-30 boolean as text', 'roles[primary eq "True"]', 'roles[primary eq true]'],
    ['boolean without quotes', 'active eq True', 'active eq true'],
    [
      'A1 reference check',
      'id eq "u" and manager eq "m"',
      `(id eq "u" and ${enterprise}:manager.value eq "m")`,
    ],
    ['OneLogin: managerId', `${enterprise}:manager.managerId eq "m"`, `${enterprise}:manager.value eq "m"`],
    ['URN in other case', `${enterprise.toUpperCase()}:DEPARTMENT sw "R"`, `${enterprise}:department sw "R"`],
    [
      'core URN',
      'urn:ietf:params:scim:schemas:core:2.0:User:name.familyName eq "x"',
      'name.familyName eq "x"',
    ],
    [
      'PING operators have no case',
      'userName Eq "x" AND emails Co "y"',
      '(userName eq "x" and emails.value co "y")',
    ],
    ['authentik#16455 no quotes', 'userName eq bob@example.com', 'userName eq "bob@example.com"'],
    [
      'authentik#16455 several words',
      'displayName eq authentik Admins and active eq true',
      '(displayName eq "authentik Admins" and active eq true)',
    ],
    ['A0-01 bar in a value', 'externalId eq "auth0|5f7c8ec7"', 'externalId eq "auth0|5f7c8ec7"'],
    [
      'C3 offset and seven digits',
      'meta.created gt "2019-11-21T10:00:00.1234567+02:00"',
      'meta.created gt "2019-11-21T08:00:00.123Z"',
    ],
    [
      'C3 the + became a space',
      'meta.created gt 2019-11-21T10:00:00 02:00',
      'meta.created gt "2019-11-21T08:00:00.000Z"',
    ],
    ['escapes', String.raw`userName eq "\u0041\\\"b"`, String.raw`userName eq "A\\\"b"`],
    ['a keyword inside a value', 'title eq "x and active eq true"', 'title eq "x and active eq true"'],
    ['brackets inside a value', 'title eq "a)] (["', 'title eq "a)] (["'],
    ['null is unassigned', 'title eq null', 'not (title pr)'],
    ['not null is assigned', 'title ne null', 'title pr'],
    ['null as text', 'title eq "null"', 'title eq "null"'],
    ['a digit as text', 'userName eq 42', 'userName eq "42"'],
    [
      'precedence',
      'title pr or active eq true and not (locale pr)',
      '(title pr or (active eq true and not (locale pr)))',
    ],
    [
      'number',
      'seat.position ge 3',
      'urn:blue:params:scim:schemas:extension:provisioning:2.0:User:seat.position ge 3',
    ],
  ];
  test.each(cases)('%s', (_, sent, read) => {
    expect(parsed(sent)).toBe(read);
  });

  test('E1 example 4: members of a group', () => {
    expect(parsed('id eq "g" and members eq "u"', groupType)).toBe('(id eq "g" and members.value eq "u")');
  });
});

describe('what is refused', () => {
  const cases: [name: string, filter: string][] = [
    ['ENTRA-50 unknown attribute', 'employeeId eq "1"'],
    ['unknown sub-attribute', 'emails[foo eq "1"]'],
    ['unknown URN', 'urn:x:User:y eq "1"'],
    ['nothing', ''],
    ['no operator', 'userName'],
    ['no value', 'userName eq'],
    ['unknown operator', 'userName is "x"'],
    ['open quote', 'userName eq "x'],
    ['single quotes', "userName eq 'x'"],
    ['bad escape', String.raw`userName eq "a\q"`],
    ['NUL', String.raw`userName eq "a\u0000"`],
    ['half a surrogate pair', String.raw`userName eq "\ud800"`],
    ['open bracket', 'emails[type eq "work"'],
    ['crossed brackets', '(emails[type eq "work")]'],
    ['dangling sub-attribute', 'emails[type eq "work"].value'],
    ['two terms in a row', 'title pr title pr'],
    ['not between terms', 'title pr not title pr'],
    ['a word of Object.prototype', 'title pr constructor title pr'],
    ['proto', 'title pr __proto__ title pr'],
    ['complex without value', 'name eq "x"'],
    ['elements of what has none', 'userName[type eq "x"]'],
    ['order of booleans', 'active gt true'],
    ['no boolean', 'active eq "maybe"'],
    ['no dateTime', 'meta.created gt "yesterday"'],
    ['no such date', 'meta.created gt "2019-13-01T00:00:00Z"'],
    ['part of a dateTime', 'meta.created sw "2019"'],
    ['no integer', 'seat.position eq 1.5'],
    ['order of null', 'title gt null'],
  ];
  test.each(cases)('%s', (_, filter) => {
    expect(refused(() => parseFilter(userType, filter))).toBe('invalidFilter');
  });

  test('20,000 parentheses, at once', () => {
    const started = performance.now();
    const deep = `${'('.repeat(20_000)}title pr${')'.repeat(20_000)}`;
    expect(refusal(() => parseFilter(userType, deep))?.message).toContain('longer than');
    expect(performance.now() - started).toBeLessThan(500);
  });

  test('depth and number of terms', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}title pr${')'.repeat(depth)}`;
    const terms = (count: number) => Array.from({ length: count }, () => 'title pr').join(' or ');
    expect(refused(() => parseFilter(userType, nested(limits.filterDepthMax)))).toBeUndefined();
    expect(refused(() => parseFilter(userType, nested(limits.filterDepthMax + 1)))).toBe('invalidFilter');
    expect(refused(() => parseFilter(userType, terms(limits.filterTermsMax)))).toBeUndefined();
    expect(refused(() => parseFilter(userType, terms(limits.filterTermsMax + 1)))).toBe('invalidFilter');
    expect(refused(() => parseFilter(userType, `${'not '.repeat(1000)}title pr`))).toBe('invalidFilter');
  });
});

describe('matches', () => {
  const user = {
    id: 'u1',
    userName: 'Mixed.Case@Contoso.com',
    externalId: 'AbC',
    active: true,
    name: { familyName: 'Müller' },
    emails: [
      { type: 'work', value: 'a@contoso.com', primary: true },
      { type: 'home', value: 'b@home.example' },
    ],
    [enterprise]: { manager: { value: 'M1' } },
    meta: { created: '2026-01-01T00:00:00.000Z' },
  };
  const cases: [filter: string, holds: boolean][] = [
    ['userName eq "MIXED.CASE@contoso.com"', true],
    ['externalId eq "AbC"', true],
    ['externalId eq "abc"', false],
    ['emails[type eq "work"].value eq "A@contoso.com"', true],
    ['emails[type eq "work"].value eq "b@home.example"', false],
    ['emails.type eq "work" and emails.value eq "b@home.example"', true],
    ['emails co "HOME.ex"', true],
    ['emails[primary eq "True"].value ew "contoso.com"', true],
    ['emails[not (primary eq true)].value sw "b@"', true],
    ['manager eq "M1"', true],
    ['manager eq "m1"', false],
    ['manager pr', true],
    ['title pr', false],
    ['title ne "x"', true],
    ['title eq "x"', false],
    ['emails.type ne "work"', false],
    ['emails.type ne "other"', true],
    ['active eq "True"', true],
    ['active ne true', false],
    ['meta.created ge "2026-01-01T01:00:00+01:00"', true],
    ['meta.created lt "2026-01-01T00:00:00Z"', false],
    ['name.familyName gt "m"', true],
    ['name.familyName sw "MÜ"', true],
    ['seat.position gt 1', false],
    ['not (active eq true) or id eq "u1"', true],
  ];
  test.each(cases)('%s is %s', (filter, holds) => {
    expect(matches(parseFilter(userType, filter), user)).toBe(holds);
  });
});

describe('properties', () => {
  const parse = (filter: string) => parseFilter(userType, filter);

  test('what is printed is read as the same tree, frozen', () => {
    fc.assert(
      fc.property(userFilter(), (filter) => {
        const printed = print(filter);
        fc.pre(printed.length <= limits.filterLengthMax);
        const read = parse(printed);
        expect(read).toEqual(filter);
        expect(isFrozen(read)).toBe(true);
      }),
    );
  });

  test('random text is read or refused, nothing else', () => {
    const token = fc.constantFrom(
      'userName',
      'emails',
      '[',
      ']',
      '(',
      ')',
      'eq',
      'pr',
      'and',
      'or',
      'not',
      '"x"',
      '].value',
      '.',
      ' ',
      'type',
      '\\',
      '1',
      'constructor',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(token, { maxLength: 12 }).map((parts) => parts.join(' ')),
        ),
        (filter) => {
          const refusedWith = refused(() => parse(filter));
          expect([undefined, 'invalidFilter']).toContain(refusedWith);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('any text can be looked up, quoted', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(matches(parse(`userName eq ${JSON.stringify(value)}`), { userName: value })).toBe(
          value !== '',
        );
      }),
    );
  });
});

function isFrozen(filter: Filter): boolean {
  if (!Object.isFrozen(filter)) return false;
  switch (filter.kind) {
    case 'and':
    case 'or':
      return Object.isFrozen(filter.filters) && filter.filters.every(isFrozen);
    case 'not':
    case 'element':
      return isFrozen(filter.filter);
    case 'constant':
      return true;
    default:
      return Object.isFrozen(filter.path);
  }
}
