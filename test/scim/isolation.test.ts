/**
 * Two tenants under load: the same names live in both, everybody is found in their own tenant alone, and neither ids
 * nor filters of one lead into the other.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { each, newRace, numbers, type Race } from './race-support.ts';

const perTenant = 150;
let gateway: TestGateway;
let tenants: [Race, Race];
/** Ids by tenant, in the order of their names. */
let users: [string[], string[]];
let groups: [string, string];

beforeAll(async () => {
  gateway = await startGateway();
  tenants = [await newRace([gateway]), await newRace([gateway])];
  const created = await Promise.all(
    numbers(perTenant).flatMap((n) =>
      tenants.map((tenant) =>
        tenant.user(`person${n}@example.com`, {
          externalId: `ext-${n}`,
          displayName: `Person ${n}`,
          emails: [{ value: `person${n}@example.com`, type: 'work' }],
        }),
      ),
    ),
  );
  users = [created.filter((_, at) => at % 2 === 0), created.filter((_, at) => at % 2 === 1)];
  groups = [await tenants[0].group('Everybody', users[0]), await tenants[1].group('Everybody', users[1])];
});

afterAll(() => gateway.close());

const pairs = [
  { own: 0, other: 1 },
  { own: 1, other: 0 },
] as const;

it(`made ${2 * perTenant} users at once, the same names in both tenants`, () => {
  for (const tenant of tenants) expect(tenant.statuses.filter((status) => status !== 201)).toEqual([]);
  expect(new Set([...users[0], ...users[1]]).size).toBe(2 * perTenant);
});

describe.each(pairs)('tenant $own', ({ own, other }) => {
  it('reads each of its users, and the other tenant none of them', async () => {
    const found = await each(users[own], 50, (id) => tenants[own].scim('GET', `/Users/${id}`));
    expect(found.map(({ body }) => body.userName)).toEqual(
      numbers(perTenant).map((n) => `person${n}@example.com`),
    );
    expect(found.every(({ body }) => body.externalId.startsWith('ext-'))).toBe(true);
    const foreign = await each(users[own], 50, (id) => tenants[other].scim('GET', `/Users/${id}`));
    expect(new Set(foreign.map(({ status }) => status))).toEqual(new Set([404]));
  });

  it('can neither change nor delete the other’s users', async () => {
    const id = users[other][7] ?? '';
    const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'taken over' };
    expect((await tenants[own].setActive(id, false)).status).toBe(404);
    expect((await tenants[own].scim('PUT', `/Users/${id}`, user)).status).toBe(404);
    expect((await tenants[own].scim('DELETE', `/Users/${id}`)).status).toBe(404);
    const { body } = await tenants[other].scim('GET', `/Users/${id}`);
    expect(body).toMatchObject({ userName: 'person7@example.com', active: true });
  });

  it('refuses the other’s users as members, and changes nothing', async () => {
    const [mine = '', foreign = ''] = [users[own][0], users[other][0]];
    expect((await tenants[own].addMember(groups[own], foreign)).status).toBe(400);
    const both = await tenants[own].scim('PATCH', `/Groups/${groups[own]}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'members', value: [{ value: mine }, { value: foreign }] }],
    });
    expect(both.status).toBe(400);
    const { body } = await tenants[own].scim('GET', `/Groups/${groups[own]}`);
    expect(body.members.map(({ value }: { value: string }) => value)).toEqual(users[own].toSorted());
  });

  it('knows nothing of the other’s groups', async () => {
    const foreign = groups[other];
    const member = users[own][0] ?? '';
    expect((await tenants[own].scim('GET', `/Groups/${foreign}`)).status).toBe(404);
    expect((await tenants[own].addMember(foreign, member)).status).toBe(404);
    expect((await tenants[own].removeMember(foreign, users[other][0] ?? '')).status).toBe(404);
    expect((await tenants[own].scim('DELETE', `/Groups/${foreign}`)).status).toBe(404);
    const { body } = await tenants[other].scim('GET', `/Groups/${foreign}`);
    expect(body.members).toHaveLength(perTenant);
  });

  it.each([
    ['/Users', 'userName eq "person3@example.com"', 1],
    ['/Users', 'externalId eq "ext-3"', 1],
    ['/Users', 'emails[type eq "work" and value eq "person3@example.com"]', 1],
    ['/Users', 'displayName eq "Person 3"', 1],
    ['/Users', 'userName sw "person"', perTenant],
    ['/Users', 'active eq true', perTenant],
    ['/Users', undefined, perTenant],
    ['/Groups', 'displayName eq "everybody"', 1],
    ['/Groups', undefined, 1],
  ])('%s counts only its own: %s', async (path, filter, total) => {
    const query = filter === undefined ? '' : `&filter=${encodeURIComponent(filter)}`;
    const { body } = await tenants[own].scim('GET', `${path}?count=1000${query}`);
    expect(body.totalResults).toBe(total);
    const mine = new Set([...users[own], groups[own]]);
    expect(body.Resources.filter(({ id }: { id: string }) => !mine.has(id))).toEqual([]);
    expect(body.Resources).toHaveLength(total);
  });

  it('finds no other’s user by id or group', async () => {
    const foreign = users[other][0] ?? '';
    for (const filter of [`id eq "${foreign}"`, `groups.value eq "${groups[other]}"`]) {
      const answer = await tenants[own].scim('GET', `/Users?filter=${encodeURIComponent(filter)}`);
      if (answer.status === 200) expect(answer.body.totalResults).toBe(0);
      else expect(answer.status, filter).toBe(400);
    }
    const filter = encodeURIComponent(`members.value eq "${foreign}"`);
    const { status, body } = await tenants[own].scim('GET', `/Groups?filter=${filter}`);
    if (status === 200) expect(body.totalResults).toBe(0);
    else expect(status).toBe(400);
  });
});

it('its admins reach no other tenant', async () => {
  const [first, second] = tenants;
  const { body } = await gateway.api('POST', `/tenants/${first.slug}/keys`, { name: 'x', role: 'owner' });
  const own = await gateway.api('GET', `/tenants/${first.slug}/seats`, undefined, body.key);
  expect(own.status).toBe(200);
  const foreign = await gateway.api('GET', `/tenants/${second.slug}/seats`, undefined, body.key);
  expect([403, 404]).toContain(foreign.status);
});
