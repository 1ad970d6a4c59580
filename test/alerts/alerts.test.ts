/** Alerts through the flows, under a clock that the test moves: raised once, gathered, acknowledged, and told anew. */

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lastId } from '../../src/admin/paging.ts';
import { acknowledgeAlert, raiseAlerts } from '../../src/alerts/alert-flow.ts';
import { findAlertWork, selectAlerts } from '../../src/alerts/alert-store.ts';
import { readForecast } from '../../src/alerts/forecast-flow.ts';
import { selectAudit } from '../../src/audit/audit-store.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import { addLine } from '../../src/provisioning/contract-flow.ts';
import { activateDraft } from '../../src/provisioning/draft-activation-flow.ts';
import { createDraft, replaceDraft } from '../../src/provisioning/mapping-version-flow.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';

let test: TestDatabase;
let world: TestWorld;
let staff: GroupId;
let people: UserId[];
const [minute, day] = [60_000, 86_400_000];

beforeAll(async () => {
  test = await testDatabase({ poolSize: 6 });
});
afterAll(() => test.close());
beforeEach(async () => {
  world = await newWorld(test.database, new Date('2026-03-10T12:00:00Z'));
  await world.contract({ paidSeats: 10 });
  staff = await world.group('Staff');
  await world.map({ group: { id: staff }, priority: 10 });
  people = [];
});

/** People who ask for a seat, one a second. */
async function come(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    world.pass(1000);
    const id = await world.user(`p${people.length}@example.com`);
    people.push(id);
    await world.editGroup(staff, { add: [id] });
  }
}

async function leave(count: number): Promise<void> {
  for (const id of people.splice(-count)) await world.remove(id);
}

const look = () => raiseAlerts(test.database, world.now, 1000);
const alerts = (isOpen = false) =>
  inTenant(test.database, world.tenantId, (tx) => selectAlerts(tx, { isOpen, before: lastId, limit: 100 }));
const trail = (action: string) =>
  inTenant(test.database, world.tenantId, (tx) =>
    selectAudit(tx, {
      ...{ actor: undefined, subject: undefined, from: undefined, to: undefined },
      ...{ action, before: Number.MAX_SAFE_INTEGER, limit: 100 },
    }),
  );
/** Newest first: of each record what it tells. */
const told = async () =>
  (await alerts()).map(({ items }) => items.map(({ kind, detail }) => ({ kind, ...detail })));
const days = () =>
  inTenant(test.database, world.tenantId, (tx) =>
    tx.run(sql`select day, used_max, used_last from seat_days where tenant_id = ${tx.tenantId} order by day`),
  );

