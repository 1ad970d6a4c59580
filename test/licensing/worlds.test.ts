/**
 * The licensing rules as a whole, over random tenants in memory: whatever happens in whatever order, each plan and each state
 * keeps the invariants. Those about the order of a batch and about better priorities compare two runs of one tenant.
 */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSeated, type Seat } from '../../src/licensing/effect.ts';
import type { Settlement } from '../../src/licensing/mapping.ts';
import { groupId, mapping } from './support.ts';
import { decide, type Member, settleDue, snapshot, type World } from './world.ts';
import { checkTurn, checkWorld } from './world-checks.ts';
import {
  groupCount,
  type Happening,
  happen,
  happenings,
  type Shape,
  withMember,
  worldOf,
  worlds,
} from './world-events.ts';

const share = Number(process.env.FUZZ_RUNS ?? 1000) / 1000;
const runs = (usual: number) => ({ numRuns: Math.max(1, Math.round(usual * share)) });
const timeoutMs = 300_000 * Math.max(1, share);

/** Everything that happens, each plan looked at. */
function played(world: World, events: readonly Happening[]): World {
  return events.reduce((now, event) => {
    const next = happen(now, event);
    for (const turn of next.turns.slice(now.turns.length)) checkTurn(turn);
    checkWorld(next);
    return { ...next, turns: [] };
  }, world);
}

it(
  'I1–I6, I10–I12, I14, I15, I17, I19, I20 hold after everything that happens (order sticky)',
  () => {
    const any = worlds(['immediate', 'immediate', 'cycle', 'staged'], ['sticky']);
    fc.assert(
      fc.property(any, happenings(14), (world, events) => {
        played(world, events);
      }),
      runs(4500),
    );
  },
  timeoutMs,
);

it(
  'the same, and I13, hold under order strict: without pre-emption nobody loses a seat to anybody',
  () => {
    const any = worlds(['immediate', 'cycle', 'staged'], ['strict']);
    fc.assert(
      fc.property(any, happenings(12), (world, events) => {
        played(world, events);
      }),
      runs(1600),
    );
  },
  timeoutMs,
);

it('I10 a reserved pin takes the seat of its own person alone, though one set before waits for the end of the batch', () => {
  const pin = { kind: 'pin', role: 'team_member', hours: null, reserved: true } as const;
  const events: Happening[] = [
    // Of two with one address the second claims nothing, and does when the first has another.
    { ...pin, who: 2 },
    { kind: 'address', who: 0, address: 5 },
    { ...pin, who: 1 },
  ];
  const { members } = played(plainWorld('staged', { addresses: [0, 1, 0] }), events);
  expect(members.map(({ decision }) => decision?.seat)).toEqual([undefined, 'held', 'waiting']);
});

interface Arrival {
  who: number;
  groups: number[];
  leaves: boolean;
}

const arrivals = fc.uniqueArray(
  fc.record({
    who: fc.nat({ max: 7 }),
    groups: fc.subarray(Array.from({ length: groupCount }, (_, n) => n)),
    leaves: fc.boolean(),
  }),
  { selector: ({ who }) => who, minLength: 2, maxLength: 8 },
);

/** One person after another, each a plan of its own, and then the end of the batch. */
function arrive(world: World, inOrder: readonly Arrival[], betweenMs = 0) {
  // With sub-pools, what touches no seat may give notice before a batch begins: I7 is of what happens inside one.
  const isOpen = world.subPools.length > 0 && world.rules.settlement !== 'immediate';
  const batch = isOpen ? { openedAt: world.now, settlesAt: later(world).now } : world.batch;
  const begun: World = { ...world, batch, turns: [] };
  const full = inOrder.reduce((now, { who, groups, leaves }) => {
    const member = now.members[who];
    if (member === undefined) return now;
    const asked = new Set(groups.map((n) => groupId(`g${n}`)));
    const next = { ...member, groups: asked, active: member.active && !leaves };
    const then = { ...withMember(now, next), now: new Date(now.now.getTime() + betweenMs) };
    return decide(then, { userIds: [member.id], addresses: [member.address ?? ''] });
  }, begun);
  return { full, settled: decide(full, {}, { isSettling: true }) };
}

