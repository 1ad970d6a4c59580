/**
 * A filter in SQL finds what the same filter finds in memory: random users and groups, random filters over every
 * attribute that can be searched, compared with `matches` of core/match-filter.ts on the resources as they are rendered.
 */

import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { addMembers, insertGroup } from '../../src/directory/group-store.ts';
import { memberPages, selectGroups } from '../../src/directory/group-view-store.ts';
import { insertUser } from '../../src/directory/user-store.ts';
import { Fault } from '../../src/kernel/fault.ts';
import { type DirectoryId, type GroupId, newId, type TenantId, type UserId } from '../../src/kernel/ids.ts';
import type { JsonObject, JsonValue } from '../../src/kernel/json.ts';
import { selectUserViews } from '../../src/provisioning/user-view-store.ts';
import type { Attribute, ResourceType } from '../../src/scim/core/attribute.ts';
import { parseFilter } from '../../src/scim/core/filter.ts';
import { matches } from '../../src/scim/core/match-filter.ts';
import { groupType, provisioningSchema, userType } from '../../src/scim/core/schemas.ts';
import { filterSql } from '../../src/scim/filter-sql.ts';
import { groupTarget, userTarget } from '../../src/scim/filter-target-sql.ts';
import { renderGroup, renderMember } from '../../src/scim/group-mapping.ts';
import { renderUser } from '../../src/scim/user-mapping.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

const tenantId = newId<TenantId>(1);
const [directoryId, otherDirectoryId] = [newId<DirectoryId>(2), newId<DirectoryId>(3)];
const start = Date.parse('2026-01-31T08:00:00Z');
const userCount = 120;
const groupCount = 40;

let test: TestDatabase;
const rendered: Record<string, Map<string, JsonObject>> = {};

/** Few, so that filters hit; with letters of two cases, wildcards of LIKE, quotes, and characters outside the BMP. */
const texts = [
  'anna',
  'Anna',
  'ANN',
  'Ännä',
  'änna',
  'Straße',
  'a%',
  'a_',
  "o'hara",
  'q"t',
  'b\\s',
  '12',
  'true',
];
const rareTexts = ['😀', 'a😀b', 'Ｚ', 'Жук', 'жук', 'work', 'a b', '-', '~'];
const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...texts) },
  { weight: 1, arbitrary: fc.constantFrom(...rareTexts) },
);

function valueFor(attribute: Attribute): fc.Arbitrary<JsonValue> {
  if (attribute.type === 'complex') return elementOf(attribute);
  if (attribute.type === 'boolean') return fc.boolean();
  return text;
}

function elementOf({ subAttributes = [] }: Attribute): fc.Arbitrary<JsonObject> {
  const members = subAttributes.filter(({ mutability }) => mutability !== 'readOnly');
  return fc
    .record(Object.fromEntries(members.map((sub) => [sub.name, valueFor(sub)])), { requiredKeys: [] })
    .filter((element) => Object.keys(element).length > 0) as fc.Arbitrary<JsonObject>;
}

