/** Request targets for fuzzing: the routes of /scim/v2 with their queries, and what nearly is one. */

import { attributeName, filter } from './filters.ts';
import type { Random } from './random.ts';
import { damaged, encoded, text } from './texts.ts';
import type { Kind, World } from './world.ts';

export interface Target {
  path: string;
  /** The pattern it was made from. */
  route: string;
  kind?: Kind;
  id?: string;
}

const base = '/scim/v2';
const discovery = ['/ServiceProviderConfig', '/ResourceTypes', '/Schemas'];
const discovered = [
  '/ResourceTypes/User',
  '/ResourceTypes/group',
  '/Schemas/urn:ietf:params:scim:schemas:core:2.0:User',
  '/Schemas/urn:nothing',
];

export const anyKind = (random: Random): Kind => (random.chance(0.65) ? 'Users' : 'Groups');

export function collection(random: Random, world: World, withQuery: boolean): Target {
  const kind = anyKind(random);
  return { path: `${base}/${kind}${withQuery ? query(random, world) : ''}`, route: `/${kind}`, kind };
}

export function single(random: Random, world: World, kind = anyKind(random)): Target {
  const known = world.id(random, kind);
  const id = random.chance(0.95) ? known : oddSegment(random, known);
  const more = random.chance(0.25) ? query(random, world) : '';
  return { path: `${base}/${kind}/${id}${more}`, route: `/${kind}/:id`, kind, id };
}

export function described(random: Random): Target {
  const path = random.chance(0.7) ? random.pick(discovery) : random.pick(discovered);
  const more = random.chance(0.1) ? '?filter=id%20eq%20%22User%22' : '';
  return { path: `${base}${path}${more}`, route: `/${path.split('/')[1]}` };
}

export function search(random: Random): Target {
  return { path: `${base}${random.pick(['/Users', '/Groups', ''])}/.search`, route: '/.search' };
}

export const bulk: Target = { path: `${base}/Bulk`, route: '/Bulk' };

/** One that no route fits, or that fits one in spite of how it is written. */
export function nearMiss(random: Random, world: World): Target {
  const { path } = random.pick([single(random, world), collection(random, world, true), described(random)]);
  const changed = random.weighted<string>([
    [
      2,
      () =>
        path.replace('/Users', random.pick(['/users', '/USERS', '/User', '/Userss', '/%55sers', '/Users/'])),
    ],
    [2, () => path.replaceAll('/', random.pick(['//', '/./', '/x/../', '%2F', '\\', '/;a=b/']))],
    [2, () => path.replace('v2', random.pick(['v1', 'V2', 'v2.0', 'v22', 'v2%20', '']))],
    [1, () => `${path}/${random.pick(['', 'members', '.search', '..', '%2e%2e', 'x/y/z', '%00', '#x'])}`],
    [
      1,
      () =>
        `${base}/${random.pick(['Me', '', 'Bulk', '.search', 'Users/.search', 'ServiceProviderConfigs'])}`,
    ],
    [1, () => `${path}%${random.pick(['', '0', 'zz', 'ff', 'c3%28', 'u0041', '00'])}`],
    [1, () => `${base}/Users/${'a'.repeat(random.int(30_000))}`],
    [1, () => `${base}/${encoded(text(random)).slice(0, 10_000)}`],
    [1, () => damaged(random, path).slice(0, 12_000)],
    [
      0.5,
      () => random.pick(['*', '/', '', `http://127.0.0.1${path}`, '/scim', '/scim/', '?x', '/scim/v2?a']),
    ],
  ]);
  return { path: changed, route: 'near miss' };
}

function oddSegment(random: Random, id: string): string {
  return random.pick([
    id.toUpperCase(),
    id.slice(0, -1),
    `${id}0`,
    `{${id}}`,
    id.replaceAll('-', ''),
    encoded(text(random)).slice(0, 5000),
    '00919288221112222',
    '%00',
    '..',
    '__proto__',
    `${id}%00`,
    'x'.repeat(1000),
  ]);
}

function query(random: Random, world: World): string {
  const { ids } = world.names(random);
  const names = random.list(0, 4, () => random.pick(Object.keys(values)));
  const pairs = names.map((name) => {
    const value = values[name]?.(random, ids) ?? '';
    const known = random.chance(0.95)
      ? name
      : random.pick([name.toUpperCase(), `${name}[]`, '__proto__', text(random)]);
    return `${encoded(known)}${random.chance(0.98) ? '=' : ''}${spelled(random, value)}`;
  });
  // Twice the same now and then, which a query may hold.
  const all = random.chance(0.08) ? [...pairs, ...pairs.slice(0, 1)] : pairs;
  return `${random.chance(0.99) ? '?' : '??'}${all.join(random.chance(0.98) ? '&' : '&&')}`.slice(0, 14_000);
}

const number = (random: Random) =>
  random.pick([
    '1',
    '2',
    '10',
    '0',
    '-1',
    '50',
    '100000',
    '1.5',
    'x',
    '',
    '1e3',
    ' 7 ',
    '9007199254740993',
    '٣',
    '0x10',
    '+5',
    'null',
  ]);
const nameList = (random: Random) =>
  random
    .list(0, random.chance(0.02) ? 300 : 4, () => attributeName(random))
    .join(random.pick([',', ', ', ',,', ' ', ';']));

const values: Record<string, (random: Random, ids: readonly string[]) => string> = {
  filter,
  attributes: nameList,
  excludedAttributes: (random) => (random.chance(0.5) ? 'members' : nameList(random)),
  startIndex: number,
  count: number,
  cursor: text,
  sortBy: attributeName,
  sortOrder: (random) => random.pick(['ascending', 'descending', 'DESCENDING', 'up', '']),
};

function spelled(random: Random, value: string): string {
  return random.weighted<string>([
    [80, () => encoded(value)],
    [10, () => encoded(value).replaceAll('%20', '+')],
    [3, () => encoded(value).replaceAll('%', '%25')],
    [3, () => damaged(random, encoded(value))],
    // As some clients do: only what would end the query is escaped.
    [4, () => value.replace(/[^\x21-\x7e]|[&#+%]/g, (character) => encoded(character))],
  ]);
}
