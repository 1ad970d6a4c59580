/** The course of a seat that lies idle, step by step, and who makes no claim while the seat is taken. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { desire } from '../../src/licensing/desire.ts';
import {
  afterStep,
  inState,
  type Reclaim,
  type ReclaimFacts,
  type ReclaimStep,
  reclaimStep,
} from '../../src/licensing/reclaim.ts';
import { mapping, person, rules } from './support.ts';

const day = (n: number) => new Date(Date.UTC(2026, 0, 1 + n));

/** Somebody who was given a seat on day 0, and was never seen. */
function facts(change: Partial<ReclaimFacts> = {}): ReclaimFacts {
  return { reclaim: null, seat: 'held', since: day(0), seenAt: null, isPinned: false, ...change };
}

/** The case after these steps, each on its day. */
function after(steps: [ReclaimStep, number][], change: Partial<ReclaimFacts> = {}): Reclaim {
  let reclaim: Reclaim | null = change.reclaim ?? null;
  for (const [step, on] of steps) reclaim = afterStep(facts({ ...change, reclaim }), step, day(on));
  if (reclaim === null) throw new Error('no steps');
  return reclaim;
}

const noticed = (change: Partial<ReclaimFacts> = {}) => after([['notice', 30]], change);
const taken = (change: Partial<ReclaimFacts> = {}) =>
  after(
    [
      ['notice', 30],
      ['take', 44],
    ],
    change,
  );

describe('who is asked', () => {
  it.each<[string, number, Partial<ReclaimFacts>, ReclaimStep | null]>([
    ['idle for exactly so many days', 30, {}, 'notice'],
    ['a day less', 29, {}, null],
    ['with a seat above the capacity', 30, { seat: 'overage' }, 'notice'],
    ['without a seat', 30, { seat: 'waiting' }, null],
    ['of whom nothing was decided', 30, { seat: null, since: null }, null],
    ['who was just given the seat, however long ago seen', 60, { since: day(59), seenAt: day(0) }, null],
    ['who was seen lately', 60, { seenAt: day(31) }, null],
    ['who was seen long ago', 60, { seenAt: day(30) }, 'notice'],
    ['with a pin', 60, { isPinned: true }, null],
    ['whose seat was kept lately', 60, { reclaim: inState(null, 'kept', null, day(31)) }, null],
    ['whose seat was kept long ago', 61, { reclaim: inState(null, 'kept', null, day(31)) }, 'notice'],
  ])('%s', (_who, on, change, step) => {
    expect(reclaimStep(facts(change), 30, day(on))).toBe(step);
  });

  it('nobody, where it is off', () => {
    expect(reclaimStep(facts(), null, day(999))).toBeNull();
  });
});

describe('after the notice', () => {
  it('comes a reminder after 7 days, another after 12, and after 14 the seat is taken', () => {
    let reclaim = noticed();
    const course: [number, ReclaimStep][] = [];
    for (let on = 30; on <= 44; on += 1) {
      const step = reclaimStep(facts({ reclaim }), 30, day(on));
      if (step === null) continue;
      course.push([on - 30, step]);
      reclaim = afterStep(facts({ reclaim }), step, day(on));
    }
    expect(course).toEqual([
      [7, 'remind'],
      [12, 'remind'],
      [14, 'take'],
    ]);
    expect(reclaim).toMatchObject({ state: 'taken', noticedAt: day(30), takenAt: day(44), dueAt: null });
  });

  it('the steps follow one another in order, however late', () => {
    let reclaim = noticed();
    const course: (ReclaimStep | null)[] = [];
    for (let look = 0; look < 4; look += 1) {
      const step = reclaimStep(facts({ reclaim, seat: 'held' }), 30, day(400));
      course.push(step);
      if (step !== null) reclaim = afterStep(facts({ reclaim }), step, day(400));
    }
    expect(course).toEqual(['remind', 'remind', 'take', null]);
  });

  it.each<[string, Partial<ReclaimFacts>, number | null]>([
    ['seen', { seenAt: day(31) }, 30],
    ['seen, by a clock far behind', { seenAt: day(-500) }, 30],
    ['pinned', { isPinned: true }, 30],
    ['without a seat', { seat: 'hold' }, 30],
    ['no longer idle by a larger number of days', {}, 90],
    ['not asked any more', {}, null],
  ])('it is withdrawn for somebody %s', (_who, change, days) => {
    const reclaim = noticed();
    const now = facts({ reclaim, ...change });
    expect(reclaimStep(now, days, day(32))).toBe('withdraw');
    const next = afterStep(now, 'withdraw', day(32));
    expect(next).toMatchObject({ state: 'withdrawn', dueAt: null, changedAt: day(32) });
    expect(reclaimStep(facts({ reclaim: next, ...change }), 30, day(61))).toBeNull();
  });

  it('what was known before it is no sign of life', () => {
    const reclaim = noticed({ seenAt: day(-5) });
    expect(reclaimStep(facts({ reclaim, seenAt: day(-5) }), 30, day(31))).toBeNull();
  });
});

