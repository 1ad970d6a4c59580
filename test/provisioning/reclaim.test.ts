/** Seats that lie idle, through the flows and a clock that is moved: who is asked, what becomes of the seat, and who comes back. */

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import { removePin, setPin } from '../../src/provisioning/pin-flow.ts';
import { keepSeat, reclaimDue, undoReclaim } from '../../src/provisioning/reclaim-flow.ts';
import { selectReclaims } from '../../src/provisioning/reclaim-store.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { selectUserView } from '../../src/provisioning/user-view-store.ts';
import { defaultSettings } from '../../src/tenants/settings.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { readState, seatsOf } from './state.ts';

const dayMs = 86_400_000;
const start = new Date('2026-02-01T12:00:00Z');
let test: TestDatabase;
let world: TestWorld;
let staff: GroupId;
let people: UserId[];

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());

/** Two seats; people 0..4, one a second, in a group that asks for a paid role: 0 and 1 hold. Idle is who was not seen for 30 days. */
beforeEach(async () => {
  world = await newWorld(test.database, start);
  await world.contract({ paidSeats: 2, startsOn: '2026-01-01', endsOn: '2027-12-31' });
  await setting(30);
  staff = await world.group('Staff');
  await world.map({ group: { id: staff }, priority: 10 });
  people = [];
  for (let n = 0; n < 5; n += 1) {
    world.pass(1000);
    const id = await world.user(`p${n}@example.com`);
    people.push(id);
    await world.editGroup(staff, { add: [id] });
  }
});

const nth = (n: number) => people[n] as UserId;
const setting = (reclaimDays: number | null, exclusions: string[] = []) =>
  putSettings(test.database, world.door, { ...defaultSettings, reclaimDays, exclusions });

/** As an operator moves the clock: what is due by then is done. Answers how many looks there were. */
async function look(): Promise<number> {
  while ((await settleDue(test.database, world.now, 100)) > 0);
  let looks = 0;
  while ((await reclaimDue(test.database, { now: world.now, realNow: world.now }, 100)) > 0) looks += 1;
  return looks;
}

/** Days after the start, a minute later, so that everybody's seat is a bit older than that. */
async function onDay(days: number): Promise<void> {
  world.now = new Date(start.getTime() + days * dayMs + 60_000);
  await look();
}

async function signOn(n: number): Promise<void> {
  await inTenant(test.database, world.tenantId, async (tx) =>
    tx.send(
      sql`update users set last_sign_in_at = ${world.now} where tenant_id = ${tx.tenantId} and id = ${nth(n)}`,
    ),
  );
}

async function cases(): Promise<string[]> {
  const query = { after: '00000000-0000-0000-0000-000000000000', most: 100 };
  const views = await inTenant(test.database, world.tenantId, (tx) => selectReclaims(tx, query));
  return views
    .map(
      ({ id, state, reminders }) => `${people.indexOf(id)} ${state}${reminders > 0 ? ` ${reminders}` : ''}`,
    )
    .sort();
}

async function numbersOf(...seats: ('held' | 'overage' | 'waiting' | 'none')[]): Promise<number[]> {
  const rows = seatsOf(await readState(world), ...seats);
  return rows.map((row) => people.indexOf(row.user_id)).sort((a, b) => a - b);
}

async function told(n: number) {
  const view = await inTenant(test.database, world.tenantId, (tx) => selectUserView(tx, nth(n), world.now));
  return [view?.seat.state, view?.seat.reason, view?.decision?.effective.map(({ role }) => role).join()];
}

async function trail(n: number): Promise<string[]> {
  const rows = await inTenant(test.database, world.tenantId, (tx) =>
    tx.run(sql<{ action: string }>`select action from audit_trail where tenant_id = ${tx.tenantId}
      and subject = ${nth(n)} and action like 'reclaim.%' order by seq`),
  );
  return rows.map(({ action }) => action.replace('reclaim.', ''));
}