/** What was written of whom, in no order; `inputs` too where nobody gives a seat back meanwhile. */
function contentOf({ turns }: World, withInputs: boolean): string[] {
  return turns
    .flatMap(({ before: { usage }, planned: { changes, terms } }) =>
      changes.map((change) =>
        JSON.stringify([change, withInputs ? [usage, terms.capacity, terms.policy] : null]),
      ),
    )
    .sort();
}

it(
  'I7 inside a batch any order of the arrivals gives the same snapshot and the same audit',
  () => {
    const any = fc.tuple(
      worlds(['cycle', 'staged'], ['sticky', 'strict']),
      happenings(4),
      arrivals,
      fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
    );
    fc.assert(
      fc.property(any, ([world, events, people, shuffle]) => {
        const start = atRest(played(world, events));
        const order = new Map(people.map(({ who }, at) => [who, shuffle[at] ?? 0]));
        const other = people.toSorted((a, b) => (order.get(a.who) ?? 0) - (order.get(b.who) ?? 0));
        const [one, two] = [arrive(start, people), arrive(start, other)];
        expect(snapshot(two.full), 'I7 before the end of the batch').toEqual(snapshot(one.full));
        expect(snapshot(two.settled), 'I7 after it').toEqual(snapshot(one.settled));
        const isFilling = people.every(({ who, leaves }) => !leaves && start.members[who]?.decision == null);
        const [slow, slower] = [arrive(start, people, 1000), arrive(start, other, 1000)];
        expect(seatsOf(slower.settled), 'I7 also of arrivals at other times').toEqual(seatsOf(slow.settled));
        expect(contentOf(two.settled, isFilling), 'I7 the audit').toEqual(contentOf(one.settled, isFilling));
      }),
      runs(1600),
    );
  },
  timeoutMs,
);

it('I7 a grace of no days writes no seat that the next look takes back, whoever is looked at first', () => {
  const people = [
    { who: 0, groups: [], leaves: false },
    { who: 2, groups: [], leaves: true },
  ];
  // The third claims when the address is no longer another's: the last batch before the rest decides for that claim.
  const full: Partial<Shape> = { seats: 2, policy: 'grace', defaultRole: 'team_member' };
  const start = atRest(plainWorld('staged', { ...full, addresses: [0, 1, 0] }));
  expect(start.members.map(({ decision }) => decision?.seat)).toEqual(['held', 'held', 'waiting']);
  const [one, two] = [arrive(start, people), arrive(start, people.toReversed())];
  expect(contentOf(two.settled, false)).toEqual(contentOf(one.settled, false));
});

it('I7 a claim that comes to a share without a seat waits for the end of a batch, also where that share lent one', () => {
  const start = atRest(
    plainWorld('cycle', {
      ...{ seats: 1, noticeHours: 0, defaultRole: 'team_member' },
      subPools: [{ name: 'a', seats: 1, borrowLimit: null }],
      mappings: [{ ...usualMapping, subPool: 'a' }],
    }),
  );
  const seats = ({ members }: World) => members.map(({ decision }) => decision?.seat);
  const joins: Happening = { kind: 'groups', who: 1, groups: [0], byDirectory: true };
  const joined = played(start, [joins]);
  expect([seats(start), seats(joined)]).toEqual([
    ['held', 'waiting', 'waiting'],
    ['held', 'waiting', 'waiting'],
  ]);
  expect(seats(played(joined, [{ kind: 'time', hours: 0.5 }]))).toEqual(['waiting', 'held', 'waiting']);
});

