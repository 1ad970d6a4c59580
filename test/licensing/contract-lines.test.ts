/** A contract as dated lines: amendments, add-ons and ramps, the end of an evaluation, and what is piecewise constant (I23). */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Contract,
  type ContractLine,
  capacityChanges,
  nextChange,
  termsAt,
} from '../../src/licensing/contract.ts';
import { contract } from './support.ts';

const nothing = { endsOn: null, setsSeats: false, paidSeats: null, tier: null, contractEndsOn: null };
const amendment = (effectiveOn: string, change: Partial<ContractLine>): ContractLine => ({
  ...nothing,
  kind: 'amendment',
  effectiveOn,
  setsSeats: 'paidSeats' in change,
  ...change,
});
const added = (
  kind: 'add_on' | 'ramp',
  effectiveOn: string,
  paidSeats: number,
  endsOn: string | null = null,
) => ({
  ...nothing,
  kind,
  effectiveOn,
  paidSeats,
  endsOn,
});
const at = (day: string) => new Date(`${day}T12:00:00Z`);

describe('lines', () => {
  const one = contract({
    paidSeats: 10,
    lines: [
      added('ramp', '2026-03-01', 5),
      amendment('2026-04-01', { paidSeats: 20, tier: 'Large' }),
      added('add_on', '2026-05-01', 7, '2026-05-31'),
      amendment('2026-06-01', { contractEndsOn: '2027-06-30' }),
      amendment('2026-07-01', { paidSeats: null }),
    ],
  });

  it.each([
    ['2026-02-28', 10, 'test', '2026-12-31'],
    ['2026-03-01', 15, 'test', '2026-12-31'],
    ['2026-04-01', 25, 'Large', '2026-12-31'],
    ['2026-05-31', 32, 'Large', '2026-12-31'],
    ['2026-06-01', 25, 'Large', '2027-06-30'],
    ['2026-07-01', null, 'Large', '2027-06-30'],
    ['2027-06-30', null, 'Large', '2027-06-30'],
  ])('mean on %s %s seats', (day, capacity, tier, endsOn) => {
    expect(termsAt(one, at(day))).toMatchObject({ phase: 'running', capacity, tier, endsOn });
  });

  it('of one day hold in the order in which they were recorded', () => {
    const twice = contract({
      lines: [amendment('2026-04-01', { paidSeats: 5 }), amendment('2026-04-01', { paidSeats: 6 })],
    });
    expect(termsAt(twice, at('2026-04-01')).capacity).toBe(6);
  });

  it('can end a contract earlier, and a later one takes that back', () => {
    const shorter = contract({ lines: [amendment('2026-04-01', { contractEndsOn: '2026-04-30' })] });
    expect(termsAt(shorter, at('2026-05-01'))).toMatchObject({ phase: 'ended', grants: false, capacity: 3 });
    const again = {
      ...shorter,
      lines: [...shorter.lines, amendment('2026-06-01', { contractEndsOn: '2026-12-31' })],
    };
    expect(termsAt(again, at('2026-05-15')).phase).toBe('ended');
    expect(termsAt(again, at('2026-06-01')).phase).toBe('running');
  });
});

it.each([
  ['allow', null, 5],
  ['grace', 1, 5],
  ['grace', 0, 0],
  ['queue', null, 0],
] as const)('policy %s with %s days of grace allows %s seats above ten', (policy, graceDays, allowance) => {
  const half = contract({ policy, graceDays, paidSeats: 10, allowancePercent: 50 });
  expect(termsAt(half, at('2026-03-01')).allowance).toBe(allowance);
});

describe('an evaluation', () => {
  const trial = contract({ kind: 'evaluation', endsOn: '2026-03-31', evaluationGraceDays: 10 });

  it.each([
    ['2026-03-31T23:59:59.999Z', 'running', true, null],
    ['2026-04-01T00:00:00.000Z', 'grace', false, '2026-04-11T00:00:00.000Z'],
    ['2026-04-10T23:59:59.999Z', 'grace', false, '2026-04-11T00:00:00.000Z'],
    ['2026-04-11T00:00:00.000Z', 'frozen', false, null],
  ])('is at %s %s', (instant, phase, grants, graceUntil) => {
    const terms = termsAt(trial, new Date(instant));
    expect([terms.phase, terms.grants, terms.graceUntil?.toISOString() ?? null]).toEqual([
      phase,
      grants,
      graceUntil,
    ]);
    expect(terms.capacity).toBe(3);
  });

  it('without grace freezes at once', () => {
    expect(termsAt({ ...trial, evaluationGraceDays: 0 }, at('2026-04-01')).phase).toBe('frozen');
  });

  it('can be prolonged', () => {
    const longer = { ...trial, lines: [amendment('2026-04-15', { contractEndsOn: '2026-05-31' })] };
    expect(termsAt(longer, at('2026-04-14')).phase).toBe('frozen');
    expect(termsAt(longer, at('2026-04-15')).phase).toBe('running');
  });
});

