/** Bodies for fuzzing: resources, PATCHes, searches and bulks as clients send them, then bent, then broken as bytes. */

import { attributeName, enterprise, filter, patchPath } from './filters.ts';
import type { Random } from './random.ts';
import { text, word } from './texts.ts';

type Json = unknown;

/** What a body may refer to. */
export interface Names {
  /** Ids of users and groups, dead ones and other tenants' among them. */
  ids: readonly string[];
  /** Of users that are there, nearly always. */
  people: readonly string[];
  userNames: readonly string[];
  groupNames: readonly string[];
  /** Stands for a password: no answer may hold it. */
  secret: string;
}

const coreUser = 'urn:ietf:params:scim:schemas:core:2.0:User';
const coreGroup = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const message = (name: string) => `urn:ietf:params:scim:api:messages:2.0:${name}`;

const some = (random: Random, probability: number, members: () => object): object =>
  random.chance(probability) ? members() : {};

const element = (random: Random): object => ({
  value: random.chance(0.8) ? word(random) : text(random),
  ...some(random, 0.7, () => ({ type: random.pick(['work', 'home', 'other', 'WORK', '']) })),
  ...some(random, 0.4, () => ({ primary: random.pick<Json>([true, false, 'True', 'maybe']) })),
});

export function userBody(random: Random, { userNames, ids, secret }: Names): object {
  return {
    schemas: random.chance(0.9) ? [coreUser] : [coreUser, enterprise],
    userName: random.pick(userNames),
    ...some(random, 0.6, () => ({ name: { givenName: word(random), familyName: text(random) } })),
    ...some(random, 0.7, () => ({ emails: random.list(0, 3, () => element(random)) })),
    ...some(random, 0.4, () => ({ active: random.pick<Json>([true, false, 'False', 'True', null]) })),
    ...some(random, 0.3, () => ({ externalId: text(random) })),
    ...some(random, 0.3, () => ({ title: text(random), roles: [element(random)] })),
    ...some(random, 0.2, () => ({ password: secret })),
    ...some(random, 0.2, () => ({ [enterprise]: { department: word(random), manager: random.pick(ids) } })),
    ...some(random, 0.1, () => ({
      id: random.pick(ids),
      meta: { version: 'W/"1"' },
      groups: [{ value: 'x' }],
    })),
  };
}

const members = (random: Random, { people }: Names, most: number): object[] =>
  random.list(0, most, () => ({
    value: random.pick(people),
    ...some(random, 0.2, () => ({ $ref: null, type: 'User' })),
  }));

export function groupBody(random: Random, names: Names): object {
  return {
    schemas: [coreGroup],
    displayName: random.pick(names.groupNames),
    ...some(random, 0.6, () => ({ members: members(random, names, 30) })),
    ...some(random, 0.3, () => ({ externalId: text(random) })),
  };
}

function patchValue(random: Random, names: Names): Json {
  return random.weighted<Json>([
    [4, () => word(random)],
    [3, () => text(random)],
    [2, () => random.pick<Json>([true, false, 'True', null, '', [], {}, 0, -1, 1.5])],
    [3, () => random.list(0, 4, () => element(random))],
    [2, () => element(random)],
    [3, () => members(random, names, 6)],
    [1, () => ({ givenName: word(random), familyName: null })],
    [1, () => random.pick(names.userNames)],
  ]);
}

function operation(random: Random, names: Names): object {
  const op = random.pick(['add', 'replace', 'remove', 'Add', 'Replace', 'Remove', 'REPLACE', 'move', 7]);
  if (random.chance(0.2)) {
    const entries = random.list(
      0,
      4,
      () => [patchPath(random, names.ids), patchValue(random, names)] as const,
    );
    return {
      op,
      value: Object.fromEntries(random.chance(0.1) ? [...entries, ['password', names.secret]] : entries),
    };
  }
  const path = patchPath(random, names.ids);
  return random.chance(0.15) ? { op, path } : { op, path, value: patchValue(random, names) };
}

