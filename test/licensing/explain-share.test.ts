/** What an explanation names where seats are shared gives the seat, done alone as it is named: decided by the core itself. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { termsAt } from '../../src/licensing/contract.ts';
import { isSeated, seatView } from '../../src/licensing/effect.ts';
import { explain } from '../../src/licensing/explain.ts';
import type { ExplainFacts } from '../../src/licensing/explain-facts.ts';
import { isOverageSpent } from '../../src/licensing/overage.ts';
import { decide, type Member, personOf, ranked, type World } from './world.ts';
import { type Happening, happen, type Shape, worldOf } from './world-events.ts';
import { sharesOf } from './world-shares.ts';

const runs = { numRuns: Math.max(1, Math.round((1500 * Number(process.env.FUZZ_RUNS ?? 1000)) / 1000)) };

/** Somebody who waits, as the gateway reads it. */
function factsOf(world: World, member: Member): ExplainFacts {
  const { contract, now, rules, usage } = world;
  const terms = termsAt(contract, now);
  const { decision } = member;
  const queue = ranked(world, 'waiting');
  const ahead = queue.slice(0, queue.indexOf(member));
  const subPool = decision?.subPool ?? null;
  const isSpent = isOverageSpent(terms, decision?.overageSince ?? null, now);
  const takeable = ranked(world, 'held', ...(isSpent ? [] : (['overage'] as const))).filter(
    (one) => one.decision?.claim?.priority !== 0,
  );
  const count = (of: readonly Member[], name: string | null) =>
    of.filter((one) => one.decision?.subPool === name).length;
  const shares = sharesOf(world).map((one) => ({
    ...{ ...one, waiting: count(queue, one.name), ahead: count(ahead, one.name) },
    takeable: count(takeable, one.name),
  }));
  const own = shares.find(({ name }) => name === subPool);
  return {
    ...{ name: 'Ann', person: personOf(world, member, null), groups: [], pin: null, rules, terms, now },
    ...{ decision, stagedSince: null, takenAt: null, grantsFrom: null, ahead: [] },
    used: usage.held + usage.overage + usage.onHold + usage.unmanagedPaid,
    seat: seatView(decision, 1, {
      ...terms,
      ...{ batch: null, share: null, excessUntil: null, isStaged: false },
    }),
    share:
      own === undefined
        ? null
        : { ...own, place: own.ahead + 1, others: shares.filter((one) => one !== own) },
    place: ahead.length + 1,
  };
}

const changeOf = (world: World, member: Member) => explain(factsOf(world, member)).smallestChange;

/** What is named, in numbers. */
function readChange(text: string) {
  const number = (found: RegExpExecArray | null) =>
    found === null ? 0 : Number(found[1] === undefined || /one/i.test(found[1]) ? 1 : found[1]);
  const seats = text.replace(/^A .* notice\. Or /, '');
  return {
    isLent: text.startsWith('A seat that the share lends'),
    share: number(/^A share of (\d+)/.exec(text)),
    ofShare: number(/(one|\d+) more seats? for the sub-pool/i.exec(seats)),
    inAll: number(/(one|\d+) more seats?\b(?! for)/i.exec(seats)),
  };
}

interface Change {
  subPool?: string | null;
  /** Of its share. */
  own?: number;
  /** That it may borrow. */
  lent?: number;
  inAll?: number;
}

/** At the same instant. */
function changed(world: World, { subPool = null, own = 0, lent = 0, inAll = 0 }: Change): World {
  const paidSeats = (world.contract?.paidSeats ?? 0) + inAll;
  const subPools = world.subPools.map((one) =>
    one.name === subPool
      ? {
          ...one,
          seats: one.seats + own,
          borrowLimit: one.borrowLimit === null ? null : one.borrowLimit + lent,
        }
      : one,
  );
  const contract = world.contract && { ...world.contract, paidSeats };
  return decide({ ...world, contract, subPools }, { everyone: true });
}

/** As if every notice were over. */
function afterNotices(world: World): World {
  const members = world.members.map((one) => ({
    ...one,
    decision: one.decision && { ...one.decision, noticeUntil: null },
  }));
  return { ...world, rules: { ...world.rules, noticeHours: 0 }, members };
}

const seatOf = ({ members }: World, { id }: Member) =>
  isSeated(members.find((one) => one.id === id)?.decision?.seat ?? 'none');

function checkChange(world: World, member: Member): void {
  const text = changeOf(world, member);
  const subPool = member.decision?.subPool ?? null;
  expect(text, 'who waits is told something').not.toBeNull();
  const { isLent, share, ofShare, inAll } = readChange(text ?? '');
  const rested = afterNotices(world);
  expect(seatOf(changed(rested, {}), member), text ?? '').toBe(isLent);
  if (share > 0) {
    const own = share - (world.subPools.find(({ name }) => name === subPool)?.seats ?? 0);
    expect(seatOf(changed(rested, { subPool, own }), member), text ?? '').toBe(true);
  }
  expect(ofShare + inAll).toBeGreaterThan(0);
  const done = (of: number, all: number) => [
    seatOf(changed(world, { subPool, own: of, inAll: all }), member),
    seatOf(changed(world, { subPool, lent: of, inAll: all }), member),
  ];
  expect(done(ofShare, inAll), text ?? '').toEqual([true, true]);
  // Without a notice a seat is taken back at once; and who had their days above the capacity may let somebody pass.
  if (world.rules.noticeHours === 0 || world.contract?.policy === 'grace') return;
  if (ofShare > 0) expect(done(ofShare - 1, inAll), `fewer of the share: ${text}`).toEqual([false, false]);
  if (inAll > 0) expect(done(ofShare, inAll - 1)[1], `fewer in all: ${text}`).toBe(false);
}

