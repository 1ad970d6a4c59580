/**
 * Races over real HTTP, through two gateways on one database: the last seats go to exactly as many people as there
 * are seats, nobody inactive keeps one, and no write of a group or a user is lost.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { each, newRace, numbers, type Race, type Seats, type Watcher, watch } from './race-support.ts';

const capacity = 50;
const clients = 32;
const rounds = Number(process.env.RACE_ROUNDS ?? 6);
let gateways: TestGateway[];
let watcher: Watcher;

beforeAll(async () => {
  const first = await startGateway();
  const second = await startGateway({ databaseUrl: first.databaseUrl });
  gateways = [first, second];
  watcher = watch(first.databaseUrl);
});

afterAll(async () => {
  await watcher.close();
  for (const gateway of gateways.toReversed()) await gateway.close();
});

describe.each([
  ['one gateway', 1],
  ['two gateways', 2],
])('the last seats, through %s', (_, gatewaysUsed) => {
  it.each(numbers(Math.ceil(rounds / 2)))(
    'round %i: never above capacity, no seat for the inactive, no failure',
    async (round) => {
      const race = await newRace(gateways.slice(0, gatewaysUsed));
      await race.contract(capacity);
      const people = await each(numbers(capacity - 1 + clients), 16, (n) => race.user(`p${n}@example.com`));
      const [holders, arrivals] = [people.slice(0, capacity - 1), people.slice(capacity - 1)];
      const staff = await race.group('Staff', holders);
      const late = await race.group('Late');
      await race.map({ id: staff }, 2);
      await race.map({ id: late }, 1);
      expect(await watcher.seats(race)).toMatchObject({ held: capacity - 1, waiting: 0 });

      const work = Promise.all(arrivals.map((id, n) => client(race, { id, n, round, staff, late, holders })));
      const samples = await watcher.during(race, work);

      const end = await watcher.seats(race);
      for (const seats of [...samples, end]) checkSeats(seats);
      expect(samples.length).toBeGreaterThan(3);
      expect(end.waiting === 0 || end.held === capacity, 'no idle seat while somebody waits').toBe(true);
      expect(await watcher.settle(race), 'a full recompute changes nothing').toBe(0);
      expect(race.statuses.filter((status) => status >= 400)).toEqual([]);
    },
  );
});

function checkSeats(seats: Seats): void {
  expect(seats.held, 'never above capacity').toBeLessThanOrEqual(capacity);
  expect(seats.used, 'the pool counts what is held').toBe(seats.held);
  expect(seats.heldByInactive, 'the inactive hold nothing').toBe(0);
}

interface Client {
  id: string;
  n: number;
  round: number;
  staff: string;
  late: string;
  holders: string[];
}

/** Each client brings a person in; meanwhile it and its neighbours turn people off, on, and in and out of groups. */
async function client(race: Race, { id, n, round, staff, late, holders }: Client): Promise<void> {
  const holder = holders[(n * 7 + round) % holders.length] ?? id;
  switch ((n + round) % 4) {
    case 0:
      await race.addMember(staff, id);
      return;
    case 1:
      // The case that a missing lock gives away: one person added and deactivated at the same time.
      await Promise.all([race.addMember(staff, id), race.setActive(id, false)]);
      return;
    case 2:
      await race.addMember(late, id);
      await Promise.all([
        race.setActive(holder, false),
        race.removeMember(late, id),
        race.addMember(staff, id),
      ]);
      return;
    default:
      await Promise.all([race.setActive(id, false), race.addMember(late, id), race.setActive(holder, false)]);
      await Promise.all([race.setActive(id, true), race.setActive(holder, true)]);
  }
}

describe.each([
  ['unmapped', false],
  ['mapped', true],
])('one %s group', (_, isMapped) => {
  it('keeps every member of 50 single-member PATCHes at once', async () => {
    const race = await newRace(gateways);
    await race.contract(10);
    const people = await each(numbers(50), 16, (n) => race.user(`p${n}@example.com`));
    const group = await race.group('Staff');
    if (isMapped) await race.map({ id: group }, 1);
    const added = await Promise.all(people.map((id) => race.addMember(group, id)));
    expect(new Set(added.map(({ status }) => status))).toEqual(new Set([204]));
    expect(await watcher.members(race, group)).toEqual(new Set(people));
    const { body } = await race.scim('GET', `/Groups/${group}`);
    expect(body.members).toHaveLength(50);
    expect(body.meta.version, 'each of them was written once').toBe('W/"51"');
    expect(await watcher.seats(race)).toMatchObject(
      isMapped ? { held: 10, waiting: 40, used: 10 } : { held: 0, waiting: 0, used: 0 },
    );

    const removed = await Promise.all(people.slice(0, 25).map((id) => race.removeMember(group, id)));
    expect(new Set(removed.map(({ status }) => status))).toEqual(new Set([204]));
    expect(await watcher.members(race, group)).toEqual(new Set(people.slice(25)));
    expect(await watcher.settle(race)).toBe(0);
  });
});