describe('the course', () => {
  it('is notice, two reminders, and the seat goes to the head of the queue', async () => {
    await onDay(29);
    expect(await cases()).toEqual([]);
    await onDay(30);
    expect(await cases()).toEqual(['0 noticed', '1 noticed']);
    await onDay(37);
    expect(await cases()).toEqual(['0 noticed 1', '1 noticed 1']);
    await onDay(42);
    expect(await cases()).toEqual(['0 noticed 2', '1 noticed 2']);
    expect(await numbersOf('held')).toEqual([0, 1]);
    await onDay(44);
    expect(await cases()).toEqual(['0 taken 2', '1 taken 2']);
    expect(await numbersOf('held')).toEqual([2, 3]);
    expect(await told(0)).toEqual(['none', 'SEAT_RECLAIMED', 'view_only']);
    expect(await told(2)).toEqual(['held', 'SEAT_HELD', 'team_member']);
    expect(await trail(0)).toEqual(['noticed', 'reminded', 'reminded', 'taken']);
    expect((await readState(world)).pool.used).toBe(2);
  });

  it('leaves the fallback role that the contract names now', async () => {
    for (const days of [30, 37, 42, 44]) await onDay(days);
    await world.contract({
      ...{ paidSeats: 2, startsOn: '2026-01-01', endsOn: '2027-12-31', fallbackRole: 'comment_only' },
    });
    expect(await told(0)).toEqual(['none', 'SEAT_RECLAIMED', 'comment_only']);
    expect(await world.settle()).toBe(0);
  });

  it('writes nothing when it is looked at again, nor when everybody is decided for again (I6)', async () => {
    for (const days of [30, 37, 42, 44]) await onDay(days);
    const { fingerprint } = await readState(world);
    await inTenant(test.database, world.tenantId, async (tx) =>
      tx.send(sql`update tenant_settings set reclaim_due_at = ${world.now} where tenant_id = ${tx.tenantId}`),
    );
    expect(await look()).toBe(1);
    expect(await world.settle()).toBe(0);
    expect((await readState(world)).fingerprint).toEqual(fingerprint);
  });

  it('is done by one of several gateways that look at once', async () => {
    world.now = new Date(start.getTime() + 31 * dayMs);
    const times = { now: world.now, realNow: world.now };
    await Promise.all(Array.from({ length: 4 }, () => reclaimDue(test.database, times, 100)));
    await look();
    expect(await trail(0)).toEqual(['noticed']);
    expect(await trail(1)).toEqual(['noticed']);
  });

  it('begins with the notice also after a long downtime, and leaves out no step', async () => {
    await onDay(200);
    expect(await cases()).toEqual(['0 noticed', '1 noticed']);
    await onDay(400);
    expect(await trail(0)).toEqual(['noticed', 'reminded', 'reminded', 'taken']);
    expect(await numbersOf('held')).toEqual([2, 3]);
  });

  it('takes no seat of a frozen evaluation', async () => {
    await world.contract({
      kind: 'evaluation',
      paidSeats: 2,
      startsOn: '2026-01-01',
      endsOn: '2026-03-10',
      evaluationGraceDays: 1,
    });
    await onDay(35);
    expect(await cases()).toEqual(['0 noticed', '1 noticed']);
    await onDay(300);
    expect(await cases()).toEqual(['0 noticed', '1 noticed']);
    await world.contract({ paidSeats: 2, startsOn: '2026-01-01', endsOn: '2027-12-31' });
    expect(await told(0)).toEqual(['held', 'SEAT_HELD', 'team_member']);
  });

  it('goes back with the clock', async () => {
    for (const days of [30, 44]) await onDay(days);
    expect(await numbersOf('held')).toEqual([2, 3]);
    world.now = new Date(start.getTime() + 10 * dayMs);
    await setting(31);
    await look();
    expect(await cases()).toEqual(['0 returned 2', '1 returned 2']);
  });
});

