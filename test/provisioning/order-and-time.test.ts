/**
 * What must not depend on the order of a batch's calls, on the steps of the clock, or on how a directory moves people: compared on
 * the real database, by names in place of ids. FUZZ_RUNS sets the number of histories.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { GroupId, UserId } from '../../src/kernel/ids.ts';
import { addLine } from '../../src/provisioning/contract-flow.ts';
import { setPin } from '../../src/provisioning/pin-flow.ts';
import { putSettings } from '../../src/provisioning/settings-flow.ts';
import { settleBatch, settleDue } from '../../src/provisioning/settle-flow.ts';
import { defaultSettings, type Settings } from '../../src/tenants/settings.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { newWorld, type TestWorld } from '../support/tenants.ts';
import { checkLedger, readLedger } from './ledger.ts';
import { readState, type State } from './state.ts';

const runs = Math.ceil(Number(process.env.FUZZ_RUNS ?? 50) * 0.16);
const timeoutMs = runs * 4000 + 60_000;
const options = { numRuns: runs, endOnFailure: process.env.FUZZ_SHRINK === undefined };
const [minuteMs, hourMs] = [60_000, 3_600_000];
let test: TestDatabase;

beforeAll(async () => {
  test = await testDatabase({ poolSize: 4 });
});

afterAll(() => test.close());

interface Team {
  world: TestWorld;
  groups: GroupId[];
  people: UserId[];
}

/** Three groups that ask for a paid role with priorities 1 to 3, and people who are in none of them. */
async function newTeam(size: number, paidSeats: number, settings: Partial<Settings> = {}): Promise<Team> {
  const world = await newWorld(test.database);
  await world.salt('salt');
  await world.contract({ paidSeats });
  const groups = [await world.group('one'), await world.group('two'), await world.group('three')];
  for (const [at, id] of groups.entries()) {
    const workspaces = at === 2 ? ['w1', 'w2'] : ['w1'];
    await world.map({ group: { id }, priority: at + 1, workspaces });
  }
  const people: UserId[] = [];
  for (let n = 0; n < size; n += 1) people.push(await world.user(`p${n}@example.com`));
  await putSettings(world.database, world.door, { ...defaultSettings, ...settings });
  world.pass(1000);
  return { world, groups, people };
}

function nth<T>(all: readonly T[], n: number): T {
  const one = all[n % all.length];
  if (one === undefined) throw new Error('there is none');
  return one;
}

/** Text in which names stand for ids. */
function named({ world, people, groups }: Team, state: State, value: unknown): unknown {
  const names = [
    ...people.map((id, at) => [id, `person ${at}`]),
    ...groups.map((id, at) => [id, `group ${at}`]),
    ...state.mappings.map(({ id, priority }) => [id, `mapping ${priority}`]),
    [world.tenantId, 'tenant'],
  ] as const;
  return JSON.parse(names.reduce((text, [id, name]) => text.replaceAll(id, name), JSON.stringify(value)));
}

const joins = fc.uniqueArray(fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 2 })), {
  minLength: 2,
  maxLength: 8,
});

it(
  'I7: a batch whose calls came in another order has the same snapshot and the same audit',
  async () => {
    const any = fc.tuple(
      joins.chain((calls) =>
        fc.tuple(fc.constant(calls), fc.shuffledSubarray(calls, { minLength: calls.length })),
      ),
      fc.nat({ max: 5 }),
      fc.constantFrom<'cycle' | 'staged'>('cycle', 'staged'),
      fc.constantFrom<'sticky' | 'strict'>('sticky', 'strict'),
    );
    await fc.assert(
      fc.asyncProperty(any, async ([[calls, other], seats, settlement, order]) => {
        // Who is called twice leaves a trail of two steps, which are others in another order.
        const isOnceEach = new Set(calls.map(([who]) => who)).size === calls.length;
        const filled = async (inOrder: typeof calls) => {
          const team = await newTeam(8, seats, { settlement, order });
          const { world, groups, people } = team;
          for (const [who, group] of inOrder)
            await world.editGroup(
              nth(groups, group),
              { add: [nth(people, who)] },
              undefined,
              world.directoryDoor,
            );
          world.pass(3 * minuteMs);
          await (settlement === 'cycle'
            ? settleDue(world.database, world.now, 1000)
            : settleBatch(world.database, world.door));
          const state = await readState(world);
          await checkLedger(world, state);
          const ledger = (await readLedger(world)).map(({ seq: _, ...entry }) => entry);
          const last = new Map(ledger.map((entry) => [entry.subject, entry.after]));
          const rows = [state.decisions, isOnceEach ? ledger : [...last]];
          return rows.map((some) =>
            (named(team, state, some) as unknown[]).map((row) => JSON.stringify(row)).sort(),
          );
        };
        expect(await filled(other), 'I7').toEqual(await filled(calls));
      }),
      options,
    );
  },
  timeoutMs,
);

type Step =
  | { kind: 'move'; who: number; to: number; minutes: number; rename: boolean }
  | { kind: 'join'; who: number; to: number }
  | { kind: 'rename'; group: number; name: number };

const who = fc.nat({ max: 8 });
const to = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('move' as const),
      ...{ who, to },
      minutes: fc.nat({ max: 59 }),
      rename: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('join' as const), who, to }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('rename' as const), group: to, name: fc.nat({ max: 9 }) }),
  },
);

