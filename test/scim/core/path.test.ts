import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameOf } from '../../../src/scim/core/attribute.ts';
import { parsePath } from '../../../src/scim/core/path.ts';
import { groupType, userType } from '../../../src/scim/core/schemas.ts';
import { coreUser, enterprise, names, print, refused, text } from './support.ts';

/** A path as one line: kind or name, and the filter. */
function read(path: string, type = userType): string {
  const parsed = parsePath(type, path);
  switch (parsed.kind) {
    case 'unknown':
      return `unknown ${parsed.text}`;
    case 'extension':
      return `extension ${parsed.extension.name}`;
    case 'value': {
      const { filter } = parsed.path;
      return `${nameOf(parsed.path)}${filter === undefined ? '' : ` where ${print(filter)}`}`;
    }
  }
}

describe('paths', () => {
  const cases: [path: string, result: string][] = [
    ['userName', 'userName'],
    ['USERNAME', 'userName'],
    ['externalId', 'externalId'],
    ['name.givenName', 'name.givenName'],
    ['emails[type eq "work"]', 'emails where type eq "work"'],
    ['emails[type eq "work"].value', 'emails.value where type eq "work"'],
    ['Emails[Type Eq "work"].Value', 'emails.value where type eq "work"'],
    ['roles[primary eq "True"].value', 'roles.value where primary eq true'],
    ['emails[value eq "a]b"]', 'emails where value eq "a]b"'],
    ['emails[value eq "x].type"].display', 'emails.display where value eq "x].type"'],
    [`${enterprise}:department`, `${enterprise}:department`],
    [`${enterprise}:manager.value`, `${enterprise}:manager.value`],
    ['manager', `${enterprise}:manager`],
    [enterprise, 'extension EnterpriseUser'],
    [`${coreUser}:name.familyName`, 'name.familyName'],
    [`${coreUser}:emails[type eq "work"].value`, 'emails.value where type eq "work"'],
    ['favouriteColour', 'unknown favouriteColour'],
    ['name.nick', 'unknown name.nick'],
    ['name.givenName.x', 'unknown name.givenName.x'],
    ['emails[type eq "work"].flavour', 'unknown emails[type eq "work"].flavour'],
    ['foo[bar eq "x"].y', 'unknown foo[bar eq "x"].y'],
    ['urn:okta:custom:1.0:User:x', 'unknown urn:okta:custom:1.0:User:x'],
    [coreUser, `unknown ${coreUser}`],
  ];
  test.each(cases)('%s', (path, result) => {
    expect(read(path)).toBe(result);
  });

  test('ENTRA-68 member by id', () => {
    expect(read('members[value eq "7f4bc1a3"]', groupType)).toBe('members where value eq "7f4bc1a3"');
  });

  test.each([
    ['[type eq "work"]', 'invalidPath'],
    ['emails]', 'invalidPath'],
    ['emails[type eq "work"', 'invalidPath'],
    ['emails[type eq "work"]value', 'invalidPath'],
    ['user name', 'invalidPath'],
    ['userName[value eq "x"]', 'invalidPath'],
    ['name[familyName eq "x"]', 'invalidPath'],
    ['emails[]', 'invalidFilter'],
    ['emails[flavour eq "x"]', 'invalidFilter'],
    ['emails[type]', 'invalidFilter'],
  ])('%s is refused as %s', (path, scimType) => {
    expect(refused(() => parsePath(userType, path))).toBe(scimType);
  });

  test('every name of the schema, in any case', () => {
    for (const name of names(userType)) {
      expect(read(name.toUpperCase())).toBe(name);
      expect(read(`${coreUser}:${name}`)).toBe(name);
    }
  });

  test('random text is read or refused, nothing else', () => {
    const part = fc.constantFrom('emails', '[', ']', 'type eq "x"', '.', 'value', ':', enterprise, ' ', '"');
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.array(part).map((parts) => parts.join('')),
        ),
        (path) => {
          const scimType = refused(() => parsePath(userType, path));
          expect([undefined, 'invalidPath', 'invalidFilter']).toContain(scimType);
        },
      ),
      { numRuns: 500 },
    );
  });
});
