/**
 * Thirty-two clients at once on the last seats of a real gateway, through every door that can change a decision: never is more
 * used than there is, in the end it is exactly that, and who waits stands in order. RACE_ROUNDS sets the number of rounds.
 */

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import { each, newRace, numbers, type Race } from '../scim/race-support.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const rounds = Number(process.env.RACE_ROUNDS ?? 20);
const [capacity, addOns] = [10, 2];
let gateway: TestGateway;
let database: Database;

beforeAll(async () => {
  gateway = await startGateway();
  database = openDatabase({ url: gateway.databaseUrl, poolSize: 1 });
});
afterAll(async () => {
  await database.close();
  await gateway.close();
});

/** Eight of the ten seats are held; each of the others asks for one through a door of its own. */
interface Stage {
  race: Race;
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
  let last = 2;
  const api: Stage['api'] = async (method, path, body) => {
    const { status } = await gateway.api(method, `/tenants/${race.slug}${path}`, body);
    race.statuses.push(status);
    return status;
  };
  const priority = () => {
    last += 1;
    return last;
  };
  return { race, api, people, asleep, late, unmapped, priority };
}

const pin = { role: 'team_member', reason: 'race' };
const addOn = { kind: 'add_on', startsOn: '2021-01-01', paidSeats: 1, reason: 'race' };

/** One call for each client. */
function clients(stage: Stage): (() => Promise<unknown>)[] {
  const { race, api, people, asleep, late, unmapped, priority } = stage;
  const one = (n: number) => people[n] ?? '';
  const map = (id: string) => race.map({ id }, priority());
  return [
    ...numbers(9).map((n) => () => race.addMember(late, one(8 + n))),
    () => importing(stage, [one(17), one(32)]),
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