describe('after the taking', () => {
  it('nothing happens until the person is seen', () => {
    const reclaim = taken({ seenAt: day(-5) });
    const without = { reclaim, seat: 'none', seenAt: day(-5) } as const;
    expect(reclaimStep(facts(without), 30, day(999))).toBeNull();
    expect(reclaimStep(facts({ ...without, seenAt: day(50) }), 30, day(50))).toBe('return');
    expect(reclaimStep(facts({ ...without, seenAt: day(50) }), null, day(50)), 'also where it is off').toBe(
      'return',
    );
  });

  it('it has not happened yet where the clock went back', () => {
    expect(reclaimStep(facts({ reclaim: taken(), seat: 'none' }), 30, day(20))).toBe('return');
  });
});

it('a step that is due at an instant is done, and then nothing is due at that instant', () => {
  const date = fc.integer({ min: 0, max: 200 }).map(day);
  const case_ = fc.record<ReclaimFacts>({
    reclaim: fc.constantFrom(
      null,
      noticed(),
      taken(),
      after([
        ['notice', 30],
        ['remind', 37],
      ]),
      inState(null, 'kept', null, day(9)),
    ),
    seat: fc.constantFrom('held', 'overage', 'hold', 'waiting', 'none', null),
    since: date,
    seenAt: fc.option(date),
    isPinned: fc.boolean(),
  });
  fc.assert(
    fc.property(case_, fc.option(fc.integer({ min: 1, max: 90 })), date, (start, days, now) => {
      let current = start;
      for (let look = 0; look < 5; look += 1) {
        const step = reclaimStep(current, days, now);
        if (step === null) return;
        const seat = step === 'take' ? 'none' : step === 'return' ? 'waiting' : current.seat;
        current = { ...current, reclaim: afterStep(current, step, now), seat };
      }
      throw new Error('it goes round in a circle');
    }),
  );
});

describe('while the seat is taken', () => {
  const all = rules([mapping('a', 1), mapping('b', 2, { workspaces: ['w2'], role: 'client' })]);
  const reclaimed = { reclaimedAt: day(44) };

  it('the same roles are asked for, and no seat is claimed', () => {
    const before = desire(person(['a', 'b']), all, day(50));
    const now = desire(person(['a', 'b'], reclaimed), all, day(50));
    expect(now).toEqual({ ...before, priority: null, refusal: 'SEAT_RECLAIMED' });
  });

  it('free roles are what they were', () => {
    expect(desire(person(['b'], reclaimed), all, day(50))).toEqual(desire(person(['b']), all, day(50)));
  });

  it('a pin claims one all the same', () => {
    const pin = { role: 'team_member', workspaces: null, until: day(60), reserved: false };
    expect(desire(person(['a'], { ...reclaimed, pin }), all, day(50))).toMatchObject({
      priority: 0,
      refusal: null,
    });
    expect(desire(person(['a'], { ...reclaimed, pin }), all, day(60)).refusal).toBe('SEAT_RECLAIMED');
  });
});