it('I15 whose seat a share takes back comes before a lower claim that is made at the same moment', () => {
  const world = plainWorld('immediate', {
    ...{ ties: ['a', 'a', 'a', 'a'], addresses: [0, 1, 2, 3], seats: 2, policy: 'grace', graceDays: 1 },
    ...{ defaultRole: 'team_member', noticeHours: 0, subPools: [{ name: 'a', seats: 1, borrowLimit: null }] },
    mappings: [{ ...usualMapping, subPool: 'a', from: 2 }],
  });
  const seats = ({ members }: World) => members.map(({ decision }) => decision?.seat);
  const before = played(decide(world, { everyone: true }), [
    { kind: 'time', hours: 24 },
    { kind: 'pin', who: 0, role: 'view_only', hours: 1, reserved: false },
    { kind: 'groups', who: 2, groups: [0], byDirectory: false },
  ]);
  expect(seats(before)).toEqual(['none', 'held', 'waiting', 'held']);
  // The pin of the first ends, who claims anew; the mapping begins, and its share takes the seat of the last.
  expect(seats(played(before, [{ kind: 'time', hours: 24 }]))).toEqual([
    'waiting',
    'held',
    'held',
    'overage',
  ]);
});

it('I12 whose time above the capacity is over takes back a seat that their share lent', () => {
  const world = plainWorld('immediate', {
    ...{ seats: 2, policy: 'allow', defaultRole: 'team_member', noticeHours: 0 },
    subPools: [{ name: 'a', seats: 1, borrowLimit: null }],
    mappings: [{ ...usualMapping, subPool: 'a' }],
  });
  const seats = ({ members }: World) => members.map(({ decision }) => decision?.seat);
  const before = played(world, [{ kind: 'groups', who: 2, groups: [0], byDirectory: true }]);
  expect(seats(before)).toEqual(['held', 'held', 'overage']);
  const noGrace: Happening = { kind: 'contract', seats: 2, policy: 'grace', fallback: 'view_only' };
  expect(seats(played(before, [noGrace]))).toEqual(['held', 'waiting', 'held']);
});

const usualMapping: Shape['mappings'][number] = {
  ...{ role: 'team_member', workspaces: ['w1'], fallbackRole: null, from: null, days: null, subPool: null },
};

/** Three people, and a group for each of two mappings. */
function plainWorld(settlement: Settlement, change: Partial<Shape>): World {
  const usual: Shape = {
    ...{ ties: ['a', 'b', 'c'], addresses: [0, 1, 2], mappings: [usualMapping, usualMapping] },
    ...{ kind: 'annual', startsIn: -9, days: 400, seats: 3, policy: 'queue', fallback: 'view_only' },
    ...{ graceDays: 0, holdMinutes: 0, defaultRole: 'none', subPools: [], noticeHours: 24 },
  };
  return worldOf([{ ...usual, ...change }, settlement, 'sticky']);
}

/** No batch is open, everybody has an address of their own, and nobody moves or is pinned. */
function atRest(world: World): World {
  const settled = settleDue(decide(world, {}, { isSettling: true }));
  const members = settled.members.map((one, at) => ({ ...one, address: `own${at}@example.com`, pin: null }));
  const own = decide({ ...settled, members }, { everyone: true });
  const late = { ...own, now: new Date(own.now.getTime() + 2 * 3_600_000) };
  return decide(settleDue(late), {}, { isSettling: true });
}

it(
  'I9 strict: who gets the seats of one batch follows from the last state alone, whatever came before',
  () => {
    const any = fc.tuple(worlds(['staged'], ['strict']), fc.array(arrivals, { maxLength: 3 }), arrivals);
    fc.assert(
      fc.property(any, ([world, histories, last]) => {
        const empty = {
          ...world,
          rules: { ...world.rules, defaultRole: 'none' },
          contract: freshContract(world),
        };
        const start = decide({ ...empty, batch: null }, { everyone: true }, { isSettling: true });
        fc.pre(start.members.every(({ decision }) => decision === null || !isSeated(decision.seat)));
        const before = histories.reduce((now, some) => later(arrive(now, some).full), later(start));
        const end = (from: World) => {
          const all = from.members.map(
            (_, who) => last.find((one) => one.who === who) ?? { who, groups: [] },
          );
          return arrive(
            from,
            all.map((one) => ({ ...one, leaves: false })),
          ).settled;
        };
        const rested = { ...before, members: before.members.map((one) => ({ ...one, active: true })) };
        expect(seatsOf(end(rested)), 'I9 equal final states agree').toEqual(seatsOf(end(later(start))));
      }),
      runs(1100),
    );
  },
  timeoutMs,
);

