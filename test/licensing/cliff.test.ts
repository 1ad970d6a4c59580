/** The next reduction that is known, a renewal that is only thought of, and how many would lose their seats. */

import { describe, expect, it } from 'vitest';
import type { Usage } from '../../src/licensing/admit.ts';
import {
  cliffAt,
  excessEnd,
  nextCliff,
  renewalCliff,
  seatsLost,
  standingCliff,
} from '../../src/licensing/cliff.ts';
import { type ContractLine, termsAt } from '../../src/licensing/contract.ts';
import { contract } from './support.ts';

const line = (kind: ContractLine['kind'], effectiveOn: string, paidSeats: number, endsOn?: string) => ({
  ...{ kind, effectiveOn, paidSeats, endsOn: endsOn ?? null, setsSeats: kind === 'amendment' },
  ...{ tier: null, contractEndsOn: null },
});
const now = new Date('2026-02-01T12:00:00Z');
const usage = (change: Partial<Usage> = {}): Usage => ({
  ...{ held: 0, overage: 0, onHold: 0, unmanagedPaid: 0 },
  ...change,
});

describe('the next cliff', () => {
  it.each([
    ['none without lines', [], undefined],
    ['none where there are only more', [line('ramp', '2026-03-01', 5)], undefined],
    ['an amendment', [line('amendment', '2026-06-01', 8)], ['2026-06-01', 8]],
    ['the end of an add-on', [line('add_on', '2026-03-01', 5, '2026-03-31')], ['2026-04-01', 10]],
    [
      'the first that is less than just before',
      [
        line('ramp', '2026-03-01', 10),
        line('amendment', '2026-04-01', 5),
        line('amendment', '2026-05-01', 1),
      ],
      ['2026-04-01', 15],
    ],
    ['one in force already is none', [line('amendment', '2026-01-15', 3)], undefined],
  ] as const)('is %s', (_what, lines, expected) => {
    const cliff = nextCliff(contract({ paidSeats: 10, lines: [...lines] }), now);
    const seen = cliff === undefined ? undefined : [cliff.at.toISOString().slice(0, 10), cliff.capacity];
    expect(seen).toEqual(expected);
  });

  it('is known before the contract begins', () => {
    const later = contract({
      startsOn: '2026-03-01',
      paidSeats: 10,
      lines: [line('amendment', '2026-06-01', 4)],
    });
    expect(nextCliff(later, now)?.capacity).toBe(4);
    expect(nextCliff(undefined, now)).toBeUndefined();
  });

  it('comes from unlimited seats too, and counts what the policy allows', () => {
    const policy = { policy: 'allow', allowancePercent: 25 } as const;
    const one = contract({ paidSeats: null, ...policy, lines: [line('amendment', '2026-06-01', 8)] });
    expect(nextCliff(one, now)).toMatchObject({ capacity: 8, limit: 10 });
    expect(nextCliff(one, now)?.seatsGoAt).toEqual(new Date('2026-07-01T00:00:00Z'));
  });
});

describe('a cliff that stands', () => {
  const since = new Date('2026-01-15T00:00:00Z');
  const of = (lines: ContractLine[], held: number, at: Date | null = since) =>
    standingCliff(
      contract({ paidSeats: 10, lines: [line('amendment', '2026-01-15', 3), ...lines] }),
      { since: at, used: usage({ held }) },
      now,
    );
  const until = new Date('2026-02-14T00:00:00Z');

  it('is of the capacity that there is, and its seats go when the days of grace since then are over', () => {
    expect(of([], 5)).toEqual({ at: since, capacity: 3, limit: 3, seatsGoAt: until });
    expect(of([line('amendment', '2026-02-15', 1)], 5)?.seatsGoAt).toEqual(until);
  });

  it('is none where nobody would lose a seat, or the seats become fewer once more before', () => {
    expect(of([], 3)).toBeUndefined();
    expect(of([], 5, null)).toBeUndefined();
    expect(of([line('amendment', '2026-02-10', 1)], 5)).toBeUndefined();
  });

  it.each([
    ['its days of grace are over', [], '2026-02-14'],
    [
      'those of a further reduction are that begins before',
      [line('amendment', '2026-02-13', 2)],
      '2026-03-15',
    ],
    [
      'those of each one are',
      [line('amendment', '2026-02-13', 2), line('amendment', '2026-03-14', 1)],
      '2026-04-13',
    ],
    ['those of one are that begins then', [line('amendment', '2026-02-14', 2)], '2026-03-16'],
    ['whatever there is more of', [line('ramp', '2026-02-10', 1)], '2026-02-14'],
  ] as const)('ends when %s', (_what, lines, day) => {
    const some = contract({ paidSeats: 10, lines: [line('amendment', '2026-01-15', 3), ...lines] });
    const end = new Date(`${day}T00:00:00Z`);
    expect(excessEnd(some, since, now)).toEqual(end);
    expect(cliffAt(some, since).seatsGoAt, 'as it is told of one to come').toEqual(end);
  });
});

describe('a renewal', () => {
  const one = contract({ paidSeats: 10, lines: [line('amendment', '2026-06-01', 20)] });

  it('begins after the term, with nothing of the lines', () => {
    const renewed = renewalCliff(one, 12, now);
    expect([renewed.at.toISOString(), renewed.capacity]).toEqual(['2027-01-01T00:00:00.000Z', 12]);
    expect(renewalCliff(one, 12, now, new Date('2026-05-01T00:00:00Z')).capacity).toBe(12);
  });

  it('begins now where no term is known, or it is over', () => {
    expect(renewalCliff(undefined, 5, now)).toEqual({ at: now, capacity: 5, limit: 5, seatsGoAt: now });
    const late = new Date('2027-05-01T12:00:00Z');
    expect(renewalCliff(one, 5, late)).toMatchObject({ at: late, capacity: 5 });
  });

  it('is read at an instant as the contract stands', () => {
    expect(cliffAt(one, new Date('2026-07-01T00:00:00Z'))).toMatchObject({ capacity: 20, limit: 20 });
  });
});

it.each([
  [null, null, usage({ held: 9 }), 0],
  [5, 5, usage({ held: 5 }), 0],
  [5, 5, usage({ held: 6, overage: 1 }), 2],
  [5, 5, usage({ held: 5, onHold: 2 }), 2],
  [0, 0, usage({ held: 1, onHold: 2 }), 1],
  [5, 5, usage({ held: 5, unmanagedPaid: 4 }), 0],
  // Those above the capacity come within it, where Blue's own people leave room.
  [5, 5, usage({ held: 3, overage: 2 }), 0],
  [5, 5, usage({ held: 3, overage: 2, unmanagedPaid: 1 }), 1],
  [5, 6, usage({ held: 3, overage: 2, unmanagedPaid: 2 }), 1],
])('with %s seats, %s with those above them, %j lose %i', (capacity, limit, used, lost) => {
  expect(seatsLost({ capacity, limit }, used)).toBe(lost);
});

it('is also where fewer are allowed above as many seats', () => {
  const later = [contract({ startsOn: '2026-06-01', paidSeats: 10 })];
  const one = { ...contract({ paidSeats: 10, policy: 'allow', allowancePercent: 50 }), later };
  expect(nextCliff(one, now)).toMatchObject({
    at: new Date('2026-06-01T00:00:00Z'),
    capacity: 10,
    limit: 10,
  });
  expect(termsAt(one, now).isReducedLater).toBe(true);
});