const mappingTo = (subPool: string | null): Shape['mappings'][number] => ({
  ...{ role: 'team_member', workspaces: ['w1'], fallbackRole: null, from: null, days: null, subPool },
});

/** Eight people, and a group for each of the shares: `a`, `b` and the rest. */
function sharedWorld(change: Partial<Shape>): World {
  const usual: Shape = {
    ...{ ties: Array(8).fill('a'), addresses: [0, 1, 2, 3, 4, 5, 6, 7] },
    ...{ mappings: ['a', 'b', null].map(mappingTo), subPools: [], noticeHours: 24 },
    ...{ kind: 'annual', startsIn: -9, days: 400, seats: 4, policy: 'queue', fallback: 'view_only' },
    ...{ graceDays: 1, holdMinutes: 0, defaultRole: 'none' },
  };
  return worldOf([{ ...usual, ...change }, 'immediate', 'sticky']);
}

const pool = (name: string) =>
  fc.record({
    name: fc.constant(name),
    seats: fc.nat({ max: 6 }),
    borrowLimit: fc.option(fc.nat({ max: 2 }), { freq: 2 }),
  });
const sharedWorlds = fc
  .record({
    subPools: fc.tuple(pool('a'), pool('b')),
    seats: fc.integer({ min: 1, max: 6 }),
    noticeHours: fc.constantFrom(0, 24, 24),
    policy: fc.constantFrom<Shape['policy']>('queue', 'queue', 'fallback', 'allow', 'grace'),
  })
  .map(sharedWorld);

const who = fc.nat({ max: 7 });
const joins = fc.record({
  ...{ kind: fc.constant('groups' as const), who, byDirectory: fc.constant(false) },
  groups: fc.constantFrom<number[]>([0], [1], [2], []),
});
const later = fc.oneof(
  { weight: 6, arbitrary: joins },
  {
    weight: 1,
    arbitrary: pool('a').map((one): Happening => ({ kind: 'subPool', ...one })),
  },
  { weight: 1, arbitrary: fc.nat({ max: 2 }).map((count): Happening => ({ kind: 'unmanaged', count })) },
  { weight: 1, arbitrary: fc.constant<Happening>({ kind: 'time', hours: 30 }) },
  {
    weight: 1,
    arbitrary: who.map(
      (of): Happening => ({ kind: 'pin', who: of, role: 'team_member', hours: null, reserved: false }),
    ),
  },
);

it('gives the seat, and with less there is none', () => {
  fc.assert(
    fc.property(sharedWorlds, fc.array(later, { minLength: 5, maxLength: 16 }), (start, events) => {
      const world = { ...events.reduce(happen, start), turns: [] };
      for (const member of ranked(world, 'waiting')) checkChange(world, member);
    }),
    runs,
  );
}, 300_000);

const joining = (...groups: number[]): Happening[] =>
  groups.map((group, at) => ({ kind: 'groups', who: at, groups: [group], byDirectory: false }));
const told = (shape: Partial<Shape>, groups: number[]) => {
  const world = joining(...groups).reduce(happen, sharedWorld(shape));
  const [first] = ranked(world, 'waiting');
  return first === undefined ? null : changeOf(world, first);
};

it('is both a larger share and a seat, where one of the two does not help', () => {
  const subPools = [
    { name: 'a', seats: 2, borrowLimit: 0 },
    { name: 'b', seats: 2, borrowLimit: 0 },
  ];
  expect(told({ subPools }, [0, 0, 1, 1, 0])).toBe(
    'Both one more seat for the sub-pool "a", of its own or to borrow, and one more seat in all.',
  );
  const alone = [{ name: 'a', seats: 2, borrowLimit: 0 }];
  expect(told({ subPools: alone }, [0, 0, 2, 2, 0]), 'the rest would borrow one then').toBe(
    'A share of 3 for the sub-pool "a": what others borrow then is taken back after the notice. Or both one more seat for the sub-pool "a", of its own or to borrow, and one more seat in all.',
  );
});

it('takes nothing back from others where all have their seats in the share itself', () => {
  expect(told({ subPools: [{ name: 'a', seats: 5, borrowLimit: null }] }, [0, 0, 0, 0, 0])).toBe(
    'One more seat.',
  );
});

it('is a contract for as many as come first, and more for the sub-pool where that has all it may', () => {
  const subPools = [{ name: 'a', seats: 1, borrowLimit: 0 }];
  const ended = { subPools, startsIn: 1 } as const;
  expect(told(ended, [0])).toBe('A contract that is in force today.');
  const world = joining(2, 2, 0, 0).reduce(happen, sharedWorld(ended));
  const last = ranked(world, 'waiting').find(({ id }) => id === 'p3') as Member;
  expect(changeOf(world, last)).toBe(
    'A contract that is in force today, for 4 seats or more, and one more seat for the sub-pool "a", of its own or to borrow.',
  );
});