function attributesOf(attributes: readonly Attribute[]): fc.Arbitrary<JsonObject> {
  const own = attributes.filter(({ mutability, storedApart }) => mutability !== 'readOnly' && !storedApart);
  return fc.record(
    Object.fromEntries(
      own.map((attribute) => {
        const value = valueFor(attribute);
        return [
          attribute.name,
          attribute.multiValued ? fc.array(value, { minLength: 1, maxLength: 3 }) : value,
        ];
      }),
    ),
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonObject>;
}

function resourceOf(type: ResourceType): fc.Arbitrary<JsonObject> {
  const extensions = type.extensions.map(({ schema }) =>
    fc.option(attributesOf(schema.attributes), { nil: {} }).map((members): JsonObject => {
      return Object.keys(members).length === 0 ? {} : { [schema.id]: members };
    }),
  );
  return fc
    .tuple(attributesOf(type.schema.attributes), ...extensions)
    .map((parts): JsonObject => Object.assign({}, ...parts));
}

const ids = (count: number, tail: string) =>
  Array.from(
    { length: count },
    (_, n) => `${(n * 7919 + 1).toString(16).padStart(8, '0')}-0000-7000-8000-00000000${tail}`,
  );
const userIds = ids(userCount, 'aaaa') as UserId[];
const groupIds = ids(groupCount, 'bbbb') as GroupId[];

function stamps(n: number) {
  return { version: 1, createdAt: new Date(start + n * 500), lastModified: new Date(start + n * 700) };
}

beforeAll(async () => {
  test = await testDatabase();
  const users = fc.sample(resourceOf(userType), userCount);
  const groups = fc.sample(resourceOf(groupType), groupCount);
  await inTenant(test.database, tenantId, async (tx) => {
    const now = new Date(start);
    tx.send(sql`insert into tenants values (${tenantId}, 'x', 'x', ${now}, 'x')`);
    tx.send(sql`insert into seat_pools (tenant_id) values (${tenantId})`);
    for (const id of [directoryId, otherDirectoryId])
      tx.send(sql`insert into directories values (${tenantId}, ${id}, 'x', 'okta', ${now})`);
    for (const [n, id] of userIds.entries()) {
      const attributes = {
        active: n % 3 > 0,
        ...users[n],
        userName: `${users[n]?.userName ?? 'x'}${n % 10}.${n}`,
      };
      const externalId = n % 4 === 0 ? null : `${texts[n % texts.length]}${n}`;
      insertUser(
        tx,
        { id, attributes, externalId, ...stamps(n) },
        n % 5 === 0 ? otherDirectoryId : directoryId,
        'x',
      );
    }
    for (const [n, id] of groupIds.entries()) {
      const attributes = { displayName: 'x', ...groups[n] };
      const externalId = n % 3 === 0 ? null : `${texts[n % texts.length]}${n}`;
      insertGroup(tx, { id, attributes, externalId, ...stamps(n) }, n % 5 === 0 ? null : directoryId);
      await addMembers(tx, id, userIds.filter((_, m) => m % (n + 2) === 1).slice(0, n % 7));
    }
  });
  rendered.User = await renderedUsers();
  rendered.Group = await renderedGroups();
});

afterAll(() => test.close());

const all = { where: sql`true`, directoryId, offset: 0, limit: 1000 };

async function renderedUsers(): Promise<Map<string, JsonObject>> {
  const page = await inTenant(test.database, tenantId, (tx) =>
    selectUserViews(tx, { ...all, withGroups: true }, new Date(start)),
  );
  return new Map(page.views.map((view) => [view.user.id, renderUser(userType, view, 'http://x')]));
}

async function renderedGroups(): Promise<Map<string, JsonObject>> {
  const { groups } = await inTenant(test.database, tenantId, (tx) => selectGroups(tx, all));
  const members = (await Array.fromAsync(memberPages(test.database, tenantId, groupIds))).flat();
  return new Map(
    groups.map((group) => {
      const own = members
        .filter(({ groupId }) => groupId === group.id)
        .map((one) => renderMember(one, 'http://x'));
      return [
        group.id,
        { ...renderGroup(groupType, group, 'http://x'), ...(own.length === 0 ? {} : { members: own }) },
      ];
    }),
  );
}

/** A comparison: a name, what it is compared with, and how. */
function comparisonOf(name: string, attribute: Attribute): fc.Arbitrary<string> {
  const present = fc.constant(`${name} pr`);
  const compare = (ops: string[], values: fc.Arbitrary<string>) =>
    fc.tuple(fc.constantFrom(...ops), values).map(([op, value]) => `${name} ${op} ${value}`);
  const equality = ['eq', 'ne'];
  const ordering = [...equality, 'gt', 'ge', 'lt', 'le'];
  const quoted = (values: fc.Arbitrary<string>) => values.map((value) => JSON.stringify(value));
  switch (attribute.type) {
    case 'boolean':
      return fc.oneof(present, compare(equality, fc.constantFrom('true', 'false', '"True"')));
    case 'dateTime': {
      const instants = fc
        .integer({ min: -1, max: userCount })
        .map((n) => new Date(start + n * 500).toISOString());
      return fc.oneof(present, compare(ordering, quoted(instants)));
    }
    case 'binary':
      return fc.oneof(present, compare(equality, quoted(text)));
    default: {
      const isId = name === 'id' || /\b(groups|members)\b/.test(name);
      const some = fc.constantFrom(...userIds.slice(0, 20), ...groupIds.slice(0, 20));
      const values = isId
        ? some
        : fc.oneof(
            text,
            fc.tuple(text, fc.nat(9)).map(([a, n]) => `${a}${n}`),
          );
      const part = isId
        ? some.map((id) => id.slice(3, 9))
        : fc.oneof(text, fc.constantFrom('', 'a', 'N', '%', '_', '9'));
      return fc.oneof(
        present,
        compare(ordering, quoted(values)),
        compare(['co', 'sw', 'ew'], quoted(part)),
        compare(equality, fc.constant('null')),
      );
    }
  }
}

/** Worked out when it is read: refused, see below. The grammar knows no name that begins with "$". */
function isSearched(attribute: Attribute, sub?: Attribute): boolean {
  if (sub === undefined) return attribute.name !== 'schemas';
  if (attribute.name === 'meta') return ['created', 'lastModified'].includes(sub.name);
  if (attribute.name === 'groups' || attribute.storedApart) return sub.name === 'value';
  return sub.name !== '$ref';
}

function termsOf(type: ResourceType): fc.Arbitrary<string> {
  const attributes = [
    ...[...type.schema.attributes, ...type.common].map((attribute) => ({ prefix: '', attribute })),
    ...type.extensions
      .filter(({ schema }) => schema !== provisioningSchema)
      .flatMap(({ schema }) =>
        schema.attributes.map((attribute) => ({ prefix: `${schema.id}:`, attribute })),
      ),
  ].filter(({ attribute }) => isSearched(attribute));
  return fc.oneof(
    ...attributes.map(({ prefix, attribute }) => {
      const name = `${prefix}${attribute.name}`;
      const subs = (attribute.subAttributes ?? []).filter((sub) => isSearched(attribute, sub));
      if (attribute.type !== 'complex') return comparisonOf(name, attribute);
      const inner = treeOf(fc.oneof(...subs.map((sub) => comparisonOf(sub.name, sub))), 1);
      return fc.oneof(
        fc.constant(`${name} pr`),
        ...subs.map((sub) => comparisonOf(`${name}.${sub.name}`, sub)),
        ...(subs.some((sub) => sub.name === 'value')
          ? [text.map((one) => `${name} eq ${JSON.stringify(one)}`)]
          : []),
        inner.map((filter) => `${name}[${filter}]`),
      );
    }),
  );
}

function treeOf(term: fc.Arbitrary<string>, depth: number): fc.Arbitrary<string> {
  if (depth === 0) return term;
  const part = treeOf(term, depth - 1);
  return fc.oneof(
    { weight: 3, arbitrary: term },
    {
      weight: 1,
      arbitrary: fc
        .tuple(part, fc.constantFrom('and', 'or'), part)
        .map(([a, op, b]) => `(${a}) ${op} (${b})`),
    },
    { weight: 1, arbitrary: part.map((one) => `not (${one})`) },
  );
}

/** Ids that the database finds, or undefined for what it refuses to search by. */
async function found(type: ResourceType, filterText: string): Promise<string[] | undefined> {
  const filter = parseFilter(type, filterText);
  const isUser = type === userType;
  try {
    const where = filterSql(filter, isUser ? userTarget(tenantId) : groupTarget(tenantId));
    const selection = { ...all, where };
    return await inTenant(test.database, tenantId, async (tx) => {
      if (!isUser) return (await selectGroups(tx, selection)).groups.map(({ id }) => id);
      const page = await selectUserViews(tx, { ...selection, withGroups: false }, new Date(start));
      return page.views.map(({ user }) => user.id);
    });
  } catch (error) {
    if (error instanceof Fault && error.scimType === 'invalidFilter') return undefined;
    throw error;
  }
}

function expected(type: ResourceType, filterText: string): string[] {
  const filter = parseFilter(type, filterText);
  return [...(rendered[type.id] ?? [])]
    .filter(([, resource]) => matches(filter, resource))
    .map(([id]) => id)
    .sort();
}

describe.each([
  ['users', userType, 500],
  ['groups', groupType, 300],
] as const)('a filter on %s', (_name, type, numRuns) => {
  it('finds in SQL what it finds in memory', async () => {
    const seen = { some: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(treeOf(termsOf(type), 2), async (filter) => {
        const ids = await found(type, filter);
        if (ids === undefined) {
          seen.refused += 1;
          return;
        }
        if (ids.length > 0) seen.some += 1;
        expect(ids).toEqual(expected(type, filter));
      }),
      { numRuns },
    );
    // Most filters say something: neither refused nor empty.
    expect(seen.some).toBeGreaterThan(numRuns / 5);
    expect(seen.refused).toBeLessThan(numRuns * 0.6);
  });
});

it('finds an e-mail by value and type together as it does in memory', async () => {
  let hits = 0;
  for (const value of texts.slice(0, 6)) {
    for (const type of [...texts.slice(0, 6), 'work']) {
      const [v, t] = [JSON.stringify(value), JSON.stringify(type)];
      for (const filter of [`emails[type eq ${t} and value eq ${v}]`, `emails[type eq ${t}].value eq ${v}`]) {
        const ids = await found(userType, filter);
        hits += ids?.length ?? 0;
        expect(ids, filter).toEqual(expected(userType, filter));
      }
    }
  }
  expect(hits).toBeGreaterThan(0);
});

/** Letters whose case the database and JavaScript take away in different ways, by locale or by place in the word. */
it.each(['ΟΔΟΣ', 'İstanbul', 'ẞ', 'ǅ', 'STRASSE', 'ﬃ'])(
  'finds %s by exactly what was stored',
  async (value) => {
    const id = newId<UserId>(Date.now());
    await inTenant(test.database, tenantId, async (tx) => {
      const attributes = {
        userName: value,
        title: value,
        emails: [{ value, type: value }],
        roles: [{ value }],
      };
      insertUser(tx, { id, attributes, externalId: value, ...stamps(0) }, directoryId, 'x');
    });
    const part = JSON.stringify(value);
    for (const name of [
      'userName',
      'title',
      'externalId',
      'emails.value',
      'emails.type',
      'roles',
      'roles.value',
    ]) {
      for (const op of ['eq', 'co', 'sw', 'ew', 'ge', 'le']) {
        expect(await found(userType, `${name} ${op} ${part}`), `${name} ${op}`).toContain(id);
      }
      expect(await found(userType, `${name} ne ${part}`), `${name} ne`).not.toContain(id);
    }
  },
);

it.each([
  [userType, 'groups.display eq "x"'],
  [userType, 'groups.value co "x"'],
  [userType, `${provisioningSchema.id}:seat.state eq "held"`],
  [userType, `${provisioningSchema.id}:seat.position gt 1`],
  [userType, 'effectiveRoles[billing eq "paid"]'],
  [groupType, 'members.display eq "x"'],
  [groupType, 'members[type eq "User"]'],
])('what is worked out when it is read is not searched by: %#', async (type, filter) => {
  expect(await found(type, filter)).toBeUndefined();
});
