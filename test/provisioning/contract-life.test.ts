/**
 * The life of a contract through the flows: what its lines bring about at their instants, how an evaluation ends and what
 * signing restores, and what the books said of the past.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inTenant } from '../../src/db/tenant-transaction.ts';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import { type ContractLine, termsAt } from '../../src/licensing/contract.ts';
import { addLine, withdrawLine } from '../../src/provisioning/contract-flow.ts';
import { selectBases, selectLines } from '../../src/provisioning/contract-line-store.ts';
import { readPool } from '../../src/provisioning/pool-store.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { type ContractTeam, newContractTeam, noted, nothing } from './contract-team.ts';
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
const addOn = (effectiveOn: string, paidSeats: number, endsOn: string | null = null) =>
  addLine(test.database, world.door, {
    ...nothing,
    ...noted,
    kind: 'add_on',
    effectiveOn,
    paidSeats,
    endsOn,
  });

describe('a line', () => {
  it('of today is done at once, of a later day at its instant and once', async () => {
    await amend('2026-04-01', { paidSeats: 4 });
    expect(await holders()).toEqual([0, 1, 2]);
    await goTo('2026-03-31T23:59:59.999Z');
    expect(await holders()).toEqual([0, 1, 2]);
    await goTo('2026-04-01T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1, 2, 3]);
    await amend('2026-04-01', { paidSeats: null });
    expect(await holders()).toEqual([0, 1, 2, 3, 4]);
  });

  it('is done also after the gateway was down when its day came (I24)', async () => {
    await amend('2026-04-01', { paidSeats: 4 });
    await amend('2026-05-01', { paidSeats: 5 });
    await goTo('2026-06-10T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1, 2, 3, 4]);
  });

  it('gives what came free before it ends, also where the gateway was down at both instants (I24)', async () => {
    world.now = new Date('2026-12-30T12:00:00Z');
    await world.editGroup(staff, { remove: people.slice(0, 1) }, undefined, world.directoryDoor);
    expect(await told(0)).toEqual(['hold', 'SEAT_HOLD_MOVER', '']);
    await goTo('2027-02-01T00:00:00Z');
    expect(await holders()).toEqual([1, 2, 3]);
    const { decisions } = await readState(world);
    const given = decisions.find((row) => row.user_id === people[3])?.since;
    expect(given?.toISOString(), 'as of the last instant at which it gave seats').toBe(
      '2026-12-31T23:59:59.999Z',
    );
    expect(await world.settle()).toBe(0);
  });

  it('that ends takes nobody’s seat away, and gives none again', async () => {
    await addOn('2026-03-01', 2, '2026-03-31');
    expect(await holders()).toEqual([0, 1, 2, 3, 4]);
    await goTo('2026-04-01T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1, 2, 3, 4]);
    await world.revise(people[0] as UserId, { active: false });
    await world.revise(people[1] as UserId, { active: false });
    world.pass(1000);
    await world.revise(people[0] as UserId, { active: true });
    expect(await holders()).toEqual([2, 3, 4]);
  });

  it('that is withdrawn is as if it had never been', async () => {
    const line = await amend('2026-04-01', { paidSeats: 5 });
    world.pass(1000);
    await withdrawLine(test.database, world.door, line.id);
    await goTo('2026-04-02T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1, 2]);
    await expect(withdrawLine(test.database, world.door, line.id)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('that moves the last day is not withdrawn from under what lies after that', async () => {
    const longer = await amend('2026-04-01', { contractEndsOn: '2199-12-31' });
    const more = await amend('2150-01-01', { paidSeats: 9, setsSeats: true });
    await expect(withdrawLine(test.database, world.door, longer.id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('2150-01-01'),
    });
    await withdrawLine(test.database, world.door, more.id);
    await withdrawLine(test.database, world.door, longer.id);
  });

  it('stays when the base line is corrected', async () => {
    await amend('2026-03-01', { paidSeats: 4 });
    await world.contract({ paidSeats: 1 });
    expect(await holders()).toEqual([0, 1, 2, 3]);
  });

  it.each([
    ['before the contract', { effectiveOn: '2025-12-31', paidSeats: 4, setsSeats: true }, 'effectiveOn'],
    ['that ends before it begins', { effectiveOn: '2026-05-01', contractEndsOn: '2026-04-30' }, 'endsOn'],
  ])('%s is refused, and nothing is written', async (_what, change, field) => {
    const draft = { ...nothing, ...noted, kind: 'amendment', ...change } as const;
    await expect(addLine(test.database, world.door, draft)).rejects.toMatchObject({ code: 'invalid', field });
    const lines = await inTenant(test.database, world.tenantId, (tx) => selectLines(tx, world.now));
    expect(lines.map(({ kind }) => kind)).toEqual(['base']);
  });

  it('without a contract is refused', async () => {
    const other = await newWorld(test.database);
    const draft = { ...nothing, ...noted, kind: 'add_on', effectiveOn: '2026-01-01', paidSeats: 1 } as const;
    await expect(addLine(test.database, other.door, draft)).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('an evaluation', () => {
  beforeEach(async () => {
    await world.contract({ kind: 'evaluation', paidSeats: 3, endsOn: '2026-03-31', evaluationGraceDays: 10 });
  });

  it('ends in grace, freezes, and a contract restores exactly what was', async () => {
    const before = (await readState(world)).decisions;
    await goTo('2026-04-01T00:00:00.000Z');
    expect(await told(0)).toEqual(['held', 'GRACE_UNTIL:2026-04-11T00:00:00.000Z', 'team_member']);
    await goTo('2026-04-11T00:00:00.000Z');
    expect(await told(0)).toEqual(['held', 'EVALUATION_ENDED', 'view_only']);
    expect(await told(4)).toEqual(['queued', 'SEAT_QUEUED', 'view_only']);
    world.pass(86_400_000);
    await world.contract({ kind: 'annual', paidSeats: 3 });
    expect(await told(0)).toEqual(['held', 'SEAT_HELD', 'team_member']);
    expect((await readState(world)).decisions).toEqual(before);
  });

  it('frozen keeps its seats, also those above a capacity that fell before', async () => {
    const terms = { kind: 'evaluation', endsOn: '2026-03-31', evaluationGraceDays: 10 } as const;
    await world.contract({
      ...terms,
      ...{ paidSeats: 3, policy: 'grace', allowancePercent: 50, graceDays: 5 },
    });
    await amend('2026-03-30', { paidSeats: 2 });
    await goTo('2026-04-11T00:00:00.000Z');
    const before = await holders();
    await goTo('2026-06-01T00:00:00.000Z');
    expect(await holders()).toEqual(before);
    await world.contract({ kind: 'annual', startsOn: '2026-06-01', endsOn: '2027-05-31', paidSeats: 2 });
    expect(await holders(), 'their days begin with the next term').toEqual(before);
    await goTo('2026-07-01T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1]);
  });

  it('frozen gives a seat that is given back to nobody', async () => {
    await goTo('2026-04-11T00:00:00.000Z');
    await world.revise(people[0] as UserId, { active: false });
    expect(await holders()).toEqual([1, 2]);
    await world.contract({ kind: 'annual', paidSeats: 3 });
    expect(await holders()).toEqual([1, 2, 3]);
  });

  it('ends in grace, freezes, and what was signed ahead restores on its first day exactly what was', async () => {
    const before = (await readState(world)).decisions;
    await world.contract({ kind: 'annual', paidSeats: 3, startsOn: '2026-05-01', endsOn: '2027-04-30' });
    expect(await told(0), 'nothing changes before').toEqual(['held', 'SEAT_HELD', 'team_member']);
    await goTo('2026-04-01T00:00:00.000Z');
    expect(await told(0)).toEqual(['held', 'GRACE_UNTIL:2026-04-11T00:00:00.000Z', 'team_member']);
    await goTo('2026-04-11T00:00:00.000Z');
    expect(await told(0)).toEqual(['held', 'EVALUATION_ENDED', 'view_only']);
    await goTo('2026-05-01T00:00:00.000Z');
    expect(await told(0)).toEqual(['held', 'SEAT_HELD', 'team_member']);
    expect((await readState(world)).decisions).toEqual(before);
    await goTo('2027-05-01T00:00:00.000Z');
    expect(await holders(), 'a signed contract freezes nobody').toEqual([0, 1, 2]);
    expect(await told(0)).toEqual(['held', 'SEAT_HELD', 'team_member']);
  });

  it('stands while what is signed ahead is corrected, and when it is withdrawn', async () => {
    const ahead = { kind: 'annual', startsOn: '2026-05-01', endsOn: '2027-04-30' } as const;
    await world.contract({ ...ahead, paidSeats: 9 });
    await world.contract({ ...ahead, paidSeats: 2 });
    await world.contract({ kind: 'evaluation', paidSeats: 4, endsOn: '2026-06-30', evaluationGraceDays: 10 });
    expect(await holders()).toEqual([0, 1, 2, 3]);
    const bases = () => inTenant(test.database, world.tenantId, selectBases);
    const [, next] = await bases();
    expect(next).toMatchObject({ effectiveOn: '2026-05-01', paidSeats: 2 });
    await withdrawLine(test.database, world.door, next?.id ?? '');
    expect(await bases()).toHaveLength(1);
    await goTo('2026-05-02T00:00:00.000Z');
    expect(await holders(), 'the evaluation still runs').toEqual([0, 1, 2, 3]);
  });

  it('is followed by one contract after the other, and a term in force is corrected without the others', async () => {
    const second = { kind: 'annual', startsOn: '2026-04-01', endsOn: '2027-03-31', paidSeats: 4 } as const;
    const third = { kind: 'annual', startsOn: '2027-04-01', endsOn: '2028-03-31', paidSeats: 5 } as const;
    await amend('2026-03-01', { paidSeats: 2 });
    await world.contract(second);
    await goTo('2026-04-01T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1, 2, 3]);
    await world.contract(third);
    expect(await told(0), 'what is in force stands').toEqual(['held', 'SEAT_HELD', 'team_member']);
    await world.contract({ ...second, paidSeats: 3, decreaseGraceDays: 0 });
    await goTo('2026-04-01T00:00:01.000Z');
    expect(await holders()).toEqual([0, 1, 2]);
    const bases = await inTenant(test.database, world.tenantId, selectBases);
    expect(bases.map(({ effectiveOn, paidSeats }) => [effectiveOn, paidSeats])).toEqual([
      ['2026-01-01', 3],
      ['2026-04-01', 3],
      ['2027-04-01', 5],
    ]);
    await goTo('2027-04-01T00:00:00.000Z');
    expect(await holders()).toEqual([0, 1, 2, 3, 4]);
  });

  it('stays in the books where what follows it is signed late, or while it runs', async () => {
    const capacity = async (at: string) => {
      const { contract } = await inTenant(test.database, world.tenantId, readPool);
      return termsAt(contract, new Date(at)).capacity;
    };
    const annual = { kind: 'annual', endsOn: '2027-04-30' } as const;
    await amend('2026-03-08', { paidSeats: 3 });
    await goTo('2026-05-06T00:00:00.000Z');
    expect(await told(0)).toEqual(['held', 'EVALUATION_ENDED', 'view_only']);
    await world.contract({ ...annual, startsOn: '2026-05-02', paidSeats: 4 });
    expect(await holders()).toEqual([0, 1, 2, 3]);
    expect([await capacity('2026-03-15T00:00:00Z'), await capacity('2026-05-03T00:00:00Z')]).toEqual([3, 4]);
    await world.contract({ ...annual, startsOn: '2026-05-03', paidSeats: 5 });
    expect([await capacity('2026-03-15T00:00:00Z'), await capacity('2026-05-03T00:00:00Z')]).toEqual([3, 5]);
    expect(await inTenant(test.database, world.tenantId, selectBases), 'it was corrected').toHaveLength(2);
    await goTo('2027-05-05T00:00:00.000Z');
    await world.contract({ ...annual, startsOn: '2027-05-01', endsOn: '2028-04-30', paidSeats: 2 });
    expect([await capacity('2026-06-01T00:00:00Z'), await capacity('2027-05-03T00:00:00Z')]).toEqual([5, 2]);
  });

  it('or a contract that an amendment ended early stays in the books where what follows it is signed late', async () => {
    await world.contract({ kind: 'annual', paidSeats: 3 });
    await amend('2026-03-12', { contractEndsOn: '2026-03-20' });
    await expect(amend('2026-03-25', { paidSeats: 9 }), 'it is over then').rejects.toMatchObject({
      code: 'invalid',
    });
    await goTo('2026-04-06T00:00:00.000Z');
    await world.contract({ startsOn: '2026-04-01', endsOn: '2027-03-31', paidSeats: 5 });
    const bases = await inTenant(test.database, world.tenantId, selectBases);
    expect(bases.map(({ effectiveOn, paidSeats }) => [effectiveOn, paidSeats])).toEqual([
      ['2026-01-01', 3],
      ['2026-04-01', 5],
    ]);
  });

  it('is not ended before what one of its lines says', async () => {
    await world.contract({ kind: 'annual', paidSeats: 3 });
    await amend('2026-05-01', { paidSeats: 4 });
    await expect(amend('2026-03-12', { contractEndsOn: '2026-04-30' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('stands until the day on which it is turned into a contract', async () => {
    await world.contract({ kind: 'annual', startsOn: '2026-03-10', endsOn: '2027-03-09', paidSeats: 4 });
    const bases = await inTenant(test.database, world.tenantId, selectBases);
    expect(bases.map(({ effectiveOn, document }) => [effectiveOn, document?.kind])).toEqual([
      ['2026-01-01', 'evaluation'],
      ['2026-03-10', 'annual'],
    ]);
    expect(await holders()).toEqual([0, 1, 2, 3]);
  });

  it('keeps its lines: what is signed ahead takes none of them, and gives none of its own', async () => {
    await amend('2026-03-20', { paidSeats: 4 });
    const ahead = { kind: 'annual', startsOn: '2026-03-15', endsOn: '2027-03-31', paidSeats: 4 } as const;
    await expect(world.contract(ahead)).rejects.toMatchObject({ code: 'invalid', field: 'startsOn' });
    await world.contract({ ...ahead, startsOn: '2026-05-01' });
    await amend('2026-06-01', { paidSeats: 5 });
    const later = world.contract({ ...ahead, startsOn: '2026-06-02' });
    await expect(later, 'nor gives one of its own').rejects.toMatchObject({
      code: 'invalid',
      field: 'startsOn',
    });
    const [, next] = await inTenant(test.database, world.tenantId, selectBases);
    await expect(withdrawLine(test.database, world.door, next?.id ?? '')).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('can be prolonged, also when it was frozen', async () => {
    await goTo('2026-04-20T00:00:00.000Z');
    expect(await told(1)).toEqual(['held', 'EVALUATION_ENDED', 'view_only']);
    await amend('2026-04-20', { contractEndsOn: '2026-05-31' });
    expect(await told(1)).toEqual(['held', 'SEAT_HELD', 'team_member']);
  });
});

it('I23: a back-dated amendment does not change what the books said', async () => {
  const capacityOf = async (day: string, books: Date) => {
    const lines = await inTenant(test.database, world.tenantId, (tx) => selectLines(tx, books));
    const base = lines.find(({ document }) => document !== null)?.document;
    if (base == null) return undefined;
    const others = lines.filter(({ kind }) => kind !== 'base') as unknown as ContractLine[];
    return termsAt({ ...base, lines: others }, new Date(`${day}T12:00:00Z`)).capacity;
  };
  const early = world.now;
  world.pass(60_000);
  await amend('2026-02-01', { paidSeats: 4 });
  world.pass(60_000);
  await world.contract({ paidSeats: 7 });
  const late = world.now;
  expect(await capacityOf('2026-02-15', early)).toBe(3);
  expect(await capacityOf('2026-02-15', late)).toBe(4);
  expect(await capacityOf('2026-01-15', early)).toBe(3);
  expect(await capacityOf('2026-01-15', late)).toBe(7);
});