/** Right in its frame, so that what is in the operations is reached. */
function plainOperation(random: Random, names: Names, isGroup: boolean): object {
  const op = random.pick(['add', 'replace', 'Add']);
  if (isGroup) {
    return random.weighted<object>([
      [4, () => ({ op: 'add', path: 'members', value: members(random, names, 5) })],
      [3, () => ({ op: 'remove', path: `members[value eq "${random.pick(names.ids)}"]` })],
      [2, () => ({ op: 'Remove', path: 'members', value: members(random, names, 3) })],
      [1, () => ({ op: 'replace', value: { displayName: random.pick(names.groupNames) } })],
      [0.3, () => ({ op: 'replace', path: 'members', value: members(random, names, 20) })],
    ]);
  }
  return random.weighted<object>([
    [3, () => ({ op, path: random.pick(['title', 'displayName', 'name.givenName']), value: text(random) })],
    [3, () => ({ op, path: 'emails[type eq "work"].value', value: word(random) })],
    [2, () => ({ op, path: 'active', value: random.pick<Json>([true, false, 'False', 'True']) })],
    [
      1,
      () => ({ op, value: { 'name.familyName': word(random), [`${enterprise}:department`]: word(random) } }),
    ],
    [1, () => ({ op: 'remove', path: random.pick(['title', 'emails', 'name', 'roles[value eq "x"]']) })],
  ]);
}

export function patchBody(random: Random, names: Names, isGroup: boolean): object {
  const isPlain = random.chance(0.5);
  const most = random.chance(0.02) ? 300 : 5;
  const Operations = random.list(0, most, () =>
    isPlain ? plainOperation(random, names, isGroup) : operation(random, names),
  );
  return { schemas: [message('PatchOp')], Operations };
}

export function searchBody(random: Random, { ids }: Names): object {
  return {
    schemas: [message('SearchRequest')],
    ...some(random, 0.8, () => ({ filter: filter(random, ids) })),
    ...some(random, 0.4, () => ({ attributes: random.list(0, 4, () => attributeName(random)) })),
    ...some(random, 0.3, () => ({ excludedAttributes: random.list(0, 4, () => attributeName(random)) })),
    ...some(random, 0.5, () => ({ startIndex: odds(random), count: odds(random) })),
    ...some(random, 0.2, () => ({
      sortBy: attributeName(random),
      sortOrder: random.pick(['ascending', 'x']),
    })),
    ...some(random, 0.1, () => ({ cursor: text(random) })),
  };
}

export const odds = (random: Random): Json =>
  random.pick<Json>([0, 1, 2, 10, 100, 1000, -1, 1e9, 2 ** 53, 1.5, '5', '', null, 'x', [], {}, true]);

export function bulkBody(random: Random, names: Names): object {
  const Operations = random.list(0, 6, (at) => {
    const isGroup = random.chance(0.4);
    const [kind, make] = isGroup ? (['Groups', groupBody] as const) : (['Users', userBody] as const);
    const bulkId = random.pick<Json>([`b${at}`, 'b0', '', 7, undefined]);
    return random.weighted<object>([
      [4, () => ({ method: 'POST', path: `/${kind}`, bulkId, data: make(random, names) })],
      [
        1,
        () => ({
          method: 'POST',
          path: '/Groups',
          bulkId,
          data: {
            schemas: [coreGroup],
            displayName: random.pick(names.groupNames),
            members: random.list(0, 3, () => ({
              value: `bulkId:${random.pick(['b0', 'b1', 'b2', 'b9', ''])}`,
            })),
          },
        }),
      ],
      [
        2,
        () => ({
          method: 'PATCH',
          path: `/${kind}/${random.pick(names.ids)}`,
          data: patchBody(random, names, isGroup),
        }),
      ],
      [1, () => ({ method: 'PUT', path: `/${kind}/${random.pick(names.ids)}`, data: make(random, names) })],
      [
        0.5,
        () => ({
          method: 'DELETE',
          path: `/${kind}/${random.pick(['x', 'bulkId:b0', ...names.ids.slice(0, 1)])}`,
        }),
      ],
      [1, () => ({ method: text(random), path: text(random), bulkId, data: text(random) })],
    ]);
  });
  return {
    schemas: [message('BulkRequest')],
    ...some(random, 0.4, () => ({ failOnErrors: odds(random) })),
    Operations,
  };
}