function freshContract({ contract }: World) {
  return contract === undefined ? undefined : { ...contract, startsOn: '2026-01-01', endsOn: '2030-12-31' };
}

function later(world: World): World {
  return { ...world, now: new Date(world.now.getTime() + 1000) };
}

function seatsOf({ members }: World) {
  return members.map(({ id, decision }) => [id, decision?.seat ?? 'none', decision?.effective ?? []]);
}

const worth: Record<Seat, number> = { none: 0, waiting: 0, hold: 1, overage: 2, held: 3 };

it(
  'I16 a better priority with the same roles never worsens the outcome of the next event',
  () => {
    const any = fc.tuple(
      worlds(['immediate', 'cycle'], ['sticky', 'strict']),
      happenings(8),
      fc.nat({ max: 7 }),
      happenings(1),
    );
    fc.assert(
      fc.property(any, ([world, events, who, [event]]) => {
        const start = { ...played(world, events), turns: [] };
        const one = start.members[who % start.members.length];
        if (one?.decision?.claim == null || event === undefined) return;
        if ('who' in event && event.who % start.members.length === who % start.members.length) return;
        const decisionOf = (state: World) => state.members.find(({ id }) => id === one.id)?.decision ?? null;
        const worthOf = (state: World) => worth[decisionOf(state)?.seat ?? 'none'];
        const raised = raise(start, one);
        expect(worthOf(raised), 'I16 at once').toBeGreaterThanOrEqual(worthOf(start));
        const [next, nextRaised] = [happen(start, event), happen(raised, event)];
        // Whose mapping ends asks for other roles, or of another pool, than who has them by the better one still.
        if (!isSameAsked(decisionOf(next), decisionOf(nextRaised))) return;
        expect(worthOf(nextRaised), 'I16 after the next event').toBeGreaterThanOrEqual(worthOf(next));
      }),
      runs(1300),
    );
  },
  timeoutMs,
);

it('I16 who has the same role by a better mapping does not mind what becomes of the first one', () => {
  const joins: Happening = { kind: 'groups', who: 0, groups: [0], byDirectory: true };
  const event: Happening = { kind: 'mapping', at: 0, role: 'view_only', subPool: null };
  const start = happen(plainWorld('immediate', {}), joins);
  const raised = raise(start, start.members[0] as Member);
  expect(happen(start, event).members[0]?.decision?.seat).toBe('none');
  expect(happen(raised, event).members[0]?.decision?.seat).toBe('held');
});

function isSameAsked(one: Member['decision'], other: Member['decision']): boolean {
  const asked = (decision: Member['decision']) => [
    decision?.subPool ?? null,
    ...(decision?.requested ?? []).map(({ role, workspace }) => `${role} ${workspace}`).toSorted(),
  ];
  return JSON.stringify(asked(one)) === JSON.stringify(asked(other));
}

/** The same roles in the same workspaces, by mappings that come before all others. */
function raise(world: World, one: Member): World {
  const better = (one.decision?.requested ?? []).map(({ role, workspace, fallbackRole }, at) =>
    mapping(`vip${at}`, 0.01 * (at + 1), {
      ...{ role, workspaces: [workspace], fallbackRole, subPool: one.decision?.subPool ?? null },
      groupId: groupId('vip'),
    }),
  );
  const groups = new Set([...one.groups, groupId('vip')]);
  const mappings = [...better, ...world.rules.mappings];
  const richer = { ...world, rules: { ...world.rules, mappings } };
  return decide(withMember(richer, { ...one, groups }), { userIds: [one.id] });
}