describe('what is signed ahead', () => {
  const signed = contract({
    ...{
      kind: 'evaluation',
      paidSeats: 5,
      startsOn: '2026-01-01',
      endsOn: '2026-03-31',
      evaluationGraceDays: 10,
    },
    lines: [added('add_on', '2026-03-01', 2), amendment('2026-06-01', { paidSeats: 4 })],
    later: [
      contract({
        kind: 'annual',
        tier: 'Signed',
        paidSeats: 6,
        startsOn: '2026-05-01',
        endsOn: '2027-04-30',
      }),
    ],
  });

  it.each([
    ['2026-03-31', 'running', 7, 'test'],
    ['2026-04-10', 'grace', 7, 'test'],
    ['2026-04-30', 'frozen', 7, 'test'],
    ['2026-05-01', 'running', 6, 'Signed'],
    ['2026-06-01', 'running', 4, 'Signed'],
    ['2027-05-01', 'ended', 4, 'Signed'],
  ])('on %s is %s, with %s seats', (day, phase, capacity, tier) => {
    expect(termsAt(signed, at(day))).toMatchObject({ phase, capacity, tier });
  });

  it('ends what it follows, also before the last day that was signed for that', () => {
    const early = { ...signed, later: [contract({ startsOn: '2026-03-15', endsOn: '2027-04-30' })] };
    expect(termsAt(early, at('2026-03-14'))).toMatchObject({ phase: 'running', endsOn: '2026-03-14' });
    expect(termsAt(early, at('2026-03-15'))).toMatchObject({ phase: 'running', endsOn: '2027-04-30' });
    expect(termsAt(signed, at('2026-03-15')).endsOn).toBe('2026-03-31');
  });

  it('is known before: it gives fewer seats later', () => {
    expect(termsAt(signed, at('2026-03-31')).isReducedLater).toBe(true);
    expect(capacityChanges(signed, at('2026-03-31'))).toEqual([
      { at: new Date('2026-05-01'), capacity: 6, limit: 6 },
      { at: new Date('2026-06-01'), capacity: 4, limit: 4 },
    ]);
  });
});

describe('I23', () => {
  const start = Date.parse('2026-01-01');
  const dayAfter = (days: number) => new Date(start + days * 86_400_000).toISOString().slice(0, 10);
  const day = fc.nat({ max: 30 }).map(dayAfter);
  const seats = fc.option(fc.nat({ max: 9 }), { nil: null });
  const line: fc.Arbitrary<ContractLine> = fc.oneof(
    fc
      .record({
        effectiveOn: day,
        paidSeats: seats,
        setsSeats: fc.boolean(),
        contractEndsOn: fc.option(day, { nil: null }),
      })
      .map((some) => ({ ...nothing, kind: 'amendment' as const, ...some })),
    fc
      .record({
        kind: fc.constantFrom('add_on' as const, 'ramp' as const),
        effectiveOn: day,
        endsOn: fc.option(day, { nil: null }),
        paidSeats: fc.nat({ max: 9 }),
      })
      .map((some) => ({ ...nothing, ...some })),
  );
  const next = fc
    .record({
      kind: fc.constantFrom('evaluation' as const, 'annual' as const),
      startsOn: day,
      endsOn: day,
      paidSeats: seats,
    })
    .map((some) => contract(some));
  const any: fc.Arbitrary<Contract> = fc
    .record({
      later: fc.uniqueArray(next, { maxLength: 2, selector: ({ startsOn }) => startsOn }),
      kind: fc.constantFrom('evaluation' as const, 'annual' as const),
      startsOn: day,
      endsOn: day,
      paidSeats: seats,
      evaluationGraceDays: fc.nat({ max: 5 }),
      lines: fc.array(line, { maxLength: 6 }),
    })
    .map(({ lines, later, ...some }) =>
      contract({
        ...some,
        lines: lines.toSorted((a, b) => (a.effectiveOn < b.effectiveOn ? -1 : 1)),
        later: later
          .filter((one) => one.startsOn > some.startsOn)
          .sort((a, b) => (a.startsOn < b.startsOn ? -1 : 1)),
      }),
    );
  const instant = fc.integer({ min: -86_400_000, max: 45 * 86_400_000 }).map((ms) => new Date(start + ms));

  it('terms change only at the instants that nextChange names', () => {
    fc.assert(
      fc.property(any, instant, instant, (some, a, b) => {
        const [early, late] = a < b ? [a, b] : [b, a];
        const next = nextChange(some, early);
        if (next !== undefined && next <= late) return;
        expect(termsAt(some, late)).toEqual(termsAt(some, early));
      }),
      { numRuns: 3000 },
    );
  });

  it('capacity is the sum of the lines in force', () => {
    fc.assert(
      fc.property(any, instant, (some, now) => {
        const { capacity, phase } = termsAt(some, now);
        if (phase === 'upcoming') {
          expect(capacity).toBe(0);
          return;
        }
        const today = now.toISOString().slice(0, 10);
        const later = some.later ?? [];
        const held = later.findLast(({ startsOn }) => startsOn <= today);
        const ends = later.find(({ startsOn }) => startsOn > today)?.startsOn ?? '9999-12-31';
        const inForce = some.lines.filter(
          ({ effectiveOn, endsOn }) =>
            (held?.startsOn ?? '0000-01-01') <= effectiveOn &&
            effectiveOn < ends &&
            effectiveOn <= today &&
            (endsOn === null || today <= endsOn),
        );
        const totals = [
          (held ?? some).paidSeats,
          ...inForce.filter((one) => one.setsSeats).map((one) => one.paidSeats),
        ];
        const onTop = inForce.filter(({ kind }) => kind !== 'amendment');
        const total = totals.at(-1);
        const sum = onTop.reduce((before, { paidSeats }) => before + (paidSeats ?? 0), total ?? 0);
        expect(capacity).toBe(total === null || total === undefined ? null : sum);
      }),
      { numRuns: 3000 },
    );
  });
});
