/**
 * Thirty-two clients at once on the last seats of a real gateway, through every door that can change a decision: never is more
 * used than there is, in the end it is exactly that, and who waits stands in order. RACE_ROUNDS sets the number of rounds.
 */

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { type DirectoryId, newId } from '../../src/kernel/ids.ts';
import { noteUnmanagedPaid } from '../../src/provisioning/unmanaged-flow.ts';
import { each, newRace, numbers, type Race } from '../scim/race-support.ts';
import { made, startGateway, type TestGateway } from '../support/gateway.ts';
import { TestWorld } from '../support/tenants.ts';
import { adoptOne, connect, turnUp } from './adopt-drift.ts';
import { answer } from './log-in.ts';

const rounds = Number(process.env.RACE_ROUNDS ?? 20);
const [capacity, addOns] = [10, 2];
let gateway: TestGateway;
let database: Database;
let logins: Database;

beforeAll(async () => {
  gateway = await startGateway({ config: { testClock: true } });
  logins = openDatabase({ url: gateway.databaseUrl, poolSize: 4 });
  database = openDatabase({ url: gateway.databaseUrl, poolSize: 1 });
});
afterAll(async () => {
  await logins.close();
  await database.close();
  await gateway.close();
});

/** Eight of the ten seats are held; each of the others asks for one through a door of its own. */
interface Stage {
  race: Race;
  /** For what comes in by a protocol of its own: logins. */
  world: TestWorld;
  api(method: string, path: string, body?: unknown): Promise<number>;
  people: string[];
  asleep: string[];
  late: string;
  unmapped: string[];
  priority: () => number;
}

async function newStage(): Promise<Stage> {
  const race = await newRace([gateway]);
  await race.contract(capacity);
  const people = await each(numbers(34), 16, (n) => race.user(`p${n}@example.com`));
  const asleep = await each(numbers(6), 6, (n) => race.user(`s${n}@example.com`, { active: false }));
  const staff = await race.group('Staff', people.slice(0, 8));
  const late = await race.group('Late', asleep);
  const unmapped = await each([0, 1, 2], 3, (n) =>
    race.group(`Team ${n}`, people.slice(18 + 2 * n, 20 + 2 * n)),
  );
  await race.map({ id: staff }, 1);
  await race.map({ id: late }, 2);
  await race.map({ claim: 'visitors' }, 3);
  const now = await clock();
  const next = await race.group('Next hour', people.slice(14, 16));
  const dated = {
    role: 'team_member',
    workspaces: ['w1'],
    priority: 4,
    validFrom: hourAfter(now).toISOString(),
  };
  await made(gateway.api('POST', `/tenants/${race.slug}/mappings`, { group: { id: next }, ...dated }));
  const directory = { id: newId<DirectoryId>(0), name: 'none', kind: 'generic', createdAt: now } as const;
  const world = new TestWorld(logins, race.tenantId, directory, now);
  await connect(world);
  const memberships = [{ workspace: 'w1', level: 'MEMBER', customRole: null } as const];
  await turnUp(world, { blueUserId: 'b1', address: 'blue@example.com', memberships: [...memberships] });
  await noteUnmanagedPaid(logins, world.door, 1);
  let last = 4;
  const api: Stage['api'] = async (method, path, body) => {
    const { status } = await gateway.api(method, `/tenants/${race.slug}${path}`, body);
    race.statuses.push(status);
    return status;
  };
  const priority = () => {
    last += 1;
    return last;
  };
  return { race, world, api, people, asleep, late, unmapped, priority };
}

const pin = { role: 'team_member', reason: 'race' };
const addOn = { kind: 'add_on', startsOn: '2021-01-01', paidSeats: 1, reason: 'race' };

async function clock(): Promise<Date> {
  return new Date((await made(gateway.api('GET', '/clock'))).now);
}

const hourAfter = (now: Date) => new Date(now.getTime() + 3_600_000);