describe('who is left in peace', () => {
  it('is whoever is seen', async () => {
    await onDay(20);
    await signOn(0);
    await onDay(30);
    expect(await cases()).toEqual(['1 noticed']);
    await signOn(1);
    await onDay(37);
    expect(await cases()).toEqual(['1 withdrawn']);
    expect(await numbersOf('held')).toEqual([0, 1]);
    await onDay(50);
    expect(await cases(), 'the one was seen on day 20').toEqual(['0 noticed', '1 withdrawn']);
  });

  it('is whoever just got a seat', async () => {
    await onDay(29);
    await world.revise(nth(0), { active: false });
    expect(await numbersOf('held')).toEqual([1, 2]);
    await onDay(31);
    expect(await cases()).toEqual(['1 noticed']);
  });

  it('has a pin, as long as it stands', async () => {
    const pin = { role: 'team_member', workspaces: null, reason: 'agreed', until: null, reserved: false };
    await setPin(test.database, world.door, nth(0), pin);
    await onDay(60);
    expect(await cases()).toEqual(['1 noticed']);
    await removePin(test.database, world.door, nth(0));
    await onDay(61);
    expect(await cases()).toEqual(['0 noticed', '1 noticed']);
    await setPin(test.database, world.door, nth(0), pin);
    await onDay(62);
    expect(await cases()).toEqual(['0 withdrawn', '1 noticed']);
  });

  it('stands on the list of exclusions', async () => {
    await setting(30, ['p0@example.com']);
    await onDay(30);
    expect(await cases()).toEqual(['1 noticed', '2 noticed']);
  });

  it('is everybody, where it is turned off', async () => {
    await onDay(30);
    await setting(null);
    await look();
    expect(await cases()).toEqual(['0 withdrawn', '1 withdrawn']);
    await onDay(200);
    expect(await cases()).toEqual(['0 withdrawn', '1 withdrawn']);
  });

  it('loses the seat otherwise', async () => {
    await onDay(30);
    await world.editGroup(staff, { remove: [nth(0)] });
    await onDay(31);
    expect(await cases()).toEqual(['0 withdrawn', '1 noticed']);
  });
});

