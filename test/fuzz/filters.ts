/** Filters and PATCH paths from the grammar of RFC 7644 §3.4.2.2, right and wrong. */

import type { Random } from './random.ts';
import { damaged, text, word } from './texts.ts';

export const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

const simple = ['userName', 'title', 'displayName', 'externalId', 'active', 'id', 'userType', 'locale'];
const complexNames = [
  'name',
  'emails',
  'phoneNumbers',
  'roles',
  'addresses',
  'photos',
  'members',
  'groups',
  'meta',
];
const subNames = [
  'value',
  'type',
  'primary',
  'display',
  'givenName',
  'familyName',
  '$ref',
  'lastModified',
  'created',
];
const longNames = [
  `${enterprise}:department`,
  `${enterprise}:manager.value`,
  enterprise,
  'manager',
  'urn:ietf:params:scim:schemas:core:2.0:User:userName',
  'urn:blue:params:scim:schemas:extension:provisioning:2.0:User:seat.state',
];
const strange = [
  '__proto__',
  'constructor',
  'toString',
  'password',
  'schemas',
  'nothing',
  'a.b.c',
  '.',
  ':',
  'urn:',
  'é',
];
const operators = [
  'eq',
  'eq',
  'eq',
  'ne',
  'co',
  'sw',
  'ew',
  'gt',
  'ge',
  'lt',
  'le',
  'EQ',
  'Pr',
  're',
  'in',
  '==',
];

export function attributeName(random: Random): string {
  const name = random.weighted<string>([
    [6, () => random.pick(simple)],
    [3, () => random.pick(complexNames)],
    [4, () => `${random.pick(complexNames)}.${random.pick(subNames)}`],
    [2, () => random.pick(longNames)],
    [1, () => random.pick(strange)],
  ]);
  return random.chance(0.1) ? name.toUpperCase() : name;
}

function literal(random: Random, ids: readonly string[]): string {
  return random.weighted<string>([
    [6, () => JSON.stringify(word(random))],
    [3, () => JSON.stringify(text(random))],
    [3, () => JSON.stringify(random.pick(ids))],
    [2, () => random.pick(['true', 'false', 'True', 'null', '12', '-1.5', '1e5', '2026-01-01T00:00:00Z'])],
    [1, () => JSON.stringify('2026-01-01T00:00:00+01:00')],
    [1, () => word(random)],
    [1, () => `"${text(random)}"`],
    [0.5, () => `'${word(random)}'`],
    [0.3, () => ''],
  ]);
}

function term(random: Random, ids: readonly string[], name = attributeName(random)): string {
  if (random.chance(0.15)) return `${name} pr`;
  return `${name} ${random.pick(operators)} ${literal(random, ids)}`;
}

function elements(random: Random, ids: readonly string[]): string {
  const inner = random.list(1, 3, () => term(random, ids, random.pick(subNames)));
  return `${random.pick(complexNames)}[${inner.join(random.pick([' and ', ' or ']))}]`;
}

function tree(random: Random, ids: readonly string[], depth: number): string {
  if (depth === 0) return random.chance(0.25) ? elements(random, ids) : term(random, ids);
  return random.weighted<string>([
    [3, () => tree(random, ids, 0)],
    [
      4,
      () =>
        random
          .list(2, 3, () => tree(random, ids, depth - 1))
          .join(random.pick([' and ', ' or ', ' AND ', '  or '])),
    ],
    [2, () => `(${tree(random, ids, depth - 1)})`],
    [1, () => `not (${tree(random, ids, depth - 1)})`],
    [0.3, () => `not ${tree(random, ids, depth - 1)}`],
  ]);
}

/** @param ids What `id eq` and `members.value eq` may look for. */
export function filter(random: Random, ids: readonly string[]): string {
  return random.weighted<string>([
    // What identity providers send.
    [6, () => `${random.pick(['userName', 'externalId', 'displayName'])} eq ${JSON.stringify(word(random))}`],
    [
      2,
      () => `id eq "${random.pick(ids)}" and ${random.pick(['members', 'manager'])} eq "${random.pick(ids)}"`,
    ],
    [2, () => 'emails[type eq "work"].value eq "anna@example.com"'],
    [8, () => tree(random, ids, 1 + random.int(3))],
    [3, () => damaged(random, tree(random, ids, random.int(3)))],
    [0.5, () => `${'('.repeat(random.int(40))}title pr${')'.repeat(random.int(40))}`],
    [0.5, () => `${'not ('.repeat(30)}title pr${')'.repeat(30)}`],
    [0.5, () => random.list(20, 120, () => 'title eq "x"').join(' or ')],
    [0.3, () => `title eq "${'x'.repeat(random.int(6000))}"`],
    [0.5, () => text(random)],
  ]);
}

/** The path of a PATCH operation. */
export function patchPath(random: Random, ids: readonly string[]): string {
  return random.weighted<string>([
    [6, () => attributeName(random)],
    [3, () => random.pick(['title', 'active', 'name.givenName', 'emails', 'displayName', 'members'])],
    [3, () => `members[value eq "${random.pick(ids)}"]`],
    [4, () => `${elements(random, ids)}${random.pick(['', '.value', '.primary', '.type', '.nothing'])}`],
    [2, () => damaged(random, `${elements(random, ids)}.value`)],
    [1, () => text(random)],
  ]);
}