describe('one user', () => {
  it('keeps every attribute of PATCHes at once', async () => {
    const race = await newRace(gateways);
    const id = await race.user('ann@example.com');
    const names = ['title', 'nickName', 'displayName', 'userType', 'locale', 'timezone', 'profileUrl'];
    const answers = await Promise.all(
      names.map((path) =>
        race.scim('PATCH', `/Users/${id}`, {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'replace', path, value: newValueOf(path) }],
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    const { body } = await race.scim('GET', `/Users/${id}`);
    expect(Object.fromEntries(names.map((name) => [name, body[name]]))).toEqual(
      Object.fromEntries(names.map((name) => [name, newValueOf(name)])),
    );
    expect(body.meta.version).toBe(`W/"${names.length + 1}"`);
  });

  it('survives PUT, PATCH, group writes and deletion at once', async () => {
    const race = await newRace(gateways);
    await race.contract(5);
    const staff = await race.group('Staff');
    await race.map({ id: staff }, 1);
    const people = await each(numbers(10), 10, (n) => race.user(`p${n}@example.com`));
    await Promise.all(
      people.flatMap((id, n) => [
        race.addMember(staff, id),
        race.scim('PUT', `/Users/${id}`, {
          schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
          userName: `p${n}@example.com`,
          active: n % 3 !== 0,
          emails: [{ value: `p${n % 4}@example.com`, primary: true }],
        }),
        race.setActive(id, n % 2 === 0),
        race.setActive(id, n % 3 === 0),
        ...(n % 5 === 0 ? [race.scim('DELETE', `/Users/${id}`)] : []),
      ]),
    );
    const unexpected = race.statuses.filter((status) => status >= 400 && status !== 404 && status !== 400);
    expect(unexpected, 'only who was deleted is unknown').toEqual([]);
    const seats = await watcher.seats(race);
    expect(seats.used).toBe(seats.held);
    expect(seats.heldByInactive).toBe(0);
    expect(await watcher.settle(race)).toBe(0);
  });
});

function newValueOf(name: string): string {
  return name === 'profileUrl' ? 'https://example.com/ann' : `new-${name}`;
}

describe('one name', () => {
  const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'ann@example.com' };
  const group = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'Staff' };

  it.each([
    ['/Users', user],
    ['/Groups', group],
  ])('of %s is given once to 20 who ask at once, and deleted once', async (path, body) => {
    const race = await newRace(gateways);
    const answers = await Promise.all(numbers(20).map(() => race.scim('POST', path, body)));
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    const id = made[0]?.body.id;
    const gone = await Promise.all(numbers(10).map(() => race.scim('DELETE', `${path}/${id}`)));
    expect(gone.map(({ status }) => status).sort()).toEqual([204, ...Array(9).fill(404)]);
  });
});

describe('mappings', () => {
  it('can be edited during writes to their groups', async () => {
    const race = await newRace(gateways);
    await race.contract(20);
    const people = await each(numbers(40), 16, (n) => race.user(`p${n}@example.com`));
    const groups = [await race.group('A'), await race.group('B')];
    const writes = Promise.all(
      people.map(async (id, n) => {
        const group = groups[n % 2] ?? '';
        await race.addMember(group, id);
        if (n % 3 === 0) await race.removeMember(group, id);
        if (n % 5 === 0) await race.setActive(id, false);
      }),
    );
    const edits = async () => {
      for (const round of numbers(6)) {
        const id = await race.map({ id: groups[round % 2] }, 1 + round);
        if (round % 3 === 2) await race.unmap(id);
      }
    };
    await Promise.all([writes, edits()]);
    expect(race.statuses.filter((status) => status >= 400)).toEqual([]);
    const seats = await watcher.seats(race);
    expect(seats).toMatchObject({ held: 20, used: 20, heldByInactive: 0 });
    expect(await watcher.settle(race), 'nobody was forgotten').toBe(0);
  });

  it('are bound to a group of their name that is made at the same time', async () => {
    const race = await newRace(gateways);
    await race.contract(100);
    const people = await each(numbers(4), 4, (n) => race.user(`p${n}@example.com`));
    for (const n of numbers(20)) {
      await Promise.all([race.group(`Team ${n}`, people), race.map({ displayName: `Team ${n}` }, n + 1)]);
    }
    const { body } = await (gateways[0] as TestGateway).api(
      'GET',
      `/tenants/${race.slug}/mappings?limit=200`,
    );
    const unbound = body.items.filter((one: { group: { id?: string } }) => one.group.id === undefined);
    expect(unbound, 'mappings that wait for a group that is there').toEqual([]);
    expect(await watcher.seats(race)).toMatchObject({ held: 4 });
  });

  it('decide for members who come while their group becomes mapped', async () => {
    const race = await newRace(gateways);
    await race.contract(100);
    const people = await each(numbers(6), 6, (n) => race.user(`p${n}@example.com`));
    for (const n of numbers(15)) {
      const id = await race.group(`Team ${n}`);
      const adds = people.map((person) => race.addMember(id, person));
      await Promise.all([...adds.slice(0, 3), race.map({ id }, 100 - n), ...adds.slice(3)]);
      expect(await watcher.settle(race), 'nobody was forgotten').toBe(0);
    }
    expect(race.statuses.filter((status) => status >= 300)).toEqual([]);
  });

  it('are refused for a group that is deleted at the same time', async () => {
    const race = await newRace(gateways);
    await race.contract(100);
    const statuses: number[] = [];
    for (const n of numbers(30)) {
      const id = await race.group(`Team ${n}`);
      const draft = { group: { id }, role: 'team_member', workspaces: ['w1'], priority: n + 1 };
      const gateway = gateways[n % 2] as TestGateway;
      const [{ status }] = await Promise.all([
        gateway.api('POST', `/tenants/${race.slug}/mappings`, draft),
        race.scim('DELETE', `/Groups/${id}`),
      ]);
      statuses.push(status);
    }
    expect(statuses.filter((status) => ![201, 400].includes(status))).toEqual([]);
    expect(race.statuses.filter((status) => status >= 300)).toEqual([]);
    expect(await watcher.settle(race)).toBe(0);
  });
});