describe('keep', () => {
  it('counts idleness from then on', async () => {
    await onDay(30);
    await keepSeat(test.database, world.door, nth(0));
    expect(await cases()).toEqual(['0 kept', '1 noticed']);
    await onDay(44);
    await onDay(59);
    expect(await told(0)).toEqual(['held', 'SEAT_HELD', 'team_member']);
    await onDay(60);
    expect(await cases()).toEqual(['0 noticed', '1 taken 2']);
  });

  it('may be said beforehand, and only of a seat', async () => {
    await onDay(20);
    await keepSeat(test.database, world.door, nth(0));
    await onDay(30);
    expect(await cases()).toEqual(['0 kept', '1 noticed']);
    await expect(keepSeat(test.database, world.door, nth(4))).rejects.toMatchObject({ code: 'conflict' });
    const nobody = '00000000-0000-7000-8000-00000000000a' as UserId;
    await expect(keepSeat(test.database, world.door, nobody)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('of a seat that was taken is a claim, with the old rank for thirty days', async () => {
    for (const days of [30, 44, 70]) await onDay(days);
    await keepSeat(test.database, world.door, nth(0));
    expect(await told(0)).toEqual(['queued', 'SEAT_QUEUED', 'view_only']);
    await world.contract({ paidSeats: 3, endsOn: '2027-12-31' });
    expect(await numbersOf('held')).toEqual([0, 2, 3]);
  });
});

describe('undo', () => {
  beforeEach(async () => {
    for (const days of [30, 44]) await onDay(days);
    expect(await cases()).toEqual(['0 taken 2', '1 taken 2']);
  });

  it('gives the seat back where one is free', async () => {
    await world.contract({ paidSeats: 5, endsOn: '2027-12-31' });
    expect(await numbersOf('held')).toEqual([2, 3, 4]);
    const view = await undoReclaim(test.database, world.door, nth(0));
    expect(view).toMatchObject({ state: 'undone', userName: 'p0@example.com' });
    expect(await told(0)).toEqual(['held', 'SEAT_HELD', 'team_member']);
    await onDay(73);
    expect(await told(0), 'it was just given').toEqual(['held', 'SEAT_HELD', 'team_member']);
    expect(await cases()).toEqual(['0 undone 2', '1 taken 2']);
  });

  it('else puts the person where the old claim would be', async () => {
    const before = (await readState(world)).decisions.find(({ user_id }) => user_id === nth(1));
    await undoReclaim(test.database, world.door, nth(1));
    expect(await told(1)).toEqual(['queued', 'SEAT_QUEUED', 'view_only']);
    const now = (await readState(world)).decisions.find(({ user_id }) => user_id === nth(1));
    expect(now?.claimed_at).toEqual(before?.kept_claimed_at);
    await world.revise(nth(2), { active: false });
    expect(await numbersOf('held'), 'before the one who waited meanwhile').toEqual([1, 3]);
  });

  it('is possible for fourteen days, once, and only where a seat was taken', async () => {
    await onDay(57);
    await undoReclaim(test.database, world.door, nth(0));
    await expect(undoReclaim(test.database, world.door, nth(0))).rejects.toMatchObject({ code: 'not_found' });
    await expect(undoReclaim(test.database, world.door, nth(3))).rejects.toMatchObject({ code: 'not_found' });
    await onDay(58);
    await expect(undoReclaim(test.database, world.door, nth(1))).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('who comes back', () => {
  beforeEach(async () => {
    for (const days of [30, 44]) await onDay(days);
  });

  it('within thirty days has the old rank', async () => {
    await onDay(73);
    await signOn(0);
    await onDay(73.5);
    expect((await cases())[0]).toBe('0 returned 2');
    expect(await told(0)).toEqual(['queued', 'SEAT_QUEUED', 'view_only']);
    await world.editGroup(staff, { remove: [nth(2)] });
    expect(await numbersOf('held')).toContain(0);
    expect(await numbersOf('waiting')).toEqual([4]);
  });

  it('later makes a new claim', async () => {
    await onDay(74.5);
    const row = (await readState(world)).decisions.find(({ user_id }) => user_id === nth(0));
    expect(row).toMatchObject({ seat: 'none', refusal: 'SEAT_RECLAIMED', kept_until: null, due_at: null });
    await signOn(0);
    await onDay(75);
    await world.editGroup(staff, { remove: [nth(2)] });
    expect(await numbersOf('waiting')).toEqual([0]);
    expect(await numbersOf('held')).toContain(4);
  });

  it('does so also where nobody is asked any more', async () => {
    await setting(null);
    await look();
    await signOn(1);
    await onDay(50);
    expect(await cases()).toEqual(['0 taken 2', '1 returned 2']);
  });

  it('is not who is only moved between groups, or pinned for a while', async () => {
    const other = await world.group('Other');
    await world.map({ group: { id: other }, priority: 5 });
    await world.editGroup(staff, { remove: [nth(0)] });
    await world.editGroup(other, { add: [nth(0)] });
    expect(await told(0)).toEqual(['none', 'SEAT_RECLAIMED', 'view_only']);
    await world.contract({ paidSeats: 5, endsOn: '2027-12-31' });
    const pin = { role: 'team_member', workspaces: null, reason: 'agreed', until: null, reserved: false };
    await setPin(test.database, world.door, nth(0), pin);
    expect((await told(0))[0]).toBe('held');
    await removePin(test.database, world.door, nth(0));
    expect(await told(0)).toEqual(['none', 'SEAT_RECLAIMED', 'view_only']);
    await undoReclaim(test.database, world.door, nth(0));
    expect((await told(0))[0]).toBe('held');
  });
});

it('takes the seats of the longest unseen first when there are fewer', async () => {
  await setting(null);
  await world.contract({ paidSeats: 5, endsOn: '2027-12-31', decreaseGraceDays: 5 });
  for (const [days, n] of [
    [3, 4],
    [4, 2],
    [5, 3],
  ] as const) {
    await onDay(days);
    await signOn(n);
  }
  await world.contract({ paidSeats: 1, endsOn: '2027-12-31', decreaseGraceDays: 5 });
  await onDay(9);
  expect(await numbersOf('held')).toEqual([0, 1, 2, 3, 4]);
  await onDay(11);
  expect(await numbersOf('held'), '0 and 1 were never seen, 4 and 2 longer ago').toEqual([3]);
});