it(
  'I17, I18: whoever a directory moves inside the hold keeps seat and rank, and renames change nothing',
  async () => {
    let moves = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 14 }), async (steps) => {
        const team = await newTeam(9, 3);
        for (const n of team.people.keys()) await join(team, n, n);
        for (const [at, one] of steps.entries()) {
          team.world.pass(1000);
          if (one.kind === 'move') moves += (await move(team, one)) ? 1 : 0;
          else if (one.kind === 'join') await join(team, one.who, one.to);
          else await rename(team, one.group, `name ${one.name} ${at}`);
          await settleDue(test.database, team.world.now, 1000);
        }
        await checkLedger(team.world, await readState(team.world));
      }),
      options,
    );
    expect(moves).toBeGreaterThan(runs);
  },
  timeoutMs,
);

function join({ world, groups, people }: Team, n: number, group: number): Promise<void> {
  return world.editGroup(nth(groups, group), { add: [nth(people, n)] }, undefined, world.directoryDoor);
}

async function rename({ world, groups }: Team, group: number, name: string): Promise<void> {
  const before = await readState(world);
  await world.editGroup(nth(groups, group), {}, name, world.directoryDoor);
  expect((await readState(world)).decisions, 'I18 a rename keeps everything').toEqual(before.decisions);
}

/** Out of every group in one call each, and some time later into another one. */
async function move(team: Team, { who: n, to: group, minutes, rename: isRenaming }: Step & { kind: 'move' }) {
  const { world, groups, people } = team;
  const id = nth(people, n);
  const rowOf = (state: State) => state.decisions.find((row) => row.user_id === id);
  const before = rowOf(await readState(world));
  if (before?.claimed_at == null) return false;
  for (const one of groups) await world.editGroup(one, { remove: [id] }, undefined, world.directoryDoor);
  if (isRenaming) await rename(team, group, `while ${minutes}`);
  // Somebody else asks meanwhile.
  await join(team, n + 1, 0);
  world.pass(minutes * minuteMs);
  await settleDue(test.database, world.now, 1000);
  await join(team, n, group);
  const after = rowOf(await readState(world));
  expect(after?.claimed_at, 'I17 the rank').toEqual(before.claimed_at);
  if (before.seat === 'held') expect(after?.seat, 'I17 the seat').toBe('held');
  return true;
}

const plans = fc.record({
  pins: fc.array(fc.tuple(fc.nat({ max: 8 }), fc.integer({ min: 1, max: 90 })), { maxLength: 4 }),
  leavers: fc.uniqueArray(fc.nat({ max: 8 }), { maxLength: 3 }),
  increases: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
  looks: fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 8 }),
});

it(
  'I24: pins, holds and dates end once, alike in any steps of the clock and after a downtime',
  async () => {
    await fc.assert(
      fc.asyncProperty(plans, async ({ pins, leavers, increases, looks }) => {
        const ended = async (hours: readonly number[]) => {
          const team = await newTeam(9, 2);
          const start = await begin(team, pins, leavers, increases);
          for (const hour of hours) {
            team.world.now = new Date(start.getTime() + hour * hourMs);
            await settleDue(test.database, team.world.now, 1000);
          }
          const state = await readState(team.world);
          expect(state.pool.due_at === null || state.pool.due_at > team.world.now, 'I24 nothing is due').toBe(
            true,
          );
          await checkLedger(team.world, state);
          await settleDue(test.database, team.world.now, 1000);
          expect((await readState(team.world)).fingerprint, 'I24 it is done once').toEqual(state.fingerprint);
          const rows = state.decisions.map(({ user_id, seat, priority, requested, effective, due_at }) => {
            return { user_id, seat, priority, requested, effective, due_at };
          });
          return (named(team, state, rows) as unknown[]).map((row) => JSON.stringify(row)).sort();
        };
        const inSteps = [...looks.toSorted((a, b) => a - b), 100];
        expect(await ended(inSteps), 'I24').toEqual(await ended([100]));
      }),
      options,
    );
  },
  timeoutMs,
);

/**
 * Everybody asks in turn; some by nothing but a pin for some hours, some are on the move, and more seats come on later days. (Who
 * is pinned and asks by a group too may have got a seat by the pin, and keeps it: that depends on when it was looked at.)
 */
async function begin(
  team: Team,
  pins: readonly (readonly [number, number])[],
  leavers: readonly number[],
  increases: readonly number[],
): Promise<Date> {
  const { world, people } = team;
  const pinned = new Set(pins.map(([n]) => nth(people, n)));
  for (const [n, id] of people.entries()) {
    world.pass(1000);
    if (!pinned.has(id)) await join(team, n, n);
  }
  for (const [n, hours] of pins) {
    const until = new Date(world.now.getTime() + hours * hourMs);
    const draft = { role: 'team_member', workspaces: null, reason: 'test', until, reserved: false };
    await setPin(world.database, world.door, nth(people, n), draft);
  }
  for (const n of leavers)
    await world.editGroup(nth(team.groups, n), { remove: [nth(people, n)] }, undefined, world.directoryDoor);
  for (const [at, paidSeats] of increases.entries()) {
    const effectiveOn = new Date(world.now.getTime() + (at + 1) * 24 * hourMs).toISOString().slice(0, 10);
    const line = { kind: 'add_on', effectiveOn, endsOn: null, setsSeats: false, paidSeats } as const;
    const noted = { tier: null, contractEndsOn: null, reason: 'test', documentReference: null };
    await addLine(world.database, world.door, { ...line, ...noted });
  }
  return world.now;
}
