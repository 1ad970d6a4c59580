/** Shares of the seats: who is served first, what is lent, and what is taken back. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, type Claim, compareClaims } from '../../src/licensing/admit.ts';
import { afterNotice, goingAt, type Holder, preempt, takeBack } from '../../src/licensing/preempt.ts';
import {
  borrowedBy,
  hasPlace,
  isWithin,
  lentBy,
  overcommitted,
  type SubPool,
  shareOf,
  sharesOf,
} from '../../src/licensing/sub-pool.ts';
import { userId } from './support.ts';

const names = ['a', 'b', null];
const usage = { held: 0, overage: 0, onHold: 0, unmanagedPaid: 0 };

const subPools = (a: Partial<SubPool>, b: Partial<SubPool> = {}): SubPool[] => [
  { name: 'a', seats: 0, borrowLimit: null, used: 0, ...a },
  { name: 'b', seats: 0, borrowLimit: null, used: 0, ...b },
];

function claim(id: string, subPool: string | null, priority = 1, change: Partial<Claim> = {}): Claim {
  const usual = {
    claimedAt: new Date(0),
    tie: id,
    isReserved: false,
    isOverageSpent: false,
    isPending: false,
  };
  return { ...usual, userId: userId(id), subPool, priority, ...change };
}

const holder = (id: string, subPool: string | null, priority = 1, change: Partial<Holder> = {}): Holder => ({
  ...claim(id, subPool, priority),
  ...{ seat: 'held', idleSince: new Date(0), noticeUntil: null },
  ...change,
});

describe('shares', () => {
  it('leave to the rest what no sub-pool has, and count there who is of none', () => {
    const used = { ...usage, held: 6, onHold: 1, unmanagedPaid: 2 };
    const shares = sharesOf(
      subPools({ seats: 3, used: 4 }, { seats: 2, borrowLimit: 1 }),
      { capacity: 9 },
      used,
    );
    expect(shareOf(shares, null)).toEqual({ seats: 4, limit: Number.POSITIVE_INFINITY, used: 5 });
    expect(shareOf(shares, 'b')).toEqual({ seats: 2, limit: 3, used: 0 });
    expect(borrowedBy(shareOf(shares, 'a'))).toBe(1);
    const lent = (free: number, all: number) => lentBy(shareOf(shares, 'b'), free, all);
    expect([lent(0, 9), lent(1, 9), lent(0, 1)], 'and never what nobody has').toEqual([2, 1, 1]);
  });

  it('may promise more than there is: nothing is left for the rest then', () => {
    const promised = subPools({ seats: 3 }, { seats: 4 });
    expect(overcommitted(promised, { capacity: 5 })).toBe(2);
    expect(overcommitted(promised, { capacity: null })).toBe(0);
    expect(shareOf(sharesOf(promised, { capacity: 5 }, usage), null).seats).toBe(0);
  });

  it('are without an end where there are none', () => {
    const shares = sharesOf([], { capacity: 1 }, { ...usage, held: 5 });
    expect(borrowedBy(shareOf(shares, null))).toBe(0);
    expect(isWithin(shareOf(shares, null))).toBe(true);
  });
});

describe('admit with shares', () => {
  const world = fc.record({
    pools: fc.tuple(
      ...['a', 'b'].map((name) =>
        fc.record({
          name: fc.constant(name),
          seats: fc.nat({ max: 4 }),
          borrowLimit: fc.option(fc.nat({ max: 2 })),
          used: fc.nat({ max: 4 }),
        }),
      ),
    ),
    rest: fc.nat({ max: 3 }),
    free: fc.nat({ max: 5 }),
    above: fc.nat({ max: 2 }),
    claims: fc.array(
      fc.record({
        subPool: fc.constantFrom(...names),
        priority: fc.integer({ min: 1, max: 3 }),
        isOverageSpent: fc.boolean(),
        isPending: fc.boolean(),
      }),
      { maxLength: 12 },
    ),
  });
  type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

  function run({ pools, rest, free, above, claims }: World) {
    const held = pools.reduce((sum, { used }) => sum + used, rest);
    const all = claims.map((one, n) => claim(String(n), one.subPool, one.priority, one));
    const shares = sharesOf(pools, { capacity: held + free }, { ...usage, held });
    const granted = admit({ held: free, overage: above }, 'sticky', all, shares);
    const waiting = all.filter((one) => !granted.has(one.userId) && !one.isPending);
    return { all, granted, shares, waiting };
  }

  it('leaves nothing idle, and lets nobody in above a limit', () => {
    fc.assert(
      fc.property(world, (some) => {
        const { all, granted, shares, waiting } = run(some);
        const kinds = [...granted.values()];
        const left = {
          held: some.free - kinds.filter((one) => one === 'held').length,
          above: some.above - kinds.filter((one) => one === 'overage').length,
        };
        expect(Math.min(left.held, left.above)).toBeGreaterThanOrEqual(0);
        for (const one of waiting.filter(({ subPool }) => hasPlace(shareOf(shares, subPool)))) {
          expect(left.held).toBe(0);
          if (!one.isOverageSpent) expect(left.above).toBe(0);
        }
        for (const { name, seats, borrowLimit, used } of some.pools) {
          const got = all.filter((one) => one.subPool === name && granted.has(one.userId)).length;
          expect(shareOf(shares, name).used).toBe(used + got);
          if (borrowLimit !== null && got > 0) expect(used + got).toBeLessThanOrEqual(seats + borrowLimit);
        }
      }),
    );
  });

  it('serves nobody who borrows while somebody waits within the share, and each queue in its order', () => {
    fc.assert(
      fc.property(world, (some) => {
        const { all, granted, shares, waiting } = run(some);
        const canHave = waiting.filter((one) => !one.isOverageSpent);
        const grew = names.filter((name) =>
          all.some((one) => one.subPool === name && granted.has(one.userId)),
        );
        const borrowing = grew.filter((name) => borrowedBy(shareOf(shares, name)) > 0);
        const within = canHave.filter(({ subPool }) => isWithin(shareOf(shares, subPool)));
        expect(Math.min(borrowing.length, within.length)).toBe(0);
        const compare = compareClaims('sticky');
        for (const one of canHave) {
          const later = all.filter((other) => other.subPool === one.subPool && granted.has(other.userId));
          expect(later.filter((other) => compare(one, other) < 0)).toEqual([]);
        }
      }),
    );
  });

  it('puts a claim within its share before a better one that borrows', () => {
    const shares = sharesOf(
      subPools({ seats: 1 }, { seats: 1, used: 1 }),
      { capacity: 2 },
      { ...usage, held: 1 },
    );
    const granted = admit(
      { held: 1, overage: 0 },
      'sticky',
      [claim('b', 'b', 1), claim('a', 'a', 9)],
      shares,
    );
    expect([...granted.keys()]).toEqual(['a']);
  });
});

describe('what was lent', () => {
  const lent = () =>
    sharesOf(subPools({ seats: 2, used: 0 }, { seats: 1, used: 3 }), { capacity: 3 }, { ...usage, held: 3 });
  const holders = [holder('x', 'b', 1), holder('y', 'b', 2), holder('z', 'b', 3)];
  const pairs = (swaps: ReturnType<typeof takeBack>) =>
    swaps.map(({ loser, winner }) => [loser.userId, winner.userId]);
  const now = new Date(1000);
  const back = (waiting: Claim[], some: Holder[], most = 9, noticeMs = 500) =>
    takeBack(waiting, some, lent(), 'sticky', goingAt(noticeMs, now), most);

  it('is taken back from the lowest ranked, as far as the share goes', () => {
    const waiting = ['1', '2', '3'].map((id) => claim(id, 'a', 9));
    expect(pairs(back(waiting, holders))).toEqual([
      ['z', '1'],
      ['y', '2'],
    ]);
    expect(pairs(back(waiting, holders, 1))).toEqual([['z', '1']]);
  });

  it('is never a pin, and no seat above the capacity for whom that time is over', () => {
    const pinned = holders.map((one) => ({ ...one, priority: 0 }));
    expect(back([claim('1', 'a')], pinned)).toEqual([]);
    const spent = claim('1', 'a', 1, { isOverageSpent: true });
    const above = holders.map((one) => ({ ...one, seat: 'overage' as const }));
    expect(back([spent], above)).toEqual([]);
    const seated = [holder('above', null, 9, { seat: 'overage' }), holder('within', null, 8)];
    const whole = sharesOf([], { capacity: 1 }, usage);
    expect(pairs(preempt([{ ...spent, subPool: null }], seated, whole)), 'order strict').toEqual([
      ['within', '1'],
    ]);
  });

  it('goes after the notice, and at once without one', () => {
    const swaps = back([claim('1', 'a')], holders);
    expect(afterNotice(swaps, goingAt(0, now), now)).toEqual({
      swaps: [{ loser: 'z', winner: '1' }],
      notices: new Map(),
    });
    expect(afterNotice(swaps, goingAt(500, now), now)).toEqual({
      swaps: [],
      notices: new Map([['z', new Date(1500)]]),
    });
  });

  it('goes first where the notice ends first: whoever has one keeps it', () => {
    const told = holders.map((one) => (one.userId === 'x' ? { ...one, noticeUntil: new Date(1200) } : one));
    expect(pairs(back([claim('1', 'a'), claim('2', 'a')], told))).toEqual([
      ['x', '1'],
      ['z', '2'],
    ]);
    expect(pairs(back([claim('1', 'a')], told, 9, 0)), 'at once without one').toEqual([['z', '1']]);
  });

  it('order strict: a better claim takes seats of its own sub-pool, of others only what they borrow', () => {
    const shares = sharesOf(
      subPools({ seats: 1, used: 1 }, { seats: 2, used: 2 }),
      { capacity: 3 },
      { ...usage, held: 3 },
    );
    const seated = [holder('own', 'a', 5), holder('other', 'b', 9), holder('more', 'b', 8)];
    expect(pairs(preempt([claim('1', 'a', 2)], seated, shares))).toEqual([['own', '1']]);
    expect(pairs(preempt([claim('1', 'a', 2)], holders, lent()))).toEqual([['z', '1']]);
  });
});
