/** The forecast: what history it needs, what it says of steady growth, and that it is the same each time. */

import { describe, expect, it } from 'vitest';
import {
  dayOf,
  type ForecastFacts,
  forecast,
  historyDaysNeeded,
  randomFrom,
} from '../../src/licensing/forecast.ts';
import { contract } from './support.ts';

const now = new Date('2026-05-01T09:00:00Z');
const dayMs = 86_400_000;
const before = (days: number) => dayOf(new Date(now.getTime() - days * dayMs));

/** Of each of the last `count` days, today not among them; `used` by how many days have passed since the first. */
const history = (count: number, used: (n: number) => number) =>
  Array.from({ length: count }, (_, n) => ({ day: before(count - n), used: used(n) }));
const facts = (change: Partial<ForecastFacts> = {}): ForecastFacts => ({
  ...{ contract: contract({ paidSeats: 100 }), days: history(31, (n) => n), taken: 30, now, seed: 'x' },
  ...change,
});
const nothing = { p50: null, p90: null, fullBeforeTermEnd: null };

describe('history', () => {
  it.each([
    [0, 0],
    [1, 0],
    [historyDaysNeeded, historyDaysNeeded - 1],
  ])('of %i days is too little', (days, known) => {
    expect(forecast(facts({ days: history(days, (n) => n) }))).toEqual({ history: known, ...nothing });
  });

  it('is enough with two weeks of changes, and only the last three months count', () => {
    const fromNow = (days: number) => forecast(facts({ days: history(days, (n) => n) }));
    expect(fromNow(historyDaysNeeded + 1)).toMatchObject({ history: historyDaysNeeded, p50: '2026-07-10' });
    expect(forecast(facts({ days: history(120, (n) => (n < 25 ? n * 100 : 2500 + n)) }))).toMatchObject({
      history: 90,
      p50: '2026-07-10',
    });
  });

  it('leaves out today, and fills days on which nothing changed', () => {
    const sparse = [
      { day: before(40), used: 30 },
      { day: before(0), used: 90 },
    ];
    expect(forecast(facts({ days: sparse }))).toEqual({
      history: 39,
      p50: null,
      p90: null,
      fullBeforeTermEnd: 0,
    });
  });
});

describe('the day on which the seats are full', () => {
  it('follows from steady growth', () => {
    const steady = { history: 30, p50: '2026-07-10', p90: '2026-07-10' };
    expect(forecast(facts())).toEqual({ ...steady, fullBeforeTermEnd: 1 });
    const short = contract({ paidSeats: 100, endsOn: '2026-07-09' });
    expect(forecast(facts({ contract: short }))).toEqual({ ...steady, fullBeforeTermEnd: 0 });
    const longer = contract({ paidSeats: 100, endsOn: '2026-07-10' });
    expect(forecast(facts({ contract: longer })).fullBeforeTermEnd).toBe(1);
  });

  it('is today where they are, and never where there is no limit', () => {
    const today = { p50: '2026-05-01', p90: '2026-05-01', fullBeforeTermEnd: 1 };
    expect(forecast(facts({ taken: 100 }))).toMatchObject(today);
    const unlimited = contract({ paidSeats: null });
    expect(forecast(facts({ contract: unlimited }))).toMatchObject({
      p50: null,
      p90: null,
      fullBeforeTermEnd: 0,
    });
    expect(forecast(facts({ contract: undefined }))).toMatchObject(nothing);
  });

  it('knows the lines to come', () => {
    const line = { endsOn: null, setsSeats: true, tier: null, contractEndsOn: null };
    const amended = (paidSeats: number | null) =>
      contract({
        paidSeats: 100,
        lines: [{ ...line, kind: 'amendment', effectiveOn: '2026-06-01', paidSeats }],
      });
    expect(forecast(facts({ contract: amended(200) })).p50).toBe('2026-10-18');
    expect(forecast(facts({ contract: amended(40) })).p50).toBe('2026-06-01');
    expect(forecast(facts({ contract: amended(null) })).p50).toBeNull();
  });

  it('is spread where days differ, and comes out the same for the same seed', () => {
    const days = history(61, (n) => Math.floor(n / 6) * 6);
    const [one, again] = [forecast(facts({ days })), forecast(facts({ days }))];
    expect(again).toEqual(one);
    const others = Array.from({ length: 10 }, (_, n) => forecast(facts({ days, seed: `${n}` })).p90);
    expect(new Set(others).size).toBeGreaterThan(1);
    expect(String(one.p50) < String(one.p90)).toBe(true);
    // About 70 days at one seat a day.
    expect(String(one.p50) > '2026-06-20' && String(one.p50) < '2026-08-01').toBe(true);
  });
});

it('draws numbers that are spread evenly', () => {
  const random = randomFrom('a tenant 2026-05-01');
  const counts = [0, 0, 0, 0];
  for (let n = 0; n < 4000; n += 1)
    counts[Math.floor(random() * 4)] = (counts[Math.floor(random() * 4)] ?? 0) + 1;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