describe('an alert', () => {
  it('is over when nothing of what it warned of is the case any more, and is raised anew after that', async () => {
    await come(8);
    await look();
    await come(2);
    world.pass(10 * minute);
    await look();
    expect(await alerts(true)).toHaveLength(2);
    // 100 is over, 95 and 90 are not.
    await leave(1);
    await look();
    expect(await alerts(true)).toHaveLength(2);
    await leave(5);
    await look();
    expect(await alerts(true)).toEqual([]);
    expect((await alerts()).map(({ overAt }) => overAt)).toEqual([world.now, world.now]);
    expect(await trail('alert.over')).toHaveLength(2);
    await come(5);
    await look();
    expect(await alerts(true)).toHaveLength(1);
  });

  it('tells of a draft that failed at its time, until somebody writes it anew', async () => {
    const { database, door, tenantId } = world;
    const written = { basedOn: undefined, mappings: undefined, department: null, goLiveOn: null };
    const draft = await createDraft(database, door, { ...written, name: 'Sales' });
    await activateDraft(database, door, draft.id, { at: new Date(world.now.getTime() + day), rebase: false });
    await world.map({ group: { id: await world.group('Other') }, priority: 20 });
    await look();
    world.pass(day);
    await look();
    await settleDue(database, world.now, 1000);
    await look();
    const [alert] = await alerts(true);
    expect(alert?.items.at(-1)).toMatchObject({
      kind: 'draft_failed',
      message: expect.stringMatching(
        /^The draft "Sales" of the mappings was not activated at its time: .*version/,
      ),
    });
    await replaceDraft(database, { ...door, tenantId }, draft.id, { ...written, name: 'Sales' });
    await look();
    expect(await alerts(true)).toEqual([]);
  });

  it('is raised once, whichever of several gateways looks, and stands in the trail', async () => {
    await come(8);
    await Promise.all([look(), look(), look(), look()]);
    expect(await told()).toEqual([
      [
        { kind: 'seats_used', percent: 80, taken: 8, capacity: 10 },
        { kind: 'seats_left', left: 2, capacity: 10 },
      ],
    ]);
    const [alert] = await alerts();
    expect(alert?.items[0]?.message).toBe('8 of 10 seats are taken (80 % or more).');
    expect(await trail('alert.raised')).toMatchObject([{ subject: alert?.id, actor: { rule: 'alerts' } }]);
    await look();
    expect(await alerts()).toHaveLength(1);
  });

  it('is looked for only where something changed, or a day began', async () => {
    await look();
    const isDue = async () => (await findAlertWork(test.database, world.now, 1000)).includes(world.tenantId);
    expect(await isDue()).toBe(false);
    await come(1);
    expect(await isDue()).toBe(true);
    await look();
    expect(await isDue()).toBe(false);
    await world.contract({ paidSeats: 11 });
    expect(await isDue()).toBe(true);
    await look();
    world.now = new Date('2026-03-10T23:59:59.999Z');
    expect(await isDue()).toBe(false);
    world.now = new Date('2026-03-11T00:00:00.000Z');
    expect(await isDue()).toBe(true);
  });

  it('joins what came up within five minutes, unless somebody has taken notice', async () => {
    await come(8);
    await look();
    world.pass(4 * minute);
    await come(1);
    await look();
    const [record] = await alerts();
    expect(await alerts()).toHaveLength(1);
    expect(record?.items.map(({ kind }) => kind)).toEqual([
      'seats_used',
      'seats_left',
      'seats_used',
      'seats_left',
    ]);
    expect(record?.changedAt).toEqual(world.now);
    await acknowledgeAlert(test.database, world.door, record?.id ?? '');
    await come(1);
    await look();
    expect((await told()).map((items) => items.length)).toEqual([1, 4]);
    world.pass(5 * minute);
    await leave(1);
    await look();
    await come(1);
    await look();
    expect(await alerts()).toHaveLength(3);
  });

  it('is acknowledged once', async () => {
    await come(8);
    await look();
    const [open] = await alerts(true);
    const done = await acknowledgeAlert(test.database, world.door, open?.id ?? '');
    expect(done).toMatchObject({ acknowledgedAt: world.now, acknowledgedBy: { name: 'test' } });
    world.pass(minute);
    expect(await acknowledgeAlert(test.database, world.door, done.id)).toEqual(done);
    expect(await trail('alert.acknowledged')).toHaveLength(1);
    expect(await alerts(true)).toEqual([]);
    const unknown = acknowledgeAlert(test.database, world.door, '00000000-0000-7000-8000-00000000000a');
    await expect(unknown).rejects.toMatchObject({ code: 'not_found' });
  });

  it('names, when all seats are taken, who waits and who holds the longest', async () => {
    await come(12);
    await look();
    const [record] = await alerts();
    expect(record?.items).toMatchObject([
      {
        kind: 'seats_used',
        detail: {
          percent: 100,
          queued: 2,
          oldestWaiter: { userName: 'p10@example.com' },
          lastSignIns: 'unknown',
        },
      },
    ]);
    expect(record?.items[0]?.message).toMatch(
      /^10 of 10 seats are taken \(100 % or more\)\. 2 people wait, p10@example\.com the longest, since 2026-03-10T12:00:11\.000Z\. Last sign-ins are not known; these hold a seat the longest: p0@example\.com, p1@/,
    );
  });

  it('tells of a cliff, and that a contract has ended', async () => {
    await come(4);
    await look();
    await addLine(test.database, world.door, {
      ...{ kind: 'amendment', effectiveOn: '2026-05-01', endsOn: null, setsSeats: true, paidSeats: 3 },
      ...{ tier: null, contractEndsOn: null, reason: 'agreed', documentReference: null },
    });
    await look();
    expect(await told()).toEqual([[{ kind: 'cliff', on: '2026-05-01', capacity: 3, people: 1 }]]);
    world.now = new Date('2027-01-01T00:00:00Z');
    await look();
    const [[ended] = []] = await told();
    expect(ended).toEqual({ kind: 'contract_ended', endsOn: '2026-12-31', phase: 'ended', graceUntil: null });
  });

  it('tells of an evaluation that ends, and that ended', async () => {
    await world.contract({ kind: 'evaluation', endsOn: '2026-03-20' });
    await look();
    world.now = new Date('2026-03-18T08:00:00Z');
    await look();
    world.now = new Date('2026-03-21T00:00:00Z');
    await look();
    const messages = (await alerts()).flatMap(({ items }) => items.map(({ message }) => message));
    expect(messages).toEqual([
      'The evaluation ended on 2026-03-20. People keep their roles until 2026-04-04T00:00:00.000Z.',
      ...Array(2).fill(
        'The evaluation ends on 2026-03-20. Sign the contract before, and everybody keeps what they have.',
      ),
    ]);
  });
});

describe('days', () => {
  it('are written where the use changed, with its most', async () => {
    await come(3);
    await look();
    await leave(2);
    await look();
    await come(1);
    await look();
    world.pass(2 * day);
    await look();
    expect(await days()).toEqual([{ day: '2026-03-10', used_max: 3, used_last: 2 }]);
    await leave(2);
    await look();
    expect(await days()).toEqual([
      { day: '2026-03-10', used_max: 3, used_last: 2 },
      { day: '2026-03-12', used_max: 2, used_last: 0 },
    ]);
  });

  it('make a forecast, the same for all of a day, and an alert', async () => {
    await world.contract({ paidSeats: 60 });
    for (let n = 0; n < 14; n += 1) {
      await come(1);
      await look();
      world.pass(day);
    }
    const early = await readForecast(test.database, world.tenantId, world.now);
    expect(early).toEqual({ history: 13, p50: null, p90: null, fullBeforeTermEnd: null });
    expect(await alerts()).toEqual([]);
    await come(1);
    await look();
    world.pass(day);
    await look();
    const forecast = await readForecast(test.database, world.tenantId, world.now);
    expect(forecast).toEqual({ history: 14, p50: '2026-05-09', p90: '2026-05-09', fullBeforeTermEnd: 1 });
    expect(await told()).toEqual([
      [{ kind: 'full_before_term_end', probability: 1, p50: '2026-05-09', endsOn: '2026-12-31' }],
    ]);
    await look();
    world.pass(day);
    await look();
    expect(await alerts()).toHaveLength(1);
  });
});
