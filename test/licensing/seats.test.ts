/** Steps B and C and the contract: dates to the millisecond, who gets a seat, and what people have without one. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, type Claim, compareClaims, roomIn } from '../../src/licensing/admit.ts';
import { nextChange, type OveragePolicy, termsAt } from '../../src/licensing/contract.ts';
import { desire } from '../../src/licensing/desire.ts';
import { type Decision, effect, seatView } from '../../src/licensing/effect.ts';
import { contract, mapping, person, rules, userId, usual } from './support.ts';

describe('contract', () => {
  const one = contract({ startsOn: '2026-02-28', endsOn: '2026-02-28' });
  const none = { phase: 'none', capacity: 0, grants: false, policy: 'queue', fallbackRole: 'view_only' };
  const upcoming = { ...none, phase: 'upcoming' };
  const inForce = { phase: 'running', capacity: 3, grants: true, policy: 'block', fallbackRole: 'client' };

  it.each([
    ['2026-02-27T23:59:59.999Z', upcoming, '2026-02-28T00:00:00.000Z'],
    ['2026-02-28T00:00:00.000Z', inForce, '2026-03-01T00:00:00.000Z'],
    ['2026-02-28T23:59:59.999Z', inForce, '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T00:00:00.000Z', { ...inForce, phase: 'ended', grants: false }, undefined],
  ])('means at %s %j', (at, terms, next) => {
    expect(termsAt(one, new Date(at))).toMatchObject(terms);
    expect(nextChange(one, new Date(at))?.toISOString()).toBe(next);
  });

  it('knows leap days, year ends and days that are an hour longer elsewhere', () => {
    const ends = (endsOn: string) => nextChange(contract({ endsOn }), new Date('2026-01-02'))?.toISOString();
    expect(ends('2028-02-28')).toBe('2028-02-29T00:00:00.000Z');
    expect(ends('2028-02-29')).toBe('2028-03-01T00:00:00.000Z');
    expect(ends('2026-12-31')).toBe('2027-01-01T00:00:00.000Z');
    expect(ends('2026-10-25')).toBe('2026-10-26T00:00:00.000Z');
  });

  it('gives no seats where there is none', () => {
    expect(termsAt(undefined, new Date())).toMatchObject(none);
    expect(nextChange(undefined, new Date())).toBeUndefined();
  });

  it('counts free seats, never below none', () => {
    const terms = termsAt(contract(), new Date('2026-06-01'));
    const room = (held: number, change: object = {}, usage: object = {}) =>
      roomIn({ ...terms, ...change }, { held, overage: 0, onHold: 0, unmanagedPaid: 0, ...usage });
    expect([0, 2, 3, 4].map((held) => room(held).held)).toEqual([3, 1, 0, 0]);
    expect(room(1e6, { capacity: null })).toEqual({ held: Number.POSITIVE_INFINITY, overage: 0 });
    expect(room(3, { allowance: 2 }, { overage: 1 })).toEqual({ held: 0, overage: 1 });
    expect(room(2, { allowance: 2 }, { overage: 1 }), 'within the capacity first').toEqual({
      held: 1,
      overage: 1,
    });
    expect(room(1, { allowance: 1 }, { onHold: 2, unmanagedPaid: 1 })).toEqual({ held: 0, overage: 0 });
  });

  it('changes its meaning only at the instants that nextChange names', () => {
    const start = Date.parse('2026-01-01');
    const instant = fc.integer({ min: 0, max: 20 * 86_400_000 }).map((ms) => new Date(start + ms));
    const period = fc
      .tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 }))
      .map(([from, days]) =>
        contract({ startsOn: dayAfter(start, from), endsOn: dayAfter(start, from + days) }),
      );
    fc.assert(
      fc.property(period, instant, instant, (some, a, b) => {
        const [early, late] = a < b ? [a, b] : [b, a];
        const next = nextChange(some, early);
        if (next !== undefined && next <= late) return;
        expect(termsAt(some, late)).toEqual(termsAt(some, early));
      }),
    );
  });
});

function dayAfter(start: number, days: number): string {
  return new Date(start + days * 86_400_000).toISOString().slice(0, 10);
}

describe('admit', () => {
  const claims: fc.Arbitrary<Claim[]> = fc.uniqueArray(
    fc.record({
      userId: fc.uuid().map(userId),
      priority: fc.integer({ min: 1, max: 3 }),
      claimedAt: fc.integer({ min: 0, max: 3 }).map((ms) => new Date(ms)),
      subPool: fc.constant(null),
      tie: fc.constantFrom('a', 'b', 'c'),
      isReserved: fc.constant(false),
      isOverageSpent: fc.constant(false),
      isPending: fc.constant(false),
    }),
    { selector: ({ userId: id }) => id, maxLength: 12 },
  );

  it('ranks by priority, then time, then tie-break, then id', () => {
    const claim = (id: string, priority: number, ms: number, tie: string): Claim => ({
      userId: userId(id),
      priority,
      claimedAt: new Date(ms),
      subPool: null,
      tie,
      isReserved: false,
      isOverageSpent: false,
      isPending: false,
    });
    const ranked = [
      claim('z', 1, 9, 'z'),
      claim('y', 2, 1, 'z'),
      claim('x', 2, 2, 'a'),
      claim('b', 2, 2, 'b'),
    ];
    const all = [...ranked, claim('c', 2, 2, 'b')];
    expect(all.toReversed().sort(compareClaims('sticky'))).toEqual(all);
  });

  it('serves exactly the first, whatever the order in which they are named', () => {
    fc.assert(
      fc.property(claims, fc.integer({ min: -1, max: 14 }), (all, free) => {
        const served = (claims: readonly Claim[]) =>
          new Set(admit({ held: free, overage: 0 }, 'sticky', claims).keys());
        const granted = served(all);
        expect(granted.size).toBe(Math.min(Math.max(0, free), all.length));
        expect(served(all.toReversed())).toEqual(granted);
        const first = all.toSorted(compareClaims('sticky')).slice(0, granted.size);
        expect(granted).toEqual(new Set(first.map((claim) => claim.userId)));
      }),
    );
  });

  it('serves everybody from an unlimited pool', () => {
    fc.assert(
      fc.property(claims, (all) => {
        const unlimited = { held: Number.POSITIVE_INFINITY, overage: 0 };
        return admit(unlimited, 'sticky', all).size === all.length;
      }),
    );
  });
});

describe('effect', () => {
  const all = rules([
    mapping('paid', 1, { workspaces: ['w1'] }),
    mapping('own', 2, { workspaces: ['w2'], fallbackRole: 'comment_only' }),
    mapping('off', 3, { workspaces: ['w3'], fallbackRole: 'none' }),
    mapping('free', 4, { workspaces: ['w4'], role: 'client' }),
  ]);
  const wish = desire(person(['paid', 'own', 'off', 'free']), all, new Date(0));
  const roles = (...args: Parameters<typeof effect>) =>
    effect(...args).map(({ workspace, role, billing, via }) => [workspace, role, billing, via].join(' '));

  it('gives what is asked with a seat', () => {
    expect(roles(wish, 'held', { phase: 'running', fallbackRole: 'view_only' })).toEqual([
      'w1 team_member paid MAPPING:paid',
      'w2 team_member paid MAPPING:own',
      'w3 team_member paid MAPPING:off',
      'w4 client free MAPPING:free',
    ]);
  });

  it('lets only the paid roles fall without one', () => {
    expect(roles(wish, 'waiting', { phase: 'running', fallbackRole: 'view_only' })).toEqual([
      'w1 view_only free FALLBACK:contract',
      'w2 comment_only free FALLBACK:own',
      'w4 client free MAPPING:free',
    ]);
    expect(roles(wish, 'waiting', { phase: 'running', fallbackRole: 'none' })).toEqual([
      'w2 comment_only free FALLBACK:own',
      'w4 client free MAPPING:free',
    ]);
  });

  it('gives nothing, not even free roles, to the second of an address', () => {
    expect(
      roles({ ...wish, refusal: 'DUPLICATE_EMAIL' }, 'none', { phase: 'running', fallbackRole: 'view_only' }),
    ).toEqual([]);
  });

  it('tells of a seat what the policy allows', () => {
    const since = new Date(0);
    const decision: Decision = {
      requested: wish.requested,
      effective: effect(wish, 'waiting', { phase: 'running', fallbackRole: 'view_only' }),
      claim: { priority: 1, claimedAt: since, mayPreempt: false },
      seat: 'waiting',
      since,
      refusal: null,
      ...usual,
    };
    const running = (policy: OveragePolicy) =>
      ({
        ...{ policy, phase: 'running' as const, graceUntil: null, graceDays: 0, grants: true },
        ...{ batch: null, share: null, excessUntil: null, isStaged: false },
      }) as const;
    const told = (...args: Parameters<typeof seatView>) => {
      const { state, position, reason } = seatView(...args);
      return [state, position, reason];
    };
    expect(told(decision, 2, running('queue'))).toEqual(['queued', 2, 'SEAT_QUEUED']);
    expect(told(decision, 2, running('block'))).toEqual(['blocked', null, 'SEAT_BLOCKED']);
    expect(told(decision, 2, running('fallback'))).toEqual(['none', null, 'FALLBACK:view_only']);
    expect(told({ ...decision, effective: [] }, 2, running('fallback'))).toEqual([
      'none',
      null,
      'FALLBACK:none',
    ]);
    expect(told({ ...decision, seat: 'held' }, null, running('queue'))).toEqual(['held', null, 'SEAT_HELD']);
    expect(told({ ...decision, seat: 'none' }, null, running('queue'))).toEqual(['none', null, null]);
    const refused = { ...decision, seat: 'none', refusal: 'DUPLICATE_EMAIL' } as const;
    expect(told(refused, null, running('queue'))).toEqual(['none', null, 'DUPLICATE_EMAIL']);
    expect(told(null, null, running('queue'))).toEqual(['none', null, null]);
    const stopped = { ...running('queue'), isStaged: true };
    expect(told({ ...decision, seat: 'held' }, null, stopped)).toEqual(['held', null, 'STAGED']);
    expect(told(null, null, stopped)).toEqual(['none', null, 'STAGED']);
  });
});
