/** Contracts that come to give fewer seats, and more again: whose seat becomes what, and when. */

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { raiseAlerts } from '../../src/alerts/alert-flow.ts';
import { compareDue } from '../../src/alerts/comparison-flow.ts';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import { lostByContract } from '../../src/provisioning/losses.ts';
import { settleDue } from '../../src/provisioning/settle-flow.ts';
import { noteUnmanagedPaid } from '../../src/provisioning/unmanaged-flow.ts';
import { contract } from '../licensing/support.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import type { TestWorld } from '../support/tenants.ts';
import { type ContractTeam, newContractTeam, nothing } from './contract-team.ts';
import { readState } from './state.ts';

let test: TestDatabase;
let team: ContractTeam;
let world: TestWorld;
let staff: GroupId;
let people: UserId[];

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});
afterAll(() => test.close());

beforeEach(async () => {
  team = await newContractTeam(test.database);
  ({ world, staff, people } = team);
});

const amend: ContractTeam['amend'] = (...line) => team.amend(...line);
const holders = () => team.holders();
const goTo = (instant: string) => team.goTo(instant);
const told = (n: number) => team.told(n);

describe('a line', () => {
  it('takes nobody’s seat where there are more again by the time that the gateway is back', async () => {
    await amend('2026-04-01', { paidSeats: 1 });
    await amend('2026-05-20', { paidSeats: 4 });
    const since = async () => {
      const { decisions } = await readState(world);
      return people.slice(0, 3).map((id) => decisions.find((row) => row.user_id === id)?.since);
    };
    const before = await since();
    await goTo('2026-06-10T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1, 2, 3]);
    expect(await since(), 'also not for a moment').toEqual(before);
    expect(await world.settle()).toBe(0);
  });

  it('that takes seats makes those above them count as such once their days of grace are over, as far as the policy goes', async () => {
    const above = { paidSeats: 4, allowancePercent: 50 } as const;
    await world.contract({ ...above, policy: 'allow' });
    await amend('2026-04-01', { paidSeats: 2 });
    expect(await holders()).toEqual([0, 1, 2, 3]);
    await goTo('2026-04-30T23:59:59.999Z');
    expect(await holders(), 'and one above').toEqual([0, 1, 2, 3]);
    await goTo('2026-05-01T00:00:00.000Z');
    expect([await holders(), await told(2)]).toEqual([
      [0, 1],
      ['overage', 'SEAT_OVERAGE', 'team_member'],
    ]);
    expect(await told(3), 'and those above what it gives lose theirs').toEqual([
      'queued',
      'SEAT_QUEUED',
      'view_only',
    ]);
    expect(await world.settle()).toBe(0);

    await world.contract({ ...above, policy: 'grace', graceDays: 5 });
    await goTo('2026-05-06T00:00:00.000Z');
    expect(await told(2), 'under grace for its days from then on').toEqual([
      'queued',
      'SEAT_QUEUED',
      'view_only',
    ]);
    await amend('2026-05-06', { paidSeats: 3 });
    expect(await holders(), 'who has a seat above the capacity then comes within it first').toEqual([
      0, 1, 3,
    ]);
  });

  it('is done at each of its instants also where seats were to go meanwhile', async () => {
    await amend('2026-04-01', { paidSeats: 1 });
    await amend('2026-05-20', { paidSeats: 4 });
    await amend('2026-06-05', { paidSeats: 2 });
    await goTo('2026-04-01T00:00:00.000Z');
    await goTo('2026-06-10T00:00:00.000Z');
    expect(await holders(), 'as if it had been up').toEqual([0, 1, 2, 3]);
    await goTo('2026-07-04T23:59:59.999Z');
    expect(await holders()).toEqual([0, 1, 2, 3]);
    await goTo('2026-07-05T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1]);
  });

  it('that gives fewer before the days of grace are over begins them anew, and whoever is to lose the seat is told so', async () => {
    await world.contract({ paidSeats: 4 });
    await amend('2026-04-01', { paidSeats: 3 });
    await amend('2026-04-20', { paidSeats: 2 });
    await goTo('2026-04-01T00:00:00.000Z');
    const isTold = 'SEAT_EXCESS_UNTIL:2026-05-20T00:00:00.000Z';
    expect((await told(3))[1]).toBe(isTold);
    await goTo('2026-04-20T00:00:00.000Z');
    expect([(await told(3))[1], (await told(2))[1]]).toEqual([isTold, isTold]);
    await goTo('2026-05-19T23:59:59.999Z');
    expect(await holders()).toEqual([0, 1, 2, 3]);
    await goTo('2026-05-20T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1]);
  });

  it('that takes seats but leaves as many in all has days of grace, from its day, and each time that it does', async () => {
    const excess = async () => (await readState(world)).pool.excess_since?.toISOString();
    await amend('2026-04-01', { paidSeats: 2 });
    await world.contract({ paidSeats: 3, policy: 'allow', allowancePercent: 50 });
    expect(await holders(), 'and one above').toEqual([0, 1, 2]);
    await goTo('2026-04-10T00:00:00.000Z');
    expect(await excess(), 'however late it is noticed').toBe('2026-04-01T00:00:00.000Z');
    await goTo('2026-04-25T00:00:00.000Z');
    await amend('2026-04-25', { paidSeats: 1 });
    await world.contract({ paidSeats: 3, policy: 'allow', allowancePercent: 300 });
    expect(await excess(), 'though there are more in all').toBe('2026-04-25T00:00:00.000Z');
    await goTo('2026-05-01T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1, 2]);
  });

  it('is seen in the night, where a process of the version before wrote last', async () => {
    await world.contract({ policy: 'allow', allowancePercent: 50 });
    await amend('2026-03-10', { paidSeats: 2 });
    await world.contract({ paidSeats: 3, policy: 'allow', allowancePercent: 100 });
    expect((await readState(world)).pool.excess_since).not.toBeNull();
    await inTenant(test.database, world.tenantId, async (tx) =>
      tx.send(sql`update seat_pools set excess_since = null, due_at = null`),
    );
    await raiseAlerts(test.database, world.now, 1000);
    world.pass(86_400_000 + 4 * 3_600_000);
    const clock = { now: () => world.now };
    await compareDue(test.database, clock, 1000);
    await settleDue(test.database, world.now, 1000);
    expect((await readState(world)).pool.excess_since).toEqual(world.now);
  });

  it('begins the days anew also at the instant at which they end, as is told', async () => {
    await amend('2026-04-01', { paidSeats: 2 });
    await amend('2026-05-01', { paidSeats: 1 });
    await goTo('2026-04-02T00:00:00.000Z');
    expect((await told(2))[1]).toBe('SEAT_EXCESS_UNTIL:2026-05-31T00:00:00.000Z');
    await goTo('2026-05-30T23:59:59.999Z');
    expect(await holders()).toEqual([0, 1, 2]);
    await goTo('2026-05-31T00:00:00.000Z');
    expect(await holders()).toEqual([0]);
  });

  it('leaves whoever comes back where people of Blue’s own are in the way', async () => {
    await world.contract({ policy: 'allow', allowancePercent: 34, decreaseGraceDays: 0 });
    expect((await told(3))[0]).toBe('overage');
    await world.editGroup(staff, { remove: people.slice(1, 3) }, undefined, world.directoryDoor);
    await noteUnmanagedPaid(test.database, world.door, 2);
    await world.editGroup(staff, { add: people.slice(1, 3) }, undefined, world.directoryDoor);
    world.pass(1000);
    await settleDue(test.database, world.now, 100);
    expect([await holders(), (await told(3))[0]]).toEqual([[0, 1, 2], 'overage']);
  });

  it('that takes none makes nobody’s seat another, whoever’s place is kept meanwhile', async () => {
    await world.contract({
      ...{ policy: 'grace', allowancePercent: 50, graceDays: 5 },
      decreaseGraceDays: 0,
    });
    expect((await told(3))[0]).toBe('overage');
    await world.editGroup(staff, { remove: people.slice(3, 4) }, undefined, world.directoryDoor);
    expect((await told(3))[0]).toBe('hold');
    world.pass(1000);
    await settleDue(test.database, world.now, 100);
    expect(await holders()).toEqual([0, 1, 2]);
    await world.editGroup(staff, { add: people.slice(3, 4) }, undefined, world.directoryDoor);
    expect([await holders(), (await told(3))[0]]).toEqual([[0, 1, 2], 'overage']);
  });
});

describe('a seat above the capacity', () => {
  it('is told the end that comes first', async () => {
    await world.contract({ policy: 'grace', allowancePercent: 50, graceDays: 5 });
    const [state, reason] = await told(3);
    expect([state, reason]).toEqual(['overage', expect.stringContaining('SEAT_OVERAGE_UNTIL:')]);
    await amend('2026-03-10', { paidSeats: 2 });
    expect((await told(3))[1], 'its own days, not those of the decrease').toBe(reason);
    expect((await told(2))[1]).toBe('SEAT_HELD');
  });

  it('has an end once the policy gives none, also where people of Blue’s own are in its way', async () => {
    const terms = { paidSeats: 3, decreaseGraceDays: 10 };
    await world.contract({ ...terms, policy: 'allow', allowancePercent: 50 });
    await noteUnmanagedPaid(test.database, world.door, 1);
    await world.revise(people[0] as UserId, { active: false });
    expect([await holders(), await told(3)]).toEqual([
      [1, 2],
      ['overage', 'SEAT_OVERAGE', 'team_member'],
    ]);
    await world.contract({ ...terms, policy: 'queue' });
    expect((await told(3))[1]).toBe('SEAT_EXCESS_UNTIL:2026-03-20T12:00:05.000Z');
    await goTo('2026-03-20T12:00:06.000Z');
    expect([await holders(), (await told(3))[0]]).toEqual([[1, 2], 'queued']);
  });
});

describe('what an edit of a contract takes later', () => {
  const now = new Date('2026-03-10T12:00:00Z');
  const usage = { held: 4, overage: 0, onHold: 0, unmanagedPaid: 0 };
  const frozen = contract({ kind: 'evaluation', endsOn: '2026-02-28', evaluationGraceDays: 0, paidSeats: 4 });
  const fewer = contract({ paidSeats: 1 });
  const ramp = { ...nothing, kind: 'ramp', effectiveOn: '2026-06-10', paidSeats: 3 } as const;
  const dip = {
    ...nothing,
    kind: 'add_on',
    effectiveOn: '2026-01-01',
    endsOn: '2026-05-31',
    paidSeats: 3,
  } as const;
  const dipped = contract({ paidSeats: 1, lines: [dip, ramp] });

  it.each([
    ['seats that are frozen and come back for a while', frozen, fewer, 3],
    ['nothing of those that it gives back', frozen, contract({ paidSeats: 4 }), 0],
    ['nothing of what was gone by the former', fewer, contract({ paidSeats: 1, endsOn: '2030-12-31' }), 0],
    [
      'what a dip did not take, since there were more before its days were over',
      dipped,
      { ...dipped, lines: [dip] },
      3,
    ],
    ['all that freezes', contract({ paidSeats: 4 }), { ...frozen, endsOn: '2026-03-31' }, 4],
  ])('is %s', (_what, before, after, lost) => {
    expect(lostByContract(before, after, usage, null, now)).toBe(lost);
  });

  it('is also whoever has fewer days left', () => {
    const since = new Date('2026-03-01T00:00:00Z');
    const lost = (days: number) =>
      lostByContract(fewer, { ...fewer, decreaseGraceDays: days }, usage, since, now);
    expect([lost(0), lost(fewer.decreaseGraceDays), lost(90)]).toEqual([3, 0, 0]);
  });
});