/** Somebody new, and somebody who is there. */
async function importFile({ race, people }: Stage): Promise<void> {
  const names = ['csv@example.com', `p${people.length - 2}@example.com`];
  const answer = await fetch(`${gateway.url}/api/v1/tenants/${race.slug}/imports`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.operatorKey}`, 'content-type': 'text/csv' },
    body: ['userName,role', ...names.map((name) => `${name},team_member`)].join('\n'),
  });
  expect(await answer.json()).toMatchObject({ state: 'done', rows: { created: 1, updated: 1 } });
}

/** Somebody whom Blue has by itself, and whose seat is counted beside the others. */
async function adoptOfBlue({ world }: Stage): Promise<void> {
  expect(await adoptOne(world, 'b1')).toMatchObject({ result: 'adopted', seat: 'held' });
}

/** A mapping begins to hold. */
async function passAnHour({ world: { now } }: Stage): Promise<void> {
  await made(gateway.api('PUT', '/clock', { now: hourAfter(now).toISOString() }));
}

/** One call for each client. */
function clients(stage: Stage): (() => Promise<unknown>)[] {
  const { race, api, people, asleep, late, unmapped, priority, world } = stage;
  const one = (n: number) => people[n] ?? '';
  const map = (id: string) => race.map({ id }, priority());
  return [
    ...numbers(5).map((n) => () => race.addMember(late, one(8 + n))),
    ...numbers(2).map((n) => () => answer(world, n, ['visitors'])),
    () => importFile(stage),
    () => adoptOfBlue(stage),
    () => passAnHour(stage),
    ...asleep.map((id) => () => race.setActive(id, true)),
    ...unmapped.map((id) => () => map(id)),
    ...numbers(3).map((n) => () => api('PUT', `/users/${one(24 + n)}/pin`, pin)),
    ...numbers(2).map((n) => () => api('PUT', `/users/${one(27 + n)}/pin`, { ...pin, reserved: true })),
    ...numbers(addOns).map(() => () => api('POST', '/contract/lines', addOn)),
    ...numbers(2).map((n) => () => race.setActive(one(n), false)),
    ...numbers(2).map(
      (n) => () => api('PUT', '/settings', { holdMinutes: 30 + n, defaultRole: 'view_only' }),
    ),
    () => race.scim('DELETE', `/Users/${one(2)}`),
    () => race.group('New', [one(30), one(31)]),
  ];
}

interface Sample {
  used: number;
  limit: number;
  counted: number;
}

/** One statement, so that all of it is of one instant. */
async function sample({ tenantId }: Race): Promise<Sample> {
  const [row] = await inTenant(database, tenantId, (tx) =>
    tx.run(sql<Sample>`
      select p.used, p.seat_limit as limit, (select count(*) from decisions d
        where d.tenant_id = p.tenant_id and d.seat in ('held', 'overage', 'hold')) as counted
      from seat_pools p where p.tenant_id = ${tenantId}`),
  );
  if (row === undefined) throw new Error('no pool');
  return row;
}

/** In the order in which they will be served. */
function queueOf({ tenantId }: Race): Promise<string[]> {
  return inTenant(database, tenantId, async (tx) => {
    const rows = await tx.run(sql<{ user_id: string }>`
      select user_id from decisions where tenant_id = ${tenantId} and seat = 'waiting'
      order by priority, claimed_at, tie, user_id`);
    return rows.map(({ user_id: id }) => id);
  });
}

async function told({ slug }: Race, seat: string): Promise<{ id: string; seat: { position: number } }[]> {
  return (await gateway.api('GET', `/tenants/${slug}/users?seat=${seat}&limit=200`)).body.items;
}

it.each(numbers(rounds))(
  'round %i: used never above the limit, exactly it in the end, and the queue in order',
  async (round) => {
    const stage = await newStage();
    const { race } = stage;
    const calls = clients(stage);
    expect(calls).toHaveLength(32);
    let isOver = false;
    const samples: Sample[] = [];
    const watching = (async () => {
      while (!isOver) samples.push(await sample(race));
    })();
    await Promise.all(calls.map((_, at) => calls[(at * 7 + round) % 32]?.()));
    isOver = true;
    await watching;

    const end = await sample(race);
    for (const { used, limit, counted } of [...samples, end]) {
      expect(used, 'never above the limit').toBeLessThanOrEqual(limit);
      expect(counted, 'the pool counts what is there').toBe(used);
    }
    expect(end).toMatchObject({ used: capacity + addOns, limit: capacity + addOns });
    expect(race.statuses.filter((status) => status >= 400 && status !== 409)).toEqual([]);
    await checkQueue(race, stage);
  },
  60_000,
);

/** Its positions are 1..n, and three more seats go to exactly its head. */
async function checkQueue(race: Race, { api }: Stage): Promise<void> {
  const queue = await queueOf(race);
  expect(queue.length).toBeGreaterThan(3);
  const queued = (await told(race, 'queued')).sort((a, b) => a.seat.position - b.seat.position);
  expect(queued.map(({ id, seat }) => [id, seat.position])).toEqual(queue.map((id, at) => [id, at + 1]));
  expect(await api('POST', '/contract/lines', { ...addOn, paidSeats: 3 })).toBe(201);
  expect(await queueOf(race)).toEqual(queue.slice(3));
}
